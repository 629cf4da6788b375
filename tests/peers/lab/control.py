"""The control API under /lab: what tests and `penstock lab` ask of the lab. README.md lists the calls; each is a function here.

A body is JSON, an answer is JSON; what is wrong with a question is said in {"error"} with status 400 or 404.
"""
import asyncio
import json

import ed25519
import owed
from faults import generate
from httpserver import HttpError, answer
from world import iso_twitch

ROUTES = {}


def call(method, path):
    def add(f):
        ROUTES[method, path] = f
        return f
    return add


def bad(why, status=400):
    return HttpError(status, {"error": why})


class Control:
    def __init__(self, lab):
        self.lab, self.world, self.books = lab, lab.world, lab.books

    async def serve(self, request):
        f = ROUTES.get((request.method, request.path.rstrip("/")))
        if f is None:
            return answer(404, {"error": f"no call {request.method} {request.path}; there are: " + ", ".join(f"{m} {p}" for m, p in sorted(ROUTES))})
        try:
            body = {}
            if request.body and request.path.rstrip("/") != "/lab/fault":
                body = json.loads(request.body)
                if not isinstance(body, dict):
                    raise bad("the body is no object")
            result = f(self, request, {**request.query, **body})
            if asyncio.iscoroutine(result):
                result = await result
            return result if hasattr(result, "status") else answer(200, result)
        except HttpError as e:
            return e.response
        except (KeyError, ValueError, TypeError) as e:
            return answer(400, {"error": f"{type(e).__name__}: {e}"})

    # Finding things

    def bot(self, word=None):
        if word is None:
            return next(iter(self.world.bots.values()))
        for b in self.world.bots.values():
            if word in (b.id, b.user.name):
                return b
        raise bad(f"no bot {word}", 404)

    def guild(self, word=None):
        if word is None:
            return next(iter(self.world.guilds.values()))
        for g in self.world.guilds.values():
            if word in (g.id, g.name):
                return g
        raise bad(f"no guild {word}", 404)

    def channel(self, word):
        """("discord", channel) or ("twitch", broadcaster), by id, by name, or by discord:NAME and twitch:NAME."""
        platform, colon, name = str(word).partition(":")
        if not colon:
            platform, name = None, str(word)
        if platform in (None, "discord"):
            if name in self.world.channels:
                return "discord", self.world.channels[name]
            for c in self.world.channels.values():
                if c.guild and c.name == name.lstrip("#"):
                    return "discord", c
        if platform in (None, "twitch"):
            user = self.world.tw_user("", id=name, make=False) or self.world.tw_user(name.lstrip("#"), make=False)
            if user:
                return "twitch", user
        raise bad(f"no channel {word}", 404)

    def client(self, word=None):
        if word is None:
            return next(iter(self.world.tw_clients.values()))
        if word not in self.world.tw_clients:
            raise bad(f"no client {word}", 404)
        return self.world.tw_clients[word]

    def twitch_user(self, word):
        user = self.world.tw_user("", id=str(word), make=False) or self.world.tw_user(str(word), make=False)
        if user is None:
            raise bad(f"no Twitch user {word}", 404)
        return user


# The world

@call("GET", "/lab")
def index(c, request, q):
    return {"lab": "a Discord and a Twitch for tests", "calls": [f"{m} {p}" for m, p in sorted(ROUTES)]}


@call("GET", "/lab/world")
def world(c, request, q):
    w, lab = c.world, c.lab
    return {
        "http": lab.http_url(""), "https": lab.https_url(""), "ca": lab.ca,
        "discord": {"api": lab.http_url("/api/v10"), "bots": [bot_json(b) for b in w.bots.values()],
                    "guilds": [{"id": g.id, "name": g.name, "channels": {ch.name: ch.id for ch in g.channels.values()}} for g in w.guilds.values()],
                    "users": {u.name: u.id for u in w.users.values()}},
        "twitch": {"helix": lab.http_url("/helix"), "oauth": lab.http_url("/oauth2"), "eventsub": lab.ws_url("/ws"),
                   "clients": [{"id": k.id, "secret": k.secret} for k in w.tw_clients.values()],
                   "users": {u.login: u.id for u in w.tw_users.values()},
                   "tokens": [token_json(t) for t in w.tw_tokens.values() if t.good]}}


def bot_json(b):
    return {"id": b.id, "name": b.user.name, "token": b.token, "public_key": ed25519.public_key(b.secret).hex(), "guilds": list(b.guilds),
            "endpoint": b.endpoint}


