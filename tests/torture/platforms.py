#!/usr/bin/env python3
"""scripts/torture --platforms [-n RUNS] [-s SEED] [-j JOBS] [-t SECONDS] [-f FAULTS] [-w SECONDS] [-k]

Runs of the lab (tests/peers/lab) against gatewayd and route, each with its own seed: people talk on Discord and on Twitch (over a WebSocket, webhooks or
a conduit) while connections break in every way that the lab knows, and gatewayd and route are killed (-9) and started again. Afterwards the books are
compared:

  lost       what the platform would have replayed, or wrote to a socket that lives, and the hub does not have
  twice      what the hub has stored more than once
  unread     what Discord's history has, of sessions that are gone (some go while gatewayd does not run, and people talk where nobody did before), and
             the hub does not have
  untold     what is missing, and no gateway.gap of its account says so
  rule       what the lab says was against the platform's rules: a close code answered wrongly, an identify too many, a heartbeat forgotten, ...
  died       a program ended by itself
  stuck      a connection that did not come back, a program that does not end when it is told to

  -n RUNS      with seeds SEED, SEED + 1, ... (10)
  -s SEED      of the first run (1); a run that failed is repeated with -n 1 -s SEED
  -j JOBS      runs at a time (the number of processors)
  -t SECONDS   how long people talk in a run (4)
  -f FAULTS    for each platform in a run (6)
  -w SECONDS   how long what is missing is waited for while nothing comes (30)
  -k           keep the folder of every run, not only of those that failed

Prints a line for each run. Exit code: 0 when all are right, 1 when not. BIN: programs (bin). TORTURE_DIR: where to work (/tmp).
"""
import argparse
import concurrent.futures
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BIN", os.path.join(TOP, "bin"))
PATIENCE = 150          # a process that was killed on its way to an identify holds up the next one for 90 s
SLACK = 0.3             # between two clocks
EVER = "1970-01-01T00:00:00Z"
# The platforms' clocks, but faster; the numbers of their limits are theirs. A refresh token is good for more than once, as that of a client with a secret
# is: if it were not, an answer that a kill takes away would be for a person (tests/gatewayd/76-twitch-tokens.bats has tokens that are).
LAB = {"discord.heartbeat_interval_ms": 1000, "discord.heartbeat_slack_ms": 3000, "discord.op7_close_s": 1, "discord.identify_interval_s": 5,
       "discord.session_life_s": 60, "twitch.keepalive_s": 2, "twitch.reconnect_grace_s": 20, "twitch.webhook_retry_s": 0.5,
       "twitch.refresh_once": 0}


class Wrong(Exception):
    pass


class Program:
    """A daemon that is started again and again under its name."""

    def __init__(self, folder, name, *argv):
        self.folder, self.name, self.argv, self.process = folder, name, argv, None

    def start(self):
        r, w = os.pipe()
        with open(os.path.join(self.folder, self.name + ".err"), "ab") as err:
            self.process = subprocess.Popen([self.argv[0], "-F", str(w), *self.argv[1:]], pass_fds=[w], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=err, cwd=self.folder)
        os.close(w)
        ready = os.read(r, 1)
        os.close(r)
        if not ready:
            raise Wrong(f"stuck: {self.name} does not start")

    def lives(self):
        if self.process.poll() is not None:
            raise Wrong(f"died: {self.name} ended by itself, {'signal' if self.process.returncode < 0 else 'code'} {abs(self.process.returncode)}")

    def kill(self):
        self.lives()
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Wrong(f"stuck: {self.name} does not end") from None
        if code:
            raise Wrong(f"stuck: {self.name} ended with code {code}")


