"""Bytes that make no sense: the lab goes on, and has nothing to say on stderr (the test looks)."""
import random
import socket
import sys
import urllib.parse

from labclient import Closed, run_cases


def http(l):
    """Requests that are cut, spoiled and made up, each on a connection of its own."""
    rng = random.Random(1)
    u = urllib.parse.urlsplit(l.base)
    whole = (f"POST /api/v10/channels/{l.general}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bot {l.token}\r\nContent-Type: application/json\r\n"
             "User-Agent: DiscordBot (https://x.y, 1)\r\nContent-Length: 15\r\n\r\n{\"content\":\"x\"}").encode()
    made = [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"\0" * 70000,
            b"GET /discord?v=10&encoding=json HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"GET /helix/users?id=\xff%ff HTTP/1.1\r\n\r\n"]
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        made.append(bytes(data[:rng.randint(1, len(data))]))
    for data in made:
        s = socket.create_connection((u.hostname, u.port), 20)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        try:
            while s.recv(65536):
                pass
        except ConnectionError:
            pass
        s.close()
    assert l.get("/lab/counts")["connections"] == 0


def frames(l):
    """Frames and payloads by chance, to the gateway and to EventSub."""
    rng = random.Random(2)
    l.set(discord__identify_interval_s=0, discord__identify_total=100000)
    good = [b'{"op":1,"d":null}', b'{"op":2,"d":{"token":"x"}}', b'{"op":6,"d":{"token":"x","session_id":1,"seq":-1}}',
            b'{"op":8,"d":{"guild_id":[]}}',
            b'{"op":3,"d":[]}', b'{"op":1,"d":1e400}', b'{"op":2,"d":[]}', b'{"op":true,"d":{}}', b'"x"', b"\xff", b"", b"[" * 4000,
            ('{"op":2,"d":{"token":"%s","intents":1,"properties":{},"shard":[0,"1"]}}' % l.token).encode(),
            ('{"op":2,"d":{"token":"%s","intents":true,"properties":[]}}' % l.token).encode(),
            ('{"op":6,"d":{"token":"%s","session_id":null,"seq":null}}' % l.token).encode()]
    for n in range(120):
        ws = l.hello() if n % 4 else l.eventsub()[0]
        try:
            for _ in range(3):
                data = bytearray(rng.choice(good))
                if data and rng.random() < 0.3:
                    data[rng.randrange(len(data))] = rng.randrange(256)
                ws.send_frame(rng.choice((1, 1, 1, 2, 8, 9, 10, 0, 3)), bytes(data), fin=rng.random() < 0.9,
                              rsv=rng.choice((0, 0, 0, 0x40)),
                              masked=rng.random() < 0.9)
            ws.s.shutdown(socket.SHUT_WR)
            ws.end()
        except (OSError, Closed):
            pass
        ws.s.close()
    ws, _ = l.session()
    assert ws.recv()["t"] == "GUILD_CREATE"


def control(l):
    """Wrong questions to the control API are answered as such."""
    from labclient import http_call
    for method, path, raw in (("POST", "/lab/say", b"{"), ("POST", "/lab/say", b"[]"),
                              ("POST", "/lab/say", b'{"channel":"nowhere"}'), ("GET", "/lab/nothing", None),
                              ("POST", "/lab/config", b'{"no.such":1}'), ("POST", "/lab/config", b'{"discord.send_limit":"many"}'),
                              ("GET", "/lab/wait", None), ("POST", "/lab/discord/guild", b"{}"),
                              ("POST", "/lab/fault?seed=1&platform=none", b"")):
        status, _, body = http_call(l.base, method, path, raw=raw)
        assert status in (400, 404) and body["error"], (path, raw, status, body)


if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
