#!/usr/bin/env python3
"""silence.py -F FD SPOOL OUT PID...: reads the hub's spool as it grows, and takes down when each chat.message was there.

A newline on descriptor FD: it reads. At its end (TERM) OUT has one JSON object: {"messages": how many, "twice": ids that came more than once,
"silence": {channel's id: the longest time in seconds between two of its messages}, "waited": seconds}. What no commit stands behind does not count.
A silence is that of the processes PID, through which the messages go: what they and this one waited for a processor meanwhile, which others had, is
not counted (it is "waited").
"""
import glob
import json
import os
import signal
import sys
import time

LOOK = 0.005


class Waited:
    """How long the threads of some processes have waited for a processor, in seconds; those that have ended count on with what they had."""

    def __init__(self, pids):
        self.pids, self.tasks, self.at, self.seconds = pids, {}, 0, 0

    def __call__(self, now):
        if now - self.at < 4 * LOOK:
            return self.seconds
        self.at = now
        for path in (p for pid in self.pids for p in glob.glob(f"/proc/{pid}/task/*/schedstat")):
            try:
                with open(path, "rb") as f:
                    self.tasks[path] = int(f.read().split()[1])
            except OSError:
                pass        # it has ended
        self.seconds = sum(self.tasks.values()) / 1e9
        return self.seconds


def main():
    fd, spool, out = int(sys.argv[2]), sys.argv[3], sys.argv[4]
    stop, offsets, ids, last, longest, twice = [], {}, set(), {}, {}, []
    waited = Waited(["self", *sys.argv[5:]])
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    os.write(fd, b"\n")
    os.close(fd)
    while True:
        ending = bool(stop)
        for path in sorted(glob.glob(os.path.join(spool, "*.ndjson"))):
            with open(path, "rb") as f:
                f.seek(offsets.get(path, 0))
                data = f.read()
            now, at = time.monotonic(), data.rfind(b'{"_commit"')
            now -= waited(now)
            end = data.find(b"\n", at) + 1 if at >= 0 else 0
            offsets[path] = offsets.get(path, 0) + end
            for line in data[:end].splitlines():
                if b'"type":"chat.message"' not in line:
                    continue
                e = json.loads(line)
                channel = e["data"]["channel"]["id"]
                if e["id"] in ids:
                    twice.append(e["id"])
                ids.add(e["id"])
                longest[channel] = max(longest.get(channel, 0), now - last.get(channel, now))
                last[channel] = now
        if ending:
            break
        time.sleep(LOOK)
    with open(out, "w") as f:
        json.dump({"messages": len(ids), "twice": twice, "silence": longest, "waited": round(waited.seconds, 3)}, f)


main()
