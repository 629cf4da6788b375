"""Cases of EventSub over WebSocket and over webhooks, and of conduits."""
import hashlib
import hmac
import json
import sys
import time

from labclient import Closed, WebSocket, run_cases
from gateway import broke, clean
from rest import Endpoint


def kind(o):
    return o["metadata"]["message_type"]


def life(l):
    """Welcome, subscription, a message, its reply, a follow, a revocation; pings are answered; a clean end. Nothing is wrong with it."""
    l.set(twitch__ping_s=0.1)
    ws, s = l.eventsub("?keepalive_timeout_seconds=600")
    assert s["keepalive_timeout_seconds"] == 600 and s["status"] == "connected" and s["reconnect_url"] is None
    status, h, body = l.subscribe(s["id"])
    assert status == 202 and body["data"][0]["status"] == "enabled" and body["total"] == 1 and body["total_cost"] == 0, body
    assert l.subscribe(s["id"], "channel.follow", "2", broadcaster_user_id="42", moderator_user_id="99")[0] == 202
    said = l.post("/lab/say", channel="twitch:lab", user="ada", text="hi @bob")
    n = ws.recv()
    e = n["payload"]["event"]
    assert kind(n) == "notification" and n["metadata"]["subscription_type"] == "channel.chat.message"
    assert n["metadata"]["message_id"] == said["message_ids"][0] and e["message_id"] == said["ids"][0]
    assert (e["chatter_user_login"], e["broadcaster_user_id"], e["message"]["text"], e["reply"]) == ("ada", "42", "hi @bob", None)
    assert [f["type"] for f in e["message"]["fragments"]] == ["text", "mention"]
    l.post("/lab/say", channel="twitch:lab", user="bob", text="yes?", reply_to=said["ids"][0])
    assert ws.recv()["payload"]["event"]["reply"]["parent_message_body"] == "hi @bob"
    l.post("/lab/twitch/event", type="channel.follow", channel="lab", user="bob")
    assert ws.recv()["payload"]["event"]["user_login"] == "bob"
    l.post("/lab/twitch/revoke", type="channel.follow")
    r = ws.recv()
    assert kind(r) == "revocation" and r["payload"]["subscription"]["status"] == "authorization_revoked" and "event" not in r["payload"]
    l.wait("subscribed", 2)
    ws.close(1000)
    assert ws.end() == 1000
    clean(l)


def keepalive(l):
    """The query's number within its bounds; keepalives only when nothing else was said."""
    for query, seconds in (("", 10), ("?keepalive_timeout_seconds=1", 10), ("?keepalive_timeout_seconds=9999", 600)):
        assert l.eventsub(query)[1]["keepalive_timeout_seconds"] == seconds
    l.set(twitch__keepalive_s=0.3)
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    assert kind(ws.recv()) == "session_keepalive"
    clean(l)


def wrong(l):
    """Any frame but Pong and Close: 4001. No subscription in time: 4003. A ping without its pong: 4002. A made-up reconnect URL: 4007."""
    for frame in ((1, b"{}"), (2, b"x"), (9, b"ping")):
        ws, _ = l.eventsub()
        ws.send_frame(*frame)
        assert ws.end() == 4001, frame
        broke(l, "inbound")
    ws, _ = l.eventsub()
    ws.send_frame(10, b"")
    l.set(twitch__ping_s=0.05, twitch__pong_s=5)
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    l.post("/lab/say", channel="twitch:lab", text="pings are answered until here")
    ws.recv()
    l.set(twitch__pong_s=0.05)
    try:
        while True:
            ws.recv(pong=False)
    except Closed as e:
        assert e.code == 4002
    broke(l, "pong-missed")
    assert [x["status"] for x in l.get("/lab/twitch/subscriptions")["subscriptions"]] == ["websocket_failed_ping_pong"]
    l.set(twitch__ping_s=60, twitch__first_subscription_s=0.1)
    ws, s = l.eventsub()
    assert ws.end() == 4003
    broke(l, "unused")
    status, _, body = l.subscribe(s["id"])
    assert status == 400 and body["message"] == "websocket transport session does not exist or has already disconnected"
    assert WebSocket(l.ws + "/ws?challenge=made-up").end() == 4007


