"""Many messages: prepared as bytes before the first is sent and then written as fast as the sockets take them (run), or said at a
rate (live)."""
import asyncio
import functools
import json
import random
import time
import uuid

import wsproto
from discord_conn import GUILD_MESSAGES

CHUNK = 1 << 18
WORDS = ("a about again all and are at be because but can did do first for from get go good has have he here how i if in is it just know like "
         "lol look me more my new no not now of ok on one or so stream that the they this time to up was what who why will with you 😀").split()


@functools.lru_cache(4)
def tails(size):
    """What texts go on with, different for each: one text over and over is nothing to a compressor."""
    rng = random.Random(size)
    return [" ".join(rng.choices(WORDS, k=size // 3 + 1)) for _ in range(max(1, min(1000, 1000000 // (size + 1))))]


class Flood:
    def __init__(self, lab):
        self.lab = lab

    async def run(self, n, size=60, keep=True, conns=None, channel=None):
        """n messages to each connection. keep: Discord's sessions can replay them. What was sent, since when (seconds of 1970), and
        how long preparing and sending took."""
        conns = [c for c in (conns if conns is not None else list(self.lab.conns.values())) if self.fit(c)]
        begun = time.monotonic()
        for c in conns:
            c.held = []
        jobs = [(c, self.prepare(c, n, size, keep, channel)) for c in conns]
        ready, began = time.monotonic(), time.time()
        self.lab.books.note("flood", connections=len(conns), messages=n)
        await asyncio.gather(*(self.send(c, frames) for c, frames in jobs))
        done = time.monotonic()
        out = {"connections": len(conns), "messages": n * len(conns), "bytes": sum(sum(map(len, f)) for _, f in jobs),
               "began": round(began, 6), "prepared_s": round(ready - begun, 3), "sent_s": round(done - ready, 3)}
        self.lab.books.note("flooded", **out)
        return out

    async def live(self, n, rate, channels):
        """n messages said in the channels in turn, rate in a second, each in its time: who is not connected then finds them in its
        session."""
        lab, begun, at = self.lab, time.monotonic(), 0
        lab.books.note("flood", connections=None, messages=n)
        while at < n:
            due = min(n, int((time.monotonic() - begun) * rate) + 1)
            for i in range(at, due):
                platform, channel = channels[i % len(channels)]
                if platform == "discord":
                    lab.chat.say(channel, lab.world.user("ada"), f"flood {i}")
                else:
                    lab.twitch_chat.say(channel, lab.world.tw_user("ada"), f"flood {i}")
            at = due
            await asyncio.sleep(0.005)
        out = {"messages": n, "sent_s": round(time.monotonic() - begun, 3)}
        lab.books.note("flooded", **out)
        return out

    def fit(self, conn):
        if conn.over or conn.ws.split or conn.ws.deaf:
            return False
        if conn.platform == "discord":
            return conn.session is not None and conn.session.intents & GUILD_MESSAGES
        return any(s.type == "channel.chat.message" for s in conn.subs.values())

    def prepare(self, conn, n, size, keep, channel):
        """Frames, in order. Numbers of the session are taken now: nothing else may be dispatched on it until the flood is over."""
        return self.discord(conn, n, size, keep, channel) if conn.platform == "discord" else self.twitch(conn, n, size)

    def discord(self, conn, n, size, keep, channel):
        lab, session, frames = self.lab, conn.session, []
        channel = channel or next(c for c in lab.world.channels.values() if c.guild)
        user = lab.world.user("ada")
        message = lab.chat.event(channel, {**lab.chat.make(channel, user, "@@TEXT@@"), "id": "@@ID@@"}, user)
        channel.messages.popitem()
        head, rest = json.dumps(message, separators=(",", ":")).split("@@ID@@")
        middle, tail = rest.split("@@TEXT@@")
        ends = tails(size)
        for i in range(n):
            id = lab.world.ids.next()
            text = f"flood {i} " + ends[i % len(ends)]
            text = text[:max(size, text.index(" ", 6) + 1)]
            session.seq += 1
            payload = f'{{"t":"MESSAGE_CREATE","s":{session.seq},"op":0,"d":{head}{id}{middle}{text}{tail}}}'
            if keep:
                session.kept.append((session.seq, payload))
                session.events.append([session.seq, "MESSAGE_CREATE", id, True])
            else:
                session.events.append(None)
            op, data = conn.encode(payload)
            frames.append(wsproto.frame(op, data))
        if not keep:
            session.trimmed = session.seq
            session.kept.clear()
        return frames

    def twitch(self, conn, n, size):
        lab, frames = self.lab, []
        sub = next(s for s in conn.subs.values() if s.type == "channel.chat.message")
        broadcaster = lab.world.tw_users[sub.condition["broadcaster_user_id"]]
        event = lab.twitch_chat.build(broadcaster, lab.world.tw_user("ada"), "@@TEXT@@", None, "@@ID@@")
        text = json.dumps(conn.envelope("notification", {"subscription": sub.json(), "event": event}, "@@MID@@", subscription_type=sub.type,
                                        subscription_version=sub.version), separators=(",", ":"))
        for i in range(n):
            mid, cid = str(uuid.uuid4()), str(uuid.uuid4())
            frames.append(wsproto.frame(wsproto.TEXT, text.replace("@@MID@@", mid).replace("@@ID@@", cid)
                                        .replace("@@TEXT@@", f"flood {i} ".ljust(size, "x")).encode()))
            conn.sent.append([mid, sub.type, cid, True])
        return frames

    async def send(self, conn, frames):
        at, n = 0, len(frames)
        while at < n and not conn.over:
            part, size = [], 0
            while at < n and size < CHUNK:
                part.append(frames[at])
                size += len(frames[at])
                at += 1
            conn.ws.put(b"".join(part))
            await conn.ws.drain()
        held, conn.held = conn.held, None
        for text in held or ():
            conn.send(text)
