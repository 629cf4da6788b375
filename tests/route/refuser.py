"""refuser.py SOCKET N [--every]: a worker that refuses lines whose id begins with x (--every: all) for good, with some stderr, and those
whose id begins with later for an hour. It ends when it took N lines, or the hub has gone."""
import json, socket, struct, sys, time

path, most, every = sys.argv[1], int(sys.argv[2]), "--every" in sys.argv
end = time.time() + 10
while True:
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
        break
    except OSError:
        if time.time() > end:
            raise
s.sendall(bytes.fromhex("0053500000300000"))
def need(n):
    out = b""
    while len(out) < n:
        more = s.recv(n - len(out))
        if not more:
            sys.exit("the hub has gone")
        out += more
    return out
need(8)
def ask(o):
    body = struct.pack(">I", 0x80000001) + json.dumps(o).encode()
    s.sendall(b"\x01" + struct.pack(">Q", len(body)) + body)
    head = need(9)
    return need(struct.unpack(">Q", head[1:])[0])[4:]
got, ask_for = 0, {"as": "refuser", "take": 256}
s.settimeout(20)
while got < most:
    try:
        head, *lines = ask(ask_for).decode().splitlines()
    except socket.timeout:
        sys.exit("nothing came")
    head = json.loads(head)
    refused = []
    for i, line in enumerate(lines):
        event = json.loads(line)["id"]
        if every or event.startswith("x"):
            refused.append({"n": i + 1, "error": 'no: "%s"' % event, "stderr": "Traceback:\n  line 1\n"})
        elif event.startswith("later"):
            refused.append({"n": i + 1, "error": "not now", "retry": True, "retry_after": 3600000})
    got += len(lines)
    ask_for = {"as": "refuser", "done": head["batch"], "refused": refused, "take": 256}
del ask_for["take"]
ask(ask_for)
