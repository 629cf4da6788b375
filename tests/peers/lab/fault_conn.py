"""Faults that are done to a connection. A deed gets the connection (discord_conn.Conn or eventsub.Socket) and the fault with its words.

What a deed does in the place of an answer that is due (READY, an ack, Hello), it says by conn.swallow.
"""
import asyncio
import json
import socket
import struct
import time
import uuid

import wsproto
from deeds import Deeds
from discord_session import compact
from world import iso_twitch

DEEDS = deed = Deeds()


def is_discord(conn):
    return conn.platform == "discord"


def only(conn, platform):
    """What the other platform does not have is passed over there."""
    return conn.platform == platform


# Ends of the connection

def code(word):
    if word != "none" and not 1000 <= int(word) <= 4999:
        raise ValueError("a close code, 1000 to 4999, or none")


@deed("close", code)
def close(conn, f):
    """close CODE, close none: an empty close frame."""
    word = f.args[0] if f.args else "4000"
    if word == "none":
        conn.books.note("close-sent", platform=conn.platform, conn=conn_name(conn), code=1005, why="a fault")
        conn.over = True
        finish(conn)
        conn.ws.close(None)
        return
    code = int(word)
    conn.close(code, "a fault")


def conn_name(conn):
    return conn.id if is_discord(conn) else conn.conn


def finish(conn):
    if is_discord(conn):
        conn.leave()
    else:
        conn.over = False
        conn.lose("websocket_disconnected")


@deed("fin")
def fin(conn, f):
    """The end without a close frame."""
    cut(conn)


@deed("reset")
def reset(conn, f):
    conn.over = True
    finish(conn)
    conn.ws.reset()


@deed("zombie")
def zombie(conn, f):
    """The lab says nothing more; what the client says is read and forgotten. The session lives on: it can be resumed."""
    conn.zombie = True
    silent(conn, "zombie")


@deed("halfopen")
def halfopen(conn, f):
    """As zombie, but nothing is read, either: what the client writes piles up."""
    conn.ws.half_open()
    silent(conn, "halfopen")
    conn.lab.spawn(watch(conn))


def silent(conn, kind):
    conn.books.note(kind, platform=conn.platform, conn=conn_name(conn))
    if is_discord(conn):
        if conn.beat_due:
            conn.beat_due.cancel()
    else:
        for name in list(conn.timers):
            conn.stop(name)


async def watch(conn):
    """Nothing is read, so nobody tells that the client has gone: TCP's own state does (7 closed, 8 the client closed, 1 established)."""
    sock = conn.ws.writer.get_extra_info("socket")
    while True:
        await asyncio.sleep(0.1)
        try:
            state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except (OSError, AttributeError):
            state = 7
        if state != 1:
            conn.ws.writer.transport.abort()
            return


# What Discord says

def cut(conn):
    if not conn.over:
        conn.over = True
        finish(conn)
        conn.ws.end()


@deed("op7")
def op7(conn, f):
    """Who does not go is cut off after some seconds."""
    if only(conn, "discord"):
        conn.swallow = True
        conn.op(7, None)
        asyncio.get_running_loop().call_later(conn.set["discord.op7_close_s"], cut, conn)


@deed("op9", resumable=("true", "false"))
def op9(conn, f):
    """resumable=true|false (false): the session is gone with false."""
    if not only(conn, "discord"):
        return
    resumable = f.word("resumable", "false") == "true"
    conn.swallow = True
    session = conn.session or conn.asked
    if session is not None:
        if conn.session:
            session.detach()
        conn.session = None
        if not resumable:
            session.end("op 9")
    conn.op(9, resumable)


@deed("nothing")
def nothing(conn, f):
    """What would come now does not: no Hello, no READY, no ack, no welcome."""
    conn.swallow = True


@deed("beat")
def beat(conn, f):
    """Op 1: a heartbeat is wanted at once."""
    if only(conn, "discord"):
        conn.op(1, None)


@deed("noack", int)
def noack(conn, f):
    """noack N: so many heartbeats get no answer (all, without N)."""
    if only(conn, "discord"):
        conn.noack = int(f.number(0, 1e9))
        conn.books.note("noack", platform="discord", conn=conn.id)


@deed("expire")
def expire(conn, f):
    """The session is forgotten while the connection goes on; Resume will be refused."""
    if only(conn, "discord") and conn.session:
        conn.session.end("forgotten")


@deed("deadresume", form=("reset", "404", "hang", "refuse"))
def deadresume(conn, f):
    """The session's resume URL answers no more: form=reset (default), 404, hang; refuse (before READY: a port where nobody listens)."""
    if only(conn, "discord") and conn.session:
        form = f.word("form", "reset")
        if form == "refuse":
            conn.session.resume_url = conn.lab.dead_url("/discord-resume/0")
        else:
            conn.gateway.dead_urls[str(conn.session.number)] = form


@deed("parts", int)
def parts(conn, f):
    """parts N: each compressed payload over up to N WebSocket messages."""
    if only(conn, "discord"):
        conn.parts = int(f.number(0, 3))


# What Twitch says

@deed("reconnect", dead=("true", "false"), grace=float)
def reconnect(conn, f):
    """dead=true: to a URL where nobody listens. grace=SECONDS."""
    if only(conn, "twitch") and not conn.moving:
        conn.reconnect(f.word("dead") == "true", float(f.word("grace", 0)) or None)


@deed("nokeepalive")
def nokeepalive(conn, f):
    if only(conn, "twitch"):
        conn.no_keepalive = True
        conn.books.note("nokeepalive", platform="twitch", conn=conn.conn)


