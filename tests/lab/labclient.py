"""A client for the lab's tests, small and obedient to its caller only: HTTP, and a WebSocket that sends whatever it is told to.

It shares no code with the lab. Everything is blocking, with a time-out of PATIENCE seconds.
"""
import base64
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import urllib.parse
import zlib

sys.dont_write_bytecode = True

PATIENCE = float(os.environ.get("PATIENCE", "20"))
AGENT = "DiscordBot (https://example.org/lab-test, 1.0)"


def http_call(base, method, path, body=None, headers=None, raw=None):
    """(status, headers, JSON or text)."""
    u = urllib.parse.urlsplit(base)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=PATIENCE)
    headers = dict(headers or {})
    if raw is None and body is not None:
        raw = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    c.request(method, path, raw, headers)
    r = c.getresponse()
    text = r.read().decode("utf-8", "replace")
    c.close()
    try:
        return r.status, dict(r.headers), json.loads(text)
    except ValueError:
        return r.status, dict(r.headers), text


class Closed(Exception):
    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code = code


class WebSocket:
    def __init__(self, url, compress=False, ca=None):
        u = urllib.parse.urlsplit(url)
        self.s = socket.create_connection((u.hostname, u.port), PATIENCE)
        if u.scheme == "wss":
            self.s = ssl.create_default_context(cafile=ca).wrap_socket(self.s, server_hostname=u.hostname)
        self.buf, self.inflate, self.frames, self.kinds = b"", zlib.decompressobj() if compress else None, [], []
        target = (u.path or "/") + (f"?{u.query}" if u.query else "")
        key = base64.b64encode(os.urandom(16)).decode()
        self.s.sendall((f"GET {target} HTTP/1.1\r\nHost: {u.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buf:
            self._more()
        head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        self.status = int(head.split(b" ")[1])
        if self.status != 101:
            raise Closed(self.status, head.decode("latin-1"))

    def _more(self):
        try:
            data = self.s.recv(65536)
        except ConnectionError as e:
            raise Closed("reset") from e
        if not data:
            raise Closed(None, "the end without a close frame")
        self.buf += data

    def _take(self, n):
        while len(self.buf) < n:
            self._more()
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def send_frame(self, op, payload=b"", fin=True, rsv=0, masked=True):
        n, m = len(payload), 0x80 if masked else 0
        head = bytes([(0x80 if fin else 0) | rsv | op])
        if n < 126:
            head += bytes([m | n])
        elif n < 65536:
            head += bytes([m | 126]) + struct.pack("!H", n)
        else:
            head += bytes([m | 127]) + struct.pack("!Q", n)
        if masked:
            key = os.urandom(4)
            payload = key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))
        self.s.sendall(head + payload)

    def send(self, o):
        self.send_frame(1, (o if isinstance(o, str) else json.dumps(o)).encode())

    def close(self, code=1000):
        self.send_frame(8, struct.pack("!H", code) if code else b"")

    def drop(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()

    def recv_message(self, pong=True):
        """(opcode, bytes) of the next whole message; pings are answered."""
        parts, kind = b"", None
        while True:
            b0, b1 = self._take(2)
            n = b1 & 127
            if n == 126:
                n, = struct.unpack("!H", self._take(2))
            elif n == 127:
                n, = struct.unpack("!Q", self._take(8))
            body, op = self._take(n), b0 & 15
            assert not b1 & 0x80, "a server's frame is not masked"
            self.frames.append(n)
            if op == 8:
                raise Closed(struct.unpack("!H", body[:2])[0] if n >= 2 else 1005, body[2:].decode())
            if op == 9:
                if pong:
                    self.send_frame(10, body)
                continue
            if op == 10:
                continue
            kind = op if op else kind
            parts += body
            if b0 & 0x80:
                return kind, parts

    def recv(self, pong=True):
        """The next payload as an object."""
        data = b""
        while True:
            kind, part = self.recv_message(pong)
            self.kinds.append(kind)
            if self.inflate is None:
                return json.loads(part)
            data += part
            if data.endswith(b"\0\0\xff\xff"):
                return json.loads(self.inflate.decompress(data))

    def until(self, test):
        while True:
            o = self.recv()
            if test(o):
                return o

    def end(self):
        """What the server ends the connection with: a close code, None (no close frame) or "reset"."""
        try:
            while True:
                self.recv_message()
        except Closed as e:
            return e.code


class Lab:
    """The lab at a base URL, with the things that most tests want of it."""

    def __init__(self, base):
        self.base = base.strip()
        self.ws = self.base.replace("http", "ws", 1)
        w = self.world = self.get("/lab/world")
        self.bot = w["discord"]["bots"][0]
        self.guild = w["discord"]["guilds"][0]
        self.general = self.guild["channels"]["general"]
        self.token = self.bot["token"]
        self.client = w["twitch"]["clients"][0]
        self.user_token = next((t for t in w["twitch"]["tokens"] if t["login"] == "penstock"), None)

    def get(self, path):
        status, _, body = http_call(self.base, "GET", path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, **body):
        status, _, answer = http_call(self.base, "POST", path, body)
        assert status == 200, (path, status, answer)
        return answer

    def set(self, **values):
        self.post("/lab/config", **{k.replace("__", "."): v for k, v in values.items()})

    def fault(self, text):
        status, _, answer = http_call(self.base, "POST", "/lab/fault", raw=text.encode(), headers={"Content-Type": "text/plain"})
        assert status == 200, (status, answer)
        return answer

    def rules(self):
        """Names of the rules that were broken so far."""
        return [v["rule"] for v in self.get("/lab/violations")["violations"]]

    def wait(self, kind, count=1):
        self.get(f"/lab/wait?kind={kind}&count={count}&timeout={PATIENCE}")

    # Discord

    def gateway(self, path="/discord", query="v=10&encoding=json", compress=False):
        return WebSocket(f"{self.ws}{path}/?{query}" + ("&compress=zlib-stream" if compress else ""), compress)

    def hello(self, **kw):
        ws = self.gateway(**kw)
        o = ws.recv()
        assert o["op"] == 10, o
        return ws

    def identify(self, ws, shard=(0, 1), intents=33281, **more):
        ws.send({"op": 2, "d": {"token": self.token, "intents": intents, "properties": {"os": "linux", "browser": "t", "device": "t"},
                                "shard": list(shard), **more}})

    def session(self, **kw):
        """(socket, READY.d) of a new session."""
        query = {k: kw.pop(k) for k in ("compress", "path", "query") if k in kw}
        ws = self.hello(**query)
        self.identify(ws, **kw)
        ready = ws.recv()
        assert ready["t"] == "READY", ready
        return ws, ready["d"]

    def resume(self, ready, seq, **kw):
        path = urllib.parse.urlsplit(ready["resume_gateway_url"]).path
        ws = self.hello(path=kw.pop("path", path), **kw)
        ws.send({"op": 6, "d": {"token": self.token, "session_id": ready["session_id"], "seq": seq}})
        return ws

    def rest(self, method, path, body=None, auth=None, headers=None, raw=None):
        h = {"User-Agent": AGENT, "Authorization": auth if auth is not None else "Bot " + self.token}
        h.update(headers or {})
        return http_call(self.base, method, "/api/v10" + path, body, {k: v for k, v in h.items() if v}, raw)

    # Twitch

    def eventsub(self, query=""):
        """(socket, session) after the welcome."""
        ws = WebSocket(f"{self.ws}/ws{query}")
        o = ws.recv()
        assert o["metadata"]["message_type"] == "session_welcome", o
        return ws, o["payload"]["session"]

    def helix(self, method, path, body=None, token=None, headers=None):
        h = {"Authorization": "Bearer " + (token or self.user_token["access_token"]), "Client-Id": self.client["id"]}
        h.update(headers or {})
        return http_call(self.base, method, "/helix" + path, body, {k: v for k, v in h.items() if v})

    def subscribe(self, session, type="channel.chat.message", version="1", token=None, **condition):
        condition = condition or {"broadcaster_user_id": "42", "user_id": "99"}
        return self.helix("POST", "/eventsub/subscriptions", {"type": type, "version": version, "condition": condition,
                                                              "transport": {"method": "websocket", "session_id": session}}, token)

    def oauth(self, method, path, headers=None, **form):
        return http_call(self.base, method, "/oauth2/" + path, headers={"Content-Type": "application/x-www-form-urlencoded",
                                                                        **(headers or {})},
                         raw=urllib.parse.urlencode(form).encode() if form else None)


def run_cases(functions, argv):
    """argv: URL NAME...; each with the lab as after its start; says which case fails."""
    for name in argv[1:]:
        try:
            http_call(argv[0], "POST", "/lab/reset")
            functions[name](Lab(argv[0]))
        except BaseException:
            print(f"case {name} failed", file=sys.stderr)
            raise