class Run:
    def __init__(self, seed, folder, seconds, faults, patience):
        self.seed, self.folder, self.seconds, self.faults, self.patience = seed, folder, seconds, faults, patience
        self.rng = random.Random(seed)
        self.lab = Program(folder, "lab", os.path.join(TOP, "tests/peers/lab/lab.py"), "-q", "-d", os.path.join(folder, "lab"),
                           *(x for k, v in LAB.items() for x in ("-o", f"{k}={v}")))
        self.route = Program(folder, "route", os.path.join(BIN, "route"), "-R", "run", "-d", "spool", "-r", "rules")
        self.compress = random.Random(f"{seed} compress").choice(("zlib", "zlib", "zstd", "none"))
        self.transport = random.Random(f"{seed} transport").choice(("websocket", "websocket", "webhook", "conduit"))
        self.port = free_port()
        self.gatewayd = Program(folder, "gatewayd", os.path.join(BIN, "gatewayd"), "-p", str(self.port), "-o", "ipc://run/in", "-a", "lab/accounts", "-s", "state")
        self.said = {"discord": {}, "twitch": {}}      # id of a message -> when
        self.where = random.Random(f"{seed} where")
        self.last = {}
        self.offsets, self.lines, self.kills = {}, [], []

    # ---- the lab

    def call(self, path, body=None, method=None, raw=False):
        data = body if raw or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def say(self, platform, text, channel=None):
        before = time.time()
        channel = channel or {"discord": "discord:general", "twitch": "twitch:lab"}[platform]
        for i in self.call("/lab/say", {"channel": channel, "user": "ada", "text": text})["ids"]:
            self.said[platform][i] = before
            if channel != "discord:quiet":
                self.last[platform] = i

    def talk(self, end):
        rng = random.Random(f"{self.seed} talk")
        n = 0
        while time.time() < end:
            platform = rng.choice(("discord", "twitch"))
            self.say(platform, f"message {n}", "discord:bots" if platform == "discord" and self.where.random() < 0.1 else None)
            n += 1
            time.sleep(rng.uniform(0, 0.06))

    def strike(self, end):
        """gatewayd and route are killed; whoever runs them starts them again after a moment."""
        plan = sorted((self.rng.uniform(0, self.seconds), self.rng.choice((self.gatewayd, self.gatewayd, self.route)), self.rng.choice((0, 0, 0.2, 0.7)))
                      for _ in range(self.rng.randint(1, 3)))
        begin = end - self.seconds
        for at, program, pause in plan:
            time.sleep(max(0, begin + at - time.time()))
            gone = program is self.gatewayd and self.rng.random() < 0.5
            if gone:
                self.call("/lab/config", {"discord.session_life_s": 0.02})
            program.kill()
            self.kills.append((time.time(), program.name))
            time.sleep(max(pause, 0.1) if gone else pause)
            if gone:
                # Its session is gone: what is said now, where nothing was said before, is only in the history.
                for n in range(3):
                    self.say("discord", f"quiet {n}", "discord:quiet")
                self.call("/lab/config", {"discord.session_life_s": LAB["discord.session_life_s"]})
            program.start()

    # ---- the hub

    def read(self):
        """What was added to the spool since the last look."""
        for program in (self.lab, self.route, self.gatewayd):
            program.lives()
        for path in sorted(glob.glob(os.path.join(self.folder, "spool/*.ndjson"))):
            with open(path, "rb") as f:
                f.seek(self.offsets.get(path, 0))
                data = f.read()
            whole = data.rfind(b"\n") + 1
            # Only what a commit stands behind counts; the rest may be cut off.
            at = data.rfind(b'{"_commit"', 0, whole)
            if at < 0:
                continue
            stop = data.index(b"\n", at) + 1
            self.offsets[path] = self.offsets.get(path, 0) + stop
            for line in data[:stop].splitlines():
                if not line.startswith(b'{"_commit"'):
                    self.lines.append(json.loads(line))

    def events(self, kind, platform):
        return [e for e in self.lines if e["type"] == kind and e["data"].get("platform") == platform]

    def kept(self, platform):
        return {e["data"]["message_id"] for e in self.events("chat.message", platform)}

    def wait(self, what, condition):
        end = time.time() + PATIENCE
        while True:
            self.read()
            if condition():
                return
            if time.time() > end:
                raise Wrong(f"stuck: {what}")
            time.sleep(0.05)

    # ---- a run

    def play(self):
        os.mkdir(os.path.join(self.folder, "run"))
        with open(os.path.join(self.folder, "rules"), "w") as f:
            f.write("all -> store\n")
        self.lab.start()
        self.began = time.time()
        with open(os.path.join(self.folder, "lab/port")) as f:
            self.url = f"http://127.0.0.1:{f.read().strip()}"
        self.account()
        self.call("/lab/discord/channel", {"name": "quiet"})
        self.route.start()
        self.gatewayd.start()
        self.wait("the connections do not come up", lambda: {e["data"]["platform"] for e in self.lines if e["type"] == "gateway.up"} == {"discord", "twitch"})
        self.wait("no subscription", self.subscribed)
        faults = [line for p in ("discord", "twitch") for line in self.planned(p)]
        self.call("/lab/fault", "\n".join(faults).encode(), raw=True)
        with open(os.path.join(self.folder, "faults"), "w") as f:
            f.write("\n".join(faults) + "\n")
        end = time.time() + self.seconds
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(self.talk, end), pool.submit(self.strike, end)]:
                job.result()
        self.call("/lab/fault", method="DELETE")
        if any(": expire" in line for line in faults):
            # A connection of a session that is forgotten brings nothing more and looks sound.
            self.call("/lab/fault", b"now platform=discord: reset", raw=True)
        self.settle()
        wrong = self.compare()
        if wrong:
            self.keep_journal()
        self.gatewayd.stop()
        self.route.stop()
        return wrong

    def account(self):
        """The lab's accounts, with the compression and the transport of this run."""
        folder = os.path.join(self.folder, "lab/accounts/default")
        with open(os.path.join(folder, "lab-discord.conf"), "a") as f:
            f.write(f"compress = {self.compress}\n")
        if self.transport == "websocket":
            return
        words = {"webhook": f"webhook-secret-file = hook.secret\ncallback = http://127.0.0.1:{self.port}/hook/default/lab-twitch\n",
                 "conduit": "conduit-shards = 2\n"}[self.transport]
        with open(os.path.join(folder, "hook.secret"), "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("a-secret-of-this-run\n")
        path = os.path.join(folder, "lab-twitch.conf")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("transport = websocket\n", f"transport = {self.transport}\n{words}"))

    def planned(self, platform):
        """The faults of the seed."""
        made = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import faults; "
                               "print('\\n'.join(faults.generate(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))))",
                               os.path.join(TOP, "tests/peers/lab"), str(self.seed), platform, str(self.faults), str(self.seconds)],
                              stdout=subprocess.PIPE, text=True, check=True)
        return [line for line in made.stdout.splitlines() if line]

    def subscribed(self):
        return any(s.get("status") == "enabled" and s.get("type") == "channel.chat.message"
                   for s in self.call("/lab/twitch/subscriptions").get("subscriptions", []))

    def settle(self):
        """People go on talking until what they say arrives. On Twitch nothing does any more where the subscription was taken back: that is a person's.
        But it is told, or that the connection is dead that should have brought the news."""
        revoked = [self.began + e["at"] for e in self.call("/lab/journal?kind=revoked")["entries"]]
        if revoked:
            self.wait("nobody is told what Twitch took back", lambda: any(stamp(e["time"]) > min(revoked) - SLACK for e in
                      self.events("gateway.down", "twitch") + self.events("gateway.gap", "twitch") + self.revocations()))
        # What the last one that was killed had not told is told when the next one is live.
        killed = max((at for at, name in self.kills if name == "gatewayd"), default=0)
        for platform in ("discord", "twitch"):
            if platform == "twitch" and revoked:
                continue
            names = {e["data"]["connection"] for e in self.events("gateway.up", platform)}
            self.wait(f"{platform} is not up again", lambda: names <= {e["data"]["connection"] for kind in ("gateway.up", "gateway.resumed")
                      for e in self.events(kind, platform) if stamp(e["time"]) >= killed})
            end, heard = time.time() + PATIENCE, None
            while heard is None:
                self.say(platform, "is anybody there?")
                look = time.time() + 1
                while time.time() < look and heard is None:
                    self.read()
                    if self.last[platform] in self.kept(platform):
                        heard = True
                    time.sleep(0.02)
                if time.time() > end:
                    raise Wrong(f"stuck: nothing comes from {platform} any more")
        # What is read from a history comes behind it.
        self.wait_quiet()

    def wait_quiet(self):
        """Until nothing is missing and a second long nothing came; what is still missing after so many quiet seconds will not come, nor will a gap: that
        of a move to another socket is told when it has ended, within half a minute."""
        seen, since = -1, time.time()
        while time.time() < since + self.patience:
            self.read()
            if len(self.lines) != seen:
                seen, since = len(self.lines), time.time()
            elif time.time() > since + 1 and not self.unread() and not any(self.lost(p, o["owed"]) or self.untold(p) for p, o in self.call("/lab/owed").items()):
                return
            time.sleep(0.1)

    # ---- the books

    def told(self, platform, when):
        """Did the gateway say that something of that time may be missing?"""
        for e in self.events("gateway.gap", platform):
            if stamp(e["time"]) < when - SLACK:
                continue
            # Discord's ranges are numbers of sessions and messages.
            if platform == "discord" or stamp(e["data"].get("from") or EVER) - SLACK <= when <= stamp(e["data"].get("to") or e["time"]) + SLACK:
                return True
        # What Twitch took back is told by an event of its own: nothing comes from then on, until somebody acts.
        return any(stamp(e["time"]) - SLACK <= when for e in self.revocations()) if platform == "twitch" else False

    def revocations(self):
        return [e for e in self.events("platform.event", "twitch") if e["data"].get("name") == "revocation"]

    def lost(self, platform, owed):
        """Discord replays; Twitch does not: what a process had not read yet when it was killed, or could not read, is gone, and has to be told."""
        kept = self.kept(platform)
        return [i for i in owed if i in self.said[platform] and i not in kept and (platform == "discord" or not self.told(platform, self.said[platform][i]))]

    def untold(self, platform):
        """What is missing, and no gap says so."""
        kept = self.kept(platform)
        return [i for i, when in self.said[platform].items() if i not in kept and not self.told(platform, when)]

    def unread(self):
        """Discord's history has all that was said. What could not be read is told with its reason."""
        kept = self.kept("discord")
        missing = [i for i in self.said["discord"] if i not in kept]
        reasons = [e["data"]["reason"] for e in self.events("gateway.gap", "discord")] if missing else []
        return [] if any("not all" in r or "no message is known" in r for r in reasons) else missing

    def compare(self):
        wrong = []
        unread = self.unread()
        if unread and not self.is_down("discord"):
            wrong.append(f"unread on discord: {' '.join(unread[:5])} ({len(unread)})")
        for platform, books in self.call("/lab/owed").items():
            lost = self.lost(platform, books["owed"])
            if lost:
                wrong.append(f"lost on {platform}: {' '.join(lost[:5])} ({len(lost)})")
            untold = [i for i in self.untold(platform) if i not in lost]
            if untold and not self.is_down(platform):
                wrong.append(f"untold on {platform}: {' '.join(untold[:5])} ({len(untold)} of {len(self.said[platform].keys() - self.kept(platform))} missing)")
        seen = set()
        for e in self.lines:
            key = (e["source"], e["id"])
            if key in seen:
                wrong.append(f"twice: {key[0]} {key[1]}")
            seen.add(key)
        # Whatever their ids: a message has a number of its own.
        for p in self.said:
            ids = [e["data"]["message_id"] for e in self.events("chat.message", p)]
            if len(ids) != len(set(ids)):
                wrong.append(f"stored twice under other ids on {p}: {len(ids) - len(set(ids))}")
        # A close code that was answered by a new session though the old one could have gone on.
        needless = self.call("/lab/journal?kind=identify-needless")["entries"]
        if needless:
            wrong.append(f"needless: {json.dumps(needless)}")
        wrong += [f"rule: {json.dumps(v)}" for v in self.call("/lab/violations")["violations"] if not self.forgiven(v)]
        return wrong

    def forgiven(self, v):
        """A request that was on its way when the answer 429 was, or of a process that did not live yet when it came; what a client that was told nothing
        any more could not know."""
        if v["rule"] in ("unused", "reconnect-missed"):
            return any(e.get("conn") == v["conn"] and re.search(": (zombie|halfopen)", e["fault"]) for e in self.call("/lab/journal?kind=fault")["entries"])
        if v["rule"] != "ratelimit-ignored":
            return False
        until = self.began + v["at"] + v["early_by"]
        return v["early_by"] > {"twitch": 0.9, "discord": 0.15}[v["platform"]] or \
            any(until - 1.5 - SLACK < at < self.began + v["at"] + SLACK and name == "gatewayd" for at, name in self.kills)

    def is_down(self, platform):
        """The gap is told when it is back; until then gateway.down says it."""
        last = [e["type"] for e in self.lines if e["type"] in ("gateway.up", "gateway.resumed", "gateway.down") and e["data"].get("platform") == platform]
        return bool(last) and last[-1] == "gateway.down"

    def keep_journal(self):
        """What the lab wrote down, for whoever looks for the reason."""
        try:
            entries = self.call("/lab/journal")["entries"]
        except OSError as e:
            entries = [{"kind": "no journal", "error": str(e)}]
        with open(os.path.join(self.folder, "journal"), "w") as f:
            f.writelines(json.dumps(e) + "\n" for e in entries)

    def end(self):
        for p in (self.gatewayd, self.route, self.lab):
            if p.process and p.process.poll() is None:
                p.kill()

    def summary(self):
        n = {p: (len(self.said[p]), len(self.kept(p) & set(self.said[p])), len(self.events("gateway.gap", p))) for p in self.said}
        return " ".join(f"{p}: {a} said, {b} kept, {g} gaps" for p, (a, b, g) in n.items())