def token_json(t):
    return {"access_token": t.access, "refresh_token": t.refresh, "client_id": t.client.id, "user_id": t.user.id if t.user else None,
            "login": t.user.login if t.user else None, "scope": sorted(t.scopes), "expires_in": t.seconds_left}


@call("POST", "/lab/discord/bot")
def add_bot(c, request, q):
    """name; guilds: names or ids (all there are, if it is not given); privileged: bits of the intents switched on."""
    b = c.world.add_bot(q["name"], q.get("id"), q.get("token"))
    for g in ([c.guild(x) for x in q["guilds"]] if "guilds" in q else c.world.guilds.values()):
        b.guilds[g.id] = g
        g.members[b.id] = b.user
    if "privileged" in q:
        b.privileged = int(q["privileged"])
    return bot_json(b)


@call("POST", "/lab/discord/guild")
def add_guild(c, request, q):
    """name; shard, of: an id of that shard; channels: names; bots: names (all). A bot that is connected sees GUILD_CREATE."""
    g = c.world.add_guild(q["name"], q.get("id"), q.get("shard"), q.get("of"))
    for name in q.get("channels", ["general"]):
        c.world.add_channel(g, name)
    for b in ([c.bot(x) for x in q["bots"]] if "bots" in q else c.world.bots.values()):
        b.guilds[g.id] = g
        g.members[b.id] = b.user
        c.lab.gateway.dispatch("GUILD_CREATE", g.json(b), 1, g, b, g.id)
    return {"id": g.id, "channels": {ch.name: ch.id for ch in g.channels.values()}}


@call("POST", "/lab/discord/channel")
def add_channel(c, request, q):
    """guild, name; or id and deny: a code that every message there is answered with (0: none)."""
    if "id" in q:
        ch = c.channel("discord:" + q["id"])[1]
    else:
        g = c.guild(q.get("guild"))
        ch = c.world.add_channel(g, q["name"])
        c.lab.gateway.dispatch("CHANNEL_CREATE", ch.json(), 1, g, None, ch.id)
    if "deny" in q:
        ch.deny = int(q["deny"]) or None
    return {"id": ch.id, "name": ch.name}


@call("POST", "/lab/discord/user")
def add_user(c, request, q):
    """name; nick; roles: names, made in the guild."""
    g = c.guild(q.get("guild"))
    u = c.world.user(q["name"], q.get("id"))
    u.nick = q.get("nick", u.nick)
    for name in q.get("roles", ()):
        role = next((i for i, n in g.roles.items() if n == name), None)
        if role is None:
            role = c.world.ids.next()
            g.roles[role] = name
        if role not in u.roles:
            u.roles.append(role)
    g.members[u.id] = u
    return {"id": u.id, "name": u.name, "roles": u.roles}


@call("POST", "/lab/discord/interaction")
async def interaction(c, request, q):
    """channel, user; type (2), name, options, custom_id, data; bot. Over HTTP if the bot has an endpoint: the answer tells what came back."""
    platform, channel = c.channel(q.get("channel", "general"))
    if platform != "discord":
        raise bad("interactions are Discord's")
    its = c.lab.interactions
    i = its.make(c.bot(q.get("bot")), channel, c.world.user(q.get("user", "ada")), int(q.get("type", 2)), q.get("name", "ping"),
                 q.get("options", ()), q.get("custom_id", "button"), q.get("data"))
    return await its.fire(i)


@call("GET", "/lab/discord/interactions")
def interactions(c, request, q):
    return {"interactions": [i.json() for i in c.lab.interactions.by_id.values()]}


@call("POST", "/lab/discord/endpoint")
async def endpoint(c, request, q):
    """url (null: back to the gateway): checked as the portal does, with a PING and a wrong signature."""
    return await c.lab.interactions.set_endpoint(c.bot(q.get("bot")), q.get("url"))


@call("POST", "/lab/discord/post")
async def post_endpoint(c, request, q):
    """body, spoil (signature, body, missing), timestamp: any request to the bot's endpoint; what came back."""
    body = q["body"] if not isinstance(q["body"], str) else q["body"].encode()
    return await c.lab.interactions.post(c.bot(q.get("bot")), body, q.get("spoil"), q.get("timestamp"))


@call("POST", "/lab/discord/dispatch")
def dispatch(c, request, q):
    """t, d, intent (bits), guild: any event, as it is."""
    g = c.guild(q["guild"]) if "guild" in q else None
    n = c.lab.gateway.dispatch(q["t"], q["d"], int(q.get("intent", 0)), g, c.bot(q["bot"]) if "bot" in q else None, q.get("id"))
    return {"told": n}


