"""The control API under /lab: what tests and `penstock lab` ask of the lab. README.md lists the calls; each is a function in
control_discord.py, control_twitch.py or control_lab.py, which are imported for that (lab.py).

A body is JSON, an answer is JSON; what is wrong with a question is said in {"error"} with status 400 or 404.
"""
import asyncio
import json

from httpserver import HttpError, answer

ROUTES = {}


def call(method, path):
    def add(f):
        ROUTES[method, path] = f
        return f
    return add


def bad(why, status=400):
    return HttpError(status, {"error": why})


class Control:
    def __init__(self, lab):
        self.lab, self.world, self.books = lab, lab.world, lab.books

    async def serve(self, request):
        f = ROUTES.get((request.method, request.path.rstrip("/")))
        if f is None:
            there = ", ".join(f"{m} {p}" for m, p in sorted(ROUTES))
            return answer(404, {"error": f"no call {request.method} {request.path}; there are: {there}"})
        try:
            body = {}
            if request.body and request.path.rstrip("/") != "/lab/fault":
                body = json.loads(request.body)
                if not isinstance(body, dict):
                    raise bad("the body is no object")
            result = f(self, request, {**request.query, **body})
            if asyncio.iscoroutine(result):
                result = await result
            return result if hasattr(result, "status") else answer(200, result)
        except HttpError as e:
            return e.response
        except (KeyError, ValueError, TypeError) as e:
            return answer(400, {"error": f"{type(e).__name__}: {e}"})

    # Finding things

    def bot(self, word=None):
        if word is None:
            return next(iter(self.world.bots.values()))
        for b in self.world.bots.values():
            if word in (b.id, b.user.name):
                return b
        raise bad(f"no bot {word}", 404)

    def guild(self, word=None):
        if word is None:
            return next(iter(self.world.guilds.values()))
        for g in self.world.guilds.values():
            if word in (g.id, g.name):
                return g
        raise bad(f"no guild {word}", 404)

    def channel(self, word):
        """("discord", channel) or ("twitch", broadcaster), by id, by name, or by discord:NAME and twitch:NAME."""
        platform, colon, name = str(word).partition(":")
        if not colon:
            platform, name = None, str(word)
        if platform in (None, "discord"):
            if name in self.world.channels:
                return "discord", self.world.channels[name]
            for c in self.world.channels.values():
                if c.guild and c.name == name.lstrip("#"):
                    return "discord", c
        if platform in (None, "twitch"):
            user = self.world.tw_user("", id=name, make=False) or self.world.tw_user(name.lstrip("#"), make=False)
            if user:
                return "twitch", user
        raise bad(f"no channel {word}; there are, for example, discord:general and twitch:lab (penstock lab world has all)", 404)

    def client(self, word=None):
        if word is None:
            return next(iter(self.world.tw_clients.values()))
        if word not in self.world.tw_clients:
            raise bad(f"no client {word}", 404)
        return self.world.tw_clients[word]

    def twitch_user(self, word):
        user = self.world.tw_user("", id=str(word), make=False) or self.world.tw_user(str(word), make=False)
        if user is None:
            raise bad(f"no Twitch user {word}", 404)
        return user
