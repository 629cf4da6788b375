#!/usr/bin/env python3
"""silence.py -F FD SPOOL OUT: reads the hub's spool as it grows, and takes down when each chat.message was there.

A newline on descriptor FD: it reads. At its end (TERM) OUT has one JSON object: {"messages": how many, "twice": ids that came more than once,
"silence": {channel's id: the longest time in seconds between two of its messages}}. What no commit stands behind does not count.
"""
import glob
import json
import os
import signal
import sys
import time

LOOK = 0.005


def main():
    fd, spool, out = int(sys.argv[2]), sys.argv[3], sys.argv[4]
    stop, offsets, ids, last, longest, twice = [], {}, set(), {}, {}, []
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
        json.dump({"messages": len(ids), "twice": twice, "silence": longest}, f)


main()
