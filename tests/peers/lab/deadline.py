"""A limit of time for the client, by a clock that may stand still: while this process gets no processor, or is busy, it reads nothing, and what the client
sent in time is still unread when the timer fires. Then the client has as long again as the timer was late."""
import asyncio

LATE = 0.1      # seconds a timer may be late in a process that runs


class Deadline:
    """f(*args) after so many seconds, unless cancelled."""

    def __init__(self, seconds, f, *args):
        self.loop, self.f, self.args = asyncio.get_running_loop(), f, args
        self.wait(seconds)

    def wait(self, seconds):
        self.due = self.loop.time() + seconds
        self.timer = self.loop.call_later(seconds, self.fire)

    def fire(self):
        late = self.loop.time() - self.due
        if late > LATE:
            self.wait(late)
        else:
            self.f(*self.args)

    def cancel(self):
        self.timer.cancel()
