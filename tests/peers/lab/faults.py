"""Faults by script. A line is `WHEN: WHAT`; README.md has the language. Parsing, waiting and choosing connections here; the deeds
for connections
are in fault_conn.py, those for requests in fault_request.py.
"""
import asyncio
import random
import re

import fault_conn
import fault_request
import fault_world
from books import KINDS

TIMED = ("now", "after", "every")
SEEN = ("event", "request")             # what the books do not have
COUNT = re.compile(r"^(\d+)(?:-(\d+)|(\+))?$|^\*$")


class Fault:
    """kind: now, after, every, or a kind of the books' entries (also event, request). first..last: which of the matching ones
    since it was armed."""

    def __init__(self, line, rng):
        self.line = line
        when, colon, what = line.partition(":")
        words, deed = when.split(), what.split()
        if not colon or not words or not deed:
            raise ValueError(f"{line}: want WHEN: WHAT")
        if words[0] not in (*TIMED, *SEEN, *KINDS):
            raise ValueError(f"{line}: no {words[0]}; there are: {' '.join((*TIMED, *SEEN, *sorted(KINDS)))}")
        self.kind, self.first, self.last, self.seconds = words[0], 1, 1, 0.0
        self.match, self.seen, self.fired, self.rng = {}, 0, 0, rng
        for w in words[1:]:
            self.condition(w)
        self.name, self.args, self.words = deed[0], [], {}
        for w in deed[1:]:
            k, eq, v = w.partition("=")
            if eq:
                self.words[k] = v
            else:
                self.args.append(w)
        tables = [fault_request.DEEDS] if self.kind == "request" else [fault_conn.DEEDS, fault_world.DEEDS]
        table = next((t for t in tables if self.name in t), None)
        if table is None:
            there = " ".join(sorted(n for t in tables for n in t))
            raise ValueError(f"{line}: no fault {self.name} for {self.kind}; there are: {there}")
        try:
            table.check(self.name, self.args, self.words)
        except ValueError as e:
            raise ValueError(f"{line}: {e}") from None
        self.deed = table[self.name]

    def condition(self, w):
        k, eq, v = w.partition("=")
        if eq:
            self.match[k] = v
        elif self.kind in ("after", "every"):
            self.seconds = float(w)
        elif (m := COUNT.match(w)):
            if w == "*":
                self.first, self.last = 1, float("inf")
            else:
                self.first = int(m[1])
                self.last = float("inf") if m[3] else int(m[2] or m[1])
        else:
            raise ValueError(f"{self.line}: {w}: want a number, N-M, N+, * or name=value")

    @property
    def over(self):
        return self.seen >= self.last if self.kind not in ("every",) else False

    def meets(self, entry):
        """Counts a matching entry; true when it is the fault's turn."""
        for k, v in self.match.items():
            have = entry.get(k)
            if k == "path":
                if v not in str(have):
                    return False
            elif k == "shard" and isinstance(have, list):
                if str(have[0]) != v:
                    return False
            elif str(have) != v:
                return False
        self.seen += 1
        return self.first <= self.seen <= self.last

    def number(self, i=0, default=0.0):
        return float(self.args[i]) if len(self.args) > i else default

    def word(self, name, default=None):
        return self.words.get(name, default)

    def json(self):
        return {"fault": self.line, "seen": self.seen, "fired": self.fired}


