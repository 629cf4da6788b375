"""Cases of the lab's faults: what does not come, or comes late; and whose tokens end."""
import http.client
import json
import socket
import sys
import time
import urllib.parse

from labclient import WebSocket, run_cases
from eventsub import kind
from gateway import clean

SHORT = 0.3


def no_answer(l, method, path, body=None, token=None):
    """True when nothing comes within SHORT."""
    c = http.client.HTTPConnection(urllib.parse.urlsplit(l.base).netloc, timeout=SHORT)
    try:
        c.request(method, path, body and json.dumps(body), {"Authorization": f"Bot {l.token}", "Content-Type": "application/json",
                                                            "User-Agent": "DiscordBot (https://x.test, 1)"})
        c.getresponse()
        return False
    except socket.timeout:
        return True
    finally:
        c.close()


def hangs(l):
    """hang: nothing is done. lost form=hang: it is. deadresume form=hang: the handshake has no answer."""
    path = f"/api/v10/channels/{l.general}/messages"
    for fault, texts in (("hang", []), ("lost form=hang", ["lost form=hang"])):
        l.fault(f"request path=/messages: {fault}")
        assert no_answer(l, "POST", path, {"content": fault})
        assert [e["text"] for e in l.get("/lab/said")["entries"]] == texts
    l.set(discord__identify_interval_s=0)
    ws, ready = l.session()
    l.fault("now: deadresume form=hang")
    ws.drop()
    s = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(l.base).port), SHORT)
    s.sendall(f"GET {urllib.parse.urlsplit(ready['resume_gateway_url']).path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
              "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    try:
        raise AssertionError(s.recv(100))
    except socket.timeout:
        s.close()
    assert l.resume(ready, 1, path="/discord").until(lambda o: o["t"] == "RESUMED")
    assert l.get("/lab/counts")["counts"]["dead-url"] == 1
    clean(l)


def quiet(l):
    """noping: no Ping, and keepalives all the same. split with a pause: slowly."""
    l.set(twitch__ping_s=0.02, twitch__keepalive_s=0.2)
    for fault, pings in (("noping", False), ("unknown", True)):
        l.fault(f"connect platform=twitch: {fault}")
        ws = WebSocket(l.ws + "/ws")
        ws.until(lambda o: kind(o) == "session_keepalive")
        assert (len(ws.frames) > 3) == pings, ws.frames
        ws.drop()
    l.fault("connect platform=discord: split 3 pause=4")
    begun = time.monotonic()
    l.hello()
    assert time.monotonic() - begun > 0.05
    clean(l)


def whose(l):
    """expire-tokens of one kind leaves the other; with refresh=true a refresh is refused, too."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    l.fault("now: expire-tokens kind=app")
    assert (l.helix("GET", "/users")[0], l.helix("GET", "/users?id=7", token=app)[0]) == (200, 401)
    l.fault("now: expire-tokens kind=user refresh=true")
    assert l.helix("GET", "/users")[0] == 401
    form = dict(grant_type="refresh_token", refresh_token=l.user_token["refresh_token"], client_id=l.client["id"], client_secret=l.client["secret"])
    assert l.oauth("POST", "token", **form)[0] == 400
    l.fault("request platform=twitch: status 503 message=away")
    assert l.helix("GET", "/users")[2]["message"] == "away"
    clean(l)


if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
