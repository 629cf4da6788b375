#!/usr/bin/env python3
"""discord_drain.py LAB none|zlib N: N messages of the lab's flood to one who takes the bytes as they come and looks at none: events/s."""
import os
import sys
import threading
import time

os.environ.setdefault("PATIENCE", "600")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labclient import Lab  # noqa: E402

lab, n = Lab(sys.argv[1]), int(sys.argv[3])
ws, _ = lab.session(compress=sys.argv[2] == "zlib")
told = []
threading.Thread(target=lambda: told.append(lab.post("/lab/flood", n=n, size=60, keep=False)), daemon=True).start()
got, room = 0, memoryview(bytearray(1 << 20))
end = None
ws.s.settimeout(0.2)
while not told or got < told[0]["bytes"]:
    try:
        got += ws.s.recv_into(room)
        end = time.time()
    except TimeoutError:
        pass
print(round(n / (end - told[0]["began"])))