@call("POST", "/lab/discord/edit")
def edit(c, request, q):
    channel = c.channel(q["channel"])[1]
    return {"told": c.lab.chat.edit(channel, channel.messages[q["id"]], content=q["text"])}


@call("POST", "/lab/discord/delete")
def delete(c, request, q):
    channel = c.channel(q["channel"])[1]
    return {"told": c.lab.chat.delete(channel, channel.messages[q["id"]])}


@call("POST", "/lab/discord/token")
def reset_token(c, request, q):
    """A new token for the bot: its sessions end with 4004."""
    b = c.bot(q.get("bot"))
    c.lab.gateway.reset_token(b)
    return bot_json(b)


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
    from world import TwitchClient
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
        if t.good and ("token" not in q or t.access == q["token"]) and ("user" not in q or (t.user and q["user"] in (t.user.id, t.user.login))) and \
                (q.get("kind") != "app" or t.user is None):
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
    return {"subscriptions": [{**s.json(), "client": s.client.id, "user": s.user.id if s.user else None} for s in c.lab.eventsub.subs.values()]}


@call("GET", "/lab/twitch/webhooks")
def webhooks(c, request, q):
    return {"sent": c.lab.hooks.sent}


@call("POST", "/lab/twitch/webhook")
async def webhook(c, request, q):
    """A notification to the webhook of a subscription (id, or the first of type): event; spoil (signature, missing); timestamp; message_id."""
    from uuid import uuid4
    for s in c.lab.eventsub.subs.values():
        hook = s.hook
        if s.conduit:
            hook = next((x.hook for x in s.conduit.shards if x.hook), None)
        if hook and (s.id == q.get("id") or s.type == q.get("type")):
            body = json.dumps({"subscription": s.json(), "event": q.get("event", {})}, separators=(",", ":")).encode()
            status = await c.lab.hooks.deliver_body(hook, s, q.get("kind", "notification"), body, q.get("message_id") or str(uuid4()),
                                                    q.get("spoil"), q.get("timestamp"))
            return {"status": status}
    raise bad("no such subscription over a webhook", 404)


# Talking

@call("POST", "/lab/say")
def say(c, request, q):
    """channel, user, text; reply_to; count: so many (text with {n}); more: members of the message object (Discord) or the event (Twitch).
    direct: the name of the Discord user who writes to the bot itself."""
    more, ids, told, texts = q.get("more", {}), [], 0, []
    n = int(q.get("count", 1))
    if q.get("direct"):
        user = c.world.user(q["direct"])
        platform, channel = "discord", c.world.direct(c.bot(q.get("bot")), user)
    else:
        platform, channel = c.channel(q.get("channel", "general"))
        name = q.get("user", "ada")
        user = c.world.user(name) if platform == "discord" else c.world.tw_user(name)
    for i in range(n):
        text = str(q.get("text", "")).replace("{n}", str(i + 1)) if n > 1 else str(q.get("text", ""))
        if platform == "discord":
            message, sessions = c.lab.chat.say(channel, user, text, q.get("reply_to"), **more)
            ids.append(message["id"])
            told += sessions
        else:
            id, sent = c.lab.twitch_chat.say(channel, user, text, q.get("reply_to"), **more)
            ids.append(id)
            told += len(sent)
            texts += [s["message_id"] for s in sent]
    return {"platform": platform, "ids": ids, "told": told, **({"message_ids": texts} if texts else {})}


# Looking

@call("GET", "/lab/violations")
def violations(c, request, q):
    return {"violations": c.books.violations}


@call("DELETE", "/lab/violations")
def forget_violations(c, request, q):
    """What was found is given once more and forgotten."""
    found, c.books.violations = c.books.violations, []
    return {"violations": found}


async def entries(c, q, kinds):
    """Entries of the books after n; wait: seconds to wait for at least min (1) of them; other words must be equal."""
    after, least = int(q.pop("after", 0)), int(q.pop("min", 1))
    wait, match = float(q.pop("wait", 0)), {k: str(v) for k, v in q.items()}

    def enough():
        found = c.books.select(kinds, after, **match)
        return found if len(found) >= least else None
    found = await c.books.wait(enough, wait) if wait else None
    return {"entries": found or c.books.select(kinds, after, **match), "last": c.books.n}


