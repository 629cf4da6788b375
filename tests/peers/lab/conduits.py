"""Conduits: numbered shards, each a WebSocket session or a webhook, and subscriptions that outlive them."""
import hashlib
import uuid

from eventsub_hooks import Hook
from helix import failed, route
from helix_subscriptions import callback_ok, secret_ok
from httpserver import answer
from world import iso_twitch

PAGE = 100


class Shard:
    def __init__(self, id):
        self.id, self.status = id, "enabled"
        self.socket = self.hook = None
        self.transport = {"method": "websocket"}
        self.assigned = False

    @property
    def open(self):
        return self.assigned and self.status == "enabled"

    def json(self):
        return {"id": self.id, "status": self.status, "transport": self.transport}


class Conduit:
    def __init__(self, client, count):
        self.id, self.client, self.shards = str(uuid.uuid4()), client, [Shard(str(i)) for i in range(count)]

    def json(self):
        return {"id": self.id, "shard_count": len(self.shards)}


class Conduits:
    def __init__(self, lab):
        self.lab, self.set, self.books = lab, lab.settings, lab.books
        self.conduits = {}

    def shard(self, conduit, id):
        c = self.conduits.get(conduit)
        return c.shards[int(id)] if c and id.isdigit() and int(id) < len(c.shards) else None

    def attach(self, conduit, shard, socket):
        """Attach before detach: the socket that had the shard goes on, but gets nothing more of it."""
        old = shard.socket
        if old is not None:
            old.shards.discard((conduit.id, shard.id))
        shard.socket, shard.hook, shard.status, shard.assigned = socket, None, "enabled", True
        shard.transport = {"method": "websocket", "session_id": socket.id, "connected_at": socket.connected_at}
        socket.shards.add((conduit.id, shard.id))
        socket.used = True
        self.books.note("shard-assigned", platform="twitch", conduit=conduit.id, shard=shard.id, session=socket.id,
                        before=old.id if old else None)

    def moved(self, conduit, id, socket):
        shard = self.shard(conduit, id)
        if shard:
            shard.socket = socket
            shard.transport = {"method": "websocket", "session_id": socket.id, "connected_at": socket.connected_at}

    def socket_lost(self, conduit, id, socket, status):
        shard = self.shard(conduit, id)
        if shard is None or shard.socket is not socket:
            return
        shard.socket, shard.status = None, status
        shard.transport = {**shard.transport, "disconnected_at": iso_twitch()}
        self.disabled(self.conduits[conduit], shard)

    def hook_failed(self, conduit, hook):
        for shard in conduit.shards:
            if shard.hook is hook:
                shard.status = "notification_failures_exceeded"
                self.disabled(conduit, shard)

    def disabled(self, conduit, shard):
        self.books.note("shard-disabled", platform="twitch", conduit=conduit.id, shard=shard.id, status=shard.status)
        self.lab.eventsub.fire("conduit.shard.disabled", {"client_id": conduit.client.id, "conduit_id": conduit.id, "shard_id": shard.id,
                                                          "status": shard.status, "transport": shard.transport})

    def deliver(self, conduit, sub, payload, message_id, event, kind="notification"):
        """To the shard that the channel hashes to; if that is disabled to one other; else nobody hears of it."""
        n = len(conduit.shards)
        key = event.get("broadcaster_user_id") or event.get("to_broadcaster_user_id") or sub.id
        first = int(hashlib.sha256(key.encode()).hexdigest(), 16) % n
        for i in dict.fromkeys((first, (first + 1) % n)):
            shard = conduit.shards[i]
            if not shard.open:
                continue
            if shard.hook:
                self.lab.hooks.deliver(shard.hook, sub, kind, payload, message_id)
                return None
            if kind == "revocation":
                return shard.socket.send(kind, payload, message_id, subscription_type=sub.type, subscription_version=sub.version)
            return self.lab.eventsub.over(shard.socket, sub, payload, message_id)
        self.books.note("conduit-dropped", platform="twitch", conduit=conduit.id, type=sub.type, message_id=message_id)
        return False

    def delete(self, conduit):
        del self.conduits[conduit.id]
        for shard in conduit.shards:
            if shard.socket:
                shard.socket.shards.discard((conduit.id, shard.id))
        for sub in self.lab.eventsub.subs.values():
            if sub.conduit is conduit:
                sub.status = "conduit_deleted"


def app_only(helix, token):
    if token.user is not None:
        helix.books.violation("token-kind", platform="twitch", method="conduit", user_token=True)
        raise failed(401, "an app access token is required")


