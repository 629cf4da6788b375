"""Faults of the lab as a whole: its door, and its tokens."""
import asyncio

from deeds import Deeds

DEEDS = deed = Deeds()


def servers(lab):
    return [s for s in (lab.server, lab.tls_server) if s]


@deed("refuse", float)
def refuse(lab, f):
    """refuse SECONDS: new connections are reset so long (the control API's, too)."""
    async def run():
        for s in servers(lab):
            s.refuse = True
        await asyncio.sleep(f.number(0, 1))
        for s in servers(lab):
            s.refuse = False
    lab.spawn(run())


@deed("slow-accept", float)
def slow_accept(lab, f):
    """slow-accept SECONDS: before each connection is accepted, from now on."""
    for s in servers(lab):
        s.accept_delay = f.number(0, 1)


@deed("slow-tls", float)
def slow_tls(lab, f):
    """slow-tls SECONDS: before the lab answers a TLS handshake, from now on."""
    for s in servers(lab):
        s.tls_delay = f.number(0, 1)


@deed("expire-tokens", kind=("user", "app"), refresh=("true", "false"))
def expire_tokens(lab, f):
    """Every Twitch token ends; kind=user or kind=app only those; refresh=true: the refresh tokens, too."""
    for t in lab.world.tw_tokens.values():
        if f.word("kind") in (None, "user" if t.user else "app"):
            t.ends = 0
            if f.word("refresh") == "true" and t.refresh:
                lab.world.tw_refresh.pop(t.refresh, None)
    lab.books.note("tokens-expired", platform="twitch")


@deed("reset-bot-token")
def reset_bot_token(lab, f):
    """Discord's first bot has another token: its sessions end with 4004."""
    lab.gateway.reset_token(next(iter(lab.world.bots.values())))
