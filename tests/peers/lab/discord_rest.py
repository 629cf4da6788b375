"""Discord's REST API, as much of it as a chat bot uses, with its rate limits, its error codes and its checks of headers."""
import hashlib
import json
import re
import time
import traceback

import limits
from httpserver import HttpError, answer
from world import iso_discord

ROUTES = []         # (method, pattern, function, major parameter, template)
CODES = {10003: (404, "Unknown Channel"), 10004: (404, "Unknown Guild"), 10008: (404, "Unknown Message"), 10013: (404, "Unknown User"),
         10015: (404, "Unknown Webhook"), 10062: (404, "Unknown interaction"), 20028: (429, "The write action you are performing on the channel has hit the write rate limit"),
         40060: (400, "Interaction has already been acknowledged."), 50001: (403, "Missing Access"), 50005: (403, "Cannot edit a message authored by another user"),
         50006: (400, "Cannot send an empty message"), 50007: (403, "Cannot send messages to this user"), 50013: (403, "Missing Permissions"),
         50027: (401, "Invalid Webhook Token"), 50083: (400, "Thread is archived"), 50109: (400, "The request body contains invalid JSON."),
         130000: (503, "API resource is currently overloaded. Try again a little later"), 160002: (400, "Cannot reply without permission to read message history"),
         200000: (400, "Message was blocked by automatic moderation"), 240000: (400, "Message was blocked by harmful links filter"),
         40333: (403, "internal network error")}
CLOUDFLARE = ("<!doctype html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>"
              "<body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>")
AGENT = re.compile(r"DiscordBot \([^,()]+, ?[^()]+\)")


def route(method, template):
    """{channel}, {guild} and {app}+{token} are major parameters: buckets are counted for each of their values."""
    def add(f):
        pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$")
        ROUTES.append((method, pattern, f, template))
        return f
    return add


def error(code, headers=()):
    status, text = CODES[code]
    return HttpError(status, {"message": text, "code": code}, headers)


def form_error(field, code, message):
    return HttpError(400, {"message": "Invalid Form Body", "code": 50035, "errors": {field: {"_errors": [{"code": code, "message": message}]}}})


def unauthorized():
    return HttpError(401, {"message": "401: Unauthorized", "code": 0})


