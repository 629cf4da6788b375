"""Numbers of the platforms' rules. Defaults are the platforms' own where they are known; a test makes them small (-o NAME=VALUE,
POST /lab/config).

Where the platforms do not publish a number, the comment says that the default is a guess.
"""

DEFAULTS = {
    # Discord
    "discord.heartbeat_interval_ms": 41250,     # what live clients report; not documented
    "discord.heartbeat_slack_ms": 5000,         # how late a heartbeat may be before the lab closes with 4009: a guess
    "discord.heartbeat_enforce": True,
    "discord.op7_close_s": 5.0,                 # after Reconnect the platform closes by itself "after a few seconds"
    "discord.identify_interval_s": 5.0,
    "discord.identify_total": 1000,
    "discord.identify_period_s": 86400.0,
    "discord.max_concurrency": 1,
    "discord.shards": 1,                        # what /gateway/bot recommends
    "discord.sharding_required": False,         # an Identify without shard, or with num_shards 1: 4011
    "discord.session_life_s": 180.0,            # "a few minutes": a guess
    "discord.replay_max": 100000,               # dispatches a session keeps
    "discord.payload_max": 4096,
    "discord.send_limit": 120,
    "discord.send_window_s": 60.0,
    "discord.members_interval_s": 30.0,         # Request Guild Members for everybody of one guild
    "discord.nonce_window_s": 300.0,            # "within a few minutes": a guess
    "discord.interaction_first_s": 3.0,
    "discord.interaction_life_s": 900.0,
    "discord.global_limit": 50,                 # requests in a second, each bot
    "discord.bucket_limit": 5,                  # requests of one bucket in a window; the real numbers vary and are not published
    "discord.bucket_window_s": 5.0,
    "discord.invalid_limit": 10000,             # 401, 403, 429 within ten minutes from one address, then Cloudflare
    "discord.invalid_window_s": 600.0,
    "discord.user_agent_required": True,
    # Twitch EventSub
    "twitch.keepalive_s": 0.0,                  # 0: as the client asks for (10 to 600, default 10)
    "twitch.first_subscription_s": 10.0,
    "twitch.reconnect_grace_s": 30.0,
    "twitch.ping_s": 5.0,                       # between pings of the server (the mock server's number)
    "twitch.pong_s": 10.0,                      # a ping without its pong for so long: 4002
    "twitch.session_id_moves": True,            # a reconnected socket has a new session id (the mock does so; the platform does not say)
    "twitch.punish_ping": True,                 # a client's ping counts as inbound traffic (the platform does not say)
    "twitch.connections_max": 3,
    "twitch.subscriptions_max": 300,
    "twitch.same_max": 3,
    "twitch.cost_max": 10,
    "twitch.app_cost_max": 10000,
    "twitch.conduits_max": 5,
    "twitch.conduit_shards_max": 20000,
    "twitch.disabled_listed_s": 60.0,           # how long a subscription of a lost socket stays listed
    "twitch.webhook_tries": 5,
    "twitch.webhook_retry_s": 2.0,              # doubled each time: a guess
    "twitch.webhook_answer_s": 10.0,
    "twitch.webhook_failures_max": 10,          # notifications given up in a row before the subscription is revoked: a guess
    "twitch.webhook_plain": True,               # http:// to loopback is allowed, as the platform does not
    # Helix and OAuth
    "twitch.helix_limit": 800,
    "twitch.helix_window_s": 60.0,
    "twitch.chat_limit": 20,
    "twitch.chat_mod_limit": 100,
    "twitch.chat_window_s": 30.0,
    "twitch.chat_channel_s": 1.0,               # between messages of a plain account in one channel; 0: no such rule
    "twitch.duplicate_s": 30.0,
    "twitch.echo": True,                        # what a bot says comes back as an event
    "twitch.user_token_s": 14124.0,
    "twitch.app_token_s": 5184000.0,
    "twitch.refresh_once": True,                # a refresh token is good for one refresh
    "twitch.validate_s": 3600.0,                # a user's token is to be validated so often (a tenth is forgiven)
    "twitch.announce_s": 2.0,                   # between announcements in one channel
    # What the lab itself does
    "lab.slack_s": 0.25,                        # how much too early by the lab's clock is no violation: networks are not even
    "lab.unauthorized_max": 10,                 # requests with a token after 401, with a webhook after 404, that are no violation: a guess
    "lab.accept_delay_s": 0.0,
    "lab.tls_delay_s": 0.0,
}


class Settings:
    def __init__(self):
        self.values = dict(DEFAULTS)
        self.keep()

    def keep(self):
        """What restore goes back to."""
        self.kept = dict(self.values)

    def restore(self):
        self.values = dict(self.kept)

    def __getitem__(self, name):
        return self.values[name]

    def set(self, name, value):
        """Takes text, too. ValueError says what is wrong."""
        if name not in DEFAULTS:
            raise ValueError(f"no setting {name}; there are: {' '.join(sorted(DEFAULTS))}")
        kind = type(DEFAULTS[name])
        if kind is bool:
            if isinstance(value, str):
                if value.lower() not in ("true", "false", "1", "0", "yes", "no"):
                    raise ValueError(f"{name}: true or false")
                value = value.lower() in ("true", "1", "yes")
            value = bool(value)
        else:
            try:
                value = kind(float(value))
            except (ValueError, OverflowError, TypeError):
                raise ValueError(f"{name}: {value!r} is no number") from None
            if value < 0:
                raise ValueError(f"{name}: not below 0")
        self.values[name] = value
