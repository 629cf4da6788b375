#!/usr/bin/env python3
"""lab: a Discord and a Twitch on one port of this machine, for tests of chat bots. It enforces the platforms' rules and writes
down who breaks them.

usage: lab.py [up] [-p PORT] [-d DIR] [-a DIR] [-F FD] [-o NAME=VALUE ...] [-s SCRIPT] [-S SEED] [-t] [-q]
       lab.py say|show|fault|violations|world [-p PORT | -d DIR] ...

README.md beside this file tells of the paths, the control API and the rules. Python 3.9 or later, and nothing but its library.
"""
import argparse
import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
import tempfile

sys.dont_write_bytecode = True          # it runs from source trees and from folders that are not its own

import accounts                         # noqa: E402
import control_lab                      # its calls, and those of control_discord and control_twitch
import discord_calls                    # its routes
import discord_interactions             # its routes
import helix_subscriptions              # its routes
import show
import tls
from books import Books
from conduits import Conduits
from control import Control
from discord_chat import Chat
from discord_gateway import Gateway
from discord_rest import Rest
from eventsub import EventSub
from eventsub_hooks import Hooks
from faults import Faults, generate
from flood import Flood
from helix import Helix
from httpserver import Server, Upgrade, answer
from oauth import OAuth
from settings import Settings
from twitch_chat import TwitchChat
from world import TwitchClient, World

__all__ = ["control_lab", "discord_calls", "discord_interactions", "helix_subscriptions"]

BOT_SCOPES = ("user:read:chat", "user:write:chat", "user:bot", "moderator:read:followers")


class Lab:
    def __init__(self, settings, log=None):
        self.settings, self.log = settings, log
        self.conn_numbers, self.tasks, self.ca, self.trust = 0, set(), None, None
        self.stop = asyncio.Event()
        self.server, self.tls_server = Server(self.handle), None
        self.begin()

    def begin(self):
        """A new world, empty books, nothing connected."""
        self.books, self.world, self.conns = Books(self.log), World(), {}
        self.faults, self.flood = Faults(self), Flood(self)
        self.gateway = Gateway(self)
        self.chat = Chat(self)
        self.rest = Rest(self)
        self.interactions = discord_interactions.Interactions(self)
        self.eventsub = EventSub(self)
        self.twitch_chat = TwitchChat(self)
        self.hooks, self.conduits = Hooks(self), Conduits(self)
        self.helix, self.oauth, self.control = Helix(self), OAuth(self), Control(self)
        self.furnish()

    def reset(self):
        """As after a start: connections end, what was said and written down is forgotten, settings are those of the command line."""
        self.faults.clear()
        for conn in list(self.conns.values()):
            conn.ws.reset()
        self.settings.restore()
        self.configured()
        self.begin()

    def spawn(self, coro):
        task = asyncio.get_running_loop().create_task(coro)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def http_url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def ws_url(self, path, secure=False):
        """The same server as the one asked for it."""
        if secure:
            return f"wss://127.0.0.1:{self.tls_server.port}{path}"
        return f"ws://127.0.0.1:{self.server.port}{path}"

    def https_url(self, path):
        return f"https://127.0.0.1:{self.tls_server.port}{path}" if self.tls_server else None

    def dead_url(self, path):
        """A URL of this machine where nobody listens."""
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
        if path.rstrip("/") == "/discord" or path.startswith("/discord-resume/"):
            return self.gateway.door(request)
        if path == "/ws":
            return Upgrade(lambda ws: self.eventsub.serve(request, ws))
        for prefix, serve, counted in (("/api/v10/", self.rest.serve, "discord-request"), ("/helix/", self.helix.serve, "helix-request"),
                                       ("/oauth2/", self.oauth.serve, "oauth-request")):
            if path.startswith(prefix):
                self.books.count(counted)
                return await self.faults.request(request, serve)
        return answer(404, {"error": "nothing lives here; GET /lab tells what does"})


