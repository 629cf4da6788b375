"""Calls under /lab/twitch: users, clients, consent and its tokens, events, webhooks as they ought not to be."""
import json
import uuid

from control import bad, call
from world import TwitchClient, iso_twitch


def token_json(t):
    return {"access_token": t.access, "refresh_token": t.refresh, "client_id": t.client.id, "user_id": t.user.id if t.user else None,
            "login": t.user.login if t.user else None, "scope": sorted(t.scopes), "expires_in": t.seconds_left}


@call("POST", "/lab/twitch/user")
def twitch_user(c, request, q):
    """login; id; name; moderates, banned_in: logins of channels; badges: {set_id: id}."""
    u = c.world.tw_user(q["login"], q.get("id"))
    u.name = q.get("name", u.name)
    u.badges.update(q.get("badges", {}))
    for login in q.get("moderates", ()):
        c.twitch_user(login).moderators.add(u.id)
    for login in q.get("banned_in", ()):
        c.twitch_user(login).banned.add(u.id)
    return {"id": u.id, "login": u.login}


@call("POST", "/lab/twitch/client")
def twitch_client(c, request, q):
    k = TwitchClient(q["id"], q.get("secret", "lab-secret"))
    c.world.tw_clients[k.id] = k
    return {"id": k.id, "secret": k.secret}


@call("POST", "/lab/twitch/grant")
def grant(c, request, q):
    """user, scopes; client; seconds: consent, and the tokens that come of it. user null: an app token."""
    k, seconds = c.client(q.get("client")), float(q.get("seconds", c.lab.settings["twitch.user_token_s"]))
    if q.get("user") is None:
        return token_json(c.world.tw_token(k, None, (), seconds))
    return token_json(c.world.tw_grant(k, c.twitch_user(q["user"]), q.get("scopes", []), seconds))


@call("POST", "/lab/twitch/device")
def device(c, request, q):
    """user_code, user: the person types the code and consents."""
    for d in c.lab.oauth.devices.values():
        if d["user_code"] == q["user_code"]:
            d["user"] = c.twitch_user(q["user"])
            return {"ok": True}
    raise bad("no such code", 404)


@call("POST", "/lab/twitch/code")
def code(c, request, q):
    """user, scopes: a code to exchange, as the redirect brings it."""
    value = iso_twitch().replace(":", "")
    c.lab.oauth.codes[value] = (c.client(q.get("client")), c.twitch_user(q["user"]), q.get("scopes", []))
    return {"code": value}


@call("POST", "/lab/twitch/expire")
def expire(c, request, q):
    """Tokens end now: token (one), or user (all of a user's), or kind=app; refresh true: their refresh tokens, too."""
    n = 0
    for t in list(c.world.tw_tokens.values()):
        mine = "user" not in q or (t.user and q["user"] in (t.user.id, t.user.login))
        if t.good and mine and q.get("token") in (None, t.access) and (q.get("kind") != "app" or t.user is None):
            t.ends, n = 0, n + 1
            if q.get("refresh") and t.refresh:
                c.world.tw_refresh.pop(t.refresh, None)
    c.books.note("tokens-expired", platform="twitch", n=n)
    return {"expired": n}


@call("POST", "/lab/twitch/revoke")
def revoke(c, request, q):
    """user: the consent is taken back: tokens die, subscriptions are revoked. Or id / type: only those subscriptions, with status."""
    subs = list(c.lab.eventsub.subs.values())
    if "user" in q:
        u, k = c.twitch_user(q["user"]), c.client(q.get("client"))
        u.grants.pop(k.id, None)
        for t in c.world.tw_tokens.values():
            if t.user is u and t.client is k:
                t.revoked = True
        subs = [s for s in subs if s.client is k and u.id in s.condition.values() and (s.user is u or s.user is None)]
    else:
        subs = [s for s in subs if s.id == q.get("id") or s.type == q.get("type")]
    for s in subs:
        c.lab.eventsub.revoke(s, q.get("status", "authorization_revoked"))
    return {"revoked": [s.id for s in subs]}


@call("POST", "/lab/twitch/event")
def event(c, request, q):
    """type, channel, user; event: members that override the believable ones; exactly: true sends event as it is."""
    e = q.get("event", {})
    if not q.get("exactly"):
        e = c.lab.twitch_chat.event(q["type"], c.twitch_user(q.get("channel", "lab")), c.world.tw_user(q.get("user", "ada")), **e)
    return {"sent": c.lab.eventsub.fire(q["type"], e, message_id=q.get("message_id"))}


@call("GET", "/lab/twitch/subscriptions")
def subscriptions(c, request, q):
    return {"subscriptions": [{**s.json(), "client": s.client.id, "user": s.user.id if s.user else None}
                              for s in c.lab.eventsub.subs.values()]}


@call("GET", "/lab/twitch/webhooks")
def webhooks(c, request, q):
    return {"sent": c.lab.hooks.sent}


@call("POST", "/lab/twitch/webhook")
async def webhook(c, request, q):
    """A notification to the webhook of a subscription (id, or the first of type): event; spoil (signature, missing); timestamp;
    message_id."""
    for s in c.lab.eventsub.subs.values():
        hook = s.hook
        if s.conduit:
            hook = next((x.hook for x in s.conduit.shards if x.hook), None)
        if hook and (s.id == q.get("id") or s.type == q.get("type")):
            body = json.dumps({"subscription": s.json(), "event": q.get("event", {})}, separators=(",", ":")).encode()
            status = await c.lab.hooks.deliver_body(hook, s, q.get("kind", "notification"), body, q.get("message_id") or str(uuid.uuid4()),
                                                    q.get("spoil"), q.get("timestamp"))
            return {"status": status}
    raise bad("no such subscription over a webhook", 404)
