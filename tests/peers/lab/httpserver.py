"""HTTP/1.1, the server's half, on an accept loop of its own, so that a test can have slow accepts, slow TLS and refused connections.

A handler is `async def handler(request) -> Response`. It may raise HttpError (an answer), Hang (the connection stays open, nothing
is said) or
Reset (RST). A handler that answers Upgrade takes the connection over: its function is called with a wsproto.Ws.
"""
import asyncio
import json
import socket
import struct
import urllib.parse

import wsproto

HEAD_MAX = 65536
BODY_MAX = 16 << 20
REASONS = {100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
           301: "Moved Permanently",
           400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
           410: "Gone",
           413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Entity", 426: "Upgrade Required",
           429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class Hang(Exception):
    pass


class Reset(Exception):
    pass


class HttpError(Exception):
    def __init__(self, status, body=None, headers=()):
        super().__init__(f"{status} {body}")
        self.response = answer(status, body, headers)


class Response:
    def __init__(self, status=200, body=b"", headers=(), close=False):
        self.status, self.body, self.headers, self.close = status, body, list(headers), close


class Upgrade:
    """Answer 101 and give the connection to run(ws)."""

    def __init__(self, run):
        self.run = run


def answer(status=200, body=None, headers=()):
    """body: None, bytes, text, or anything JSON."""
    headers = list(headers)
    if body is None:
        return Response(status, b"", headers)
    if isinstance(body, bytes):
        return Response(status, body, headers)
    if isinstance(body, str):
        return Response(status, body.encode(), headers + [("Content-Type", "text/plain; charset=utf-8")])
    return Response(status, json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
                    headers + [("Content-Type", "application/json")])


class Request:
    def __init__(self, method, target, headers, body, peer, secure):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.peer, self.secure = peer, secure
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query_text = query
        self.pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.query = dict(self.pairs)

    def header(self, name, default=None):
        return self.headers.get(name.lower(), default)

    def json(self):
        """The body as JSON; None when there is none; ValueError when it is not JSON."""
        return json.loads(self.body) if self.body else None

    def form(self):
        """Members of an urlencoded body, or else of the query."""
        return {**self.query, **dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))}

    @property
    def wants_upgrade(self):
        return "upgrade" in self.header("connection", "").lower() and self.header("upgrade", "").lower() == "websocket"


class Server:
    def __init__(self, handler, tls=None):
        self.handler, self.tls = handler, tls
        self.port = 0
        self.accept_delay = self.tls_delay = 0.0
        self.refuse = False
        self.tasks = set()

    def listen(self, host, port):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, port))
        s.listen(4096)
        s.setblocking(False)
        self.sock, self.port = s, s.getsockname()[1]
        self._keep(self._accept())

    def _keep(self, coro):
        task = asyncio.get_running_loop().create_task(coro)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _accept(self):
        loop = asyncio.get_running_loop()
        while True:
            if self.accept_delay:
                await asyncio.sleep(self.accept_delay)
            sock, addr = await loop.sock_accept(self.sock)
            if self.refuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
                continue
            self._keep(self._open(sock, addr))

    async def _open(self, sock, addr):
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls and self.tls_delay:
            await asyncio.sleep(self.tls_delay)
        reader = asyncio.StreamReader(limit=1 << 20, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=self.tls)
        except (OSError, ValueError):
            sock.close()
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await self._serve(reader, writer, "%s:%d" % addr)
        except (ConnectionError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader, writer, peer):
        while True:
            request = await read_request(reader, writer, peer, self.tls is not None)
            if request is None:
                return
            if isinstance(request, Response):
                write_response(writer, "GET", request)
                return
            try:
                response = await self.handler(request)
            except HttpError as e:
                response = e.response
            except Hang:
                await reader.read()     # until the client has had enough
                return
            except Reset:
                wsproto.Ws(reader, writer).reset()
                return
            if isinstance(response, Upgrade):
                await upgrade(request, response, reader, writer)
                return
            write_response(writer, request.method, response)
            await writer.drain()
            if response.close or request.header("connection", "").lower() == "close":
                return


async def upgrade(request, response, reader, writer):
    key = request.header("sec-websocket-key")
    if not request.wants_upgrade or not key or request.header("sec-websocket-version") != "13":
        write_response(writer, request.method, answer(426, "a WebSocket of version 13 lives here", [("Upgrade", "websocket")]))
        return
    writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {wsproto.accept_key(key)}\r\n\r\n").encode())
    await response.run(wsproto.Ws(reader, writer))


async def read_request(reader, writer, peer, secure):
    """A Request; None at the end of the connection; a Response for one that cannot be read."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        return answer(400, "head too long")
    if len(head) > HEAD_MAX:
        return answer(400, "head too long")
    lines = head.decode("latin-1").split("\r\n")
    first = lines[0].split(" ")
    if len(first) != 3 or not first[2].startswith("HTTP/1."):
        return answer(400, "no HTTP request")
    headers = {}
    for line in lines[1:]:
        if line:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                return answer(400, "a header line without a name")
            headers[name.lower()] = value.strip()
    if "100-continue" in headers.get("expect", "").lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await read_body(reader, headers)
    except ValueError as e:
        return answer(400, str(e))
    return Request(first[0], first[1], headers, body, peer, secure)


async def read_body(reader, headers):
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b""
        while True:
            n = int((await reader.readuntil(b"\r\n")).split(b";")[0].strip(), 16)
            if len(body) + n > BODY_MAX:
                raise ValueError("body too long")
            if n == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return body
            body += await reader.readexactly(n)
            await reader.readexactly(2)
    n = int(headers.get("content-length", "0"))
    if not 0 <= n <= BODY_MAX:
        raise ValueError("body too long")
    return await reader.readexactly(n) if n else b""


def write_response(writer, method, r):
    head = [f"HTTP/1.1 {r.status} {REASONS.get(r.status, 'Unknown')}"]
    head += [f"{k}: {v}" for k, v in r.headers]
    if r.status != 204:
        head.append(f"Content-Length: {len(r.body)}")
    if r.close:
        head.append("Connection: close")
    writer.write("\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + (r.body if method != "HEAD" and r.status != 204 else b""))
