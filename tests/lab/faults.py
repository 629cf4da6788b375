"""Cases of the lab's faults: each does what README.md says of it, where and when the line says."""
import json
import sys
import time

from labclient import Closed, WebSocket, http_call, run_cases
from gateway import clean
from eventsub import kind


def strike(l, what, platform="discord"):
    assert l.fault(f"now platform={platform}: {what}")["faults"] == [f"now platform={platform}: {what}"]


def fast(l):
    l.set(discord__identify_interval_s=0)


def ends(l):
    """How a connection can end; which ends leave a session that can be resumed."""
    fast(l)
    for what, code, resumable in (("close 4000", 4000, True), ("close none", 1005, True), ("close 4009", 4009, False),
                                  ("close 4008", 4008, False), ("close 4002", 4002, True), ("close 1000", 1000, False),
                                  ("fin", None, True), ("reset", "reset", True)):
        ws, ready = l.session()
        strike(l, what)
        assert ws.end() == code, what
        o = l.resume(ready, 1).until(lambda o: o["t"] == "RESUMED" or o["op"] == 9)
        assert (o["t"] == "RESUMED") == resumable, (what, o)
        http_call(l.base, "POST", "/lab/reset")
        fast(l)


def ops(l):
    """Op 7 and op 9, now and in the place of Hello, READY and an answer to Resume; a heartbeat that is wanted."""
    fast(l)
    ws, ready = l.session()
    ws.recv()
    strike(l, "op7")
    assert ws.recv()["op"] == 7
    strike(l, "beat")
    assert ws.recv()["op"] == 1
    strike(l, "op9 resumable=true")
    assert ws.recv() == {"t": None, "s": None, "op": 9, "d": True}
    ws.send({"op": 6, "d": {"token": l.token, "session_id": ready["session_id"], "seq": 2}})
    assert ws.recv()["t"] == "RESUMED"
    strike(l, "op9")
    assert ws.recv()["d"] is False
    assert l.resume(ready, 2).recv()["op"] == 9
    l.fault("hello: op7\nidentify: op9\nresume: op9\n")
    assert l.gateway().recv()["op"] == 7
    ws = l.hello()
    l.identify(ws)
    assert ws.recv() == {"t": None, "s": None, "op": 9, "d": False}
    ws, ready = l.session()
    ws.drop()
    l.wait("closed")
    ws = l.resume(ready, 1)
    assert ws.recv()["op"] == 9
    assert all(f["fired"] == 1 for f in l.get("/lab/fault")["done"])
    clean(l)


def leave(l):
    """Who stays after op 7 is cut off, and may resume."""
    fast(l)
    l.set(discord__op7_close_s=0.1)
    ws, ready = l.session()
    strike(l, "op7")
    assert ws.end() is None
    assert l.resume(ready, 1).until(lambda o: o["t"])["t"] == "GUILD_CREATE"


def silence(l):
    """zombie, halfopen, noack, nothing: how long a client was silent-treated can be read in the books."""
    fast(l)
    for what in ("zombie", "halfopen"):
        ws, ready = l.session()
        strike(l, what)
        for n in range(3):
            ws.send({"op": 1, "d": 1})
        l.post("/lab/say", channel="general", text="unheard")
        before = l.get("/lab/counts")["counts"].get("closed", 0)
        ws.s.close()
        l.wait("closed", before + 1)
        o = l.resume(ready, 2).recv()
        assert o["d"]["content"] == "unheard", (what, o)
        struck = l.get(f"/lab/journal?kind={what}")["entries"][0]
        gone = [e for e in l.get("/lab/journal?kind=closed")["entries"] if e["conn"] == struck["conn"]]
        assert gone and gone[0]["at"] >= struck["at"]
    l.fault("heartbeat 2: noack 1")
    ws = l.hello()
    ws.send({"op": 1, "d": None})
    assert ws.recv()["op"] == 11
    ws.send({"op": 1, "d": None})
    ws.send({"op": 1, "d": None})
    l.fault("identify: nothing")
    l.identify(ws)
    l.wait("identify-sent", 3)
    ws.send({"op": 1, "d": None})
    assert [ws.recv()["op"] for _ in range(2)] == [11, 11]
    clean(l)


