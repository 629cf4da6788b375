"""Helix: /eventsub/subscriptions. Who may subscribe to what, how many times, over which transport."""
import urllib.parse

from eventsub import Sub
from eventsub_types import CHAT, REMOVED, TYPES
from helix import failed, route
from httpserver import answer

PAGE = 100
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def total(helix, subs, token):
    return {"total": len(subs), "total_cost": sum(s.cost for s in subs if s.enabled),
            "max_total_cost": helix.set["twitch.cost_max" if token.user else "twitch.app_cost_max"]}


def mine(helix, token):
    """Those that this kind of token sees: a user's over WebSocket, an application's others."""
    return [s for s in helix.lab.eventsub.subs.values() if s.client is token.client and
            ((s.user is token.user and s.socket) if token.user else not s.socket)]


def allowed(helix, token, type, condition):
    """Raises 403 unless those who must have consented have."""
    needed, _, who, scopes = TYPES[type]
    world, client = helix.world, token.client.id
    refused = failed(403, "subscription missing proper authorization")
    if who is None:
        return
    if who == "app":
        if token.user is not None or condition.get("client_id") != client:
            raise refused
        return
    user = world.tw_users[condition[who]]
    if token.user is not None:
        if token.user is not user or not set(scopes) & token.scopes:
            raise refused
    elif not set(scopes) & user.grants.get(client, set()):
        raise refused
    if type[0] in CHAT:
        broadcaster = world.tw_users[condition["broadcaster_user_id"]]
        if user.id in broadcaster.banned:
            raise refused
        if token.user is None and not ("user:bot" in user.grants.get(client, set()) and
                                       ("channel:bot" in broadcaster.grants.get(client, set()) or user.id in broadcaster.moderators or
                                        user is broadcaster)):
            raise refused
    elif who == "moderator_user_id":
        broadcaster = world.tw_users[condition["broadcaster_user_id"]]
        if user is not broadcaster and user.id not in broadcaster.moderators:
            raise refused


def cost(helix, token, type, condition):
    """0 when somebody's consent is needed, or when a user of the condition has consented to anything of this client."""
    if TYPES[type][2] is not None:
        return 0
    users = (helix.world.tw_users.get(v) for v in condition.values())
    return 0 if any(u and token.client.id in u.grants for u in users) else 1


def read(helix, body):
    type = (body.get("type"), body.get("version"))
    condition = body.get("condition")
    if not all(isinstance(t, str) for t in type):
        raise failed(400, "type and version are texts")
    if type in REMOVED:
        raise failed(410, "this subscription type and version has been removed")
    if type not in TYPES:
        raise failed(400, f"invalid subscription type and version: {type[0]} {type[1]}")
    needed, optional, _, _ = TYPES[type]
    if not isinstance(condition, dict) or not all(isinstance(v, str) for v in condition.values()):
        raise failed(400, "condition: an object of texts")
    if not set(needed) <= set(condition) or not set(condition) <= set(needed) | set(optional):
        raise failed(400, f"invalid condition: want {', '.join(needed)}")
    if type[0] == "channel.raid" and len([v for v in condition.values() if v]) != 1:
        raise failed(400, "exactly one of from_broadcaster_user_id and to_broadcaster_user_id")
    for key, value in condition.items():
        if key.endswith("user_id") and value and value not in helix.world.tw_users:
            raise failed(400, f"unknown user in {key}")
    return type, condition


def callback_ok(helix, callback):
    u = urllib.parse.urlsplit(callback if isinstance(callback, str) else "")
    if u.scheme == "https" and u.hostname and (u.port in (None, 443) or u.hostname in LOOPBACK):
        return True
    return u.scheme == "http" and u.hostname in LOOPBACK and helix.set["twitch.webhook_plain"]


def secret_ok(secret):
    return isinstance(secret, str) and secret.isascii() and 10 <= len(secret) <= 100


@route("POST", "/eventsub/subscriptions")
async def create(helix, request, token):
    body = helix.body(request)
    type, condition = read(helix, body)
    transport = body.get("transport") if isinstance(body.get("transport"), dict) else {}
    method = transport.get("method")
    if method not in ("websocket", "webhook", "conduit"):
        raise failed(400, "invalid transport method")
    if (method == "websocket") != (token.user is not None):
        helix.books.violation("token-kind", platform="twitch", method=method, user_token=token.user is not None)
        raise failed(401 if method == "websocket" else 403, "invalid transport and auth combination")
    sub = Sub(token.client, token.user, type[0], type[1], condition, {"method": method}, cost(helix, token, type, condition))
    place(helix, sub, method, transport)
    allowed(helix, token, type, condition)
    count(helix, token, sub)
    helix.lab.eventsub.add(sub)
    if sub.hook:
        sub.status = "webhook_callback_verification_pending"
        helix.lab.hooks.verify(sub)
    return answer(202, {"data": [sub.json()], **total(helix, mine(helix, token), token)})


