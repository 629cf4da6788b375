"""The calls of Discord's REST API that are no interactions: each a function (rest, request, bot, parameters of the path)."""
import re
import time

import ed25519
from discord_rest import ROUTES, error, form_error, route
from httpserver import answer


@route("GET", "/gateway")
async def gateway(rest, request, bot):
    return answer(200, {"url": rest.lab.ws_url("/discord", request.secure)})


@route("GET", "/gateway/bot")
async def gateway_bot(rest, request, bot):
    w = rest.gateway.identify_window(bot)
    rest.books.note("gateway-bot", platform="discord", bot=bot.id)
    return answer(200, {"url": rest.lab.ws_url("/discord", request.secure), "shards": rest.set["discord.shards"], "session_start_limit": {
        "total": w.limit, "remaining": w.left, "reset_after": int(w.reset_after * 1000),
        "max_concurrency": rest.set["discord.max_concurrency"]}})


@route("GET", "/users/@me")
async def me(rest, request, bot):
    return answer(200, {**bot.user.json(), "verified": True, "email": None, "mfa_enabled": True})


@route("GET", "/users/{user}")
async def a_user(rest, request, bot, user):
    if user not in rest.world.users:
        raise error(10013)
    return answer(200, rest.world.users[user].json())


@route("GET", "/users/@me/guilds")
async def my_guilds(rest, request, bot):
    return answer(200, [{"id": g.id, "name": g.name, "icon": None, "owner": False, "permissions": "0", "features": []}
                        for g in bot.guilds.values()])


@route("POST", "/users/@me/channels")
async def open_direct(rest, request, bot):
    user = rest.world.users.get(str(rest.read_json(request).get("recipient_id")))
    if user is None:
        raise error(10013)
    return answer(200, rest.world.direct(bot, user).json())


@route("GET", "/applications/@me")
async def application(rest, request, bot):
    return answer(200, {"id": bot.id, "name": bot.user.name, "verify_key": ed25519.public_key(bot.secret).hex(), "flags": 1 << 19,
                        "interactions_endpoint_url": bot.endpoint, "bot": bot.user.json()})


ROUTES.append(("GET", re.compile("^/oauth2/applications/@me$"), application, "/oauth2/applications/@me"))


@route("GET", "/guilds/{guild}")
async def a_guild(rest, request, bot, guild):
    if guild not in bot.guilds:
        raise error(10004)
    return answer(200, bot.guilds[guild].json(bot))


@route("GET", "/guilds/{guild}/channels")
async def guild_channels(rest, request, bot, guild):
    if guild not in bot.guilds:
        raise error(10004)
    return answer(200, [c.json() for c in bot.guilds[guild].channels.values()])


@route("GET", "/channels/{channel}")
async def a_channel(rest, request, bot, channel):
    return answer(200, rest.channel(bot, channel).json())


@route("POST", "/channels/{channel}/typing")
async def typing(rest, request, bot, channel):
    rest.channel(bot, channel)
    return answer(204)


@route("GET", "/channels/{channel}/messages")
async def history(rest, request, bot, channel):
    """Newest first, as the platform gives it; with after: the ones next after it."""
    c = rest.channel(bot, channel)
    if c.deny:
        raise error(c.deny)
    limit = int(request.query.get("limit", "50"))
    if not 1 <= limit <= 100:
        raise form_error("limit", "NUMBER_TYPE_MAX", "int value should be less than or equal to 100.")
    ids = list(c.messages)
    if "after" in request.query:
        ids = [i for i in ids if int(i) > int(request.query["after"])][:limit]
    elif "before" in request.query:
        ids = [i for i in ids if int(i) < int(request.query["before"])][-limit:]
    else:
        ids = ids[-limit:]
    rest.books.note("history", platform="discord", bot=bot.id, channel=channel, query=request.query_text, given=len(ids))
    return answer(200, [c.messages[i] for i in reversed(ids)])


@route("GET", "/channels/{channel}/messages/{message}")
async def one_message(rest, request, bot, channel, message):
    return answer(200, rest.message_of(bot, channel, message)[1])


@route("POST", "/channels/{channel}/messages")
async def create_message(rest, request, bot, channel):
    c = rest.channel(bot, channel)
    body = rest.read_json(request)
    rest.check_content(body)
    if c.deny:
        raise error(c.deny)
    nonce, key = body.get("nonce"), (c.id, str(body.get("nonce")))
    if body.get("enforce_nonce") and nonce is not None:
        before = bot.nonces.get(key)
        if before and time.monotonic() - before[0] < rest.set["discord.nonce_window_s"]:
            rest.books.note("said-again", platform="discord", bot=bot.id, channel=c.id, id=before[1]["id"], nonce=nonce)
            return answer(200, before[1])
    more = {"nonce": nonce, "embeds": body.get("embeds"), "components": body.get("components"), "flags": body.get("flags")}
    reference = body.get("message_reference")
    if reference and reference.get("type", 0) == 0:
        target = str(reference.get("message_id"))
        if target not in c.messages and reference.get("fail_if_not_exists", True):
            raise form_error("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        if target in c.messages:
            more.update(rest.chat.reply(c, target))
    message = rest.chat.make(c, bot.user, body.get("content") or "", **more)
    if nonce is not None:
        bot.nonces[key] = (time.monotonic(), message)
    rest.books.note("said", platform="discord", bot=bot.id, channel=c.id, name=c.name, id=message["id"], text=message["content"],
                    nonce=nonce,
                    enforce_nonce=body.get("enforce_nonce"), allowed_mentions=body.get("allowed_mentions"), user=bot.user.name,
                    reply_to=reference.get("message_id") if reference else None, how="message", flags=body.get("flags"))
    rest.chat.tell("MESSAGE_CREATE", c, message, bot.user)
    return answer(200, message)


@route("PATCH", "/channels/{channel}/messages/{message}")
async def edit_message(rest, request, bot, channel, message):
    c, m = rest.message_of(bot, channel, message)
    if m["author"]["id"] != bot.id:
        raise error(50005)
    body = rest.read_json(request)
    rest.check_content(body, need=False)
    rest.chat.edit(c, m, **{k: body[k] for k in ("content", "embeds", "components", "flags") if k in body})
    rest.books.note("edited", platform="discord", bot=bot.id, channel=c.id, id=m["id"], text=m["content"], how="message")
    return answer(200, m)


@route("DELETE", "/channels/{channel}/messages/{message}")
async def delete_message(rest, request, bot, channel, message):
    c, m = rest.message_of(bot, channel, message)
    rest.chat.delete(c, m)
    rest.books.note("deleted", platform="discord", bot=bot.id, channel=c.id, id=m["id"])
    return answer(204)


def command_json(bot, guild, body):
    return {"id": str(int(bot.id) + len(bot.commands) + 1), "application_id": bot.id, "version": "1", "type": 1, "description": "", **body,
            **({"guild_id": guild} if guild else {})}


async def put_commands(rest, request, bot, app, guild=None):
    if app != bot.id:
        raise error(50001)
    body = request.json()
    if not isinstance(body, list):
        raise error(50109)
    bot.commands = [command_json(bot, guild, c) for c in body]
    rest.books.note("commands", platform="discord", bot=bot.id, names=[c.get("name") for c in body])
    return answer(200, bot.commands)


async def get_commands(rest, request, bot, app, guild=None):
    return answer(200, bot.commands)


for _template in ("/applications/{app}/commands", "/applications/{app}/guilds/{guild}/commands"):
    route("PUT", _template)(put_commands)
    route("GET", _template)(get_commands)