class Faults:
    def __init__(self, lab, seed=0):
        self.lab, self.books = lab, lab.books
        self.rng = random.Random(seed)
        self.armed, self.done, self.tasks = [], [], set()
        self.wants_events = False
        self.depth = 0
        self.books.listeners.append(self.heard)

    def read(self, text):
        """Arms every line, or none: ValueError says which is wrong."""
        lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
        faults = [Fault(line, self.rng) for line in lines if line]
        for f in faults:
            self.arm(f)
        return faults

    def arm(self, f):
        if f.kind in TIMED:
            self.done.append(f)
            if f.kind == "now":
                self.fire(f, None)
            else:
                task = self.lab.spawn(self.timed(f))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        else:
            self.armed.append(f)
            self.wants_events = any(x.kind == "event" for x in self.armed)

    def clear(self):
        for task in list(self.tasks):
            task.cancel()
        self.armed, self.done, self.wants_events = [], [], False

    def json(self):
        return {"armed": [f.json() for f in self.armed], "done": [f.json() for f in self.done]}

    async def timed(self, f):
        while True:
            await asyncio.sleep(f.seconds)
            self.fire(f, None)
            if f.kind == "after":
                return

    def heard(self, entry):
        """An entry of the books: is it somebody's turn?"""
        if entry["kind"] == "fault" or self.depth > 3:
            return
        for f in list(self.armed):
            if f.kind == entry["kind"] and f.meets(entry):
                self.fire(f, entry)
                self.finished(f)

    def event(self, conn, platform):
        """An event was written to a connection (asked only while a fault waits for one)."""
        session = getattr(conn, "session", None)
        entry = {"kind": "event", "conn": conn_id(conn), "platform": platform, "shard": getattr(session, "shard", None)}
        for f in list(self.armed):
            if f.kind == "event" and f.meets(entry):
                self.fire(f, entry)
                self.finished(f)

    def finished(self, f):
        if f.over and f in self.armed:
            self.armed.remove(f)
            self.done.append(f)
            self.wants_events = any(x.kind == "event" for x in self.armed)

    def fire(self, f, entry):
        """On the connection of the entry; timed ones on every connection that matches, or pick=N of them."""
        f.fired += 1
        self.depth += 1
        try:
            if f.name in fault_world.DEEDS:
                self.books.note("fault", fault=f.line)
                f.deed(self.lab, f)
                return
            for conn in self.targets(f, entry):
                self.books.note("fault", fault=f.line, conn=conn_id(conn), platform=conn.platform)
                conn.spoiled = conn.spoiled or f.name not in HARMLESS
                f.deed(conn, f)
        finally:
            self.depth -= 1

    def targets(self, f, entry):
        conns = self.lab.conns
        if entry is not None:
            return [conns[entry["conn"]]] if entry.get("conn") in conns else []
        found = [c for c in conns.values() if not c.over and self.chosen(f, c)]
        pick = int(f.word("pick", 0))
        return self.rng.sample(found, min(pick, len(found))) if pick else found

    def chosen(self, f, conn):
        have = {"platform": conn.platform, "conn": conn_id(conn)}
        session = getattr(conn, "session", None)
        if conn.platform == "discord" and session:
            have.update(session=session.id, shard=str(session.shard), bot=session.bot.id)
        words = {k: v for k, v in f.words.items() if k in ("platform", "shard", "conn")}
        return all(have.get(k) == v for k, v in {**f.match, **words}.items())

    async def request(self, request, handler):
        """Calls the handler, or what a fault puts in its place. Those that wait for a request see every one but the lab's own."""
        platform = "discord" if request.path.startswith("/api/") else "twitch"
        entry = {"path": request.target, "method": request.method, "platform": platform}
        for f in list(self.armed):
            if f.kind == "request" and f.meets(entry):
                f.fired += 1
                self.finished(f)
                self.books.note("fault", fault=f.line, method=request.method, path=request.path, platform=platform)
                return await f.deed(self.lab, f, request, handler)
        return await handler(request)


def conn_id(conn):
    return conn.id if conn.platform == "discord" else conn.conn


# After these everything that is written arrives.
HARMLESS = ("reconnect", "duplicate", "late", "stale", "unknown", "split", "parts", "noping", "beat", "op7")

# Faults by number

MILD = {
    "discord": ("reset", "fin", "close 4000", "close 4001", "close 4002", "close none", "op7", "op9 resumable=true", "noack 1",
                "zombie", "halfopen", "split 9",
                "parts 3", "duplicate 2", "late 1 seconds=0.3", "unknown", "beat", "deadresume form=reset", "deadresume form=404"),
    "twitch": ("reconnect", "duplicate 2", "late 1 seconds=0.3", "split 9", "unknown"),
}
ROUGH = {
    "discord": ("op9 resumable=false", "close 4009", "close 4008", "close 4007", "close 1000", "garbage form=json",
                "garbage form=zlib", "binary", "expire",
                "huge 300000", "frame form=reserved"),
    "twitch": ("reset", "fin", "close 4000", "close 4005", "close 4006", "zombie", "halfopen", "nokeepalive", "reconnect dead=true",
               "binary",
               "garbage form=json", "revoke type=channel.chat.message", "frame form=continuation"),
}
REQUESTS = {
    "discord": ("429 scope=user retry=0.2", "429 scope=global retry=0.2", "429 scope=shared retry=0.2", "status 500", "status 502",
                "slow 0.3",
                "reset", "lost form=reset", "lost form=500"),
    "twitch": ("429 retry=1", "status 500", "status 503", "slow 0.3", "reset", "expired"),
}


def generate(seed, platform="discord", n=10, seconds=10.0, rough=True, requests=True):
    """The same lines for the same number: n faults within the seconds. rough: also those that make a gap unavoidable."""
    rng = random.Random(f"{seed} {platform}")
    table = list(MILD[platform]) + (list(ROUGH[platform]) if rough else [])
    lines = []
    for _ in range(n):
        if requests and rng.random() < 0.2:
            lines.append(f"request {rng.randint(1, 8)} platform={platform}: {rng.choice(REQUESTS[platform])}")
        elif rng.random() < 0.3:
            kind = rng.choice(("connect", "hello", "identify", "resume", "heartbeat") if platform == "discord"
                              else ("connect", "welcome", "subscribed"))
            lines.append(f"{kind} {rng.randint(1, 4)} platform={platform}: {rng.choice(table)}")
        else:
            lines.append(f"after {rng.uniform(0, seconds):.2f} platform={platform}: {rng.choice(table)} pick=1")
    return lines