def place(helix, sub, method, transport):
    if method == "websocket":
        sub.socket = helix.lab.eventsub.sockets.get(transport.get("session_id"))
        if sub.socket is None or sub.socket.over:
            sub.socket = None
            raise failed(400, "websocket transport session does not exist or has already disconnected")
        sub.transport["session_id"] = sub.socket.id
    elif method == "webhook":
        if not callback_ok(helix, transport.get("callback")):
            raise failed(400, "invalid callback: https on port 443 is wanted")
        if not secret_ok(transport.get("secret")):
            raise failed(400, "invalid secret: 10 to 100 ASCII characters")
        sub.transport["callback"] = transport["callback"]
        sub.hook = helix.lab.hooks.hook(transport["callback"], transport["secret"])
    else:
        sub.conduit = helix.lab.conduits.conduits.get(transport.get("conduit_id"))
        if sub.conduit is None or sub.conduit.client is not sub.client:
            raise failed(400, "invalid conduit_id")
        sub.transport["conduit_id"] = sub.conduit.id


def count(helix, token, sub):
    """409 for one that is there, 429 for one too many."""
    subs = [s for s in helix.lab.eventsub.subs.values() if s.client is sub.client and s.user is sub.user]
    live = [s for s in subs if s.enabled or s.status == "webhook_callback_verification_pending"]
    same = [s for s in live if (s.type, s.version, s.condition) == (sub.type, sub.version, sub.condition)]
    for s in same:
        if s.transport == sub.transport or (s.socket and s.socket is sub.socket):
            helix.books.note("conflict", platform="twitch", id=s.id, type=s.type)
            raise failed(409, "subscription already exists", id=s.id)
    refused = None
    sockets = {s.socket for s in live if s.socket}
    if sub.socket and sub.socket not in sockets and len(sockets) >= helix.set["twitch.connections_max"]:
        refused = "number of websocket transports limit exceeded"
    elif sub.socket and sum(1 for s in sub.socket.subs.values() if s.enabled) >= helix.set["twitch.subscriptions_max"]:
        refused = "number of subscriptions of a websocket transport limit exceeded"
    elif len([s for s in same if s.enabled]) >= helix.set["twitch.same_max"]:
        refused = "subscription limit with the same type and condition exceeded"
    elif sum(s.cost for s in live) + sub.cost > helix.set["twitch.cost_max" if token.user else "twitch.app_cost_max"]:
        refused = "cost exceeded"
    if refused:
        helix.books.note("ratelimit", platform="twitch", scope="subscriptions", why=refused)
        raise failed(429, refused)


@route("GET", "/eventsub/subscriptions")
async def listed(helix, request, token):
    filters = [k for k, _ in request.pairs if k in ("status", "type", "user_id", "subscription_id", "conduit_id")]
    if len(filters) > 1:
        raise failed(400, "at most one filter")
    subs = mine(helix, token)
    every = total(helix, subs, token)
    if filters:
        key, value = filters[0], request.query[filters[0]]
        test = {"status": lambda s: s.status == value, "type": lambda s: s.type == value,
                "user_id": lambda s: value in s.condition.values(),
                "subscription_id": lambda s: s.id == value, "conduit_id": lambda s: s.transport.get("conduit_id") == value}[key]
        subs = [s for s in subs if test(s)]
    subs.sort(key=lambda s: s.created_at)
    at = int(request.query.get("after") or 0)
    page = subs[at:at + PAGE]
    more = {"cursor": str(at + PAGE)} if at + PAGE < len(subs) else {}
    return answer(200, {"data": [s.json() for s in page], **every, "pagination": more})


@route("DELETE", "/eventsub/subscriptions")
async def delete(helix, request, token):
    id = request.query.get("id")
    if not id:
        raise failed(400, "the id query parameter is required")
    found = next((s for s in mine(helix, token) if s.id == id), None)
    if found is None:
        raise failed(404, "subscription not found")
    helix.lab.eventsub.remove(found)
    return answer(204)