def reconnect(l):
    """session_reconnect: the old socket goes on until the new one is welcome; nothing is subscribed again; the old one must go."""
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    l.fault("now platform=twitch: reconnect")
    m = ws.recv()
    url = m["payload"]["session"]["reconnect_url"]
    assert kind(m) == "session_reconnect" and m["payload"]["session"]["status"] == "reconnecting" and url
    assert m["payload"]["session"]["keepalive_timeout_seconds"] is None
    l.post("/lab/say", channel="twitch:lab", text="still the old one")
    assert ws.recv()["payload"]["event"]["message"]["text"] == "still the old one"
    new = WebSocket(url)
    w = new.recv()
    assert kind(w) == "session_welcome" and w["payload"]["session"]["id"] != s["id"]
    l.wait("moved")
    l.post("/lab/say", channel="twitch:lab", text="the new one")
    assert new.recv()["payload"]["event"]["message"]["text"] == "the new one"
    ws.close(1000)
    ws.end()
    assert l.get("/lab/twitch/subscriptions")["subscriptions"][0]["transport"]["session_id"] == w["payload"]["session"]["id"]
    clean(l)
    # who leaves the old socket open, who changes the URL, who never comes
    l.fault("now platform=twitch: reconnect grace=2")
    url = new.recv()["payload"]["session"]["reconnect_url"]
    third = WebSocket(url + "&keepalive_timeout_seconds=30")
    third.recv()
    broke(l, "reconnect-url-changed")
    assert new.end() == 4004
    broke(l, "old-socket-left")
    l.fault("now platform=twitch: reconnect grace=0.1")
    assert third.end() == 4004
    broke(l, "reconnect-missed")
    assert [x["status"] for x in l.get("/lab/twitch/subscriptions")["subscriptions"]] == ["websocket_failed_to_reconnect"]


def limits(l):
    """Three sockets with subscriptions, so many subscriptions on one, cost, the same one twice."""
    sockets = [l.eventsub() for _ in range(4)]
    assert l.subscribe(sockets[0][1]["id"])[0] == 202
    status, _, body = l.subscribe(sockets[0][1]["id"])
    assert status == 409 and body["id"] == l.get("/lab/twitch/subscriptions")["subscriptions"][0]["id"]
    for _, s in sockets[1:3]:
        assert l.subscribe(s["id"])[0] == 202
    status, _, body = l.subscribe(sockets[3][1]["id"])
    assert status == 429 and body["message"] == "number of websocket transports limit exceeded"
    ws, s = sockets[0]
    ids = [l.post("/lab/twitch/user", login=f"u{i}")["id"] for i in range(12)]
    answers = [l.subscribe(s["id"], "stream.online", broadcaster_user_id=i) for i in ids]
    assert [a[0] for a in answers] == [202] * 10 + [429] * 2 and answers[9][2]["total_cost"] == 10
    l.set(twitch__subscriptions_max=12)
    assert l.subscribe(s["id"], "channel.chat.clear")[0] == 202
    assert l.subscribe(s["id"], "channel.chat.notification")[0] == 429
    clean(l)
    for ws, _ in sockets:
        ws.end if ws.close() else None


def refused(l):
    """Who may not subscribe, and to what one cannot."""
    ws, s = l.eventsub()
    def code(*a, **k):
        return l.subscribe(s["id"], *a, **k)[0]
    assert code("channel.follow", "1", broadcaster_user_id="42") == 410
    assert code("channel.nothing") == 400
    assert code("channel.chat.message", broadcaster_user_id="42") == 400
    assert code("channel.chat.message", broadcaster_user_id="42", user_id="12345") == 400
    assert code("channel.subscribe", broadcaster_user_id="42") == 403
    assert code("channel.chat.message", broadcaster_user_id="42", user_id="7") == 403
    assert code("channel.follow", "2", broadcaster_user_id="7", moderator_user_id="99") == 403
    l.post("/lab/twitch/user", login="penstock", banned_in=["lab"])
    assert code() == 403
    assert l.helix("GET", "/eventsub/subscriptions")[2]["total"] == 0
    clean(l)
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    assert l.subscribe(s["id"], token=app)[0] == 401
    broke(l, "token-kind")
    hook = {"type": "stream.online", "version": "1", "condition": {"broadcaster_user_id": "42"}}
    assert l.helix("POST", "/eventsub/subscriptions", {**hook, "transport": {"method": "webhook", "callback": "https://x/y",
                                                                             "secret": "s" * 10}})[0] == 403
    broke(l, "token-kind")
    for transport in ({"method": "webhook", "callback": "https://x/y", "secret": "short"},
                      {"method": "webhook", "callback": "http://example.org/", "secret": "s" * 10},
                      {"method": "webhook", "callback": "https://x:8443/", "secret": "s" * 10},
                      {"method": "conduit", "conduit_id": "none"}):
        assert l.helix("POST", "/eventsub/subscriptions", {**hook, "transport": transport}, app)[0] == 400, transport
    clean(l)