def wire(l):
    """Frames and writes of any size, with and without compression; payloads over several messages; the wrong type of message; bad
    frames."""
    fast(l)
    for compress in (False, True):
        l.fault("connect: split 5\nhello: parts 4")
        ws, _ = l.session(compress=compress)
        ws.recv()
        ids = l.post("/lab/say", channel="general", text="in pieces {n}", count=5)["ids"]
        assert [ws.recv()["d"]["id"] for _ in ids] == ids
        assert max(ws.frames) <= 5, max(ws.frames)
        ws.drop()
        l.wait("closed", 1 + compress)
        ws, _ = l.session(compress=compress)
        strike(l, "binary")
        strike(l, "beat")
        ws.recv_message()
        kind_, data = ws.recv_message()
        assert kind_ == (1 if compress else 2), kind_
        ws.drop()
    for form in ("reserved", "continuation", "masked", "control", "opcode", "length", "partclose"):
        ws, _ = l.session()
        ws.recv()
        strike(l, f"frame form={form}")
        head = ws._take(2)
        assert head[0] & 0x70 or head[0] & 15 in (3, 8, 9, 0) or head[1] & 128 or head[1] & 127 == 127, (form, head)
        ws.drop()


def payloads(l):
    """Duplicates, late ones, unknown ones, huge ones, and what is no payload."""
    fast(l)
    ws, _ = l.session()
    ws.recv()
    ids = l.post("/lab/say", channel="general", text="{n}", count=3)["ids"]
    strike(l, "duplicate 2")
    got = [ws.recv() for _ in range(5)]
    assert [o["d"]["id"] for o in got] == ids + ids[1:] and [o["s"] for o in got] == [3, 4, 5, 6, 7]
    strike(l, "late 1 seconds=0.2")
    ids = l.post("/lab/say", channel="general", text="{n}", count=3)["ids"]
    got = [ws.recv() for _ in range(3)]
    assert [o["d"]["id"] for o in got] == [ids[1], ids[2], ids[0]] and [o["s"] for o in got] == [8, 9, 10]
    strike(l, "unknown")
    assert ws.recv()["op"] == 99 and ws.recv()["t"] == "LAB_UNKNOWN"
    strike(l, "huge 300000")
    assert len(ws.recv()["d"]["x"]) == 300000
    for form in ("json", "array", "empty", "deep", "types", "utf8", "nul"):
        strike(l, f"garbage form={form}")
        data = ws.recv_message()[1]
        try:
            assert not isinstance(json.loads(data).get("op"), int) and form == "types"
        except (ValueError, AttributeError, RecursionError):
            assert form != "types"
    ws, _ = l.session(compress=True)
    strike(l, "garbage form=zlib")
    ws.recv_message()
    assert ws.recv_message()[1].endswith(b"\0\0\xff\xff")


def urls(l):
    """A dead resume URL in each of its forms; a session that is forgotten; READY with a port where nobody listens."""
    fast(l)
    for form, seen in (("reset", "reset"), ("404", 404)):
        ws, ready = l.session()
        strike(l, f"deadresume form={form}")
        ws.drop()
        try:
            l.resume(ready, 1)
            raise AssertionError("the URL lives")
        except Closed as e:
            assert e.code == seen, (form, e.code)
        assert l.resume(ready, 1, path="/discord").until(lambda o: o["t"])["t"] == "GUILD_CREATE"
        http_call(l.base, "DELETE", "/lab/fault")
        http_call(l.base, "POST", "/lab/reset")
        fast(l)
    ws, ready = l.session()
    strike(l, "expire")
    strike(l, "beat")
    ws.until(lambda o: o["op"] == 1)
    ws.drop()
    assert l.resume(ready, 1).recv()["op"] == 9
    l.fault("identify: deadresume form=refuse")
    _, ready = l.session()
    try:
        WebSocket(ready["resume_gateway_url"])
        raise AssertionError("somebody listens")
    except ConnectionRefusedError:
        pass


def twitch(l):
    """reconnect to nowhere, no keepalive, no ping, repeats, stale ones, revocation of a socket's subscriptions, no welcome."""
    l.set(twitch__reconnect_grace_s=0.2, twitch__keepalive_s=0.2)
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    l.subscribe(s["id"], "channel.chat.clear")
    l.post("/lab/say", channel="twitch:lab", text="one")
    notes = []
    def note():
        o = ws.until(lambda o: kind(o) not in ("session_keepalive",))
        notes.append(o)
        return o
    first = note()
    strike(l, "duplicate", "twitch")
    assert note()["metadata"]["message_id"] == first["metadata"]["message_id"]
    strike(l, "stale", "twitch")
    old = note()
    assert old["metadata"]["message_id"] != first["metadata"]["message_id"] and old["metadata"]["message_timestamp"] < first["metadata"]["message_timestamp"]
    strike(l, "late 1 seconds=0.1", "twitch")
    l.post("/lab/say", channel="twitch:lab", text="{n}", count=2)
    assert [note()["payload"]["event"]["message"]["text"] for _ in range(2)] == ["2", "1"]
    strike(l, "unknown", "twitch")
    assert kind(note()) == "session_lab_unknown"
    strike(l, "revoke type=channel.chat.clear status=user_removed", "twitch")
    assert note()["payload"]["subscription"]["status"] == "user_removed"
    assert [x["type"] for x in l.get("/lab/twitch/subscriptions")["subscriptions"]] == ["channel.chat.message"]
    strike(l, "reconnect dead=true", "twitch")
    try:
        WebSocket(note()["payload"]["session"]["reconnect_url"])
        raise AssertionError("somebody listens")
    except ConnectionRefusedError:
        pass
    assert ws.end() == 4004
    clean(l)
    l.fault("connect: nokeepalive\nwelcome: nothing")
    ws = WebSocket(l.ws + "/ws")
    l.wait("welcome", 2)
    strike(l, "unknown", "twitch")
    assert kind(ws.recv()) == "session_lab_unknown"


