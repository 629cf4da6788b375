"""Twitch EventSub: subscriptions, and their transport over WebSocket. Webhooks are in eventsub_hooks.py, conduits in conduits.py.

A Socket is one WebSocket session. Its client may send nothing but Pong and Close. All that it was subscribed to dies with it, unless the
server itself moved it (session_reconnect).
"""
import asyncio
import collections
import json
import time
import uuid

import wsproto
from deadline import Deadline
from eventsub_types import matches
from world import iso_twitch

# What becomes of a subscription when its socket closes with that code.
LOST = {4000: "websocket_internal_error", 4001: "websocket_received_inbound_traffic", 4002: "websocket_failed_ping_pong",
        4003: "websocket_connection_unused", 4004: "websocket_failed_to_reconnect", 4005: "websocket_network_timeout",
        4006: "websocket_network_error"}


FOR_CLIENT = ("pong", "unused", "grace")     # timers that punish a client


class Sub:
    def __init__(self, client, user, type, version, condition, transport, cost):
        self.id, self.created_at = str(uuid.uuid4()), iso_twitch()
        self.client, self.user, self.type, self.version, self.condition, self.cost = client, user, type, version, condition, cost
        self.transport = transport              # as it is shown
        self.status = "enabled"
        self.disabled_at = None
        self.socket = self.hook = self.conduit = None

    @property
    def enabled(self):
        return self.status == "enabled"

    def json(self):
        return {"id": self.id, "status": self.status, "type": self.type, "version": self.version, "condition": self.condition,
                "created_at": self.created_at, "transport": self.shown(), "cost": self.cost}

    def shown(self):
        t = dict(self.transport)
        if self.socket is not None:
            t["session_id"], t["connected_at"] = self.socket.id, self.socket.connected_at
            if not self.enabled:
                t["disconnected_at"] = self.disabled_at or iso_twitch()
        return t


