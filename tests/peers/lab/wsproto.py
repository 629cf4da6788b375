"""WebSocket, the server's half (RFC 6455), and a writer that can misbehave on purpose.

Ws.recv gives (opcode, bytes) for each whole message, pings and pongs included; a wrong frame raises WsError with the close code
that a server
answers, the end of the connection raises Gone. Nothing here knows what the messages mean.
"""
import asyncio
import base64
import collections
import hashlib
import random
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MESSAGE_MAX = 1 << 20


class Gone(Exception):
    """The connection has ended; code is that of the client's close frame, None when there was none."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class WsError(Exception):
    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(opcode, payload, fin=True, rsv=0):
    n = len(payload)
    first = (0x80 if fin else 0) | rsv | opcode
    if n < 126:
        return struct.pack("!BB", first, n) + payload
    if n < 65536:
        return struct.pack("!BBH", first, 126, n) + payload
    return struct.pack("!BBQ", first, 127, n) + payload


def close_payload(code, reason=""):
    return b"" if code is None else struct.pack("!H", code) + reason.encode()[:123]


class Ws:
    """One connection after its handshake. deaf: neither reads nor writes any more (the socket stays open). mute: reads, and writes
    nothing."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.closed_with = None         # what this side sent
        self.deaf = self.mute = False
        self.split = 0                  # cut messages into frames and writes of at most this many bytes
        self.pause = 0.0                # between such writes
        self.rng = random.Random(0)
        self.pieces, self.trickler = collections.deque(), None

    async def _read(self, n):
        try:
            return await self.reader.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError, OSError) as e:
            raise Gone() from e

    async def recv(self):
        parts, kind = [], None
        while True:
            b0, b1 = await self._read(2)
            fin, rsv, op, n = b0 & 0x80, b0 & 0x70, b0 & 15, b1 & 127
            if rsv:
                raise WsError(1002, "reserved bits set")
            if not b1 & 0x80:
                raise WsError(1002, "a client's frame is not masked")
            if op >= 8 and (not fin or n > 125):
                raise WsError(1002, "a control frame in parts, or longer than 125 bytes")
            if n == 126:
                n, = struct.unpack("!H", await self._read(2))
            elif n == 127:
                n, = struct.unpack("!Q", await self._read(8))
            if n + sum(map(len, parts)) > MESSAGE_MAX:
                raise WsError(1009, "too long")
            mask = await self._read(4)
            body = unmask(await self._read(n) if n else b"", mask)
            if op == CLOSE:
                if n == 1:
                    raise WsError(1002, "a close frame of one byte")
                code = struct.unpack("!H", body[:2])[0] if n else None
                raise Gone(1005 if code is None else code, body[2:].decode("utf-8", "replace"))
            if op in (PING, PONG):
                return op, body
            if op == 0:
                if kind is None:
                    raise WsError(1002, "a continuation of nothing")
            elif op in (TEXT, BINARY):
                if kind is not None:
                    raise WsError(1002, "a message within a message")
                kind = op
            else:
                raise WsError(1002, f"unknown frame type {op}")
            parts.append(body)
            if fin:
                return kind, b"".join(parts)

    def put(self, data):
        """Bytes as they are, into the socket's buffer."""
        if not (self.deaf or self.mute or self.writer.is_closing()):
            self.writer.write(data)

    async def drain(self):
        try:
            await self.writer.drain()
        except (ConnectionError, OSError):
            pass

    def send(self, opcode, payload):
        """One message. Split ones are written little by little, whatever comes later after them."""
        if isinstance(payload, str):
            payload = payload.encode()
        if self.split:
            self.pieces += self._cut(opcode, payload)
        elif self.pieces:
            self.pieces.append(frame(opcode, payload))
        else:
            self.put(frame(opcode, payload))
            return
        if self.trickler is None:
            self.trickler = asyncio.get_running_loop().create_task(self._trickle())

    def _cut(self, opcode, payload):
        """The message in frames of random lengths, and the frames in writes of random lengths that do not fall together."""
        wire, at, out = b"", 0, []
        while True:
            n = self.rng.randint(1, self.split)
            part = payload[at:at + n]
            at += n
            wire += frame(opcode, part, fin=at >= len(payload))
            opcode = 0
            if at >= len(payload):
                break
        at = 0
        while at < len(wire):
            n = self.rng.randint(1, self.split)
            out.append(wire[at:at + n])
            at += n
        return out

    async def _trickle(self):
        while self.pieces:
            self.put(self.pieces.popleft())
            await self.drain()
            await asyncio.sleep(self.pause)
        self.trickler = None

    def close(self, code=1000, reason="", patience=2.0):
        """Sends a close frame; whoever reads goes on until the client's answer, at most patience seconds. code None: an empty
        close frame."""
        if self.closed_with is None:
            self.closed_with = code if code is not None else 1005
            self.send(CLOSE, close_payload(code, reason))
            asyncio.get_running_loop().call_later(patience, self.end)

    async def farewell(self, code):
        """The answer to the client's close frame, behind all that is still to be written."""
        self.send(CLOSE, close_payload(None if code == 1005 else code))
        if self.trickler:
            await asyncio.wait({self.trickler}, timeout=2)

    async def rest(self):
        """Reads and forgets until the end: what comes after a frame that could not be read."""
        try:
            while await self.reader.read(65536):
                pass
        except (ConnectionError, OSError):
            pass

    def end(self):
        """The end of the connection without a close frame (FIN)."""
        self.writer.close()

    def reset(self):
        """The end of the connection by RST."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
        self.writer.transport.abort()

    def half_open(self):
        """As if the path had gone: nothing is read, nothing is written, the socket stays open."""
        self.deaf = True
        try:
            self.writer.transport.pause_reading()
        except RuntimeError:
            pass


def unmask(body, mask):
    n = len(body)
    if not n:
        return body
    key = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(body, "little") ^ int.from_bytes(key, "little")).to_bytes(n, "little")
