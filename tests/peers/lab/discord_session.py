"""A session of Discord's gateway: it outlives its connections, and keeps what it dispatched so that Resume can replay it."""
import asyncio
import collections
import json
import uuid


def compact(o):
    return json.dumps(o, separators=(",", ":"), ensure_ascii=False)


class Session:
    def __init__(self, gateway, bot, shard, shards, intents, number):
        self.id = uuid.uuid4().hex
        self.gateway, self.bot, self.shard, self.shards, self.intents, self.number = gateway, bot, shard, shards, intents, number
        self.seq = self.trimmed = 0
        self.kept = collections.deque()         # (seq, payload text)
        self.events = []                        # (seq, type, id of the object, payload was written to a socket)
        self.conn = None
        self.tried = False                      # a Resume was tried since the connection went
        self.ended = None                       # why it cannot be resumed any more
        self.expiry = None
        self.resumes = []                       # {"seq", "result"}
        self.acked = 0                          # the highest s that a heartbeat told
        self.resume_url = None
        self.hold, self.hold_for = 0, 0.0       # messages to come later than those after them

    def dispatch(self, t, d_text, object_id=None):
        """Counts the event and sends it, if there is a connection; else Resume will."""
        if self.hold and t == "MESSAGE_CREATE":
            self.hold -= 1
            asyncio.get_running_loop().call_later(self.hold_for, self.dispatch_held, t, d_text, object_id)
            return
        self.seq += 1
        payload = '{"t":"%s","s":%d,"op":0,"d":%s}' % (t, self.seq, d_text)
        self.kept.append((self.seq, payload))
        self.events.append([self.seq, t, object_id, False])
        if len(self.kept) > self.gateway.set["discord.replay_max"]:
            self.trimmed = self.kept.popleft()[0]
        if self.conn is not None:
            self.write(self.seq, payload)

    def dispatch_held(self, t, d_text, object_id):
        held, self.hold = self.hold, 0
        if not self.ended:
            self.dispatch(t, d_text, object_id)
        self.hold = held

    def write(self, seq, payload):
        conn = self.conn
        if conn.send(payload):
            self.events[seq - 1][3] = True
        if self.gateway.lab.faults.wants_events:
            self.gateway.lab.faults.event(conn, "discord")

    def end(self, why):
        if self.ended:
            return
        self.ended = why
        if self.expiry:
            self.expiry.cancel()
        self.bot.sessions.pop(self.id, None)
        self.gateway.books.note("session-end", platform="discord", session=self.id, bot=self.bot.id, shard=self.shard, why=why,
                                seq=self.seq, acked=self.acked)

    def detach(self):
        """Its connection has gone: it waits for a Resume."""
        self.conn, self.tried = None, False
        if not self.ended:
            self.expiry = asyncio.get_running_loop().call_later(self.gateway.set["discord.session_life_s"], self.end, "expired")

    def json(self, events=False):
        out = {"session": self.id, "bot": self.bot.id, "shard": [self.shard, self.shards], "intents": self.intents, "seq": self.seq,
               "acked": self.acked, "connected": self.conn is not None, "conn": self.conn.id if self.conn else None, "ended": self.ended,
               "replayable_from": self.trimmed + 1, "resumes": self.resumes, "resume_url": self.resume_url}
        if events:
            out["events"] = [{"s": s, "t": t, "id": i, "written": w} for s, t, i, w in filter(None, self.events)]
        return out
