"""What is said on the lab's Twitch: chat messages as events, and other events of a channel, ready made."""
import re
import time
import uuid

from world import iso_twitch

HISTORY_MAX = 20000


class TwitchChat:
    def __init__(self, lab):
        self.lab, self.world, self.books = lab, lab.world, lab.books
        self.messages = {}              # chat message id -> {channel, user, text}

    def fragments(self, text):
        """Text, and mentions of users there are."""
        out = []
        for part in re.split(r"(@\w+)", text):
            if not part:
                continue
            user = self.world.tw_user(part[1:], make=False) if part[0] == "@" else None
            mention = {"user_id": user.id, "user_name": user.name, "user_login": user.login} if user else None
            out.append({"type": "mention" if user else "text", "text": part, "cheermote": None, "emote": None, "mention": mention})
        return out or [{"type": "text", "text": text, "cheermote": None, "emote": None, "mention": None}]

    def badges(self, broadcaster, user):
        out = [{"set_id": s, "id": i, "info": ""} for s, i in user.badges.items()]
        if user is broadcaster:
            out.insert(0, {"set_id": "broadcaster", "id": "1", "info": ""})
        elif user.id in broadcaster.moderators:
            out.insert(0, {"set_id": "moderator", "id": "1", "info": ""})
        return out

    def build(self, broadcaster, user, text, reply_to, id, **more):
        """The event of a chat message."""
        parent = self.messages.get(reply_to)
        event = {**broadcaster.triple("broadcaster"), **user.triple("chatter"), "message_id": id,
                 "message": {"text": text, "fragments": self.fragments(text)}, "message_type": "text",
                 "badges": self.badges(broadcaster, user),
                 "color": user.color, "cheer": None, "reply": None, "channel_points_custom_reward_id": None,
                 "channel_points_animation_id": None,
                 "source_broadcaster_user_id": None, "source_broadcaster_user_login": None, "source_broadcaster_user_name": None,
                 "source_message_id": None, "source_badges": None, "is_source_only": None, **more}
        if parent:
            by = parent["user"]
            event["reply"] = {"parent_message_id": reply_to, "parent_message_body": parent["text"], **by.triple("parent"),
                              "thread_message_id": reply_to, **by.triple("thread")}
        return event

    def say(self, broadcaster, user, text, reply_to=None, id=None, told=True, by_bot=False, **more):
        """(chat message id, what came of it for each subscription)."""
        id = id or str(uuid.uuid4())
        event = self.build(broadcaster, user, text, reply_to, id, **more)
        self.messages[id] = {"channel": broadcaster, "user": user, "text": text}
        while len(self.messages) > HISTORY_MAX:
            del self.messages[next(iter(self.messages))]
        out = self.lab.eventsub.fire("channel.chat.message", event, id) if told else []
        self.books.note("chat", platform="twitch", channel=broadcaster.id, name=broadcaster.login, user=user.name, id=id,
                        text=text[:2000], by_bot=not told or by_bot,
                        told=len(out), message_ids=[o["message_id"] for o in out][:20])
        return id, out

    def event(self, type, broadcaster, user, **more):
        """An event of the type with believable members; more overrides."""
        b, u = broadcaster.triple("broadcaster"), {f"user_{k}": v for k, v in (("id", user.id), ("login", user.login), ("name", user.name))}
        now = iso_twitch()
        base = {
            "channel.follow": {**u, **b, "followed_at": now},
            "channel.subscribe": {**u, **b, "tier": "1000", "is_gift": False},
            "channel.subscription.end": {**u, **b, "tier": "1000", "is_gift": False},
            "channel.subscription.gift": {**u, **b, "total": 1, "tier": "1000", "cumulative_total": None, "is_anonymous": False},
            "channel.subscription.message": {**u, **b, "tier": "1000", "message": {"text": "hello again", "emotes": None},
                                             "cumulative_months": 3, "streak_months": None, "duration_months": 1},
            "channel.cheer": {"is_anonymous": False, **u, **b, "message": "cheer100", "bits": 100},
            "channel.raid": {**user.triple("from_broadcaster"), **broadcaster.triple("to_broadcaster"), "viewers": 12},
            "stream.online": {"id": str(int(time.time())), **b, "type": "live", "started_at": now},
            "stream.offline": b,
            "channel.update": {**b, "title": "lab", "language": "en", "category_id": "1", "category_name": "Science",
                               "content_classification_labels": []},
            "channel.ban": {**u, **b, **broadcaster.triple("moderator"), "reason": "", "banned_at": now, "ends_at": None,
                            "is_permanent": True},
            "channel.chat.message_delete": {**b, **user.triple("target"), "message_id": str(uuid.uuid4())},
            "channel.chat.clear_user_messages": {**b, **user.triple("target")},
            "channel.chat.clear": b,
            "user.authorization.revoke": {"client_id": "", "user_id": user.id, "user_login": user.login, "user_name": user.name},
        }.get(type, {**u, **b})
        return {**base, **more}