class Hook(Endpoint):
    """A webhook's receiver: answers challenges, checks signatures, notes what came."""

    def __init__(self, secret, status=204, challenge=lambda word: (200, "text/plain", word)):
        self.got, self.status = [], status

        def answer(h, body):
            text = h["Twitch-Eventsub-Message-Id"].encode() + h["Twitch-Eventsub-Message-Timestamp"].encode() + body
            mac = "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
            if h.get("Twitch-Eventsub-Message-Signature") != mac:
                return 403, None, b""
            o = json.loads(body)
            if "challenge" in o:
                return challenge(o["challenge"].encode())
            self.got.append((h["Twitch-Eventsub-Message-Type"], h["Twitch-Eventsub-Message-Id"], h["Twitch-Eventsub-Message-Retry"], o))
            if isinstance(self.status, list):
                return self.status.pop(0) if self.status else 204, None, b""
            return self.status, None, b""
        super().__init__(answer)


def hook_sub(l, app, callback, secret="0123456789secret", type="channel.chat.message", **condition):
    status, _, body = l.helix("POST", "/eventsub/subscriptions", {
        "type": type, "version": "1", "condition": condition or {"broadcaster_user_id": "42", "user_id": "99"},
        "transport": {"method": "webhook", "callback": callback, "secret": secret}}, app)
    assert status == 202 and body["data"][0]["status"] == "webhook_callback_verification_pending" and "secret" not in body["data"][0]["transport"], body
    return body["data"][0]["id"]


def owed(l):
    """What was written to a socket that lives must have come; a fault that spoils it, or the lab's own end of it, puts that at risk."""
    def say(text):
        return l.post("/lab/say", channel="twitch:lab", text=text)["ids"][0]
    before = say("before")
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    first = say("first")
    assert l.get("/lab/owed")["twitch"] == {"owed": [first], "at_risk": [], "outside": [before]}
    l.fault("now platform=twitch: late 1 seconds=60")
    second = say("second")
    assert l.get("/lab/owed")["twitch"] == {"owed": [first], "at_risk": [second], "outside": [before]}
    l.fault("now platform=twitch: binary")
    assert l.get("/lab/owed")["twitch"] == {"owed": [], "at_risk": [first, second], "outside": [before]}
    ws.drop()


def webhook(l):
    """Challenge, notification, repeats until a 2xx, revocation; a callback that fails too often is given up."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    l.set(twitch__webhook_retry_s=0.02, twitch__webhook_failures_max=2, twitch__webhook_tries=3)
    hook = Hook("0123456789secret", [500, 204])
    id = hook_sub(l, app, hook.url)
    l.wait("verified")
    l.post("/lab/say", channel="twitch:lab", text="over http")
    l.wait("webhook", 2)
    assert [(t, r) for t, _, r, _ in hook.got] == [("notification", "0"), ("notification", "1")] and hook.got[0][1] == hook.got[1][1]
    assert hook.got[0][3]["event"]["message"]["text"] == "over http" and hook.got[0][3]["subscription"]["transport"] == {"method": "webhook", "callback": hook.url}
    for spoil in ("signature", "missing"):
        assert l.post("/lab/twitch/webhook", id=id, spoil=spoil)["status"] == 403
    clean(l)
    hook.status = 500
    l.post("/lab/say", channel="twitch:lab", count=2, text="x{n}")
    l.wait("revoked")
    status = l.get("/lab/journal?kind=revoked")["entries"][0]["status"]
    assert status == "notification_failures_exceeded" and l.get("/lab/twitch/subscriptions")["subscriptions"] == []
    hook.end()


def challenge(l):
    """Who does not answer the challenge with the word alone is not verified."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    for n, (answer, rules) in enumerate(((lambda w: (200, "text/plain", b'"' + w + b'"'), ["challenge"]),
                                         (lambda w: (200, "text/html", w), ["challenge-type"]),
                                         (lambda w: (404, "text/plain", w), []))):
        hook = Hook("0123456789secret", challenge=answer)
        id = hook_sub(l, app, hook.url, type="stream.online", broadcaster_user_id="42")
        l.wait("verified", n + 1)
        status = next(s["status"] for s in l.get("/lab/twitch/subscriptions")["subscriptions"] if s["id"] == id)
        assert status == ("enabled" if rules == ["challenge-type"] else "webhook_callback_verification_failed"), (n, status)
        broke(l, *rules)
        l.helix("DELETE", f"/eventsub/subscriptions?id={id}", token=app)
        hook.end()