ports, ports_lock = set(), threading.Lock()


def free_port():
    """One that stays ours over restarts: below those that the system gives away, and of no other run, whose gatewayd may just be dead."""
    while True:
        port = random.randint(15000, 30000)
        with socket.socket() as s, ports_lock:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in ports:
                ports.add(port)
                return port


def stamp(text):
    """RFC 3339 to seconds."""
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)", text)
    return time.mktime(time.strptime(m[1] + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone + float(m[2] or 0)


def one(seed, o):
    folder = tempfile.mkdtemp(prefix=f"platforms-{seed}-", dir=os.environ.get("TORTURE_DIR", "/tmp"))
    run = Run(seed, folder, o.t, o.f, o.w)
    begin = time.time()
    try:
        wrong = run.play()
    except Wrong as w:
        wrong = [str(w)]
        run.keep_journal()
    except (OSError, ValueError, KeyError) as e:
        wrong = [f"stuck: {type(e).__name__}: {e}"]
    finally:
        run.end()
        ports.discard(run.port)
    text = f"seed {seed}: {'WRONG' if wrong else 'right'}, {run.compress}, {run.transport}, {time.time() - begin:.1f} s; {run.summary()}"
    if wrong:
        text += "".join(f"\n    {w}" for w in wrong) + f"\n    kept: {folder}"
    if not wrong and not o.k:
        shutil.rmtree(folder)
    return bool(wrong), text


def main():
    p = argparse.ArgumentParser(prog="torture --platforms", add_help=False)
    for name, default in (("-n", 10), ("-s", 1), ("-j", os.cpu_count() or 1), ("-f", 6)):
        p.add_argument(name, type=int, default=default)
    p.add_argument("-t", type=float, default=4)
    p.add_argument("-w", type=float, default=30)
    p.add_argument("-k", action="store_true")
    p.add_argument("-h", "--help", action="store_true")
    o = p.parse_args()
    if o.help:
        print(__doc__.strip())
        return 0
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(o.j) as pool:
        for failed, text in pool.map(lambda s: one(s, o), range(o.s, o.s + o.n)):
            bad += failed
            print(text, flush=True)
    print(f"{o.n} runs, {bad} wrong", flush=True)
    return bad > 0


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    sys.exit(main())
