"""Account files of penstock for the lab's bots: DIR/default/{lab-discord,lab-twitch}.conf, with their secrets beside them."""
import json
import os

TENANT = "default"


def put(path, text, mode=0o644):
    """The file whole, or the old one."""
    tmp = path + ".new"
    with os.fdopen(os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(text)
    os.chmod(tmp, mode)
    os.replace(tmp, path)


FILES = ("lab-discord.conf", "lab-discord.token", "lab-twitch.conf", "lab-twitch.secret", "lab-twitch.token", "lab-twitch.subs")


def remove(folder, tenant=TENANT):
    for name in FILES:
        try:
            os.unlink(os.path.join(folder, tenant, name))
        except FileNotFoundError:
            pass


def write(lab, folder, tenant=TENANT):
    d = os.path.join(folder, tenant)
    os.makedirs(d, exist_ok=True)
    bot = next(iter(lab.world.bots.values()))
    put(os.path.join(d, "lab-discord.token"), bot.token + "\n", 0o600)
    import ed25519
    put(os.path.join(d, "lab-discord.conf"), f"""# The bot of the lab's Discord, written by the lab at each start.
platform = discord
token-file = lab-discord.token
application-id = {bot.id}
public-key = {ed25519.public_key(bot.secret).hex()}
api = {lab.http_url('/api/v10')}
""")
    client = next(iter(lab.world.tw_clients.values()))
    user = lab.world.tw_users["99"]
    # Each set of files has tokens of its own: a refresh token is good once.
    token = lab.world.tw_grant(client, user, user.grants[client.id], lab.settings["twitch.user_token_s"])
    put(os.path.join(d, "lab-twitch.secret"), client.secret + "\n", 0o600)
    put(os.path.join(d, "lab-twitch.token"), json.dumps({"access_token": token.access, "refresh_token": token.refresh,
                                                         "expires_in": token.seconds_left,
                                                     "scope": sorted(token.scopes), "token_type": "bearer"}) + "\n", 0o600)
    put(os.path.join(d, "lab-twitch.subs"), f"channel.chat.message 1 broadcaster_user_id=42 user_id={user.id}\n"
                                        f"channel.follow 2 broadcaster_user_id=42 moderator_user_id={user.id}\n")
    put(os.path.join(d, "lab-twitch.conf"), f"""# The bot of the lab's Twitch, written by the lab at each start.
platform = twitch
client-id = {client.id}
client-secret-file = lab-twitch.secret
token-file = lab-twitch.token
user = {user.id}
transport = websocket
subscriptions = lab-twitch.subs
helix = {lab.http_url('/helix')}
oauth = {lab.http_url('/oauth2')}
eventsub = {lab.ws_url('/ws')}
""")
