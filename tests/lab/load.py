"""Cases of load: many connections, many messages, and TLS."""
import resource
import sys
import threading
import time

from labclient import Lab, WebSocket, http_call, run_cases
from gateway import clean


def idle(l):
    """A thousand shards that are connected, each with its own compressed stream; each gets what is said in its guild."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = 1000
    l.set(discord__max_concurrency=n)
    last = l.post("/lab/discord/guild", name="last", shard=n - 1, of=n)["channels"]["general"]
    sockets = [l.session(shard=(i, n), compress=True)[0] for i in range(n)]
    l.post("/lab/say", channel=last, text="to the last")
    assert sockets[-1].until(lambda o: o["t"] == "MESSAGE_CREATE")["d"]["content"] == "to the last"
    assert l.get("/lab/counts")["connections"] == n
    clean(l)
    for ws in sockets:
        ws.s.close()


def flood(l):
    """Ten thousand messages as fast as they are taken, in order, with and without compression; those that were kept can be replayed."""
    l.set(discord__identify_interval_s=0)
    for n, compress in enumerate((False, True)):
        ws, ready = l.session(compress=compress)
        ws.recv()
        sent = []
        t = threading.Thread(target=lambda: sent.append(l.post("/lab/flood", n=5000)))
        t.start()
        seqs = [ws.recv()["s"] for _ in range(5000)]
        t.join()
        assert seqs == list(range(3, 5003)) and sent[0]["messages"] == 5000
        ws.drop()
        l.wait("closed", n + 1)
        again = l.resume(ready, 2502, compress=compress)
        assert [again.recv()["s"] for _ in range(2500)] == list(range(2503, 5003)) and again.recv()["t"] == "RESUMED"
        again.close(1000)
        again.end()
        l.wait("session-end", n + 1)
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    t = threading.Thread(target=lambda: l.post("/lab/flood", n=2000))
    t.start()
    ids = {ws.recv()["metadata"]["message_id"] for _ in range(2000)}
    t.join()
    assert len(ids) == 2000
    ws.drop()
    clean(l)


def rate(l):
    """At a rate, in its time."""
    ws, _ = l.session()
    ws.recv()
    begun = time.monotonic()
    l.post("/lab/flood", n=60, rate=200)
    texts = [ws.recv()["d"]["content"] for _ in range(60)]
    assert texts == [f"flood {i}" for i in range(60)] and time.monotonic() - begun >= 0.25
    clean(l)


def tls(l):
    """The same over TLS: URLs that it names are of TLS, too; a slow handshake."""
    w = l.world
    import ssl
    import urllib.request
    context = ssl.create_default_context(cafile=w["ca"])
    request = urllib.request.Request(w["https"] + "/api/v10/gateway/bot", headers={
        "Authorization": "Bot " + l.token, "User-Agent": "DiscordBot (https://example.org/lab-test, 1.0)"})
    import json
    with urllib.request.urlopen(request, context=context, timeout=20) as r:
        url = json.load(r)["url"]
    assert url.startswith("wss://")
    ws = WebSocket(url + "/?v=10&encoding=json&compress=zlib-stream", True, w["ca"])
    assert ws.recv()["op"] == 10
    l.identify(ws)
    ready = ws.recv()["d"]
    assert ready["resume_gateway_url"].startswith("wss://")
    ws.recv()
    l.post("/lab/say", channel="general", text="x" * 100000)
    assert len(ws.recv()["d"]["content"]) == 100000
    ws.drop()
    l.wait("closed")
    l.fault("now: slow-tls 0.2")
    begun = time.monotonic()
    ws = WebSocket(ready["resume_gateway_url"] + "/?v=10&encoding=json", ca=w["ca"])
    ws.recv()
    assert time.monotonic() - begun >= 0.2
    clean(l)
    ws.drop()
    events = WebSocket(w["https"].replace("https", "wss") + "/ws", ca=w["ca"])
    events.recv()
    l.fault("now platform=twitch: reconnect")
    assert events.recv()["payload"]["session"]["reconnect_url"].startswith("wss://")


__all__ = ["Lab", "http_call"]
if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
