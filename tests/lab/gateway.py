"""Cases of Discord's gateway. Each wrong deed must get its close code and be written down under its rule; right ones must leave no
trace."""
import json
import os
import signal
import sys
import time

from labclient import Closed, Lab, WebSocket, run_cases


def clean(l):
    assert l.rules() == [], l.rules()


def broke(l, *rules):
    """Exactly these rules were broken since the last look."""
    found = [v["rule"] for v in l.get("/lab/violations")["violations"]]
    import labclient
    labclient.http_call(l.base, "DELETE", "/lab/violations")
    assert found == list(rules), (found, rules)


def life(l):
    """Hello, heartbeat, READY, GUILD_CREATE, a message, its echo, a clean end: nothing is wrong with it, with and without compression."""
    for n, compress in enumerate((False, True)):
        ws = l.hello(compress=compress)
        ws.send({"op": 1, "d": None})
        assert ws.recv() == {"t": None, "s": None, "op": 11, "d": None}
        l.identify(ws)
        ready = ws.recv()
        assert ready["t"] == "READY" and ready["s"] == 1 and ready["d"]["user"]["id"] == l.bot["id"], ready
        guild = ws.recv()
        assert guild["t"] == "GUILD_CREATE" and {c["name"] for c in guild["d"]["channels"]} == {"general", "bots"}, guild
        said = l.post("/lab/say", channel="general", user="ada", text="Zürich \U0001f9c0 <@%s>" % l.bot["id"])
        m = ws.recv()
        assert (m["t"], m["s"], m["d"]["id"]) == ("MESSAGE_CREATE", 3, said["ids"][0]) and m["d"]["mentions"][0]["id"] == l.bot["id"], m
        assert m["d"]["content"].startswith("Zürich \U0001f9c0") and m["d"]["member"] and m["d"]["guild_id"] == l.guild["id"]
        ws.send({"op": 1, "d": 3})
        assert ws.recv()["op"] == 11
        assert l.get("/lab/sessions")["discord"][n]["acked"] == 3
        assert set(ws.kinds) == {2 if compress else 1}, ws.kinds
        ws.close(1000)
        assert ws.end() == 1000
        l.wait("session-end", n + 1)
    clean(l)


