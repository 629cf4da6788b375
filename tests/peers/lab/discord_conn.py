"""One connection to Discord's gateway, version 10, JSON: what the client says is held against every rule of the documentation.

Where that is silent the line says so.
"""
import json
import time

import limits
import wsproto
from deadline import Deadline
from discord_session import compact

INTENTS = sum(1 << b for b in (*range(17), 20, 21, 24, 25))
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1, 1 << 9, 1 << 12, 1 << 15
FATAL = (4004, 4010, 4011, 4012, 4013, 4014)      # a client must not come back with the same Identify
ENDS = (1000, 1001, 4003, 4004, 4005, 4007, 4008, 4009)      # after these a client is to identify: the session is gone
KNOWN_OPS = (1, 2, 3, 4, 6, 8, 31, 43)


class Conn:
    platform = "discord"

    def __init__(self, gateway, request, ws, number):
        self.lab, self.gateway, self.ws, self.set, self.books = gateway.lab, gateway, ws, gateway.set, gateway.books
        self.id, self.peer, self.path = f"d{number}", request.peer, request.path
        self.query, self.secure = request.query, request.secure
        self.wanted = None              # its Identify
        self.asked = None               # the session that a Resume is for, until it is answered
        self.session, self.over = None, False
        self.swallow = False            # a fault has answered in the place of what would have come
        self.noack = 0                  # heartbeats that get no answer
        self.zombie = self.spoiled = False
        self.as_wrong_type = 0          # messages to send as text where binary belongs and the other way round
        self.parts = 0                  # compressed payloads over up to so many messages
        self.sent = limits.Sliding(self.set["discord.send_window_s"])
        self.beat_due = None
        self.compress = None
        self.deflate = None
        self.held = None                # what is to be sent when a flood, which was compressed before, is over

    # Out

    def encode(self, text):
        """(opcode, bytes) of one payload, through the connection's compressor."""
        data = text.encode()
        if self.deflate is None:
            return wsproto.TEXT, data
        return wsproto.BINARY, self.deflate(data)

    def send(self, text):
        """False when the connection swallows it."""
        if self.over or self.zombie or self.ws.deaf or self.ws.mute:
            return False
        if self.held is not None:
            self.held.append(text)
            return True
        op, data = self.encode(text)
        if self.as_wrong_type:
            self.as_wrong_type -= 1
            op = wsproto.BINARY if op == wsproto.TEXT else wsproto.TEXT
        if self.parts and self.compress == "zlib-stream":     # of zstd-stream each message is a payload
            cuts = sorted(self.ws.rng.randrange(len(data)) for _ in range(self.parts - 1))
            for a, b in zip([0, *cuts], [*cuts, len(data)]):
                if a < b:
                    self.ws.send(op, data[a:b])
        else:
            self.ws.send(op, data)
        return True

    def op(self, op, d):
        self.send('{"t":null,"s":null,"op":%d,"d":%s}' % (op, compact(d)))

    def close(self, code, reason="", by_rule=None):
        """Closes with a code, in the background. by_rule: the client's violation that it is for."""
        if self.over:
            return
        self.books.note("close-sent", platform="discord", conn=self.id, session=self.session.id if self.session else None,
                        code=code, why=reason)
        if by_rule:
            self.books.violation(by_rule, platform="discord", conn=self.id, code=code, why=reason)
        self.over = True
        session = self.session or self.asked
        if code in ENDS and session:
            session.end(f"closed with {code}")
        if code in FATAL and self.wanted:
            self.gateway.fatal[self.wanted] = code
        self.leave()
        self.ws.close(code, reason)

    def leave(self):
        if self.beat_due:
            self.beat_due.cancel()
        if self.session and self.session.conn is self:
            self.session.detach()

    def note(self, kind, **fields):
        """Writes it down; false when a fault has taken the answer over."""
        self.swallow = False
        self.books.note(kind, platform="discord", conn=self.id, **fields)
        return not (self.swallow or self.over)

    # Life

    async def run(self):
        ws = self.ws
        self.beat_limit()
        if self.note("hello"):
            self.op(10, {"heartbeat_interval": self.set["discord.heartbeat_interval_ms"], "_trace": ["lab"]})
        code, reason = None, ""
        try:
            while True:
                kind, body = await ws.recv()
                if self.zombie:
                    continue
                if kind == wsproto.PING:
                    ws.send(wsproto.PONG, body)
                elif kind != wsproto.PONG and not self.over:
                    self.take(kind, body)
        except wsproto.Gone as e:
            code, reason = e.code, e.reason
        except wsproto.WsError as e:
            self.close(e.code, str(e), by_rule="websocket")
            await ws.rest()
        self.gone(code, reason)

    def gone(self, code, reason):
        session = self.session
        self.books.note("closed", platform="discord", conn=self.id, session=session.id if session else None, code=code, reason=reason,
                        lab_closed=self.ws.closed_with)
        attached = session and session.conn is self
        self.leave()
        self.over = True
        if attached and code in (1000, 1001):
            session.end(f"client closed {code}")
        if self.ws.closed_with is None and code is not None and not self.ws.writer.is_closing():
            self.ws.put(wsproto.frame(wsproto.CLOSE, wsproto.close_payload(None if code == 1005 else code)))
        self.ws.end()

    def take(self, kind, body):
        if kind == wsproto.BINARY:
            return self.close(4002, "binary frame from a client", by_rule="binary")
        if len(body) > self.set["discord.payload_max"]:
            return self.close(4002, f"{len(body)} bytes", by_rule="payload-too-long")
        if self.sent.add() > self.set["discord.send_limit"]:
            return self.close(4008, "rate limited", by_rule="send-limit")
        try:
            message = json.loads(body.decode())
            op, d = message["op"], message.get("d")
            if type(op) is not int:
                raise ValueError("op is no integer")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            return self.close(4002, f"decode error: {e}", by_rule="decode")
        if op not in KNOWN_OPS:
            return self.close(4001, f"unknown opcode {op}", by_rule="opcode")
        if op not in (1, 2, 6) and self.session is None:
            return self.close(4003, f"op {op} before Identify", by_rule="not-authenticated")
        try:
            {1: self.heartbeat, 2: self.identify, 6: self.resume, 8: self.members}.get(op, self.other)(d)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            self.close(4002, f"op {op}: {e!r}", by_rule="decode")
        if op not in (1, 2, 6):
            self.books.note("op", platform="discord", conn=self.id, op=op, d=d)

    def beat_limit(self):
        """A client whose heartbeats stay away is closed with 4009 (the documentation says only that it is disconnected)."""
        if self.beat_due:
            self.beat_due.cancel()
        wait = (self.set["discord.heartbeat_interval_ms"] + self.set["discord.heartbeat_slack_ms"]) / 1000
        self.beat_due = Deadline(wait, self.beat_missed)

    def beat_missed(self):
        if self.set["discord.heartbeat_enforce"] and not self.over and not self.ws.deaf and not self.zombie:
            self.close(4009, "no heartbeat", by_rule="heartbeat-missed")

    def heartbeat(self, d):
        self.beat_limit()
        if d is not None and type(d) is not int:
            raise ValueError("a heartbeat carries the last s, or null")
        if self.session and d is not None:
            if d > self.session.seq:
                self.books.violation("heartbeat-seq", platform="discord", conn=self.id, d=d, seq=self.session.seq)
            self.session.acked = max(self.session.acked, min(d, self.session.seq))
        if not self.note("heartbeat", d=d):
            return
        if self.noack:
            self.noack -= 1
            return
        self.send('{"t":null,"s":null,"op":11,"d":null}')

    # Identify

    def identify(self, d):
        if self.session is not None:
            return self.close(4005, "already authenticated", by_rule="already-authenticated")
        token, intents = d["token"], d["intents"]
        shard = d.get("shard")
        self.books.note("identify-sent", platform="discord", conn=self.id, shard=shard, path=self.path)
        self.wanted = compact(d)
        if self.wanted in self.gateway.fatal:
            self.books.violation("fatal-ignored", platform="discord", conn=self.id, code=self.gateway.fatal[self.wanted])
        bot = self.gateway.world.bot_of_token(token)
        if bot is None:
            return self.bad_token(token)
        if type(intents) is not int or intents < 0 or intents & ~INTENTS:
            return self.close(4013, f"intents {intents}", by_rule="intents")
        if intents & PRIVILEGED & ~bot.privileged:
            return self.close(4014, "privileged intents that are not enabled", by_rule="intents-disallowed")
        if not isinstance(d.get("properties"), dict):
            raise ValueError("no properties")
        if d.get("compress") and self.deflate is not None:
            self.books.violation("compress-twice", platform="discord", conn=self.id)
        if shard is None:
            shard = [0, 1]
        if not (isinstance(shard, list) and len(shard) == 2 and all(type(n) is int for n in shard) and 0 <= shard[0] < shard[1]):
            return self.close(4010, f"shard {shard}", by_rule="shard")
        if self.set["discord.sharding_required"] and shard[1] < 2:
            return self.close(4011, "sharding required", by_rule="sharding-required")
        if not self.within_budget(bot, shard[0]):
            return
        for s in bot.sessions.values():
            if (s.shard, s.shards, s.conn, s.tried) == (shard[0], shard[1], None, False):
                self.books.note("identify-needless", platform="discord", conn=self.id, session=s.id, shard=shard)
        session = self.gateway.new_session(bot, shard, intents, self.secure)
        self.session, session.conn = session, self
        if not self.note("identify", session=session.id, bot=bot.id, shard=shard, intents=intents, path=self.path, compress=self.compress):
            if not self.over:       # a fault said op 9 in the place of READY
                session.end("a fault")
                self.session = session.conn = None
            return
        self.ready(session, d)

    def bad_token(self, token):
        if isinstance(token, str) and token.startswith("Bot "):
            self.books.violation("bot-prefix", platform="discord", conn=self.id, why="Identify and Resume take the bare token")
        self.books.note("bad-token", platform="discord", conn=self.id)
        self.close(4004, "authentication failed")

    def within_budget(self, bot, shard):
        """The two limits of Identify; what crosses them is answered here."""
        window = self.gateway.identify_window(bot)
        self.books.count("identifies")
        if not window.take():
            self.books.violation("identify-limit", platform="discord", bot=bot.id, limit=window.limit)
            self.close(4004, "identify limit: the token is reset")
            self.gateway.reset_token(bot)
            return False
        key, now = shard % self.set["discord.max_concurrency"], time.monotonic()
        last = bot.last_identify.get(key)
        bot.last_identify[key] = now
        # A fifth is forgiven: the lab itself may have been late to look, on a busy machine.
        interval = self.set["discord.identify_interval_s"]
        if last is not None and now - last < interval - max(self.set["lab.slack_s"], interval / 5):
            self.books.violation("identify-too-soon", platform="discord", conn=self.id, bot=bot.id, bucket=key, after=round(now - last, 3))
            self.op(9, False)
            return False
        return True

    def ready(self, session, d):
        bot, gateway = session.bot, self.gateway
        guilds = [g for g in bot.guilds.values() if g.shard(session.shards) == session.shard]
        session.dispatch("READY", compact({
            "v": 10, "user": bot.user.json(), "guilds": [{"id": g.id, "unavailable": True} for g in guilds], "session_id": session.id,
            "resume_gateway_url": session.resume_url, "shard": [session.shard, session.shards], "session_type": "normal",
            "application": {"id": bot.id, "flags": 1 << 19}, "private_channels": [], "relationships": [], "presences": [],
            "user_settings": {}, "geo_ordered_rtc_regions": [], "guild_join_requests": [], "auth": {}, "_trace": ["lab"]}))
        if d.get("presence"):
            self.books.note("presence", platform="discord", conn=self.id, d=d["presence"])
        if session.intents & GUILDS:
            for g in guilds:
                session.dispatch("GUILD_CREATE", gateway.guild_text(g, bot), g.id)

    # Resume

    def resume(self, d):
        if self.session is not None:
            return self.close(4005, "already authenticated", by_rule="already-authenticated")
        token, sid, seq = d["token"], d["session_id"], d["seq"]
        bot = self.gateway.world.bot_of_token(token)
        session = self.gateway.sessions.get(sid)
        own = session is not None and self.path.rstrip("/") == f"/discord-resume/{session.number}"
        self.books.note("resume-sent", platform="discord", conn=self.id, session=sid, seq=seq, path=self.path, own_url=own)
        if session is not None:
            session.tried = True
            if not own and str(session.number) not in self.gateway.dead_urls and session.resume_url.endswith(f"/{session.number}"):
                self.books.note("resume-elsewhere", platform="discord", conn=self.id, session=sid, path=self.path)
        if bot is None:
            return self.bad_token(token)
        if session is None or session.bot is not bot or session.ended:
            return self.refuse(session, seq, session.ended if session and session.bot is bot else "unknown session")
        if type(seq) is not int or seq < 0 or seq > session.seq:
            session.resumes.append({"seq": seq, "result": "bad seq"})
            session.end("bad seq")
            return self.close(4007, f"seq {seq} of {session.seq}", by_rule="resume-seq")
        if seq < session.trimmed:
            session.end("too old to replay")
            return self.refuse(session, seq, "too old to replay")
        self.asked = session
        if not self.note("resume", session=sid, bot=bot.id, shard=[session.shard, session.shards], seq=seq, path=self.path, own_url=own):
            if not self.over:
                session.resumes.append({"seq": seq, "result": "a fault"})
            return
        self.take_over(session, seq)

    def refuse(self, session, seq, why):
        if session is not None:
            session.resumes.append({"seq": seq, "result": why})
        self.books.note("resume-refused", platform="discord", conn=self.id, session=session.id if session else None, seq=seq, why=why)
        self.op(9, False)

    def take_over(self, session, seq):
        old = session.conn
        if old is not None:
            # What the platform does with the socket that had the session is not documented; it ends.
            session.conn = None
            old.session = None
            old.close(4000, "the session was resumed elsewhere")
        if session.expiry:
            session.expiry.cancel()
        session.resumes.append({"seq": seq, "result": "resumed"})
        self.session, session.conn, self.asked = session, self, None
        replay = [kept for kept in session.kept if kept[0] > seq]
        for n, payload in replay:
            if session.conn is not self:
                return                  # a fault
            session.write(n, payload)
        if session.conn is self:
            session.dispatch("RESUMED", '{"_trace":["lab"]}')
        self.books.note("resumed", platform="discord", conn=self.id, session=session.id, seq=seq, replayed=len(replay))

    # The rest

    def members(self, d):
        guild = self.gateway.world.guilds.get(d["guild_id"])
        session = self.session
        if guild is None or guild.id not in session.bot.guilds:
            return
        everybody = d.get("query") == "" and d.get("limit") == 0
        if everybody:
            last = self.gateway.members_asked.get((session.bot.id, guild.id), -1e9)
            wait = last + self.set["discord.members_interval_s"] - time.monotonic()
            if wait > 0:
                self.books.note("ratelimit", platform="discord", what="request guild members", conn=self.id)
                return session.dispatch("RATE_LIMITED", compact({"opcode": 8, "retry_after": round(wait, 3),
                                                                 "meta": {"guild_id": guild.id, "nonce": d.get("nonce")}}))
            self.gateway.members_asked[session.bot.id, guild.id] = time.monotonic()
        users = [u for u in guild.members.values() if everybody or u.id in (d.get("user_ids") or []) or
                 (d.get("query") and u.name.lower().startswith(d["query"].lower()))]
        session.dispatch("GUILD_MEMBERS_CHUNK", compact({
            "guild_id": guild.id, "members": [{**u.member(), "user": u.json()} for u in users], "chunk_index": 0, "chunk_count": 1,
            "nonce": d.get("nonce")}))

    def other(self, d):
        """Presence, voice and the like: taken and written down."""
        if not isinstance(d, dict):
            raise ValueError("d is no object")