def own(helix, token, id):
    c = helix.lab.conduits.conduits.get(id)
    if c is None or c.client is not token.client:
        raise failed(404, "conduit not found")
    return c


def shard_count(helix, body):
    n = body.get("shard_count")
    if type(n) is not int or not 1 <= n <= helix.set["twitch.conduit_shards_max"]:
        raise failed(400, "invalid shard_count")
    return n


@route("GET", "/eventsub/conduits")
async def listed(helix, request, token):
    app_only(helix, token)
    return answer(200, {"data": [c.json() for c in helix.lab.conduits.conduits.values() if c.client is token.client]})


@route("POST", "/eventsub/conduits")
async def create(helix, request, token):
    app_only(helix, token)
    n = shard_count(helix, helix.body(request))
    mine = [c for c in helix.lab.conduits.conduits.values() if c.client is token.client]
    if len(mine) >= helix.set["twitch.conduits_max"]:
        raise failed(429, "conduit limit exceeded")
    c = Conduit(token.client, n)
    helix.lab.conduits.conduits[c.id] = c
    helix.books.note("conduit", platform="twitch", id=c.id, shards=n)
    return answer(200, {"data": [c.json()]})


@route("PATCH", "/eventsub/conduits")
async def resize(helix, request, token):
    app_only(helix, token)
    body = helix.body(request)
    c = own(helix, token, body.get("id"))
    n = shard_count(helix, body)
    for shard in c.shards[n:]:
        if shard.socket:
            shard.socket.shards.discard((c.id, shard.id))
    c.shards = c.shards[:n] + [Shard(str(i)) for i in range(len(c.shards), n)]
    helix.books.note("conduit", platform="twitch", id=c.id, shards=n)
    return answer(200, {"data": [c.json()]})


@route("DELETE", "/eventsub/conduits")
async def delete(helix, request, token):
    app_only(helix, token)
    helix.lab.conduits.delete(own(helix, token, request.query.get("id")))
    return answer(204)


@route("GET", "/eventsub/conduits/shards")
async def shards(helix, request, token):
    app_only(helix, token)
    c = own(helix, token, request.query.get("conduit_id"))
    found = [s for s in c.shards if s.assigned and request.query.get("status") in (None, s.status)]
    at = int(request.query.get("after") or 0)
    more = {"cursor": str(at + PAGE)} if at + PAGE < len(found) else {}
    return answer(200, {"data": [s.json() for s in found[at:at + PAGE]], "pagination": more})


@route("PATCH", "/eventsub/conduits/shards")
async def assign(helix, request, token):
    app_only(helix, token)
    body = helix.body(request)
    c, wanted = own(helix, token, body.get("conduit_id")), body.get("shards")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= 100:
        raise failed(400, "shards: 1 to 100")
    done, errors = [], []
    for w in wanted:
        id, t = w.get("id"), w.get("transport") or {}
        shard = helix.lab.conduits.shard(c.id, id) if isinstance(id, str) else None
        why = assign_one(helix, c, shard, t)
        if why:
            errors.append({"id": id, "message": why[0], "code": why[1]})
        else:
            done.append(shard.json())
    return answer(202, {"data": done, "errors": errors})


def assign_one(helix, conduit, shard, t):
    """None, or (message, code)."""
    if shard is None:
        return "The shard id is outside the conduit's range", "invalid_parameter"
    if t.get("method") == "websocket":
        socket = helix.lab.eventsub.sockets.get(t.get("session_id"))
        if socket is None or socket.over:
            return "websocket transport session does not exist or has already disconnected", "websocket_disconnected"
        helix.lab.conduits.attach(conduit, shard, socket)
        return None
    if t.get("method") != "webhook":
        return "invalid transport method", "invalid_parameter"
    if not callback_ok(helix, t.get("callback")) or not secret_ok(t.get("secret")):
        return "invalid callback or secret", "invalid_parameter"
    hook = Hook(t["callback"], t["secret"])
    shard.transport, shard.assigned = {"method": "webhook", "callback": hook.callback}, True
    shard.status = "webhook_callback_verification_pending"
    if shard.socket:
        shard.socket.shards.discard((conduit.id, shard.id))
    shard.socket, shard.hook = None, hook

    async def verify():
        ok = await helix.lab.hooks.challenge(hook, {"conduit_shard": {"conduit_id": conduit.id, "shard": shard.id}})
        if shard.hook is hook:
            shard.status = "enabled" if ok else "webhook_callback_verification_failed"
            helix.books.note("verified", platform="twitch", conduit=conduit.id, shard=shard.id, status=shard.status)
    helix.lab.spawn(verify())
    return None
