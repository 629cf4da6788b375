#!/usr/bin/env python3
"""scripts/torture --deliver [-n RUNS] [-s SEED] [-m MESSAGES] [-k]

Runs of deliver and route against the lab (tests/peers/lab), each with its own seed: messages go to channels of Discord and of Twitch while requests are
limited in every way, refused, answered late, or lost with or without having been carried out; and deliver and route are killed (-9) at any moment,
told to stop, or to read its accounts again, or another deliver takes the outbox over. Afterwards the books are compared:

  lost       a message of which the hub was told nothing
  twice      one that was said twice, or told twice
  order      one that was said before another one that came earlier in its channel
  lie        told as sent and not said; told as refused, late, ... and said (only `unknown` may be either)
  rule       what the lab says was against the platform's rules: a limit that was ignored, ...
  stuck      what does not come to an end

  -n RUNS      with seeds SEED, SEED + 1, ... (10)
  -s SEED      of the first run (1)
  -m MESSAGES  of a run (240)
  -k           keep the folder of every run, not only of those that failed

Prints a line for each run. Exit code: 0 when all are right, 1 when not. BIN: programs (bin). TORTURE_DIR: where to work (/tmp).
"""
import argparse
import collections
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BIN", os.path.join(TOP, "bin"))
PATIENCE = 90
LAB = {"discord.bucket_window_s": 0.1, "twitch.chat_limit": 100000, "twitch.chat_mod_limit": 100000, "twitch.chat_channel_s": 0,
       "twitch.refresh_once": 0}       # an answer to a refresh that a kill takes away would be for a person
DISCORD = ["1100000000000000011", "1100000000000000012"]
TWITCH = ["42"]
FAULTS = [
    "{d}: 429 scope=user retry=0.2", "{d}: 429 scope=global retry=0.2", "{d}: 429 scope=shared retry=0.1", "{d}: 429 scope=cloudflare retry=1",
    "{d}: 429 scope=bare retry=1", "{d}: status 503", "{d}: html 502", "{d}: empty 500", "{d}: reset", "{d}: slow 0.3", "{d}: slow 1.5",
    "{d}: lost form=reset", "{d}: lost form=500", "{d}: lost form=cut", "{d}: status 403 code=50013",
    "{t}: 429 scope=points retry=1", "{t}: 429 scope=endpoint", "{t}: lost form=reset", "{t}: lost form=500", "{t}: reset", "{t}: slow 0.4",
    "{t}: drop msg_rejected", "{t}: expired", "{t}: status 500",
]


class Wrong(Exception):
    pass


