"""Calls of the lab as a whole: the world, talk, the books, faults and floods, settings."""
import owed
from control import ROUTES, call
from control_discord import bot_json
from control_twitch import token_json
from faults import generate
from httpserver import answer


@call("GET", "/lab")
def index(c, request, q):
    return {"lab": "a Discord and a Twitch for tests", "calls": [f"{m} {p}" for m, p in sorted(ROUTES)]}


@call("GET", "/lab/world")
def world(c, request, q):
    w, lab = c.world, c.lab
    return {
        "http": lab.http_url(""), "https": lab.https_url(""), "ca": lab.ca,
        "discord": {"api": lab.http_url("/api/v10"), "bots": [bot_json(b) for b in w.bots.values()],
                    "guilds": [{"id": g.id, "name": g.name, "channels": {ch.name: ch.id for ch in g.channels.values()}}
                               for g in w.guilds.values()],
                    "users": {u.name: u.id for u in w.users.values()}},
        "twitch": {"helix": lab.http_url("/helix"), "oauth": lab.http_url("/oauth2"), "eventsub": lab.ws_url("/ws"),
                   "clients": [{"id": k.id, "secret": k.secret} for k in w.tw_clients.values()],
                   "users": {u.login: u.id for u in w.tw_users.values()},
                   "tokens": [token_json(t) for t in w.tw_tokens.values() if t.good]}}


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
    return {"counts": dict(c.books.counts), "violations": len(c.books.violations),
            "connections": len(c.lab.gateway.conns) + len(c.lab.eventsub.sockets)}


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
    """n messages of size characters to every connection, as fast as it takes them; keep false: they cannot be replayed. Answers
    when all is sent.
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