def zstd(l):
    """compress=zstd-stream: one stream, each message a payload. libzstd is in every Debian (dpkg wants it)."""
    import ctypes
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_createDStream.restype = ctypes.c_void_p
    lib.ZSTD_decompressStream.restype = ctypes.c_size_t
    lib.ZSTD_decompressStream.argtypes = [ctypes.c_void_p] * 3

    class Buffer(ctypes.Structure):
        _fields_ = [("p", ctypes.c_char_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]
    stream, room = ctypes.c_void_p(lib.ZSTD_createDStream()), ctypes.create_string_buffer(1 << 20)

    def recv():
        data = ws.recv_message()[1]
        given, out = Buffer(data, len(data), 0), Buffer(ctypes.cast(room, ctypes.c_char_p), len(room), 0)
        while given.pos < given.size:
            assert not lib.ZSTD_isError(ctypes.c_size_t(lib.ZSTD_decompressStream(stream, ctypes.byref(out), ctypes.byref(given))))
        return json.loads(room.raw[:out.pos])
    ws = l.gateway(query="v=10&encoding=json&compress=zstd-stream")
    assert recv()["op"] == 10
    l.identify(ws)
    assert [recv()["t"] for _ in range(2)] == ["READY", "GUILD_CREATE"]
    for n in (1, 1000, 200000):
        l.post("/lab/say", channel="general", text="z" * n)
        assert len(recv()["d"]["content"]) == n
    clean(l)


def resume(l):
    """What was missed comes in order, then RESUMED; a session that was closed with 1000 is gone; so is one of another bot."""
    ws, ready = l.session(compress=True)
    ws.recv()
    ids = l.post("/lab/say", channel="general", text="m{n}", count=5)["ids"]
    assert [ws.recv()["d"]["id"] for _ in ids] == ids
    ws.drop()
    l.wait("closed")
    ids += l.post("/lab/say", channel="general", text="n{n}", count=3)["ids"]
    again = l.resume(ready, 4, compress=True)
    got = []
    while (o := again.recv())["t"] != "RESUMED":
        got.append((o["s"], o["d"]["id"]))
    assert [i for _, i in got] == ids[2:] and [s for s, _ in got] == list(range(5, 11)), got
    assert o["s"] == 11
    more = l.post("/lab/say", channel="general", text="live")["ids"]
    assert again.recv()["d"]["id"] == more[0]
    assert "resume-elsewhere" not in l.get("/lab/counts")["counts"]
    # a second Resume while the first connection is there takes the session over
    third = l.resume(ready, 12)
    assert third.recv()["t"] == "RESUMED" and again.end() == 4000
    again.drop()
    third.close(4200)
    third.end()
    l.wait("closed", 3)
    fourth = l.resume(ready, 13)
    assert fourth.recv()["t"] == "RESUMED"
    fourth.close(1000)
    fourth.end()
    l.wait("session-end")
    fifth = l.resume(ready, 13)
    assert fifth.recv() == {"t": None, "s": None, "op": 9, "d": False}
    elsewhere, ready = l.session()
    elsewhere.drop()
    l.wait("closed", 5)
    assert l.resume({**ready, "resume_gateway_url": l.ws + "/discord"}, 1).until(lambda o: o["t"] == "RESUMED")
    assert l.get("/lab/counts")["counts"]["resume-elsewhere"] == 1
    s = l.get("/lab/sessions")["discord"][0]
    assert s["ended"] == "client closed 1000" and [r["result"] for r in s["resumes"]] == ["resumed"] * 3 + ["client closed 1000"], s
    clean(l)


def expiry(l):
    """A session without a connection lives a while only."""
    l.set(discord__session_life_s=0.1)
    ws, ready = l.session()
    ws.drop()
    l.wait("session-end")
    assert l.resume(ready, 1).recv()["op"] == 9
    clean(l)


def wrong(l):
    """A wrong deed, its code, its rule."""
    def sent(what, code, rule, identified=False, frame=None):
        ws = l.session()[0] if identified else l.hello()
        if frame:
            ws.send_frame(*frame[0], **frame[1])
        else:
            ws.send(what)
        assert ws.end() == code, (what, frame, code)
        broke(l, rule)
        # its own bucket of Identify for the next one
        l.set(discord__identify_interval_s=0)

    props = {"os": "linux", "browser": "t", "device": "t"}
    good = {"token": l.token, "intents": 1, "properties": props}
    sent({"op": 99, "d": None}, 4001, "opcode")
    sent("{", 4002, "decode")
    sent("[]", 4002, "decode")
    sent({"op": "1", "d": None}, 4002, "decode")
    sent({"op": 1, "d": "x" * 4096}, 4002, "payload-too-long")
    sent({"op": 3, "d": {}}, 4003, "not-authenticated")
    sent({"op": 2, "d": {**good, "token": "Bot " + l.token}}, 4004, "bot-prefix")
    sent({"op": 2, "d": {**good, "intents": 1 << 40}}, 4013, "intents")
    sent({"op": 2, "d": {**good, "shard": [2, 2]}}, 4010, "shard")
    sent({"op": 2, "d": {"token": l.token, "intents": 1}}, 4002, "decode")
    sent({"op": 2, "d": good}, 4005, "already-authenticated", identified=True)
    sent({"op": 8, "d": 7}, 4002, "decode", identified=True)
    sent(None, 4002, "binary", frame=((2, b'{"op":1,"d":null}'), {}))
    sent(None, 1002, "websocket", frame=((1, b'{"op":1,"d":null}'), {"masked": False}))
    sent(None, 1002, "websocket", frame=((1, b"{}"), {"rsv": 0x40}))
    sent(None, 1002, "websocket", frame=((0, b"{}"), {}))
    # the limit is counted in bytes, and 4096 of them are allowed
    ws = l.hello()
    ws.send(json.dumps({"op": 1, "d": None}).ljust(4096))
    assert ws.recv()["op"] == 11
    clean(l)


def wrong_token(l):
    """A wrong token ends with 4004 and is nobody's violation; privileged intents that are off with 4014; sharding when it is
    required with 4011."""
    ws = l.hello()
    ws.send({"op": 2, "d": {"token": "nonsense", "intents": 1, "properties": {}}})
    assert ws.end() == 4004
    clean(l)
    bot = l.post("/lab/discord/bot", name="plain", privileged=0)
    l.token = bot["token"]
    ws = l.hello()
    l.identify(ws, intents=32768)
    assert ws.end() == 4014
    broke(l, "intents-disallowed")
    l.set(discord__sharding_required=True)
    ws = l.hello()
    l.identify(ws, intents=513)
    assert ws.end() == 4011
    broke(l, "sharding-required")


def twice(l):
    """Compression of the transport and of each payload."""
    ws = l.hello(compress=True)
    l.identify(ws, compress=True)
    assert ws.recv()["t"] == "READY"
    broke(l, "compress-twice")


def query(l):
    """Version and encoding of the handshake's query."""
    for query, code, rule in (("encoding=json", 4012, "api-version"), ("v=9&encoding=json", 4012, "api-version"),
                              ("v=10&encoding=etf", 4012, "encoding"), ("v=10&encoding=json&compress=gzip", 4002, "compress")):
        assert WebSocket(f"{l.ws}/discord?{query}").end() == code, query
        broke(l, rule)


def bad_resume(l):
    """A sequence that was never sent: 4007, and the session is gone. A session that never was: op 9."""
    ws, ready = l.session()
    ws.drop()
    bad = l.resume(ready, 999)
    assert bad.end() == 4007
    broke(l, "resume-seq")
    assert l.resume(ready, 1).recv() == {"t": None, "s": None, "op": 9, "d": False}
    assert l.resume({**ready, "session_id": "x" * 32}, 1).recv()["d"] is False
    clean(l)


def veiled(l):
    """Without MESSAGE_CONTENT what was said is empty, but for what mentions the bot, what it said itself, and direct messages."""
    ws, _ = l.session(intents=513 | 4096)
    ws.recv()
    l.post("/lab/say", channel="general", text="secret")
    assert ws.recv()["d"]["content"] == ""
    l.post("/lab/say", channel="general", text=f"hey <@{l.bot['id']}>")
    assert ws.recv()["d"]["content"] != ""
    l.rest("POST", f"/channels/{l.general}/messages", {"content": "mine"})
    assert ws.recv()["d"]["content"] == "mine"
    l.post("/lab/say", direct="bob", text="psst")
    m = ws.recv()["d"]
    assert m["content"] == "psst" and "guild_id" not in m and m["channel_type"] == 1
    assert l.post("/lab/discord/dispatch", t="GUILD_MEMBER_ADD", d={}, intent=2)["told"] == 0
    clean(l)


def shards(l):
    """Guilds belong to a shard by their id; direct messages to shard 0."""
    l.set(discord__max_concurrency=4)
    g = l.post("/lab/discord/guild", name="far", shard=3, of=4)
    assert (int(g["id"]) >> 22) % 4 == 3
    sockets = [l.session(shard=(i, 4))[0] for i in range(4)]
    l.post("/lab/say", channel=g["channels"]["general"], text="to three")
    l.post("/lab/say", direct="ada", text="to zero")
    l.post("/lab/discord/dispatch", t="STOP", d={"id": "9"}, guild=g["id"])
    l.post("/lab/discord/dispatch", t="STOP", d={"id": "9"})
    m = sockets[3].until(lambda o: o["t"] == "MESSAGE_CREATE")
    assert m["d"]["content"] == "to three"
    assert l.get("/lab/counts")["counts"]["identify"] == 4
    s = l.get("/lab/sessions?events=1")["discord"]
    assert [sum(e["t"] == "MESSAGE_CREATE" for e in x["events"]) for x in s] == [0, 0, 0, 1], s
    clean(l)


def direct_shard(l):
    l.set(discord__max_concurrency=2)
    sockets = [l.session(shard=(i, 2), intents=4096)[0] for i in range(2)]
    l.post("/lab/say", direct="ada", text="to zero")
    assert sockets[0].recv()["d"]["content"] == "to zero"
    assert [x["seq"] for x in l.get("/lab/sessions")["discord"]] == [2, 1]


def concurrency(l):
    """One Identify for each bucket in its time; too soon gets op 9, and the connection stays."""
    l.set(discord__max_concurrency=2, discord__identify_interval_s=30)
    l.session(shard=(0, 4))
    l.session(shard=(1, 4))
    clean(l)
    ws = l.hello()
    l.identify(ws, shard=(2, 4))
    assert ws.recv() == {"t": None, "s": None, "op": 9, "d": False}
    broke(l, "identify-too-soon")
    l.set(discord__identify_interval_s=0)
    l.identify(ws, shard=(2, 4))
    assert ws.recv()["t"] == "READY"
    clean(l)


def budget(l):
    """The daily limit: what is left is told; crossing it kills every session and the token."""
    l.set(discord__identify_total=2, discord__identify_interval_s=0)
    first, ready = l.session()
    status, _, bot = l.rest("GET", "/gateway/bot")
    assert status == 200 and bot["session_start_limit"]["remaining"] == 1 and 0 < bot["session_start_limit"]["reset_after"] <= 86400000, bot
    # a Resume costs nothing
    first.drop()
    l.wait("closed")
    first = l.resume(ready, 1)
    first.until(lambda o: o["t"] == "RESUMED")
    l.session()
    assert l.rest("GET", "/gateway/bot")[2]["session_start_limit"]["remaining"] == 0
    clean(l)
    ws = l.hello()
    l.identify(ws)
    assert ws.end() == 4004 and first.end() == 4004
    broke(l, "identify-limit")
    assert l.rest("GET", "/gateway/bot")[0] == 401
    assert l.get("/lab/world")["discord"]["bots"][0]["token"] != l.token


def send_limit(l):
    """120 payloads in 60 seconds, heartbeats included, and not one more."""
    ws = l.hello()
    for _ in range(120):
        ws.send({"op": 1, "d": None})
        assert ws.recv()["op"] == 11
    clean(l)
    ws.send({"op": 1, "d": None})
    assert ws.end() == 4008
    broke(l, "send-limit")


def heartbeats(l):
    """Who does not beat is closed with 4009 and loses the session; an s that was never sent is written down."""
    ws, ready = l.session()
    l.set(discord__heartbeat_interval_ms=200, discord__heartbeat_slack_ms=100)
    begun = time.monotonic()
    ws.send({"op": 1, "d": 1})
    assert ws.end() == 4009 and time.monotonic() - begun > 0.2
    broke(l, "heartbeat-missed")
    l.set(discord__heartbeat_interval_ms=60000, discord__identify_interval_s=0)
    assert l.resume(ready, 1).recv()["op"] == 9
    ws, _ = l.session()
    ws.send({"op": 1, "d": 12345})
    ws.until(lambda o: o["op"] == 11)
    broke(l, "heartbeat-seq")


def stopped(l):
    """While the lab itself gets no processor a heartbeat in time stays unread: that is not the client's fault."""
    pid = int(os.environ["LAB_PID"])
    ws, _ = l.session()
    l.set(discord__heartbeat_interval_ms=300, discord__heartbeat_slack_ms=100)
    ws.send({"op": 1, "d": 1})
    ws.until(lambda o: o["op"] == 11)
    os.kill(pid, signal.SIGSTOP)
    ws.send({"op": 1, "d": 1})
    end = time.monotonic() + 1
    while time.monotonic() < end:
        time.sleep(0.1)         # its clock goes on
    os.kill(pid, signal.SIGCONT)
    ws.until(lambda o: o["op"] == 11)
    l.set(discord__heartbeat_interval_ms=60000)
    clean(l)


def replay_end(l):
    """What a session no longer keeps cannot be resumed."""
    l.set(discord__replay_max=3)
    ws, ready = l.session()
    l.post("/lab/say", channel="general", count=5)
    ws.drop()
    l.wait("closed")
    assert l.resume(ready, 2).recv()["op"] == 9
    s = l.get("/lab/sessions")["discord"][0]
    assert s["ended"] == "too old to replay" and s["replayable_from"] > 3, s


def members(l):
    """All members of a guild once in 30 seconds, else RATE_LIMITED."""
    ws, _ = l.session(intents=1 | 2)
    ws.recv()
    ask = {"op": 8, "d": {"guild_id": l.guild["id"], "query": "", "limit": 0, "nonce": "n"}}
    ws.send(ask)
    chunk = ws.recv()
    assert chunk["t"] == "GUILD_MEMBERS_CHUNK" and len(chunk["d"]["members"]) == 3, chunk
    ws.send(ask)
    limited = ws.recv()
    assert limited["t"] == "RATE_LIMITED" and 0 < limited["d"]["retry_after"] <= 30 and limited["d"]["meta"]["nonce"] == "n", limited
    clean(l)


def owed(l):
    """What must have come, what may be lost, what nobody was there for; an Identify that was not needed; one that is forbidden."""
    l.set(discord__identify_interval_s=0)
    def say(text):
        return l.post("/lab/say", channel="general", text=text)["ids"][0]
    before = say("before")
    ws, ready = l.session()
    live = say("live")
    ws.drop()
    l.wait("closed")
    missed = say("missed")
    now = l.get("/lab/owed")["discord"]
    assert now == {"owed": [live, missed], "at_risk": [], "outside": [before]}, now
    l.fault("resume: op9")
    assert l.resume(ready, 3).recv()["op"] == 9
    now = l.get("/lab/owed")["discord"]
    assert now == {"owed": [live], "at_risk": [missed], "outside": [before]}, now      # the Resume said that it has s 3
    second, _ = l.session()
    assert "identify-needless" not in l.get("/lab/counts")["counts"]
    second.drop()
    l.wait("closed", 2)
    l.session()
    assert l.get("/lab/counts")["counts"]["identify-needless"] == 1
    clean(l)
    for n in range(2):
        ws = l.hello()
        ws.send({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}})
        assert ws.end() == 4004
    broke(l, "fatal-ignored")


__all__ = ["Closed", "Lab"]
if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