@deed("noping")
def noping(conn, f):
    if only(conn, "twitch"):
        conn.no_ping = True


@deed("revoke", type=str, status=str)
def revoke(conn, f):
    """revoke [type=TYPE] [status=STATUS]: subscriptions of this socket."""
    if only(conn, "twitch"):
        for s in list(conn.subs.values()):
            if f.word("type") in (None, s.type):
                conn.hub.revoke(s, f.word("status", "authorization_revoked"))


# Messages

@deed("split", int, pause=float)
def split(conn, f):
    """split N [pause=MS]: from now on messages come in frames and writes of 1 to N bytes. 0: no more."""
    conn.ws.split = int(f.number(0, 7))
    conn.ws.pause = float(f.word("pause", 0)) / 1000
    conn.ws.rng.seed(f.rng.random())


@deed("binary", int)
def binary(conn, f):
    """binary [N]: the next N messages are binary where text belongs, text where binary belongs."""
    conn.as_wrong_type += int(f.number(0, 1))


@deed("duplicate", int)
def duplicate(conn, f):
    """duplicate [N]: the last N messages once more (Discord: with a new s; Twitch: with the same message id)."""
    n = int(f.number(0, 1))
    if is_discord(conn):
        if conn.session:
            last = [(e, p) for e, (s, p) in zip(reversed(conn.session.events), reversed(conn.session.kept)) if e
                    and e[1] == "MESSAGE_CREATE"][:n]
            for e, payload in reversed(last):
                conn.session.dispatch(e[1], compact(json.loads(payload)["d"]), e[2])
    else:
        for message_id, payload, type, version in list(conn.recent)[-n:]:
            conn.send("notification", payload, message_id, subscription_type=type, subscription_version=version)


@deed("late", int, seconds=float)
def late(conn, f):
    """late [N] [seconds=S]: the next N messages come S seconds later (1), after those that follow them."""
    target = conn.session if is_discord(conn) else conn
    if target:
        target.hold, target.hold_for = int(f.number(0, 1)), float(f.word("seconds", 1))


@deed("stale")
def stale(conn, f):
    """Twitch: the last message once more with a new id and a message_timestamp eleven minutes old."""
    if only(conn, "twitch") and conn.recent:
        _, payload, type, version = conn.recent[-1]
        conn.send("notification", payload, str(uuid.uuid4()), subscription_type=type, subscription_version=version,
                  message_timestamp=iso_twitch(time.time_ns() - 660 * 10**9))


@deed("unknown")
def unknown(conn, f):
    """What a tolerant reader passes over: an unknown event, op and member; an unknown message type."""
    if is_discord(conn):
        conn.send('{"t":null,"s":null,"op":99,"d":{"new":true},"new":[1,2]}')
        if conn.session:
            conn.session.dispatch("LAB_UNKNOWN", '{"id":"1","new":{"deep":[null,true,1.5e3]}}')
    else:
        conn.send("session_lab_unknown", {"new": {"deep": [None, True, 1.5e3]}})


GARBAGE = {"json": '{"t":null,"s":null,"op":10,"d":{', "array": "[1,2,3]", "empty": "", "deep": "[" * 5000,
           "types": '{"op":"0","d":[],"s":"x","t":7}',
           "utf8": b'{"op":11,"d":"\xff\xfe"}', "nul": '{"op":11,"d":"\0"}'}


@deed("garbage", form=(*GARBAGE, "zlib"))
def garbage(conn, f):
    """form=json (cut off), array, empty, deep, types, utf8, nul, zlib (bytes that do not inflate)."""
    form = f.word("form", "json")
    if form == "zlib":
        conn.ws.send(wsproto.BINARY, b"\x07\x07this is no deflate stream\0\0\xff\xff")
        return
    data = GARBAGE[form] if isinstance(GARBAGE[form], bytes) else GARBAGE[form].encode()
    op = wsproto.TEXT
    if is_discord(conn) and conn.deflate is not None:
        op, data = wsproto.BINARY, conn.deflate(data)
    conn.ws.send(op, data)


@deed("huge", int)
def huge(conn, f):
    """huge BYTES: one message of about that size, of a kind that nobody needs."""
    text = "x" * int(f.number(0, 1 << 20))
    if is_discord(conn):
        if conn.session:
            conn.session.dispatch("LAB_HUGE", compact({"id": "1", "x": text}))
    else:
        conn.send("session_lab_huge", {"x": text})


FRAMES = {"reserved": b"\xf1\x00", "continuation": b"\x80\x01x", "masked": b"\x81\x81\0\0\0\0x",
          "control": b"\x89\x7e\x00\x80" + b"p" * 128,
          "opcode": b"\x83\x00", "length": struct.pack("!BBQ", 0x82, 127, 1 << 62), "partclose": b"\x88\x01\x0f"}


@deed("frame", form=tuple(FRAMES))
def frame(conn, f):
    """form=reserved, continuation, masked, control (too long), opcode, length (2^62), partclose: a frame that WebSocket forbids."""
    conn.ws.put(FRAMES[f.word("form", "reserved")])


@deed("flood", int, rate=float)
def flood(conn, f):
    """flood N [rate=R]: so many chat messages to this connection as fast as it takes them; with a rate, said in the first channel."""
    n, rate, world = int(f.number(0, 1000)), float(f.word("rate", 0)), conn.lab.world
    channel = ("discord", next(c for c in world.channels.values() if c.guild)) if is_discord(conn) else ("twitch", world.tw_users["42"])
    conn.lab.spawn(conn.lab.flood.live(n, rate, [channel]) if rate else conn.lab.flood.run(n, conns=[conn]))