def requests(l):
    """Answers in the place of REST's and Helix's, and answers that are lost after the deed."""
    l.set(discord__bucket_limit=1000, twitch__chat_mod_limit=1000)
    url = f"/channels/{l.general}/messages"
    def post(fault, text="x", **more):
        l.fault(f"request method=POST path=/messages: {fault}")
        return l.rest("POST", url, {"content": text, **more})
    status, h, body = post("429 scope=global retry=0.01")
    assert status == 429 and h["X-RateLimit-Global"] == "true" and body["global"] is True and body["retry_after"] == 0.01
    status, h, body = post("429 scope=shared retry=0.01")
    assert status == 429 and h["X-RateLimit-Scope"] == "shared" and h["X-RateLimit-Remaining"] == "3" and body["code"] == 20028
    status, h, body = post("429 scope=user retry=0.01")
    assert status == 429 and h["X-RateLimit-Remaining"] == "0" and h["X-RateLimit-Scope"] == "user"
    status, h, body = post("429 scope=cloudflare retry=2")
    assert status == 429 and h["Retry-After"] == "2" and h["Content-Type"] == "text/html" and "X-RateLimit-Scope" not in h
    status, h, body = post("429 scope=bare retry=1")
    assert status == 429 and set(h) == {"Retry-After", "Content-Length"}
    shapes = {"lower": {"x-ratelimit-scope", "retry-after"}, "upper": {"X-RATELIMIT-SCOPE", "RETRY-AFTER"}, "body": {"Content-Type"},
              "header": {"Retry-After"}, "after": {"X-RateLimit-Reset-After", "X-RateLimit-Remaining"},
              "reset": {"X-RateLimit-Reset", "X-RateLimit-Remaining"}, "date": {"Retry-After"}, "none": set()}
    for form, names in shapes.items():
        status, h, body = post(f"429 retry=0.01 form={form}")
        assert status == 429 and names <= set(h) and (form in ("lower", "upper") or set(h) == names | {"Content-Length"}), (form, h)
        assert (body["retry_after"] == 0.01) if form in ("lower", "upper", "body") else not body, (form, body)
        assert form != "date" or h["Retry-After"].endswith(" GMT"), h
    assert post("status 503")[0] == 503 and post("status 403 code=50013")[2]["code"] == 50013
    assert post("html 502")[2].startswith("<html>") and post("empty 500")[1]["Content-Length"] == "0"
    assert post("expired")[0] == 401
    assert l.get("/lab/said")["entries"] == []
    for n, form in enumerate(("reset", "cut", "500")):
        try:
            assert post(f"lost form={form}", f"lost {n}", nonce=f"n{n}", enforce_nonce=True)[0] == 500 and form == "500"
        except (OSError, ValueError, __import__("http").client.HTTPException):
            assert form != "500"
        assert l.rest("POST", url, {"content": f"lost {n}", "nonce": f"n{n}", "enforce_nonce": True})[0] == 200
    assert [e["text"] for e in l.get("/lab/said")["entries"]] == ["lost 0", "lost 1", "lost 2"]
    begun = time.monotonic()
    assert post("slow 0.2")[0] == 200 and time.monotonic() - begun >= 0.2
    clean(l)
    def helix(fault):
        l.fault(f"request platform=twitch: {fault}")
        return l.helix("GET", "/users")
    assert helix("429 scope=endpoint")[1]["Ratelimit-Remaining"] == "37" and "Ratelimit-Limit" not in helix("429 scope=bare")[1]
    status, h, _ = helix("429 scope=points retry=3")
    assert status == 429 and h["Ratelimit-Remaining"] == "0" and 2 <= int(h["Ratelimit-Reset"]) - time.time() < 5
    l.set(lab__slack_s=10)
    assert helix("expired")[2]["message"] == "Invalid OAuth token"
    assert l.helix("GET", "/users")[0] == 401
    clean(l)