def conduits(l):
    """Two shards, one lost: its channel's messages go to the other; both lost: nobody hears; a hand-over attaches before it detaches."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    def call(method, path, body=None):
        return l.helix(method, "/eventsub/conduits" + path, body, app)
    assert l.helix("POST", "/eventsub/conduits", {"shard_count": 2})[0] == 401
    broke(l, "token-kind")
    c = call("POST", "", {"shard_count": 2})[2]["data"][0]["id"]
    sockets = [l.eventsub() for _ in range(2)]
    def assign(pairs):
        shards = [{"id": i, "transport": {"method": "websocket", "session_id": s}} for i, s in pairs]
        return call("PATCH", "/shards", {"conduit_id": c, "shards": shards})
    status, _, body = assign([("0", sockets[0][1]["id"]), ("1", sockets[1][1]["id"]), ("2", "x"), ("1", "gone")])
    assert status == 202 and len(body["data"]) == 2 and [e["id"] for e in body["errors"]] == ["2", "1"], body
    status, _, body = l.helix("POST", "/eventsub/subscriptions", {"type": "channel.chat.message", "version": "1", "condition": {
        "broadcaster_user_id": "42", "user_id": "99"}, "transport": {"method": "conduit", "conduit_id": c}}, app)
    assert status == 202, body
    l.post("/lab/say", channel="twitch:lab", text="one")
    sessions = l.get("/lab/sessions?events=1")["twitch"]
    first = next(i for i, s in enumerate(sessions) if s["events"])
    m = sockets[first][0].recv()
    assert m["payload"]["subscription"]["transport"] == {"method": "conduit", "conduit_id": c}
    # hand-over of that shard: a new socket is attached while the old one is there
    spare = l.eventsub()
    assert assign([(str(first), spare[1]["id"])])[0] == 202
    l.post("/lab/say", channel="twitch:lab", text="two")
    assert spare[0].recv()["payload"]["event"]["message"]["text"] == "two"
    spare[0].drop()
    l.wait("shard-disabled")
    l.post("/lab/say", channel="twitch:lab", text="three")
    assert sockets[1 - first][0].recv()["payload"]["event"]["message"]["text"] == "three"
    listed = {s["id"]: s["status"] for s in call("GET", f"/shards?conduit_id={c}")[2]["data"]}
    assert listed == {str(first): "websocket_disconnected", str(1 - first): "enabled"}, listed
    sockets[1 - first][0].drop()
    l.wait("shard-disabled", 2)
    l.post("/lab/say", channel="twitch:lab", text="four")
    assert l.get("/lab/counts")["counts"]["conduit-dropped"] == 1
    assert call("PATCH", "", {"id": c, "shard_count": 1})[2]["data"][0]["shard_count"] == 1
    assert call("DELETE", f"?id={c}")[0] == 204 and call("GET", "")[2]["data"] == []
    for _ in range(5):
        assert call("POST", "", {"shard_count": 1})[0] == 200
    assert call("POST", "", {"shard_count": 1})[0] == 429
    clean(l)


def conduit_hook(l):
    """A shard that is a webhook: its challenge names no subscription."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    hook = Hook("0123456789secret")
    c = l.helix("POST", "/eventsub/conduits", {"shard_count": 1}, app)[2]["data"][0]["id"]
    l.helix("PATCH", "/eventsub/conduits/shards", {"conduit_id": c, "shards": [{"id": "0", "transport": {
        "method": "webhook", "callback": hook.url, "secret": "0123456789secret"}}]}, app)
    l.wait("verified")
    l.helix("POST", "/eventsub/subscriptions", {"type": "stream.online", "version": "1", "condition": {"broadcaster_user_id": "42"},
                                                "transport": {"method": "conduit", "conduit_id": c}}, app)
    l.post("/lab/twitch/event", type="stream.online", channel="lab")
    l.wait("webhook")
    assert hook.got[0][3]["subscription"]["transport"] == {"method": "conduit", "conduit_id": c}, hook.got
    clean(l)
    hook.end()


__all__ = ["time"]
if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
