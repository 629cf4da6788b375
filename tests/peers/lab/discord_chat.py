"""What is said on the lab's Discord: messages made, changed and deleted, and the events that tell of it."""
import re

from discord_conn import DIRECT_MESSAGES, GUILD_MESSAGES, MESSAGE_CONTENT
from world import iso_discord

EPHEMERAL = 64          # a flag: only the user of the interaction sees it, and it is in no history
VEILED = ("content", "embeds", "attachments", "components")
HISTORY_MAX = 20000


class Chat:
    def __init__(self, lab):
        self.lab, self.world, self.gateway, self.books = lab, lab.world, lab.gateway, lab.books

    def mentions(self, channel, text):
        ids = dict.fromkeys(re.findall(r"<@!?(\d+)>", text))
        return [self.world.users[i] for i in ids if i in self.world.users]

    def make(self, channel, author, content, **more):
        """A message object in the channel's history. more: members of the object; extra ones as they are."""
        mentioned = self.mentions(channel, content)
        message = {"id": self.world.ids.next(), "channel_id": channel.id, "author": author.json(), "content": content,
                   "timestamp": iso_discord(),
                   "edited_timestamp": None, "tts": False, "mention_everyone": "@everyone" in content,
                   "mentions": [self.mention(channel, u) for u in mentioned], "mention_roles": re.findall(r"<@&(\d+)>", content),
                   "attachments": [], "embeds": [], "components": [], "pinned": False, "type": 0, "flags": 0}
        message.update({k: v for k, v in more.items() if v is not None})
        channel.messages[message["id"]] = message
        while len(channel.messages) > HISTORY_MAX:
            channel.messages.popitem(last=False)
        return message

    def mention(self, channel, user):
        out = user.json()
        if channel.guild and user.id in channel.guild.members:
            out["member"] = user.member()
        return out

    def event(self, channel, message, author):
        """The message as MESSAGE_CREATE and MESSAGE_UPDATE have it."""
        d = dict(message)
        if channel.guild:
            d["guild_id"] = channel.guild.id
            if author.id in channel.guild.members and "webhook_id" not in message:
                d["member"] = author.member()
        d["channel_type"] = channel.kind if channel.guild else 1
        return d

    def tell(self, t, channel, message, author=None):
        """The event to whoever is to have it; without MESSAGE_CONTENT what was said is veiled, but for what concerns the bot."""
        author = author or self.world.users.get(message["author"]["id"])
        d = self.event(channel, message, author) if author else dict(message)
        mentioned = {m["id"] for m in message["mentions"]}

        def veiled(session):
            me = session.bot.id
            if session.intents & MESSAGE_CONTENT or message["author"]["id"] == me or channel.guild is None or me in mentioned:
                return None
            return {**d, **{k: "" if k == "content" else [] for k in VEILED}}

        if message["flags"] & EPHEMERAL:        # comes as a direct message does, and to its own bot only
            less = {k: v for k, v in d.items() if k not in ("guild_id", "member")}
            return self.gateway.dispatch(t, less, DIRECT_MESSAGES, bot=self.world.bots[message["author"]["id"]], object_id=message["id"])
        if channel.guild is None:
            return self.gateway.dispatch(t, d, DIRECT_MESSAGES, bot=channel.bot, object_id=message["id"], filtered=veiled)
        return self.gateway.dispatch(t, d, GUILD_MESSAGES, channel.guild, object_id=message["id"], filtered=veiled)

    def say(self, channel, user, text, reply_to=None, **more):
        """A person speaks. Gives (message, sessions that were told)."""
        if channel.guild and user.id not in channel.guild.members:
            channel.guild.members[user.id] = user
        if reply_to:
            more.update(self.reply(channel, reply_to))
        message = self.make(channel, user, text, **more)
        n = self.tell("MESSAGE_CREATE", channel, message, user)
        self.books.note("chat", platform="discord", channel=channel.id, name=channel.name, user=user.name, id=message["id"],
                        text=text[:2000], told=n)
        return message, n

    def reply(self, channel, message_id):
        reference = {"type": 0, "channel_id": channel.id, "message_id": message_id}
        if channel.guild:
            reference["guild_id"] = channel.guild.id
        return {"type": 19, "message_reference": reference, "referenced_message": channel.messages.get(message_id)}

    def edit(self, channel, message, **changes):
        message.update(changes, edited_timestamp=iso_discord())
        return self.tell("MESSAGE_UPDATE", channel, message)

    def delete(self, channel, message):
        channel.messages.pop(message["id"], None)
        d = {"id": message["id"], "channel_id": channel.id}
        if channel.guild and not message["flags"] & EPHEMERAL:
            return self.gateway.dispatch("MESSAGE_DELETE", {**d, "guild_id": channel.guild.id}, GUILD_MESSAGES, channel.guild, None,
                                         message["id"])
        bot = channel.bot if channel.guild is None else self.world.bots[message["author"]["id"]]
        return self.gateway.dispatch("MESSAGE_DELETE", d, DIRECT_MESSAGES, bot=bot, object_id=message["id"])

    def again(self, channel, message):
        """The same MESSAGE_CREATE once more, with a new s: a duplicate."""
        return self.tell("MESSAGE_CREATE", channel, message)

