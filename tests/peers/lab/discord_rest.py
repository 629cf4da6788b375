"""Discord's REST API, as much of it as a chat bot uses, with its rate limits, its error codes and its checks of headers."""
import hashlib
import json
import re
import time
import traceback

import limits
from httpserver import HttpError, answer

ROUTES = []         # (method, pattern, function, major parameter, template)
CODES = {10003: (404, "Unknown Channel"), 10004: (404, "Unknown Guild"), 10008: (404, "Unknown Message"), 10013: (404, "Unknown User"),
         10015: (404, "Unknown Webhook"), 10062: (404, "Unknown interaction"),
         20028: (429, "The write action you are performing on the channel has hit the write rate limit"),
         40060: (400, "Interaction has already been acknowledged."), 50001: (403, "Missing Access"),
         50005: (403, "Cannot edit a message authored by another user"),
         50006: (400, "Cannot send an empty message"), 50007: (403, "Cannot send messages to this user"),
         50013: (403, "Missing Permissions"),
         50027: (401, "Invalid Webhook Token"), 50083: (400, "Thread is archived"), 50109: (400, "The request body contains invalid JSON."),
         130000: (503, "API resource is currently overloaded. Try again a little later"),
         160002: (400, "Cannot reply without permission to read message history"),
         200000: (400, "Message was blocked by automatic moderation"), 240000: (400, "Message was blocked by harmful links filter"),
         40333: (403, "internal network error")}
CLOUDFLARE = ("<!doctype html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>"
              "<body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>")
AGENT = re.compile(r"DiscordBot \(https?://[^\s,()]+, ?[^()]+\)")


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
    return HttpError(400, {"message": "Invalid Form Body", "code": 50035,
                           "errors": {field: {"_errors": [{"code": code, "message": message}]}}})


def unauthorized():
    return HttpError(401, {"message": "401: Unauthorized", "code": 0})


def embed_length(e):
    """What counts: title, description, names and values of fields, footer, author."""
    texts = [e.get("title"), e.get("description"), (e.get("footer") or {}).get("text"), (e.get("author") or {}).get("name")]
    texts += [f.get(k) for f in e.get("fields") or [] for k in ("name", "value")]
    return sum(len(t) for t in texts if isinstance(t, str))


class Rest:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world, self.gateway, self.chat = lab, lab.settings, lab.books, lab.world, lab.gateway, lab.chat
        self.buckets, self.globals, self.invalid = {}, {}, {}
        self.told, self.dead = limits.Told(self.set), limits.Dead(self.set)

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
            self.books.violation("auth-prefix", platform="discord", path=request.path,
                                 why="Authorization wants the word Bot before the token")
        return None

    async def within_limits(self, request, function, params, template):
        if self.set["discord.user_agent_required"] and not AGENT.match(request.header("user-agent", "")):
            self.books.violation("user-agent", platform="discord", path=request.path, agent=request.header("user-agent"))
            raise error(40333)
        if "{token}" in template:
            bot, free = None, True      # the token in the path is the credential
        else:
            bot, free = self.bot_of(request), False
            if bot is None and template != "/gateway":
                self.books.note("unauthorized", platform="discord", path=request.path)
                auth = request.header("authorization")
                if auth and self.dead.refused(auth):
                    self.books.violation("unauthorized-ignored", platform="discord", path=request.path)
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
        except (ValueError, TypeError, AttributeError, RecursionError):
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
            self.told.tell(("global", bot.id if bot else None), wait)
        elif scope == "user" and key:
            self.told.tell(key, wait)
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
            early = 0 if key[0] == "global" and free else self.told.early(key)
            if early:
                self.books.violation("ratelimit-ignored", platform="discord", path=request.path, early_by=early,
                                     scope="global" if key[0] == "global" else "user")

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
        embeds = body.get("embeds") or []
        if len(embeds) > 10 or sum(map(embed_length, embeds)) > 6000:
            self.books.violation("embeds-too-long", platform="discord", embeds=len(embeds))
            raise form_error("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Must be 10 or fewer, of 6000 characters in all.")
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
                    raise form_error("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                                     f"parse:[\"{word}\"] and {word}: [ids...] are mutually exclusive.")
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