class Rest:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world, self.gateway, self.chat = lab, lab.settings, lab.books, lab.world, lab.gateway, lab.chat
        self.buckets, self.globals, self.invalid = {}, {}, {}
        self.told_to_wait = {}          # (what) -> time before which the client knows not to ask

    def find(self, request):
        """(function, parameters, template); None when there is no such call."""
        path = request.path[len("/api/v10"):]
        for method, pattern, function, template in ROUTES:
            match = pattern.match(path) if method == request.method else None
            if match:
                return function, match.groupdict(), template
        return None

    async def serve(self, request):
        found = self.find(request)
        if found is None:
            return self.count_invalid(request, answer(404, {"message": "404: Not Found", "code": 0}))
        try:
            response = await self.within_limits(request, *found)
        except HttpError as e:
            response = e.response
        return self.count_invalid(request, response)

    def bot_of(self, request):
        auth = request.header("authorization", "")
        if auth.startswith("Bot "):
            return self.world.bot_of_token(auth[4:])
        if auth and self.world.bot_of_token(auth.split(" ")[-1]):
            self.books.violation("auth-prefix", platform="discord", path=request.path, why="Authorization wants the word Bot before the token")
        return None

    async def within_limits(self, request, function, params, template):
        if self.set["discord.user_agent_required"] and not AGENT.match(request.header("user-agent", "")):
            self.books.violation("user-agent", platform="discord", path=request.path, agent=request.header("user-agent"))
            raise error(40333)
        if "://" in template or "{token}" in template:
            bot, free = None, True      # the token in the path is the credential
        else:
            bot, free = self.bot_of(request), False
            if bot is None and template != "/gateway":
                self.books.note("unauthorized", platform="discord", path=request.path)
                raise unauthorized()
        self.early(request, bot, params, template)
        if not free and not self.global_window(bot, request).take():
            raise self.too_many("global", self.global_window(bot, request).reset_after, request, bot, {})
        headers = {}
        window = self.bucket(bot, template, params, request.method)
        if window is not None:
            if not window.take():
                raise self.too_many("user", window.reset_after, request, bot, self.bucket_headers(window, template, request.method),
                                    key=self.bucket_key(bot, template, params, request.method))
            headers = self.bucket_headers(window, template, request.method)
        try:
            if request.body and request.method in ("POST", "PATCH", "PUT"):
                kind = request.header("content-type", "")
                if not kind.startswith(("application/json", "multipart/form-data")):
                    self.books.violation("content-type", platform="discord", path=request.path, got=kind)
                    raise error(50109)
            response = await function(self, request, bot, **params)
        except HttpError as e:
            response = e.response
        except (ValueError, TypeError, AttributeError):
            traceback.print_exc()
            response = error(50109).response
        response.headers += list(headers.items())
        return response

    # Limits

    def global_window(self, bot, request):
        key = bot.id if bot else request.peer.rsplit(":", 1)[0]
        if key not in self.globals:
            self.globals[key] = limits.Window(self.set["discord.global_limit"], 1.0)
        self.globals[key].limit = self.set["discord.global_limit"]
        return self.globals[key]

    def bucket_key(self, bot, template, params, method):
        major = params.get("channel") or params.get("guild") or (params.get("app", "") + params.get("token", ""))
        return (bot.id if bot else None, method, template, major)

    def bucket(self, bot, template, params, method):
        """None: a route without a bucket (callbacks of interactions)."""
        if template.startswith("/interactions/") or template.startswith("/gateway"):
            return None
        key = self.bucket_key(bot, template, params, method)
        if key not in self.buckets:
            self.buckets[key] = limits.Window(self.set["discord.bucket_limit"], self.set["discord.bucket_window_s"])
        return self.buckets[key]

    def bucket_headers(self, window, template, method):
        return {"X-RateLimit-Limit": window.limit, "X-RateLimit-Remaining": window.left,
                "X-RateLimit-Reset": f"{time.time() + window.reset_after:.3f}", "X-RateLimit-Reset-After": f"{window.reset_after:.3f}",
                "X-RateLimit-Bucket": hashlib.sha256(f"{method} {template}".encode()).hexdigest()[:32]}

    def too_many(self, scope, wait, request, bot, headers, key=None):
        """A 429, and the memory of it: who asks again before the time breaks a rule."""
        wait = max(wait, 0.001)
        self.books.note("ratelimit", platform="discord", scope=scope, path=request.path, wait=round(wait, 3), bot=bot.id if bot else None)
        # A shared limit delays only that request: asking for others in the bucket is allowed.
        if scope == "global":
            self.told_to_wait["global", bot.id if bot else None] = time.monotonic() + wait
        elif scope == "user" and key:
            self.told_to_wait[key] = time.monotonic() + wait
        headers = {**headers, "X-RateLimit-Scope": scope, "Retry-After": max(1, int(wait + 0.999))}
        if scope == "global":
            headers["X-RateLimit-Global"] = "true"
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": scope == "global"}
        if scope == "shared":
            body["code"] = 20028
        return HttpError(429, body, list(headers.items()))

    def early(self, request, bot, params, template):
        free = "{token}" in template
        for key in (("global", bot.id if bot else None), self.bucket_key(bot, template, params, request.method)):
            until = self.told_to_wait.get(key)
            if until and not (key[0] == "global" and free):
                if time.monotonic() < until - self.set["lab.slack_s"]:
                    self.books.violation("ratelimit-ignored", platform="discord", path=request.path, early_by=round(until - time.monotonic(), 3),
                                         scope="global" if key[0] == "global" else "user")
                elif time.monotonic() >= until:
                    del self.told_to_wait[key]

    def count_invalid(self, request, response):
        """10,000 answers of 401, 403 and 429 (not shared) in ten minutes, and Cloudflare bans the address."""
        address = request.peer.rsplit(":", 1)[0]
        seen = self.invalid.setdefault(address, limits.Sliding(self.set["discord.invalid_window_s"]))
        if seen.count() >= self.set["discord.invalid_limit"]:
            self.books.violation("cloudflare", platform="discord", peer=address)
            return answer(429, CLOUDFLARE, [("Content-Type", "text/html"), ("Retry-After", str(int(seen.oldest_leaves_in()) + 1))])
        shared = any(k == "X-RateLimit-Scope" and v == "shared" for k, v in response.headers)
        if response.status in (401, 403) or (response.status == 429 and not shared):
            seen.add()
            self.books.count("invalid-request")
        return response

    def channel(self, bot, id):
        channel = self.world.channels.get(id)
        if channel is None:
            raise error(10003)
        if channel.guild and channel.guild.id not in bot.guilds:
            raise error(50001)
        if channel.guild is None and channel.bot is not bot:
            raise error(50001)
        return channel

    def message_of(self, bot, channel, message):
        c = self.channel(bot, channel)
        if message not in c.messages:
            raise error(10008)
        return c, c.messages[message]

    # Contents of a message

    def check_content(self, body, need=True):
        if not isinstance(body, dict):
            raise error(50109)
        content = body.get("content")
        if content is not None and not isinstance(content, str):
            raise form_error("content", "BASE_TYPE_BAD_TYPE", "Must be a string.")
        # Whether the platform counts code points or UTF-16 is not documented: the stricter is refused.
        if content and len(content.encode("utf-16-le")) // 2 > 2000:
            self.books.violation("content-too-long", platform="discord", length=len(content))
            raise form_error("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.")
        nonce = body.get("nonce")
        if nonce is not None and (isinstance(nonce, bool) or not isinstance(nonce, (int, str)) or len(str(nonce)) > 25):
            self.books.violation("nonce", platform="discord", nonce=nonce)
            raise form_error("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")
        am = body.get("allowed_mentions")
        if am is not None:
            if not isinstance(am, dict) or not set(am.get("parse", [])) <= {"users", "roles", "everyone"}:
                raise form_error("allowed_mentions", "BASE_TYPE_CHOICES", "Value must be one of users, roles, everyone.")
            for word in ("users", "roles"):
                if word in am.get("parse", []) and am.get(word):
                    raise form_error("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f"parse:[\"{word}\"] and {word}: [ids...] are mutually exclusive.")
        if need and not content and not any(body.get(k) for k in ("embeds", "components", "sticker_ids", "poll", "attachments")) and \
                not (body.get("message_reference") or {}).get("type") == 1:
            raise error(50006)

    def read_json(self, request):
        """A body of JSON, or the payload_json of a form."""
        if request.header("content-type", "").startswith("multipart/form-data"):
            m = re.search(rb'name="payload_json"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', request.body, re.S)
            return json.loads(m.group(1)) if m else {}
        try:
            return request.json() or {}
        except ValueError:
            raise error(50109) from None


@route("GET", "/gateway")
async def gateway(rest, request, bot):
    return answer(200, {"url": rest.lab.ws_url("/discord", request.secure)})


@route("GET", "/gateway/bot")
async def gateway_bot(rest, request, bot):
    w = rest.gateway.identify_window(bot)
    rest.books.note("gateway-bot", platform="discord", bot=bot.id)
    return answer(200, {"url": rest.lab.ws_url("/discord", request.secure), "shards": rest.set["discord.shards"], "session_start_limit": {
        "total": w.limit, "remaining": w.left, "reset_after": int(w.reset_after * 1000), "max_concurrency": rest.set["discord.max_concurrency"]}})


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
    return answer(200, [{"id": g.id, "name": g.name, "icon": None, "owner": False, "permissions": "0", "features": []} for g in bot.guilds.values()])


@route("POST", "/users/@me/channels")
async def open_direct(rest, request, bot):
    user = rest.world.users.get(str(rest.read_json(request).get("recipient_id")))
    if user is None:
        raise error(10013)
    return answer(200, rest.world.direct(bot, user).json())


@route("GET", "/applications/@me")
async def application(rest, request, bot):
    import ed25519
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
    rest.books.note("said", platform="discord", bot=bot.id, channel=c.id, name=c.name, id=message["id"], text=message["content"], nonce=nonce,
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


__all__ = ["Rest", "error", "form_error", "iso_discord", "route"]