class Socket:
    platform = "twitch"

    def __init__(self, hub, request, ws, number, keepalive):
        self.lab, self.hub, self.ws, self.set, self.books = hub.lab, hub, ws, hub.set, hub.books
        self.conn, self.peer, self.secure = f"t{number}", request.peer, request.secure
        self.id = "Lab" + uuid.uuid4().hex
        self.connected_at = iso_twitch()
        self.keepalive = keepalive
        self.subs = {}
        self.shards = set()             # (conduit id, shard id) that it serves
        self.used = False               # a subscription or a shard came in time
        self.over = False
        self.moving = None              # the challenge of a session_reconnect that was sent
        self.moved_to = self.heir = None        # the session and the socket of it, after a reconnect
        self.client_closed = False
        self.spoiled = False            # by a fault: what was written to it need not have arrived
        self.no_keepalive = self.no_ping = self.zombie = False
        self.last_sent = time.monotonic()
        self.ponged = True
        self.timers = {}
        self.sent = []                  # [message id, subscription type, id of the chat message, written]
        self.recent = collections.deque(maxlen=50)      # (message id, payload, type, version) of notifications
        self.hold, self.hold_for = 0, 0.0               # notifications to come later than those after them
        self.as_wrong_type = 0
        self.swallow = False

    def json(self, events=False):
        out = {"session": self.id, "conn": self.conn, "connected": not self.over, "keepalive": self.keepalive,
               "subscriptions": len(self.subs),
               "shards": sorted(self.shards), "moved_to": self.moved_to}
        if events:
            out["events"] = [{"id": m, "t": t, "chat": c, "written": w} for m, t, c, w in self.sent]
        return out

    # Timers: one of each name

    def after(self, name, seconds, f, *args):
        self.stop(name)
        if seconds > 0 and not self.over:
            later = Deadline if name in FOR_CLIENT else asyncio.get_running_loop().call_later
            self.timers[name] = later(seconds, f, *args)

    def stop(self, name):
        timer = self.timers.pop(name, None)
        if timer:
            timer.cancel()

    # Out

    def send(self, kind, payload, message_id=None, **metadata):
        """False when the connection swallows it."""
        if self.over or self.zombie or self.ws.deaf or self.ws.mute:
            return False
        text = json.dumps(self.envelope(kind, payload, message_id, **metadata), separators=(",", ":"), ensure_ascii=False)
        op = wsproto.TEXT
        if self.as_wrong_type:
            self.as_wrong_type -= 1
            op = wsproto.BINARY
        self.ws.send(op, text)
        self.last_sent = time.monotonic()
        return True

    def envelope(self, kind, payload, message_id=None, **metadata):
        return {"metadata": {"message_id": message_id or str(uuid.uuid4()), "message_type": kind, "message_timestamp": iso_twitch(),
                             **metadata},
                "payload": payload}

    def notify(self, message_id, sub, payload, chat_id):
        """A notification; in the books of this session, written or not."""
        entry = [message_id, sub.type, chat_id or payload.get("event", {}).get("message_id"), False]
        self.sent.append(entry)

        def write():
            to = self
            while to.heir:
                to = to.heir
            if to is not self:
                self.sent.remove(entry)
                to.sent.append(entry)
            entry[3] = to.send("notification", payload, message_id, subscription_type=sub.type, subscription_version=sub.version)
        if self.hold:
            self.hold -= 1
            asyncio.get_running_loop().call_later(self.hold_for, write)
        else:
            write()
        self.recent.append((message_id, payload, sub.type, sub.version))
        if self.lab.faults.wants_events:
            self.lab.faults.event(self, "twitch")
        return entry[3]

    def session(self, **more):
        return {"session": {"id": self.id, "status": "connected", "connected_at": self.connected_at,
                            "keepalive_timeout_seconds": self.keepalive, "reconnect_url": None, "recovery_url": None, **more}}

    def keep_alive(self):
        idle = time.monotonic() - self.last_sent
        if idle >= self.keepalive - 0.01 and not self.no_keepalive:
            self.send("session_keepalive", {})
            idle = 0
        elif self.no_keepalive:
            idle = 0
        self.after("keepalive", max(0.01, self.keepalive - idle), self.keep_alive)

    def ping(self):
        if not self.no_ping and not self.zombie:
            if self.ponged:
                self.ponged = False
                self.ws.send(wsproto.PING, b"lab")
                self.after("pong", self.set["twitch.pong_s"], self.no_pong)
        self.after("ping", self.set["twitch.ping_s"], self.ping)

    def no_pong(self):
        if not self.ws.deaf and not self.zombie and not self.ponged:
            self.close(4002, "client failed ping-pong", by_rule="pong-missed")

    def unused(self):
        if not self.used and not self.ws.deaf:
            self.close(4003, "connection unused", by_rule="unused")

    # Life

    def close(self, code, reason="", by_rule=None):
        if self.over:
            return
        self.books.note("close-sent", platform="twitch", conn=self.conn, session=self.id, code=code, why=reason)
        if by_rule:
            self.books.violation(by_rule, platform="twitch", conn=self.conn, session=self.id, code=code, why=reason)
        self.lose(LOST.get(code, "websocket_disconnected"))
        self.ws.close(code, reason)

    def lose(self, status):
        """The end: its subscriptions are disabled for good."""
        if self.over:
            return
        self.over = True
        for name in list(self.timers):
            self.stop(name)
        self.hub.lost(self, status)

    def note(self, kind, **fields):
        self.swallow = False
        self.books.note(kind, platform="twitch", conn=self.conn, session=self.id, **fields)
        return not (self.swallow or self.over)

    async def run(self, moved_from=None):
        if self.note("welcome", moved_from=moved_from.id if moved_from else None):
            self.send("session_welcome", self.session())
        if moved_from:
            self.used = True
            self.hub.move(moved_from, self)
        else:
            self.after("unused", self.set["twitch.first_subscription_s"], self.unused)
        self.after("keepalive", self.keepalive, self.keep_alive)
        self.after("ping", self.set["twitch.ping_s"], self.ping)
        code, reason = None, ""
        try:
            while True:
                kind, body = await self.ws.recv()
                if self.over or self.zombie:
                    continue
                if kind == wsproto.PONG:
                    self.ponged = True
                    self.stop("pong")
                elif kind != wsproto.PING or self.set["twitch.punish_ping"]:
                    self.close(4001, "inbound traffic", by_rule="inbound")
                else:
                    self.ws.send(wsproto.PONG, body)
        except wsproto.Gone as e:
            code, reason = e.code, e.reason
            self.client_closed = code is not None
        except wsproto.WsError as e:
            self.close(4001, str(e), by_rule="websocket")
            await self.ws.rest()
        self.books.note("closed", platform="twitch", conn=self.conn, session=self.id, code=code, reason=reason,
                        lab_closed=self.ws.closed_with,
                        moved=self.moved_to is not None)
        self.lose("websocket_disconnected")
        if self.ws.closed_with is None and code is not None and not self.ws.writer.is_closing():
            await self.ws.farewell(code)
        self.ws.end()

    def reconnect(self, dead=False, grace=None):
        """session_reconnect. dead: to a URL where nobody answers."""
        self.moving = uuid.uuid4().hex
        url = self.lab.dead_url("/ws") if dead else self.lab.ws_url("/ws", self.secure)
        self.hub.challenges[self.moving] = self
        self.stop("keepalive")
        self.books.note("reconnect-sent", platform="twitch", conn=self.conn, session=self.id, dead=dead)
        self.send("session_reconnect", self.session(status="reconnecting", keepalive_timeout_seconds=None,
                                                    reconnect_url=f"{url}?challenge={self.moving}&id={self.id[:8]}"))
        self.after("grace", grace or self.set["twitch.reconnect_grace_s"], self.grace_over, dead)

    def grace_over(self, dead):
        rule = "old-socket-left" if self.moved_to else None if dead else "reconnect-missed"
        self.hub.challenges.pop(self.moving, None)
        self.close(4004, "reconnect grace time expired", by_rule=rule)


