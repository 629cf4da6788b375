"""Counting what is allowed: so many in a window, from the first of them on, or in a sliding window."""
import collections
import time


class Window:
    """limit uses from the first use on for seconds, then anew: how both platforms' buckets look from outside."""

    def __init__(self, limit, seconds):
        self.limit, self.seconds = limit, seconds
        self.used, self.ends = 0, 0.0

    def _turn(self):
        now = time.monotonic()
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds

    def take(self):
        self._turn()
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    @property
    def left(self):
        self._turn()
        return max(0, self.limit - self.used)

    @property
    def reset_after(self):
        return max(0.0, self.ends - time.monotonic())


class Told:
    """Who has been told to wait, and until when. What was on its way before it was told, or comes a little too early, is no fault."""

    def __init__(self, settings):
        self.set, self.until = settings, {}

    def tell(self, key, seconds):
        now = time.monotonic()
        first, until = self.until.get(key, (now, now))
        self.until[key] = (first if until > now else now, now + seconds)

    def early(self, key):
        """Seconds that a request with this key comes too early; 0 when it does not."""
        told = self.until.get(key)
        if told is None:
            return 0.0
        now, slack = time.monotonic(), self.set["lab.slack_s"]
        if now >= told[1]:
            del self.until[key]
        return round(told[1] - now, 3) if told[0] + slack < now < told[1] - slack else 0.0


class Dead:
    """Tokens that were refused (401), webhooks that are gone (404). To try one again is no fault; to go on and on with it is."""

    def __init__(self, settings):
        self.set, self.seen = settings, {}

    def refused(self, what):
        """True at the moment when it is too often."""
        n = self.seen[what] = self.seen.get(what, 0) + 1
        return n == self.set["lab.unauthorized_max"] + 1


class Sliding:
    """How many in the last seconds."""

    def __init__(self, seconds):
        self.seconds, self.at = seconds, collections.deque()

    def add(self):
        self.at.append(time.monotonic())
        return self.count()

    def count(self):
        old = time.monotonic() - self.seconds
        while self.at and self.at[0] <= old:
            self.at.popleft()
        return len(self.at)

    def oldest_leaves_in(self):
        return max(0.0, self.at[0] + self.seconds - time.monotonic()) if self.at else 0.0
