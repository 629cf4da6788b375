"""The lab for people: a readable log of chat, and the words of the command that ask a lab that runs."""
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


def plain(text):
    """For a terminal: control characters become '?'."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def line(e):
    """One entry of the books as a line of chat, or None."""
    where = {"discord": f"discord #{e.get('name')}", "twitch": f"twitch {e.get('name')}"}.get(e.get("platform"), "")
    if e["kind"] == "chat" or e["kind"] == "said":
        if e["kind"] == "chat" and e.get("by_bot"):
            return None                 # the echo of what `said` tells
        mark = " (answers)" if e.get("reply_to") else ""
        return plain(f"{where:<20} <{e['user']}>{mark} {e['text']}")
    if e["kind"] == "dropped":
        return plain(f"twitch {e['channel']:<13} -- {e['user']}: not sent ({e['code']}): {e['text']}")
    if e["kind"] == "edited":
        return plain(f"{e['platform']:<20} ** edited: {e['text']}")
    if e["kind"] == "identify":
        return f"discord              -- a bot is connected (shard {e['shard'][0]} of {e['shard'][1]})"
    if e["kind"] == "resumed":
        return "discord              -- a bot has come back"
    if e["kind"] == "subscribed" and e["type"].startswith("channel.chat.message"):
        return "twitch               -- a bot listens"
    if e["kind"] == "violation":
        return plain(f"{e.get('platform', '')} !! against the rules: {e['rule']} {e.get('why', '')}")
    return None


def log(e):
    text = line(e)
    if text:
        print(text, flush=True)


class Failed(Exception):
    pass


def ask(base, path, body=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, data), timeout=60) as r:
            return json.load(r)
    except urllib.error.HTTPError as e:
        raise Failed(json.load(e).get("error", str(e))) from None
    except (OSError, ValueError) as e:
        raise Failed(f"{base}: no lab answers there: {e}") from None


def base_of(o):
    """The lab's URL: -p PORT, or the port that DIR/port has."""
    port = o.port
    if not port:
        try:
            with open(os.path.join(o.dir, "port")) as f:
                port = int(f.read())
        except (OSError, ValueError) as e:
            why = e.strerror if isinstance(e, OSError) else e
            raise Failed(f"{o.dir}/port: {why}: start a lab with penstock lab up, or name its folder with -d or its port with -p") from None
    return f"http://127.0.0.1:{port}"


def say(o):
    ask(base_of(o), "/lab/say", {"channel": o.channel, "user": o.user, "text": " ".join(o.text)})


def show(o):
    base, after = base_of(o), 0
    while True:
        got = ask(base, f"/lab/chat?after={after}" + ("&wait=20" if o.follow and after else ""))
        for e in got["entries"]:
            log(e)
        after = got["entries"][-1]["n"] if got["entries"] else after or got["last"] or 1
        if not o.follow:
            return


def violations(o):
    """Each on a line; exit code 1 when there is one."""
    found = ask(base_of(o), "/lab/violations")["violations"]
    for e in found:
        more = " ".join(f"{k}={v}" for k, v in e.items() if k not in ("n", "at", "kind", "rule", "platform"))
        print(plain(f"{e['at']:9.3f} s  {e.get('platform', '')}: {e['rule']}  {more}"))
    if found:
        sys.exit(1)


def world(o):
    json.dump(ask(base_of(o), "/lab/world"), sys.stdout, indent=2)
    print()


def fault(o):
    text = sys.stdin.read() if o.file == "-" else open(o.file).read()
    for f in ask(base_of(o), "/lab/fault", text.encode())["faults"]:
        print(f)