class EventSub:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world = lab, lab.settings, lab.books, lab.world
        self.subs, self.sockets, self.challenges = {}, {}, {}
        self.all_sockets = []

    async def serve(self, request, ws):
        lab = self.lab
        lab.conn_numbers += 1
        old, challenge = None, request.query.get("challenge")
        keepalive = self.keepalive_of(request)
        socket = Socket(self, request, ws, lab.conn_numbers, keepalive)
        self.sockets[socket.id] = lab.conns[socket.conn] = socket
        self.all_sockets.append(socket)
        try:
            if not socket.note("connect", path=request.path, query=request.query_text, peer=request.peer) and socket.over:
                return
            if challenge is not None:
                old = self.challenges.pop(challenge, None)
                if old is not None and request.query_text != f"challenge={challenge}&id={old.id[:8]}":
                    self.books.violation("reconnect-url-changed", platform="twitch", conn=socket.conn, query=request.query_text)
                if old is None or old.over:
                    socket.close(4007, "invalid reconnect URL")
                    old = None
                else:
                    socket.keepalive = old.keepalive
                    if not self.set["twitch.session_id_moves"]:
                        self.sockets.pop(socket.id)
                        socket.id = old.id
                        self.sockets[socket.id] = socket
            await socket.run(old)
        finally:
            lab.conns.pop(socket.conn, None)
            if self.sockets.get(socket.id) is socket:
                del self.sockets[socket.id]

    def keepalive_of(self, request):
        if self.set["twitch.keepalive_s"]:
            return self.set["twitch.keepalive_s"]
        try:
            return min(600, max(10, int(request.query.get("keepalive_timeout_seconds", "10"))))
        except ValueError:
            return 10

    def move(self, old, new):
        """The welcome of the new socket is out: what the old one had is the new one's."""
        old.moved_to, old.heir = new.id, new
        new.subs, old.subs = old.subs, {}
        new.shards, old.shards = old.shards, set()
        for s in new.subs.values():
            s.socket = new
        for conduit, shard in new.shards:
            self.lab.conduits.moved(conduit, shard, new)
        self.books.note("moved", platform="twitch", session=new.id, moved_from=old.id, subscriptions=len(new.subs))

    def lost(self, socket, status):
        for s in socket.subs.values():
            self.disable(s, status)
        for conduit, shard in list(socket.shards):
            self.lab.conduits.socket_lost(conduit, shard, socket, status)

    def disable(self, sub, status):
        """It stays listed for a while."""
        if not sub.enabled:
            return
        sub.status, sub.disabled_at = status, iso_twitch()
        self.books.note("sub-disabled", platform="twitch", id=sub.id, type=sub.type, status=status)
        asyncio.get_running_loop().call_later(self.set["twitch.disabled_listed_s"], self.subs.pop, sub.id, None)

    def add(self, sub):
        self.subs[sub.id] = sub
        if sub.socket:
            sub.socket.subs[sub.id] = sub
            sub.socket.used = True
        self.books.note("subscribed", platform="twitch", id=sub.id, type=sub.type, version=sub.version, condition=sub.condition,
                        method=sub.transport["method"], session=sub.socket.id if sub.socket else None)

    def remove(self, sub):
        self.subs.pop(sub.id, None)
        if sub.socket:
            sub.socket.subs.pop(sub.id, None)
        self.books.note("unsubscribed", platform="twitch", id=sub.id, type=sub.type, condition=sub.condition)

    # Events

    def fire(self, type, event, chat_id=None, message_id=None):
        """An event to all who are subscribed to it: [(subscription, message id, was written)]."""
        out = []
        for s in list(self.subs.values()):
            if s.enabled and s.type == type and matches(type, s.condition, event):
                out.append(self.notify(s, event, chat_id, message_id))
        return out

    def notify(self, sub, event, chat_id=None, message_id=None):
        message_id = message_id or str(uuid.uuid4())
        payload = {"subscription": {**sub.json(), "transport": {k: v for k, v in sub.shown().items() if k != "connected_at"}},
                   "event": event}
        if sub.hook:
            self.lab.hooks.deliver(sub.hook, sub, "notification", payload, message_id)
            return {"id": sub.id, "message_id": message_id, "written": None}
        if sub.conduit:
            written = self.lab.conduits.deliver(sub.conduit, sub, payload, message_id, event)
        else:
            written = self.over(sub.socket, sub, payload, message_id, chat_id)
        return {"id": sub.id, "message_id": message_id, "written": written}

    def over(self, socket, sub, payload, message_id, chat_id=None):
        return socket.notify(message_id, sub, payload, chat_id)

    def revoke(self, sub, status):
        sub.status = status
        payload = {"subscription": sub.json()}
        if sub.hook:
            self.lab.hooks.deliver(sub.hook, sub, "revocation", payload, str(uuid.uuid4()))
        elif sub.conduit:
            self.lab.conduits.deliver(sub.conduit, sub, payload, str(uuid.uuid4()), {}, kind="revocation")
        elif sub.socket:
            sub.socket.subs.pop(sub.id, None)
            sub.socket.send("revocation", payload, subscription_type=sub.type, subscription_version=sub.version)
        self.books.note("revoked", platform="twitch", id=sub.id, type=sub.type, status=status)
        self.subs.pop(sub.id, None)
