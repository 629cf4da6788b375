#!/usr/bin/env python3
"""lab: a Discord and a Twitch on one port of this machine, for tests of chat bots. It enforces the platforms' rules and writes down who breaks them.

usage: lab.py [up] [-p PORT] [-d DIR] [-a DIR] [-F FD] [-o NAME=VALUE ...] [-t]

README.md beside this file tells of the paths, the control API and the rules. Python 3.9 or later, and nothing but its library.
"""
import argparse
import asyncio
import os
import signal
import sys

sys.dont_write_bytecode = True          # it runs from source trees and from folders that are not its own

import accounts                         # noqa: E402
import control
import discord_interactions             # its routes
import helix_subscriptions              # its routes
from books import Books
from conduits import Conduits
from control import Control
from discord_chat import Chat
from discord_gateway import Gateway
from discord_rest import Rest
from eventsub import EventSub
from eventsub_hooks import Hooks
from helix import Helix
from httpserver import Server, Upgrade, answer
from oauth import OAuth
from settings import Settings
from twitch_chat import TwitchChat
from world import TwitchClient, World

__all__ = ["control", "discord_interactions", "helix_subscriptions"]

BOT_SCOPES = ("user:read:chat", "user:write:chat", "user:bot", "moderator:read:followers")


class Lab:
    def __init__(self, settings, log=None):
        self.settings, self.books, self.world = settings, Books(log), World()
        self.conn_numbers, self.tasks, self.ca, self.trust = 0, set(), None, None
        self.stop = asyncio.Event()
        self.gateway = Gateway(self)
        self.chat = Chat(self)
        self.rest = Rest(self)
        self.interactions = discord_interactions.Interactions(self)
        self.eventsub = EventSub(self)
        self.twitch_chat = TwitchChat(self)
        self.hooks, self.conduits = Hooks(self), Conduits(self)
        self.helix, self.oauth, self.control = Helix(self), OAuth(self), Control(self)
        self.server, self.tls_server = Server(self.handle), None
        self.furnish()

    def spawn(self, coro):
        task = asyncio.get_running_loop().create_task(coro)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def http_url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def ws_url(self, path):
        return f"ws://127.0.0.1:{self.server.port}{path}"

    def https_url(self, path):
        return f"https://127.0.0.1:{self.tls_server.port}{path}" if self.tls_server else None

    def dead_url(self, path):
        """A URL of this machine where nobody listens."""
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return f"ws://127.0.0.1:{s.getsockname()[1]}{path}"

    def configured(self):
        """Settings have changed."""
        for s in filter(None, (self.server, self.tls_server)):
            s.accept_delay, s.tls_delay = self.settings["lab.accept_delay_s"], self.settings["lab.tls_delay_s"]

    def furnish(self):
        """The world that every lab starts with."""
        w = self.world
        guild = w.add_guild("lab", "1100000000000000001")
        for name, id in (("general", "1100000000000000011"), ("bots", "1100000000000000012")):
            w.add_channel(guild, name, id)
        bot = w.add_bot("penstock", "1100000000000000100")
        bot.guilds[guild.id] = guild
        guild.members[bot.id] = bot.user
        for name, id in (("ada", "1100000000000000021"), ("bob", "1100000000000000022")):
            user = w.user(name, id)
            guild.members[user.id] = user
        client = TwitchClient("labclient00000000000000000000", "labsecret00000000000000000000")
        w.tw_clients[client.id] = client
        for login, id in (("lab", "42"), ("penstock", "99"), ("ada", "7"), ("bob", "8")):
            w.tw_user(login, id)
        # The channel lets the bot in as an app, too, and has made it a moderator: an account without a badge may say little.
        w.tw_users["42"].grants[client.id] = {"channel:bot"}
        w.tw_users["42"].moderators.add("99")
        w.tw_grant(client, w.tw_users["99"], BOT_SCOPES, self.settings["twitch.user_token_s"])

    async def handle(self, request):
        path = request.path
        if path == "/lab" or path.startswith("/lab/"):
            return await self.control.serve(request)
        if path.startswith("/api/v10/"):
            self.books.count("discord-request")
            return await self.rest.serve(request)
        if path.rstrip("/") == "/discord" or path.startswith("/discord-resume/"):
            return Upgrade(lambda ws: self.gateway.serve(request, ws, request.secure))
        if path == "/ws":
            return Upgrade(lambda ws: self.eventsub.serve(request, ws, request.secure))
        if path.startswith("/helix/"):
            self.books.count("helix-request")
            return await self.helix.serve(request)
        if path.startswith("/oauth2/"):
            return await self.oauth.serve(request)
        return answer(404, {"error": "nothing lives here; GET /lab tells what does"})


def options(argv):
    p = argparse.ArgumentParser(prog="lab", description="A Discord and a Twitch on this machine, for tests of chat bots.")
    p.add_argument("-p", "--port", type=int, default=0, help="port on 127.0.0.1 (0: any)")
    p.add_argument("-d", "--dir", help="folder for port, ca.pem and accounts/")
    p.add_argument("-F", "--notify-fd", type=int, help="write a newline there when ready")
    p.add_argument("-o", "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting (GET /lab/config lists them)")
    return p.parse_args(argv)


async def run(o):
    settings = Settings()
    for pair in o.set:
        name, _, value = pair.partition("=")
        settings.set(name, value)
    lab = Lab(settings)
    loop = asyncio.get_running_loop()
    for s in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(s, lab.stop.set)
    lab.server.listen("127.0.0.1", o.port)
    lab.configured()
    if o.dir:
        os.makedirs(o.dir, exist_ok=True)
        accounts.write(lab, os.path.join(o.dir, "accounts"))
        accounts.put(os.path.join(o.dir, "port"), f"{lab.server.port}\n")
    print(f"lab ready {lab.http_url('')}", flush=True)
    if o.notify_fd is not None:
        os.write(o.notify_fd, b"\n")
        os.close(o.notify_fd)
    await lab.stop.wait()


def main(argv):
    if argv and argv[0] == "up":
        argv = argv[1:]
    try:
        asyncio.run(run(options(argv)))
    except ValueError as e:
        sys.exit(f"lab: {e}")
    except OSError as e:
        sys.exit(f"lab: {e}")


if __name__ == "__main__":
    main(sys.argv[1:])
