"""The books: everything of note that the lab saw or did, in the order it happened, and what of it was against a platform's rules.

An entry is {"n": 1.., "at": seconds since the start, "kind": ..., ...}. Kinds are listed in README.md. Counts by kind hold for ever; of the
entries themselves the newest KEEP are kept.
"""
import asyncio
import collections
import time

KEEP = 200000
KINDS = frozenset("""
bad-token challenge chat close-sent closed commands conduit conduit-dropped conflict connect dead-url deleted
dropped edited fault flood flooded gateway-bot halfopen heartbeat hello history identify identify-needless
identify-sent interaction interaction-answered interaction-late interaction-twice moved noack nokeepalive op
presence ratelimit reconnect-sent resume resume-elsewhere resume-refused resume-sent resumed revoked said
said-again secret-in-url session-end shard-assigned shard-disabled sub-disabled subscribed token-asked
token-refreshed token-reset tokens-expired unauthorized unsubscribed validate verified violation webhook
webhook-given-up welcome zombie
""".split())


class Books:
    def __init__(self, log=None):
        self.start = time.monotonic()
        self.entries = collections.deque(maxlen=KEEP)
        self.counts = collections.Counter()
        self.violations = []
        self.n = 0
        self.changed = asyncio.Event()
        self.log = log
        self.listeners = []             # called with each entry; faults wait for things to happen

    def note(self, kind, **fields):
        self.n += 1
        entry = {"n": self.n, "at": round(time.monotonic() - self.start, 4), "kind": kind, **fields}
        self.entries.append(entry)
        self.counts[kind] += 1
        self._wake()
        if self.log:
            self.log(entry)
        for listen in list(self.listeners):
            listen(entry)
        return entry

    def count(self, kind, n=1):
        """For what comes too often to be written down each time."""
        self.counts[kind] += n
        self._wake()

    def violation(self, rule, **fields):
        """rule: a short name, listed in README.md."""
        self.violations.append(self.note("violation", rule=rule, **fields))

    def _wake(self):
        self.changed.set()
        self.changed.clear()

    def select(self, kind=None, after=0, **match):
        out = []
        for e in reversed(self.entries):
            if e["n"] <= after:
                break
            if (kind is None or e["kind"] in kind) and all(str(e.get(k)) == v for k, v in match.items()):
                out.append(e)
        out.reverse()
        return out

    async def wait(self, test, seconds):
        """Until test() is true, looked at after every change; False when the time is up."""
        end = time.monotonic() + seconds
        while True:
            value = test()
            if value:
                return value
            left = end - time.monotonic()
            if left <= 0:
                return value
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 0.25))
            except asyncio.TimeoutError:
                pass
