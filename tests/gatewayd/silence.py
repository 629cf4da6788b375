#!/usr/bin/env python3
"""silence.py -F FD SPOOL OUT PID...: reads the hub's spool as it grows, and takes down when each chat.message was there.

A newline on descriptor FD: it reads. At its end (TERM) OUT has one JSON object: {"messages": how many, "twice": ids that came more than once,
"silence": {channel's id: the longest time in seconds between two of its messages}, "waited": seconds}. What no commit stands behind does not count.
A silence is that of the processes PID, through which the messages go: as long as the two of them (or of this one) that
waited longest for a processor meanwhile did so is not counted ("waited": of the whole time).
"""
import glob
import json
import os
import signal
import sys
import time

LOOK = 0.005


class Waited:
    """How long the first threads of some processes have waited for a processor, in seconds; those that have ended count on with what they had."""

    def __init__(self, pids):
        self.of = dict.fromkeys(pids, 0.0)

    def __call__(self):
        for pid in self.of:
            try:
                with open(f"/proc/{pid}/schedstat", "rb") as f:
                    self.of[pid] = int(f.read().split()[1]) / 1e9
            except OSError:
                pass        # it has ended
        return tuple(self.of.values())


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
            wait = waited()
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
                since, before = last.get(channel, (now, wait))
                longest[channel] = max(longest.get(channel, 0), now - since - sum(sorted(b - a for a, b in zip(before, wait))[-2:]))
                last[channel] = now, wait
        if ending:
            break
        time.sleep(LOOK)
    with open(out, "w") as f:
        json.dump({"messages": len(ids), "twice": twice, "silence": longest, "waited": list(waited.of.values())}, f)


main()