def options(argv):
    p = argparse.ArgumentParser(prog="penstock lab", description="A Discord and a Twitch on this machine, for tests of chat bots.")
    words = p.add_subparsers(dest="word", required=True)
    up = words.add_parser("up", help="run the lab")
    up.add_argument("-p", "--port", type=int, default=0, help="port on 127.0.0.1 (0: any)")
    up.add_argument("-d", "--dir", help="folder for port, ca.pem and accounts/")
    up.add_argument("-a", "--accounts", metavar="DIR",
                    help="write account files of penstock to DIR/default/ until the end (etc/accounts of a tree)")
    up.add_argument("-F", "--notify-fd", type=int, metavar="FD", help="write a newline there when ready")
    up.add_argument("-o", "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting (GET /lab/config lists them)")
    up.add_argument("-s", "--script", metavar="FILE", help="faults (README.md has the language)")
    up.add_argument("-t", "--tls", action="store_true",
                    help="the same over TLS on a second port, with an authority of its own in DIR/ca.pem")
    up.add_argument("-q", "--quiet", action="store_true", help="no log of chat on stdout")
    up.add_argument("-S", "--seed", help="faults of that number: 10 within 10 seconds for each platform")
    for name, about in (("say", "a person says something"), ("show", "what was said in the channels"),
                        ("fault", "faults for the lab that runs"), ("violations", "what broke the platforms' rules; exit code 1: something did"),
                        ("world", "ids, tokens and URLs, as JSON")):
        w = words.add_parser(name, help=about)
        w.add_argument("-p", "--port", type=int, default=0, help="the lab's port")
        w.add_argument("-d", "--dir", default="lab", help="the lab's folder (lab)")
        if name == "say":
            w.add_argument("-u", "--user", default="ada", help="who says it (ada)")
            w.add_argument("channel", help="general, twitch:lab, ...")
            w.add_argument("text", nargs="+")
        elif name == "show":
            w.add_argument("-f", "--follow", action="store_true", help="and what comes")
        elif name == "fault":
            w.add_argument("file", help="a script; - is stdin")
    if not argv or argv[0].startswith("-") and argv[0] not in ("-h", "--help"):
        argv = ["up", *argv]
    return p.parse_args(argv)


def nobody_else(folder):
    """ValueError when a lab has that folder already. A port file that nobody answers behind is an old one."""
    try:
        with open(os.path.join(folder, "port")) as f:
            port = int(f.read())
        socket.create_connection(("127.0.0.1", port), 5).close()
    except (OSError, ValueError):
        return
    raise ValueError(f"{folder}: a lab runs there already, on port {port}; -d names another folder")


def prepare(lab, o, folder):
    """Listens, and writes what others need to find the lab."""
    try:
        lab.server.listen("127.0.0.1", o.port)
    except OSError as e:
        raise ValueError(f"port {o.port} of 127.0.0.1: {e.strerror}; -p 0 takes any that is free") from None
    if o.tls:
        lab.tls_server = Server(lab.handle, tls.make(folder))
        lab.tls_server.listen("127.0.0.1", 0)
        lab.ca = lab.trust = os.path.abspath(os.path.join(folder, "ca.pem"))
        accounts.put(os.path.join(folder, "tls-port"), f"{lab.tls_server.port}\n")
    lab.configured()
    if o.dir:
        accounts.write(lab, os.path.join(folder, "accounts"))
        accounts.put(os.path.join(folder, "port"), f"{lab.server.port}\n")
    if o.accounts:
        accounts.write(lab, o.accounts)


async def run(o):
    settings = Settings()
    for pair in o.set:
        name, _, value = pair.partition("=")
        settings.set(name, value)
    settings.keep()
    # A thousand shards are a thousand descriptors.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    lab = Lab(settings, None if o.quiet or not sys.stdout.isatty() else show.log)
    loop = asyncio.get_running_loop()
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN:       # nohup
            loop.add_signal_handler(s, lab.stop.set)
    # Only without a folder of its own: whoever kills it with 9 leaves none behind that nobody knows.
    with contextlib.nullcontext(o.dir) if o.dir else tempfile.TemporaryDirectory(prefix="penstock-lab-") as folder:
        if o.dir:
            nobody_else(o.dir)
            os.makedirs(o.dir, exist_ok=True)
        prepare(lab, o, folder)
        try:
            await serve(lab, o)
        finally:
            if o.accounts:
                accounts.remove(o.accounts)
            if o.dir:
                os.unlink(os.path.join(o.dir, "port"))


async def serve(lab, o):
    """With its first faults, until it is told to stop."""
    if o.script:
        with open(o.script) as f:
            lab.faults.read(f.read())
    if o.seed is not None:
        for platform in ("discord", "twitch"):
            lab.faults.read("\n".join(generate(o.seed, platform)))
    print(f"lab ready {lab.http_url('')}", flush=True)
    if lab.log:
        print("What is said in its channels comes here. Say something:  penstock lab say general hello", flush=True)
        if o.accounts:
            print(f"Its bots are accounts in {o.accounts}. Connect them:  penstock reload gatewayd deliver", flush=True)
    if o.notify_fd is not None:
        os.write(o.notify_fd, b"\n")
        os.close(o.notify_fd)
    await lab.stop.wait()


def main(argv):
    o = options(argv)
    try:
        if o.word == "up":
            asyncio.run(run(o))
        else:
            {"say": show.say, "show": show.show, "fault": show.fault, "violations": show.violations, "world": show.world}[o.word](o)
    except OSError as e:
        sys.exit(f"lab: {e.filename}: {e.strerror}" if e.filename and e.strerror else f"lab: {e}")
    except (ValueError, show.Failed) as e:
        sys.exit(f"lab: {e}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
