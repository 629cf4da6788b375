#!/usr/bin/env python3
"""A peer of gatewayd's template platform (null): feeds that number their frames and go on behind what a session has kept.

    feed.py DIR [-F FD] [-l ADDR]   listens on ADDR, 127.0.0.1; DIR/port has the port. ws://127.0.0.1:PORT/NAME is the feed NAME (a query stands behind it).
                                With DIR/cert.pem and DIR/key.pem the same over TLS on the port in DIR/tls-port

Orders, over HTTP on the same port, POST /order, a line each; the answer is JSON:
    say NAME TEXT       a frame to every session of the feed, those that are not connected now get it when they come back
    burst NAME N [SIZE] N frames {"n":K}, K from 1 on over all bursts, filled up to SIZE bytes
    close NAME CODE     drop NAME (TCP reset)     zombie NAME (says and reads nothing more, TCP stays open)
    forget NAME         its sessions are not known any more: "new" is the answer to who comes back
    refuse NAME yes|no  the handshake is answered 503
    raw NAME HEX        bytes into the connections of the feed as they are
    lines N             frames of all feeds together, in turn: `burst` of one frame each over N feeds
    state               {"NAME":{"conns":[ids of those that have a session],"opened":N,"sessions":[..],"said":[texts],"closed":[codes]}}
"""
import asyncio
import json
import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers", "lab"))
import wsproto  # noqa: E402


class Feed:
    def __init__(self):
        self.sessions, self.conns = {}, {}
        self.opened, self.burst = 0, 0
        self.said, self.closed = [], []
        self.refuse = False

    def say(self, text):
        for name, frames in self.sessions.items():
            frames.append(text)
            for ws, at in self.conns.values():
                if at == name:
                    ws.send(wsproto.TEXT, text)


feeds, ids = {}, 0


def feed(name):
    return feeds.setdefault(name, Feed())


async def serve(name, ws):
    global ids
    f = feed(name)
    ids += 1
    me = ids
    f.opened += 1
    f.conns[me] = (ws, None)
    try:
        while True:
            op, body = await ws.recv()
            if op in (wsproto.PING, wsproto.PONG):
                f.said.append("<ping>" if op == wsproto.PING else "<pong>")
                continue
            text = body.decode()
            if not text.startswith("session "):
                f.said.append(text)
                continue
            _, session, kept = text.split(" ")
            kept = int(kept)
            if session not in f.sessions and kept:
                ws.send(wsproto.TEXT, "new")
                continue
            frames = f.sessions.setdefault(session, [])
            f.conns[me] = (ws, session)
            ws.send(wsproto.TEXT, ".")
            for old in frames[kept:]:
                ws.send(wsproto.TEXT, old)
    except wsproto.Gone as e:
        f.closed.append(e.code)
        if e.code and ws.closed_with is None:
            ws.close(None if e.code == 1005 else e.code)
    except wsproto.WsError as e:
        f.closed.append(f"fault {e}")
    finally:
        f.conns.pop(me, None)
        ws.end()


def order(line):
    what, *args = line.split(" ")
    f = feed(args[0]) if args else None
    if what == "say":
        f.say(" ".join(args[1:]))
    elif what == "burst":
        size = int(args[2]) if len(args) > 2 else 0
        for _ in range(int(args[1])):
            f.burst += 1
            f.say(json.dumps({"n": f.burst, "fill": "x" * size} if size else {"n": f.burst}))
    elif what == "lines":
        for n in range(int(args[0])):
            one = list(feeds.values())[n % len(feeds)]
            one.burst += 1
            one.say(json.dumps({"n": one.burst}))
    elif what == "raw":
        for ws, _ in f.conns.values():
            ws.put(bytes.fromhex(args[1]))
    elif what == "close":
        for ws, _ in list(f.conns.values()):
            ws.close(int(args[1]))
    elif what == "drop":
        for ws, _ in list(f.conns.values()):
            ws.reset()
    elif what == "zombie":
        for ws, _ in list(f.conns.values()):
            ws.half_open()
    elif what == "forget":
        f.sessions.clear()
    elif what == "refuse":
        f.refuse = args[1] == "yes"
    elif what != "state":
        return {"error": what}
    return {n: {"conns": [i for i, (_, at) in f.conns.items() if at], "opened": f.opened, "sessions": sorted(f.sessions), "said": f.said, "closed": f.closed}
            for n, f in feeds.items()} if what == "state" else {"ok": True}


async def on_connection(reader, writer):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.split("\r\n")
        method, path, _ = first.split(" ")
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in rest if line)}
        if method == "POST":
            body = await reader.readexactly(int(fields["content-length"]))
            answers = [order(line) for line in body.decode().splitlines() if line]
            text = json.dumps(answers[-1]).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
            await writer.drain()
            writer.close()
            return
        name = path[1:].split("?")[0]
        if feed(name).refuse:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
                      % wsproto.accept_key(fields["sec-websocket-key"])).encode())
        await serve(name, wsproto.Ws(reader, writer))
    except (asyncio.IncompleteReadError, ConnectionError, KeyError, ValueError):
        writer.close()


def put_port(path, server):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(server.sockets[0].getsockname()[1]))


async def main():
    ready = int(sys.argv[sys.argv.index("-F") + 1]) if "-F" in sys.argv else None
    addr = sys.argv[sys.argv.index("-l") + 1] if "-l" in sys.argv else "127.0.0.1"
    args = [a for i, a in enumerate(sys.argv[1:], 1) if a not in ("-F", "-l") and sys.argv[i - 1] not in ("-F", "-l")]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(15, stop.set)
    server = await asyncio.start_server(on_connection, addr, 0, limit=1 << 20, backlog=2048)
    put_port(os.path.join(args[0], "port"), server)
    if os.path.exists(os.path.join(args[0], "cert.pem")):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.path.join(args[0], "cert.pem"), os.path.join(args[0], "key.pem"))
        put_port(os.path.join(args[0], "tls-port"), await asyncio.start_server(on_connection, "127.0.0.1", 0, limit=1 << 20, ssl=tls))
    if ready is not None:
        os.write(ready, b"\n")
    await stop.wait()


asyncio.run(main())