class Run:
    def __init__(self, seed, messages):
        self.random, self.messages, self.faults = random.Random(seed), messages, list(FAULTS)
        self.dir = tempfile.mkdtemp(prefix=f"deliver-{seed}-", dir=os.environ.get("TORTURE_DIR", "/tmp"))
        self.running, self.log, self.deliver, self.sets = {}, open(os.path.join(self.dir, "log"), "ab"), None, 0

    def start(self, name, *argv):
        read, write = os.pipe()
        self.running[name] = subprocess.Popen([*argv, "-F", str(write)], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                              pass_fds=[write])
        os.close(write)
        self.ready(name, read)

    def ready(self, name, fd):
        if not os.read(fd, 1):
            raise Wrong(f"stuck: {name} does not get ready")
        os.close(fd)

    def end(self, name, how):
        process = self.running.pop(name)
        process.send_signal(how)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Wrong(f"stuck: {name} does not end") from None
        if how == signal.SIGTERM and code:
            raise Wrong(f"stuck: {name}, told to stop, ended with {code}")

    def lab(self, path, data=None):
        body = data.encode() if isinstance(data, str) else json.dumps(data).encode() if data is not None else None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/lab/{path}", body, 30) as answer:
            return json.load(answer)

    def start_lab(self):
        self.start("lab", sys.executable, f"{TOP}/tests/peers/lab/lab.py", "-q", "-d", "lab", *[w for k, v in LAB.items() for w in ("-o", f"{k}={v}")])
        with open(os.path.join(self.dir, "lab/port"), encoding="utf-8") as f:
            self.port = f.read().strip()
        with open(os.path.join(self.dir, "lab/accounts/default/lab-twitch.conf"), "a", encoding="utf-8") as f:
            f.write("chat-limit = 7500\n")

    def start_route(self):
        self.start("route", f"{BIN}/route", "-R", "run", "-d", "spool", "-r", "rules")

    def start_deliver(self):
        self.sets += 1
        name = f"deliver-{self.sets}"
        self.start(name, f"{BIN}/deliver", "-i", "ipc://run/to-deliver", "-o", "ipc://run/in", "-A", "lab/accounts", "-b", "box.db", "--set", name)
        self.deliver = name

    def put(self, lines):
        path = os.path.join(self.dir, "put")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(line) + "\n" for line in lines)
        for _ in range(100):    # route may be on its way up
            got = subprocess.run(["nngcat", "--req", "--dial", f"ipc://{self.dir}/run/in", "--file", path, "--ascii", "--recv-timeout", "5"],
                                 capture_output=True, text=True, check=False)
            if f'"ack":{len(lines)}' in got.stdout.replace('\\"', '"'):
                return
        raise Wrong("stuck: the hub takes nothing")

    def line(self, i):
        platform = self.random.choice(["discord", "discord", "twitch"])
        channel = self.random.choice(DISCORD if platform == "discord" else TWITCH)
        return {"specversion": "1.0", "id": f"m{i}", "source": "/torture", "type": "message.send", "partitionkey": f"{platform}:{channel}",
                "data": {"platform": platform, "channel": {"id": channel}, "text": f"m{i}"}}

    def trouble(self):
        kind = self.random.choice(["kill", "kill", "kill", "stop", "take", "take-kill", "route", "reload", "fault", "fault", "fault", "fault"])
        if kind == "fault":
            for n in self.random.sample(range(1, 12), 3):
                what = self.random.choice(self.faults)
                if "expired" in what:       # twice in a row: the account stops, and rightly so
                    self.faults.remove(what)
                self.lab("fault", what.format(d=f"request {n} method=POST path=/channels", t=f"request {n} path=/chat/messages"))
        elif kind == "reload":
            for name in ("twitch", "discord"):
                with open(os.path.join(self.dir, f"lab/accounts/default/lab-{name}.conf"), "a", encoding="utf-8") as f:
                    f.write(f"raw = {self.random.choice(['yes', 'no'])}\n")
            self.running[self.deliver].send_signal(signal.SIGHUP)
        elif kind in ("kill", "stop"):
            self.end(self.deliver, signal.SIGKILL if kind == "kill" else signal.SIGTERM)
            self.start_deliver()
        elif kind.startswith("take"):
            old = self.deliver
            self.start_deliver()
            if kind == "take-kill":     # the one that gave it away has it again
                self.end(self.deliver, signal.SIGKILL)
                self.deliver = old
            else:
                self.end(old, signal.SIGTERM)
        else:
            self.end("route", signal.SIGKILL)
            self.start_route()

    def told(self):
        """What the hub was told: id to (type, cause), each as often as it is there."""
        all_ = collections.defaultdict(list)
        for path in sorted(glob.glob(f"{self.dir}/spool/*.ndjson")):
            with open(path, "rb") as f:
                for text in f:
                    if b'"message.sent"' in text or b'"message.failed"' in text:
                        try:
                            line = json.loads(text)
                        except ValueError:
                            continue    # the torn end of a hub that was killed
                        all_[line["causationid"]].append((line["type"], line["data"].get("cause", "")))
        return all_

    def run(self):
        os.makedirs(os.path.join(self.dir, "run"))
        with open(os.path.join(self.dir, "rules"), "w", encoding="utf-8") as f:
            f.write('type == "message.send" -> deliver\n')
        self.start_lab()
        self.start_route()
        self.start_deliver()
        lines = [self.line(i) for i in range(self.messages)]
        at = 0
        while at < len(lines):
            n = self.random.randint(1, 40)
            self.put(lines[at:at + n])
            at += n
            time.sleep(self.random.random() * 0.3)
            self.trouble()
        end = time.monotonic() + PATIENCE
        while len(self.told()) < len(lines):
            if time.monotonic() > end:
                raise Wrong(f"lost, or stuck: {len(lines) - len(self.told())} messages have no outcome")
            time.sleep(0.1)
        self.end(self.deliver, signal.SIGTERM)
        return self.judge(lines)

    def judge(self, lines):
        wrong, told = [], self.told()
        said = [e for e in self.lab("said")["entries"] if e["kind"] == "said"]
        times = collections.Counter(e["text"] for e in said)
        wrong += [f"twice: {text} was said {n} times" for text, n in times.items() if n > 1]
        wrong += [f"twice: {i} was told as {what}" for i, what in told.items() if len(what) > 1]
        for line in lines:
            kind, cause = told[line["id"]][0]
            if kind == "message.sent" and not times[line["id"]]:
                wrong.append(f"lie: {line['id']} was told as sent, and not said")
            if kind == "message.failed" and cause != "unknown" and times[line["id"]]:
                wrong.append(f"lie: {line['id']} was told as {cause}, and said")
            if kind == "message.failed" and cause not in ("unknown", "refused"):
                wrong.append(f"lost: {line['id']} failed with {cause}, for which there is no reason here")
        last = {}
        for e in said:
            key, n = (e["platform"], e.get("channel")), int(e["text"][1:])
            if n < last.get(key, -1):
                wrong.append(f"order: {e['text']} was said behind m{last[key]}")
            last[key] = max(n, last.get(key, -1))
        wrong += [f"rule: {v}" for v in self.lab("violations")["violations"]]
        counts = collections.Counter(what[0][1] or "sent" for what in told.values())
        if wrong:
            raise Wrong("\n".join(wrong))
        return ", ".join(f"{n} {what}" for what, n in counts.most_common())

    def close(self, keep):
        for process in self.running.values():
            process.kill()
            process.wait()
        self.log.close()
        if not keep:
            shutil.rmtree(self.dir)


def main():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("-n", type=int, default=10)
    p.add_argument("-s", type=int, default=1)
    p.add_argument("-m", type=int, default=240)
    p.add_argument("-k", action="store_true")
    p.add_argument("--help", action="store_true")
    o = p.parse_args()
    if o.help:
        print(__doc__.strip())
        return 0
    bad = 0
    for seed in range(o.s, o.s + o.n):
        run, keep = Run(seed, o.m), o.k
        try:
            print(f"seed {seed}: {run.run()}", flush=True)
        except Wrong as e:
            bad, keep = bad + 1, True
            print(f"seed {seed}: WRONG ({run.dir})\n{e}", flush=True)
        finally:
            run.close(keep)
    print(f"{o.n} runs, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
