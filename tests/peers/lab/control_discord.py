"""Calls under /lab/discord: bots, guilds, channels, users, interactions, events."""
import ed25519
from control import bad, call


def bot_json(b):
    return {"id": b.id, "name": b.user.name, "token": b.token, "public_key": ed25519.public_key(b.secret).hex(), "guilds": list(b.guilds),
            "endpoint": b.endpoint}


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
    """channel, user; type (2), name, options, custom_id, data; bot. Over HTTP if the bot has an endpoint: the answer tells what
    came back."""
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