def language(l):
    """Which of them, how many, where; what is wrong is refused whole."""
    fast(l)
    def seen(script, connects=4):
        http_call(l.base, "DELETE", "/lab/fault")
        l.fault(script)
        out = []
        for _ in range(connects):
            ws = l.gateway()
            try:
                out.append(ws.recv()["op"])
            except Closed as e:
                out.append(e.code)
        return out
    assert seen("connect 2: close 4001") == [10, 4001, 10, 10]
    assert seen("connect 2-3: close 4001") == [10, 4001, 4001, 10]
    assert seen("connect 3+: close 4001  # a comment") == [10, 10, 4001, 4001]
    assert seen("\n# nothing\nconnect *: close 4001\n") == [4001] * 4
    assert seen("connect * platform=twitch: close 4001") == [10] * 4
    assert seen("connect 1: close 4001\nconnect 2: close 4002") == [4001, 4002, 10, 10]
    http_call(l.base, "DELETE", "/lab/fault")
    l.fault("event 3: close 4000")
    ws, _ = l.session()
    ws.recv()
    l.post("/lab/say", channel="general", text="{n}", count=3)
    got = [ws.recv()["t"]]
    assert ws.end() == 4000 and got == ["MESSAGE_CREATE"]
    l.fault("identify shard=1: close 4000")
    l.session(shard=(0, 2))
    ws = l.hello()
    l.identify(ws, shard=(1, 2))
    assert ws.end() == 4000
    sockets = [l.session(shard=(0, 1))[0] for _ in range(2)]
    before = l.get("/lab/counts")["counts"]["close-sent"]
    l.fault("after 0.1 platform=discord: close 4008 pick=1")
    l.wait("close-sent", before + 1)
    assert l.get("/lab/counts")["counts"]["close-sent"] == before + 1
    for wrong in ("conect 1: fin", "now: close 7", "now: close x", "now: split x", "now: garbage form=x", "now: fin 3", "now: fin pikc=1",
                  "request: status", "request: 429 scope=x", "request: 429 form=x", "now: op9 resumable=yes", "now", "now: nix", "request: op7", "connect x: fin", "after x: fin", "connect: fin\nnow: nix"):
        status, _, body = http_call(l.base, "POST", "/lab/fault", raw=wrong.encode())
        assert status == 400 and body["error"], wrong
    assert not any(f["fault"] == "connect: fin" for f in l.get("/lab/fault")["armed"])
    del sockets


def seeds(l):
    """The same number gives the same faults; another number others; mild ones only when that is asked for."""
    def lines(seed, **more):
        status, _, body = http_call(l.base, "POST", f"/lab/fault?seed={seed}&" + "&".join(f"{k}={v}" for k, v in more.items()))
        assert status == 200, body
        http_call(l.base, "DELETE", "/lab/fault")
        return body["faults"]
    assert lines(1) == lines(1) != lines(2) and len(lines(1, n=25)) == 25
    mild = sum((lines(s, n=30, rough=0, requests=0, platform=p) for s in range(30) for p in ("discord", "twitch")), [])
    for word in ("close 4009", "garbage", "op9 resumable=false", "revoke", "expire", "request"):
        assert not any(word in x for x in mild), word
    rough = sum((lines(s, n=30) for s in range(30)), [])
    assert any("op9 resumable=false" in x for x in rough) and any(x.startswith("request") for x in rough)


def door(l):
    """The lab's door: connections refused for a while, accepted late; the bot's token, everybody's tokens."""
    ws, _ = l.session()
    l.fault("now: reset-bot-token\nnow: expire-tokens kind=user")
    assert ws.end() == 4004
    assert l.rest("GET", "/users/@me")[0] == 401 and l.helix("GET", "/users")[0] == 401
    # Two at a time, or the one that waits for its turn would be let in before
    l.fault("now: slow-accept 0.2")
    l.get("/lab/counts")
    begun = time.monotonic()
    l.get("/lab/counts")
    assert time.monotonic() - begun >= 0.15
    l.fault("now: slow-accept 0\nnow: refuse 1")
    refused, begun = 0, time.monotonic()
    while time.monotonic() - begun < 30:
        try:
            l.get("/lab/counts")
            if refused:
                break
        except OSError:
            refused += 1
    assert refused and time.monotonic() - begun < 30


if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
