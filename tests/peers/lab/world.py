"""Who and what there is: Discord's bots, guilds, channels and users; Twitch's users, client ids, tokens and grants. No rule lives here.

A lab starts with a small world (Lab.furnish): see README.md. Ids of Discord are snowflakes, those of Twitch are decimal numbers;
all are text.
"""
import base64
import collections
import datetime
import hashlib
import time
import uuid

DISCORD_EPOCH_MS = 1420070400000


class Ids:
    """Snowflakes that rise strictly, also within a millisecond."""

    def __init__(self):
        self.last = 0

    def next(self):
        n = (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22
        self.last = max(n, self.last + 1)
        return str(self.last)


def iso_discord(t=None):
    d = datetime.datetime.fromtimestamp(time.time() if t is None else t, datetime.timezone.utc)
    return d.strftime("%Y-%m-%dT%H:%M:%S.%f") + "+00:00"


def iso_twitch(ns=None):
    """Nine digits, as Twitch writes them."""
    ns = time.time_ns() if ns is None else ns
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % (ns % 10**9)


class DiscordUser:
    def __init__(self, id, name, bot=False, nick=None, roles=()):
        self.id, self.name, self.bot, self.nick, self.roles = id, name, bot, nick, list(roles)

    def json(self):
        u = {"id": self.id, "username": self.name.lower(), "global_name": self.name, "discriminator": "0", "avatar": None,
             "public_flags": 0}
        if self.bot:
            u.update(bot=True, discriminator="0001", global_name=None, username=self.name)
        return u

    def member(self):
        return {"nick": self.nick, "roles": self.roles, "joined_at": "2024-01-01T00:00:00.000000+00:00", "deaf": False, "mute": False,
                "flags": 0, "pending": False, "avatar": None, "premium_since": None}


class DiscordChannel:
    """guild None: a direct message channel with recipient. deny: a code of Discord's errors that every message here is answered with."""

    def __init__(self, id, name, guild=None, recipient=None, kind=0):
        self.id, self.name, self.guild, self.recipient, self.kind = id, name, guild, recipient, kind
        self.messages = collections.OrderedDict()
        self.deny = None

    def json(self):
        if self.guild is None:
            return {"id": self.id, "type": 1, "last_message_id": None, "recipients": [self.recipient.json()], "flags": 0}
        return {"id": self.id, "type": self.kind, "guild_id": self.guild.id, "name": self.name, "position": 0, "parent_id": None,
                "topic": None,
                "nsfw": False, "rate_limit_per_user": 0, "permission_overwrites": [], "flags": 0,
                "last_message_id": next(reversed(self.messages), None)}


class Guild:
    def __init__(self, id, name, owner):
        self.id, self.name, self.owner = id, name, owner
        self.channels, self.members = {}, {}
        self.roles = {id: "@everyone"}

    def shard(self, shards):
        return (int(self.id) >> 22) % shards

    def json(self, bot):
        """As GUILD_CREATE has it, without the intents for members and presences."""
        return {"id": self.id, "name": self.name, "owner_id": self.owner, "unavailable": False, "large": False, "icon": None,
                "member_count": len(self.members), "joined_at": "2024-01-01T00:00:00.000000+00:00",
                "roles": [{"id": i, "name": n, "permissions": "1071698660929", "position": 0, "color": 0, "hoist": False, "managed": False,
                           "mentionable": False, "flags": 0, "colors": {"primary_color": 0, "secondary_color": None,
                                                                        "tertiary_color": None}}
                          for i, n in self.roles.items()],
                "channels": [c.json() for c in self.channels.values()], "threads": [], "emojis": [], "stickers": [], "features": [],
                "members": [{**bot.user.member(), "user": bot.user.json()}], "presences": [], "voice_states": [], "stage_instances": [],
                "guild_scheduled_events": [], "soundboard_sounds": [], "default_message_notifications": 0, "explicit_content_filter": 0,
                "mfa_level": 0, "nsfw_level": 0, "preferred_locale": "en-US", "premium_tier": 0, "premium_progress_bar_enabled": False,
                "system_channel_id": None, "system_channel_flags": 0, "rules_channel_id": None, "verification_level": 0, "afk_timeout": 300,
                "afk_channel_id": None, "application_id": None, "vanity_url_code": None, "description": None, "banner": None,
                "splash": None,
                "public_updates_channel_id": None, "safety_alerts_channel_id": None}


class DiscordBot:
    """An application and its bot user, which have the same id here, as new ones have on the platform."""

    def __init__(self, id, name, token=None):
        self.id = id
        self.user = DiscordUser(id, name, bot=True)
        self.resets = 0
        self.token = token or self.make_token()
        self.guilds = {}
        self.privileged = 1 << 1 | 1 << 8 | 1 << 15     # intents switched on in the portal
        self.sessions = {}
        self.identified = collections.deque()           # times of Identify within the period
        self.last_identify = {}                         # by shard_id % max_concurrency
        self.endpoint = None                            # interactions over HTTP to this URL
        self.secret = hashlib.sha256(b"lab ed25519 " + id.encode()).digest()
        self.nonces = {}                                # (channel, nonce) -> (time, message)
        self.direct = {}                                # user id -> channel
        self.commands = []

    def make_token(self):
        head = base64.urlsafe_b64encode(self.id.encode()).decode().rstrip("=")
        tail = hashlib.sha256(f"lab token {self.id} {self.resets}".encode()).hexdigest()[:38]
        return f"{head}.Glabla.{tail}"

    def reset_token(self):
        self.resets += 1
        self.token = self.make_token()


class TwitchUser:
    def __init__(self, id, login, name=None):
        self.id, self.login, self.name = id, login.lower(), name or login
        self.grants = {}                # client id -> set of scopes this user has given it
        self.moderators, self.banned, self.badges = set(), set(), {}
        self.color = "#%06X" % (int(hashlib.sha256(login.encode()).hexdigest()[:6], 16))

    def triple(self, prefix):
        return {f"{prefix}_user_id": self.id, f"{prefix}_user_login": self.login, f"{prefix}_user_name": self.name}


class TwitchClient:
    def __init__(self, id, secret):
        self.id, self.secret = id, secret


class TwitchToken:
    """An access token. user None: an app token."""

    def __init__(self, client, user, scopes, seconds, refresh=None):
        self.access = uuid.uuid4().hex[:30]
        self.client, self.user, self.scopes, self.refresh = client, user, set(scopes), refresh
        self.validated = time.monotonic()
        self.ends = self.validated + seconds
        self.revoked = False

    @property
    def seconds_left(self):
        return max(0, int(self.ends - time.monotonic()))

    @property
    def good(self):
        return not self.revoked and time.monotonic() < self.ends


class World:
    def __init__(self):
        self.ids = Ids()
        self.bots, self.guilds, self.channels, self.users = {}, {}, {}, {}
        self.tw_users, self.tw_clients, self.tw_tokens, self.tw_refresh = {}, {}, {}, {}
        self.spent_refresh = {}
        self.next_twitch = 1000

    # Discord

    def bot_of_token(self, token):
        return next((b for b in self.bots.values() if b.token == token), None)

    def add_bot(self, name, id=None, token=None):
        bot = DiscordBot(id or self.ids.next(), name, token)
        self.bots[bot.id] = bot
        self.users[bot.id] = bot.user
        return bot

    def add_guild(self, name, id=None, shard=None, of=None):
        """An id that belongs to the shard asked for."""
        id = int(id or self.ids.next())
        if shard is not None:
            while (id >> 22) % of != shard or str(id) in self.guilds:
                id += 1 << 22
        guild = Guild(str(id), name, "1")
        self.guilds[guild.id] = guild
        return guild

    def add_channel(self, guild, name, id=None):
        channel = DiscordChannel(id or self.ids.next(), name, guild)
        guild.channels[channel.id] = channel
        self.channels[channel.id] = channel
        return channel

    def user(self, name, id=None, **more):
        """The user of that id or name; made when there is none."""
        if id and id in self.users:
            return self.users[id]
        found = next((u for u in self.users.values() if u.name.lower() == name.lower() and not u.bot), None) if not id else None
        if not found:
            found = DiscordUser(id or self.ids.next(), name, **more)
            self.users[found.id] = found
        return found

    def direct(self, bot, user):
        if user.id not in bot.direct:
            channel = DiscordChannel(self.ids.next(), user.name, None, user)
            bot.direct[user.id] = self.channels[channel.id] = channel
            channel.bot = bot
        return bot.direct[user.id]

    # Twitch

    def tw_user(self, login, id=None, make=True):
        """By id or by login; made when there is none and make says so, else None."""
        if id is not None:
            if id in self.tw_users or not make:
                return self.tw_users.get(id)
        else:
            found = next((u for u in self.tw_users.values() if u.login == login.lower()), None)
            if found or not make:
                return found
            while str(self.next_twitch) in self.tw_users:
                self.next_twitch += 1
            id = str(self.next_twitch)
        user = TwitchUser(id, login)
        self.tw_users[id] = user
        return user

    def tw_grant(self, client, user, scopes, seconds, refresh=True):
        """A user token with its refresh token, as if the user had just consented."""
        user.grants.setdefault(client.id, set()).update(scopes)
        return self.tw_token(client, user, scopes, seconds, refresh)

    def tw_token(self, client, user, scopes, seconds, refresh=True):
        token = TwitchToken(client, user, scopes, seconds)
        if refresh and user is not None:
            token.refresh = uuid.uuid4().hex + uuid.uuid4().hex[:18]
            self.tw_refresh[token.refresh] = (client, user, set(scopes))
        self.tw_tokens[token.access] = token
        return token
