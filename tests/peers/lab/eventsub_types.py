"""Subscription types: what their condition names and whose consent they need.

TYPES[type, version] = (needed members of the condition, optional ones, who must have consented, scopes of which one is enough).
who: None (nobody), or the member of the condition that names the user. CHAT types have a rule of their own (helix_subscriptions.allowed).
"""

CHAT = {"channel.chat.message", "channel.chat.notification", "channel.chat.clear", "channel.chat.clear_user_messages",
        "channel.chat.message_delete", "channel.chat_settings.update", "channel.chat.user_message_hold", "channel.chat.user_message_update"}
B, M, U = "broadcaster_user_id", "moderator_user_id", "user_id"
TYPES = {(t, "1"): ((B, U), (), U, ("user:read:chat",)) for t in CHAT}
TYPES.update({
    ("channel.follow", "2"): ((B, M), (), M, ("moderator:read:followers",)),
    ("channel.subscribe", "1"): ((B,), (), B, ("channel:read:subscriptions",)),
    ("channel.subscription.end", "1"): ((B,), (), B, ("channel:read:subscriptions",)),
    ("channel.subscription.gift", "1"): ((B,), (), B, ("channel:read:subscriptions",)),
    ("channel.subscription.message", "1"): ((B,), (), B, ("channel:read:subscriptions",)),
    ("channel.cheer", "1"): ((B,), (), B, ("bits:read",)),
    ("channel.bits.use", "1"): ((B,), (), B, ("bits:read",)),
    ("channel.raid", "1"): ((), ("from_broadcaster_user_id", "to_broadcaster_user_id"), None, ()),
    ("stream.online", "1"): ((B,), (), None, ()),
    ("stream.offline", "1"): ((B,), (), None, ()),
    ("channel.update", "2"): ((B,), (), None, ()),
    ("channel.ban", "1"): ((B,), (), B, ("channel:moderate",)),
    ("channel.unban", "1"): ((B,), (), B, ("channel:moderate",)),
    ("channel.moderate", "2"): ((B, M), (), M, ("moderator:manage:banned_users", "moderator:read:banned_users")),
    ("channel.channel_points_custom_reward_redemption.add", "1"): ((B,), ("reward_id",), B,
                                                                   ("channel:read:redemptions", "channel:manage:redemptions")),
    ("channel.shared_chat.begin", "1"): ((B,), (), None, ()),
    ("channel.shared_chat.update", "1"): ((B,), (), None, ()),
    ("channel.shared_chat.end", "1"): ((B,), (), None, ()),
    ("automod.message.hold", "2"): ((B, M), (), M, ("moderator:manage:automod",)),
    ("user.whisper.message", "1"): ((U,), (), U, ("user:read:whispers", "user:manage:whispers")),
    ("user.authorization.grant", "1"): (("client_id",), (), "app", ()),
    ("user.authorization.revoke", "1"): (("client_id",), (), "app", ()),
    ("conduit.shard.disabled", "1"): (("client_id",), ("conduit_id",), "app", ()),
})
REMOVED = {("channel.follow", "1"), ("channel.update", "1")}


def matches(type, condition, event):
    """Does a subscription of that type and condition get this event?"""
    if type == "channel.raid":
        return all(not v or event.get(k) == v for k, v in condition.items())
    for key, value in condition.items():
        if key == M or (key == U and type in CHAT) or not value:
            continue                    # who reads, not what is read
        have = event.get("reward", {}).get("id") if key == "reward_id" else event.get(key)
        if have != value:
            return False
    return True