@call("GET", "/lab/journal")
async def journal(c, request, q):
    """kind: one or several with commas; after, min, wait; any member of an entry (session=..., platform=...) must be equal."""
    kinds = set(q.pop("kind").split(",")) if "kind" in q else None
    return await entries(c, q, kinds)


@call("GET", "/lab/said")
async def said(c, request, q):
    """What bots have said (kinds said, edited, dropped). after, min, wait, and equal members as in /lab/journal."""
    return await entries(c, q, {"said", "edited", "dropped"})


@call("GET", "/lab/chat")
async def chat(c, request, q):
    """What people and bots have said in the channels: what `penstock lab show` prints."""
    return await entries(c, q, {"chat", "said", "edited", "deleted", "dropped"})


@call("GET", "/lab/counts")
def counts(c, request, q):
    return {"counts": dict(c.books.counts), "violations": len(c.books.violations), "connections": len(c.lab.gateway.conns) + len(c.lab.eventsub.sockets)}


@call("GET", "/lab/wait")
async def wait(c, request, q):
    """kind, count (1), timeout (20): until so many entries of the kind have been written, ever. 408 when the time is up."""
    kind, count = q["kind"], int(q.get("count", 1))
    ok = await c.books.wait(lambda: c.books.counts[kind] >= count, float(q.get("timeout", 20)))
    return answer(200 if ok else 408, {"count": c.books.counts[kind]})


@call("GET", "/lab/sessions")
def sessions(c, request, q):
    """events=1: with what was dispatched in each. session: only that one."""
    events = q.get("events") in ("1", "true")
    d = [s for s in c.lab.gateway.sessions.values() if q.get("session") in (None, s.id)]
    t = [s for s in c.lab.eventsub.all_sockets if q.get("session") in (None, s.id)]
    return {"discord": [s.json(events) for s in d], "twitch": [s.json(events) for s in t]}


@call("GET", "/lab/owed")
def what_is_owed(c, request, q):
    """bot: what clients must have got by now, what may be lost, what nobody was there for (owed.py)."""
    return {"discord": owed.discord(c.lab, c.bot(q.get("bot"))), "twitch": owed.twitch(c.lab)}


@call("GET", "/lab/messages")
def messages(c, request, q):
    """The history of a Discord channel."""
    return {"messages": list(c.channel("discord:" + q.get("channel", "general"))[1].messages.values())}


# Faults and floods

@call("POST", "/lab/fault")
def fault(c, request, q):
    """The body is a script, text. Or seed=N (and platform, n, seconds, rough, requests): the faults of that number."""
    text = request.body.decode()
    if "seed" in q:
        text = "\n".join(generate(q["seed"], q.get("platform", "discord"), int(q.get("n", 10)), float(q.get("seconds", 10)),
                                  q.get("rough", "1") != "0", q.get("requests", "1") != "0"))
    return {"faults": [f.line for f in c.lab.faults.read(text)]}


@call("GET", "/lab/fault")
def faults(c, request, q):
    return c.lab.faults.json()


@call("DELETE", "/lab/fault")
def no_faults(c, request, q):
    """None is armed any more; what was done stays done."""
    before = c.lab.faults.json()
    c.lab.faults.clear()
    return before


@call("POST", "/lab/flood")
async def flood(c, request, q):
    """n messages of size characters to every connection, as fast as it takes them; keep false: they cannot be replayed. Answers when all is sent.
    rate: n in all, said in channels (names; one for each guild), so many in a second; answers at once unless wait is true."""
    n, rate = int(q.get("n", 1000)), float(q.get("rate", 0))
    if not rate:
        return await c.lab.flood.run(n, int(q.get("size", 60)), q.get("keep", True))
    channels = [c.channel(x) for x in q["channels"]] if "channels" in q else \
        [("discord", next(iter(g.channels.values()))) for g in c.world.guilds.values() if g.channels]
    job = c.lab.flood.live(n, rate, channels)
    if q.get("wait"):
        return await job
    c.lab.spawn(job)
    return {"messages": n}


# The lab

@call("GET", "/lab/config")
def config(c, request, q):
    return c.lab.settings.values


@call("POST", "/lab/config")
def configure(c, request, q):
    for name, value in q.items():
        c.lab.settings.set(name, value)
    c.lab.configured()
    return {"ok": True}


@call("POST", "/lab/reset")
def reset(c, request, q):
    """As after a start, but for the port: a new world with new tokens, empty books."""
    c.lab.reset()
    return {"ok": True}


@call("POST", "/lab/quit")
def quit(c, request, q):
    c.lab.stop.set()
    return {"ok": True}
