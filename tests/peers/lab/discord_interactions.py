"""Interactions: made by the lab, sent over the gateway or (signed) over HTTP; answered by callbacks and follow-ups, under their
two clocks."""
import asyncio
import json
import time

import ed25519
import httpclient
from discord_chat import EPHEMERAL
from discord_rest import error, form_error, route
from httpserver import HttpError, answer

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
ANSWERS = {COMMAND: (4, 5, 9, 12), COMPONENT: (4, 5, 6, 7, 9, 12), AUTOCOMPLETE: (8,), MODAL: (4, 5, 6, 7)}


class Interaction:
    def __init__(self, bot, channel, user, body):
        self.bot, self.channel, self.user, self.body = bot, channel, user, body
        self.id, self.token, self.kind = body["id"], body["token"], body["type"]
        self.born = time.monotonic()
        self.answered = None            # type of the first response
        self.original = None            # its message, once there is one
        self.messages = {}

    def json(self):
        return {"id": self.id, "token": self.token, "type": self.kind, "answered": self.answered,
                "age": round(time.monotonic() - self.born, 3),
                "original": self.original["id"] if self.original else None}


class Interactions:
    def __init__(self, lab):
        self.lab, self.set, self.world, self.books, self.chat = lab, lab.settings, lab.world, lab.books, lab.chat
        self.by_id, self.by_token = {}, {}

    def make(self, bot, channel, user, kind=COMMAND, name="ping", options=(), custom_id="button", data=None):
        if data is None:
            data = {"id": str(int(bot.id) + 1), "name": name, "type": 1, "options": list(options)} if kind in (COMMAND, AUTOCOMPLETE) else \
                {"custom_id": custom_id, "component_type": 2} if kind == COMPONENT else {"custom_id": custom_id, "components": []}
        id = self.world.ids.next()
        body = {"id": id, "application_id": bot.id, "type": kind, "token": f"lab-interaction-{id}-{'x' * 40}", "version": 1, "data": data,
                "locale": "en-US", "entitlements": [], "app_permissions": "562949953601536", "attachment_size_limit": 10485760,
                "authorizing_integration_owners": {"0": channel.guild.id if channel.guild else "0"}, "context": 0 if channel.guild else 1,
                "channel_id": channel.id, "channel": channel.json()}
        if channel.guild:
            body.update(guild_id=channel.guild.id, guild_locale="en-US", guild={"id": channel.guild.id, "locale": "en-US", "features": []},
                        member={**user.member(), "user": user.json(), "permissions": "2147483647"})
        else:
            body["user"] = user.json()
        if kind == COMPONENT:
            body["message"] = self.chat.make(channel, bot.user, "press me")
        i = Interaction(bot, channel, user, body)
        self.by_id[i.id] = self.by_token[i.token] = i
        return i

    async def fire(self, interaction):
        """Over HTTP if the application has an endpoint, else over the gateway. What the other side did with it."""
        i, bot = interaction, interaction.bot
        self.books.note("interaction", platform="discord", bot=bot.id, id=i.id, type=i.kind, name=i.body["data"].get("name"),
                        channel=i.channel.id,
                        http=bot.endpoint is not None)
        if bot.endpoint is None:
            told = self.lab.gateway.dispatch("INTERACTION_CREATE", i.body, 0, i.channel.guild, bot, i.id)
            return {"id": i.id, "token": i.token, "told": told}
        result = await self.post(bot, i.body)
        if result.get("status") == 200:
            try:
                self.first(i, json.loads(result["body"]))
            except (ValueError, KeyError, HttpError) as e:
                self.books.violation("interaction-response", platform="discord", id=i.id, why=str(e))
        elif result.get("status") != 202:
            self.books.violation("interaction-http", platform="discord", id=i.id, status=result.get("status"), why=result.get("error"))
        elif result["body"]:
            self.books.violation("interaction-http", platform="discord", id=i.id, why="202 wants an empty body")
        return {"id": i.id, "token": i.token, **result}

    async def post(self, bot, body, spoil=None, timestamp=None):
        """A signed request. spoil: signature (wrong), body (changed after signing), missing (no headers): the probes of a hostile
        or careful sender."""
        text = json.dumps(body, separators=(",", ":")).encode() if not isinstance(body, bytes) else body
        stamp = timestamp or str(int(time.time()))
        signature = ed25519.sign(bot.secret, stamp.encode() + text)
        if spoil == "signature":
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        if spoil == "body":
            text = text[:-1] + b" }"
        headers = {"Content-Type": "application/json", "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)"}
        if spoil != "missing":
            headers.update({"X-Signature-Ed25519": signature.hex(), "X-Signature-Timestamp": stamp})
        begun = time.monotonic()
        try:
            status, head, answer_body = await httpclient.post(bot.endpoint, text, headers, self.set["discord.interaction_first_s"],
                                                              self.lab.trust)
            return {"status": status, "body": answer_body.decode("utf-8", "replace"), "content_type": head.get("content-type"),
                    "took": round(time.monotonic() - begun, 3)}
        except asyncio.TimeoutError:
            self.books.violation("interaction-late", platform="discord", why="no answer over HTTP in time")
            return {"error": "no answer in time"}
        except OSError as e:
            return {"error": str(e)}

    async def set_endpoint(self, bot, url):
        """As the portal does it: a PING must be answered, and a wrong signature refused with 401, before the URL is taken."""
        before, bot.endpoint = bot.endpoint, url
        if url is None:
            return {"ok": True}
        ping = {"id": self.world.ids.next(), "application_id": bot.id, "type": PING, "token": "ping", "version": 1, "entitlements": []}
        good = await self.post(bot, ping)
        bad = await self.post(bot, ping, spoil="signature")
        try:
            pong = good.get("status") == 200 and json.loads(good["body"]).get("type") == 1 and "application/json" in (good["content_type"] or "")
        except ValueError:
            pong = False
        ok = pong and bad.get("status") == 401
        if not ok:
            bot.endpoint = before
            self.books.violation("interaction-endpoint", platform="discord", ping=good, bad_signature=bad)
        return {"ok": ok, "ping": good, "bad_signature": bad}

    def first(self, i, response):
        """The first response, by whatever way. Raises HttpError as the callback's endpoint answers."""
        kind, data = response["type"], response.get("data") or {}
        if time.monotonic() - i.born > self.set["discord.interaction_first_s"]:
            self.books.note("interaction-late", platform="discord", id=i.id)
            raise error(10062)
        if i.answered is not None:
            self.books.note("interaction-twice", platform="discord", id=i.id)
            raise error(40060)
        if kind not in ANSWERS[i.kind]:
            self.books.violation("interaction-type", platform="discord", id=i.id, type=kind, interaction=i.kind)
            raise form_error("type", "BASE_TYPE_CHOICES", f"a response of type {kind} does not fit")
        if kind == 4:
            self.lab.rest.check_content(data)
        if kind == 8 and len(data.get("choices", [])) > 25:
            raise form_error("data.choices", "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
        if kind == 9 and not (len(data.get("custom_id") or "") in range(1, 101) and len(data.get("title") or "") in range(1, 46) and
                              len(data.get("components") or []) in range(1, 6)):
            raise form_error("data", "BASE_TYPE_BAD_LENGTH", "custom_id of 1 to 100, title of 1 to 45, components of 1 to 5.")
        i.answered = kind
        self.books.note("interaction-answered", platform="discord", id=i.id, type=kind, data=data,
                        after=round(time.monotonic() - i.born, 3))
        if kind in (4, 5):
            i.original = self.message(i, data if kind == 4 else {"content": "", "flags": data.get("flags", 0) | 128})
            if kind == 4:
                self.said(i, i.original, data, "interaction")
        return i.original

    def message(self, i, data):
        message = self.chat.make(i.channel, i.bot.user, data.get("content") or "", flags=data.get("flags") or 0, embeds=data.get("embeds"),
                                 application_id=i.bot.id, webhook_id=i.bot.id, type=20 if i.kind == COMMAND else 0,
                                 interaction_metadata={"id": i.id, "type": i.kind, "user": i.user.json(),
                                                       "authorizing_integration_owners": i.body["authorizing_integration_owners"]})
        i.messages[message["id"]] = message
        if message["flags"] & EPHEMERAL:
            del i.channel.messages[message["id"]]
        self.chat.tell("MESSAGE_CREATE", i.channel, message, i.bot.user)
        return message

    def said(self, i, message, data, how):
        self.books.note("said", platform="discord", bot=i.bot.id, channel=i.channel.id, name=i.channel.name, id=message["id"],
                        user=i.bot.user.name,
                        text=message["content"], nonce=None, enforce_nonce=None, allowed_mentions=data.get("allowed_mentions"),
                        reply_to=None,
                        how=how, interaction=i.id, flags=data.get("flags"))

    def alive(self, app, token, acknowledged=True):
        i = self.by_token.get(token)
        late = i is not None and time.monotonic() - i.born > self.set["discord.interaction_life_s"]
        gone = i is None or i.bot.id != app
        if (gone or late) and self.lab.rest.dead.refused(token):
            self.books.violation("webhook-dead", platform="discord", app=app)
        if gone:
            raise error(10015)
        if late:
            raise error(50027)
        if acknowledged and i.answered is None:
            self.books.violation("interaction-unanswered", platform="discord", id=i.id, why="a follow-up before the first response")
            raise error(10015)
        return i


@route("POST", "/interactions/{interaction}/{token}/callback")
async def callback(rest, request, bot, interaction, token):
    i = rest.lab.interactions.by_id.get(interaction)
    if i is None or i.token != token:
        raise error(10062)
    message = rest.lab.interactions.first(i, rest.read_json(request))
    if request.query.get("with_response") == "true":
        return answer(200, {"interaction": {"id": i.id, "type": i.kind, "response_message_id": message["id"] if message else None,
                                            "response_message_loading": i.answered == 5},
                            "resource": {"type": i.answered, "message": message}})
    return answer(204)


@route("POST", "/webhooks/{app}/{token}")
async def follow_up(rest, request, bot, app, token):
    its = rest.lab.interactions
    i = its.alive(app, token)
    body = rest.read_json(request)
    rest.check_content(body)
    if i.answered == 5 and i.original and i.original["flags"] & 128:       # the first one after "thinking…" takes its place
        return answer(200, edit(rest, i, i.original, body))
    message = its.message(i, body)
    its.said(i, message, body, "followup")
    return answer(200, message)


def edit(rest, i, message, body):
    loading = message["flags"] & 128
    changes = {k: body[k] for k in ("content", "embeds", "components") if k in body}
    message["flags"] &= ~128
    rest.chat.edit(i.channel, message, **changes)
    if loading:
        rest.lab.interactions.said(i, message, body, "deferred")
    else:
        rest.books.note("edited", platform="discord", bot=i.bot.id, channel=i.channel.id, id=message["id"], text=message["content"],
                        how="interaction")
    return message


def found(rest, app, token, message):
    i = rest.lab.interactions.alive(app, token)
    m = i.original if message == "@original" else i.messages.get(message)
    if m is None:
        raise error(10008)
    return i, m


@route("GET", "/webhooks/{app}/{token}/messages/{message}")
async def get_message(rest, request, bot, app, token, message):
    return answer(200, found(rest, app, token, message)[1])


@route("PATCH", "/webhooks/{app}/{token}/messages/{message}")
async def patch_message(rest, request, bot, app, token, message):
    i, m = found(rest, app, token, message)
    body = rest.read_json(request)
    rest.check_content(body, need=False)
    return answer(200, edit(rest, i, m, body))


@route("DELETE", "/webhooks/{app}/{token}/messages/{message}")
async def delete_message(rest, request, bot, app, token, message):
    i, m = found(rest, app, token, message)
    del i.messages[m["id"]]
    if m is i.original:
        i.original = None
    rest.chat.delete(i.channel, m)
    rest.books.note("deleted", platform="discord", bot=i.bot.id, channel=i.channel.id, id=m["id"])
    return answer(204)
