"""Helix: who may ask, how often, and the calls that a chat bot makes. Subscriptions are in helix_subscriptions.py, conduits in
conduits.py."""
import time
import traceback
import uuid

import limits
from httpserver import REASONS, HttpError, answer

ROUTES = []


def route(method, path):
    def add(f):
        ROUTES.append((method, path, f))
        return f
    return add


def failed(status, message, **more):
    return HttpError(status, {"error": REASONS[status], "status": status, "message": message, **more})


class Helix:
    def __init__(self, lab):
        self.lab, self.set, self.books, self.world = lab, lab.settings, lab.books, lab.world
        self.windows, self.chats, self.channel_last, self.said = {}, {}, {}, {}
        self.told, self.dead = limits.Told(self.set), limits.Dead(self.set)
        self.announced = {}             # (channel, sender) -> when last
        self.drops = []                 # drop_reason codes to answer next (a fault)

    async def serve(self, request):
        path = request.path[len("/helix"):]
        found = [f for method, p, f in ROUTES if p == path and method == request.method]
        headers, window = [], None
        try:
            token = self.token_of(request)
            key = (token.client.id, token.user.id if token.user else None)
            window = self.windows.setdefault(key, limits.Window(0, self.set["twitch.helix_window_s"]))
            window.limit = self.set["twitch.helix_limit"]
            early = self.told.early(key)
            if early:
                self.books.violation("ratelimit-ignored", platform="twitch", path=request.path, early_by=early)
            if not window.take():
                self.told.tell(key, window.reset_after)
                self.books.note("ratelimit", platform="twitch", path=request.path, wait=round(window.reset_after, 3))
                raise failed(429, "Too Many Requests")
            if not found:
                raise failed(404, "Not Found")
            response = await found[0](self, request, token)
        except HttpError as e:
            response = e.response
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            traceback.print_exc()
            response = failed(400, "malformed request").response
        if window is not None:
            headers = [("Ratelimit-Limit", window.limit), ("Ratelimit-Remaining", window.left),
                       ("Ratelimit-Reset", int(time.time() + window.reset_after + 0.999))]
        response.headers += headers
        return response

    def token_of(self, request):
        auth, client_id = request.header("authorization", ""), request.header("client-id")
        if not auth.startswith("Bearer "):
            if auth:
                self.books.violation("auth-scheme", platform="twitch", path=request.path, why="Helix wants Authorization: Bearer")
            raise failed(401, "OAuth token is missing")
        token = self.world.tw_tokens.get(auth[7:])
        if token is None or not token.good:
            self.books.note("unauthorized", platform="twitch", path=request.path, known=token is not None)
            if self.dead.refused(auth):
                self.books.violation("unauthorized-ignored", platform="twitch", path=request.path)
            raise failed(401, "Invalid OAuth token")
        if client_id != token.client.id:
            self.books.violation("client-id", platform="twitch", path=request.path, client_id=client_id)
            raise failed(401, "Client ID and OAuth token do not match" if client_id else "Client ID is missing")
        age, limit = time.monotonic() - token.validated, self.set["twitch.validate_s"]
        if token.user and age > limit * 1.1:
            self.books.violation("validate-missed", platform="twitch", path=request.path, user=token.user.id, seconds=round(age))
            token.validated = time.monotonic()      # once an hour is enough of that, too
        return token

    def body(self, request):
        if not request.header("content-type", "").startswith("application/json"):
            self.books.violation("content-type", platform="twitch", path=request.path, got=request.header("content-type"))
            raise failed(400, "the body is not application/json")
        try:
            body = request.json()
        except ValueError:
            raise failed(400, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise failed(400, "the body is no object")
        return body


def user_json(u):
    return {"id": u.id, "login": u.login, "display_name": u.name, "type": "", "broadcaster_type": "", "description": "",
            "profile_image_url": "",
            "offline_image_url": "", "view_count": 0, "created_at": "2020-01-01T00:00:00Z"}


@route("GET", "/users")
async def users(helix, request, token):
    found = []
    for key, value in request.pairs:
        user = None
        if key in ("id", "login"):
            user = helix.world.tw_user(value, id=value if key == "id" else None, make=False)
        if user and user not in found:
            found.append(user)
    if not any(k in ("id", "login") for k, _ in request.pairs):
        if token.user is None:
            raise failed(400, "The ID and login query parameters are both missing")
        found = [token.user]
    return answer(200, {"data": [user_json(u) for u in found]})


@route("GET", "/channels")
async def channels(helix, request, token):
    ids = [v for k, v in request.pairs if k == "broadcaster_id"]
    return answer(200, {"data": [{"broadcaster_id": u.id, "broadcaster_login": u.login, "broadcaster_name": u.name,
                                  "broadcaster_language": "en",
                                  "game_id": "1", "game_name": "Science", "title": "lab", "delay": 0, "tags": [],
                                  "content_classification_labels": [], "is_branded_content": False}
                                 for u in map(helix.world.tw_users.get, ids) if u]})


def chat_allowed(helix, token, broadcaster, sender, scope="user:write:chat"):
    """Who may write: the user of the token, or for an app token a bot that both sides let in."""
    if token.user is not None:
        if token.user is not sender:
            raise failed(401, "The ID in sender_id must match the user ID in the user access token")
        if scope not in token.scopes:
            raise failed(401, f"Missing scope: {scope}")
    else:
        grants = sender.grants.get(token.client.id, set())
        host = "channel:bot" in broadcaster.grants.get(token.client.id, set())
        host = host or sender.id in broadcaster.moderators or sender is broadcaster
        if not ({scope, "user:bot"} <= grants and host):
            raise failed(401, "The sender or the broadcaster has not authorized this app")
    if sender.id in broadcaster.banned:
        raise failed(403, "The sender is not permitted to send chat messages to the broadcaster's chat room")


@route("POST", "/chat/messages")
async def send_chat(helix, request, token):
    # The reference has the ids in the body; twurple sends them in the query, and the platform takes them there, too.
    body = {**request.query, **helix.body(request)}
    for field in ("broadcaster_id", "sender_id", "message"):
        if not isinstance(body.get(field), str) or not body[field]:
            raise failed(400, f"Missing required parameter {field}")
    broadcaster, sender = (helix.world.tw_users.get(body[k]) for k in ("broadcaster_id", "sender_id"))
    if broadcaster is None or sender is None:
        raise failed(400, "no such user")
    if "for_source_only" in body and token.user is not None:
        helix.books.violation("for-source-only", platform="twitch", why="for_source_only wants an app token")
        raise failed(400, "for_source_only can only be set with an app access token")
    text = body["message"]
    if len(text) > 500:
        helix.books.violation("message-too-long", platform="twitch", length=len(text))
        raise failed(422, "The message is too large")
    chat_allowed(helix, token, broadcaster, sender)
    privileged = sender is broadcaster or sender.id in broadcaster.moderators
    chat_limits(helix, request, broadcaster, sender, privileged)
    code = helix.drops.pop(0) if helix.drops else None
    last = helix.said.get((broadcaster.id, sender.id, text))
    if code is None and not privileged and last is not None and time.monotonic() - last < helix.set["twitch.duplicate_s"]:
        code = "msg_duplicate"
    if code:
        helix.books.note("dropped", platform="twitch", channel=broadcaster.id, user=sender.login, text=text, code=code)
        return answer(200, {"data": [{"message_id": "", "is_sent": False,
                                      "drop_reason": {"code": code, "message": f"Your message was not sent ({code})."}}]})
    helix.said[broadcaster.id, sender.id, text] = time.monotonic()
    id = str(uuid.uuid4())
    reply = body.get("reply_parent_message_id")
    helix.books.note("said", platform="twitch", channel=broadcaster.id, name=broadcaster.login, bot=sender.id, user=sender.name,
                     id=id, text=text,
                     reply_to=reply, how="message", app_token=token.user is None, for_source_only=body.get("for_source_only"))
    helix.lab.twitch_chat.say(broadcaster, sender, text, reply, id, told=helix.set["twitch.echo"], by_bot=True)
    return answer(200, {"data": [{"message_id": id, "is_sent": True, "drop_reason": None}]})


def chat_limits(helix, request, broadcaster, sender, privileged):
    """Limits of chat itself: a 429 although points are left."""
    key = (sender.id, privileged)
    window = helix.chats.setdefault(key, limits.Window(0, helix.set["twitch.chat_window_s"]))
    window.limit = helix.set["twitch.chat_mod_limit" if privileged else "twitch.chat_limit"]
    pause, last = helix.set["twitch.chat_channel_s"], helix.channel_last.get((broadcaster.id, sender.id), -1e9)
    soon = not privileged and time.monotonic() - last < pause - min(helix.set["lab.slack_s"], pause / 4)
    if soon or not window.take():
        helix.books.note("ratelimit", platform="twitch", path=request.path, scope="chat", user=sender.id, channel=broadcaster.id,
                         wait=round(pause if soon else window.reset_after, 3))
        raise failed(429, "You are sending messages too quickly")
    helix.channel_last[broadcaster.id, sender.id] = time.monotonic()


@route("POST", "/chat/announcements")
async def announce(helix, request, token):
    body = helix.body(request)
    broadcaster, sender = (helix.world.tw_users.get(request.query.get(k)) for k in ("broadcaster_id", "moderator_id"))
    if broadcaster is None or sender is None or not isinstance(body.get("message"), str):
        raise failed(400, "bad request")
    chat_allowed(helix, token, broadcaster, sender, "moderator:manage:announcements")
    now, pause = time.monotonic(), helix.set["twitch.announce_s"]
    if now - helix.announced.get((broadcaster.id, sender.id), -1e9) < pause - min(helix.set["lab.slack_s"], pause / 4):
        helix.books.note("ratelimit", platform="twitch", path=request.path, scope="announcements", user=sender.id, channel=broadcaster.id)
        raise failed(429, "You are sending announcements too quickly")
    helix.announced[broadcaster.id, sender.id] = now
    helix.books.note("said", platform="twitch", channel=broadcaster.id, name=broadcaster.login, bot=sender.id, user=sender.name, id=None,
                     text=body["message"], reply_to=None, how="announcement")
    return answer(204)


@route("DELETE", "/moderation/chat")
async def delete_chat(helix, request, token):
    broadcaster = helix.world.tw_users.get(request.query.get("broadcaster_id"))
    message = request.query.get("message_id")
    if broadcaster is None:
        raise failed(400, "no such broadcaster")
    if token.user is None or "moderator:manage:chat_messages" not in token.scopes:
        raise failed(401, "Missing scope: moderator:manage:chat_messages")
    if message and message not in helix.lab.twitch_chat.messages:
        raise failed(404, "The ID in message_id was not found")
    helix.books.note("deleted", platform="twitch", channel=broadcaster.id, id=message)
    if message:
        by = helix.lab.twitch_chat.messages.pop(message)["user"]
        helix.lab.eventsub.fire("channel.chat.message_delete", {**broadcaster.triple("broadcaster"), **by.triple("target"),
                                                                "message_id": message})
    return answer(204)
