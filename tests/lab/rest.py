"""Cases of Discord's REST API and of interactions."""
import http.server
import json
import sys
import threading
import time

import labclient
from labclient import run_cases
from gateway import broke, clean


def headers(l):
    """Who asks without the word Bot, without the right agent, or with another body than JSON."""
    assert l.rest("GET", "/users/@me")[2]["id"] == l.bot["id"]
    assert l.rest("GET", "/users/@me", auth="Bot wrong")[0] == 401
    clean(l)
    assert l.rest("GET", "/users/@me", auth=l.token)[0] == 401
    broke(l, "auth-prefix")
    for agent in ("curl/8", "DiscordBot (a-name-and-no-url, 1.0)"):
        status, _, body = l.rest("GET", "/users/@me", headers={"User-Agent": agent})
        assert (status, body["code"]) == (403, 40333)
        broke(l, "user-agent")
    status, _, body = l.rest("POST", f"/channels/{l.general}/messages", raw=b"content=x",
                             headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (status, body["code"]) == (400, 50109)
    broke(l, "content-type")
    assert l.rest("POST", f"/channels/{l.general}/messages", raw=b"{", headers={"Content-Type": "application/json"})[2]["code"] == 50109
    assert l.rest("GET", "/no/such/call")[0] == 404


def messages(l):
    """What is said, replied, changed, deleted; what is refused, with which code."""
    url = f"/channels/{l.general}/messages"
    ws, _ = l.session()
    ws.recv()
    said = l.post("/lab/say", channel="general", text="hello")["ids"][0]
    status, _, m = l.rest("POST", url, {"content": "hi", "allowed_mentions": {"parse": []}, "message_reference": {"message_id": said}})
    assert status == 200 and m["type"] == 19 and m["referenced_message"]["id"] == said, m
    status, _, edited = l.rest("PATCH", f"{url}/{m['id']}", {"content": "hi!"})
    assert status == 200 and edited["edited_timestamp"] and edited["content"] == "hi!"
    assert l.rest("PATCH", f"{url}/{said}", {"content": "mine now"})[2]["code"] == 50005
    assert l.rest("DELETE", f"{url}/{m['id']}")[0] == 204
    assert [ws.recv()["t"] for _ in range(4)] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]
    assert l.rest("GET", f"{url}/{m['id']}")[2]["code"] == 10008
    book = l.get("/lab/said")["entries"]
    assert [(e["kind"], e["text"]) for e in book] == [("said", "hi"), ("edited", "hi!")] and book[0]["reply_to"] == said
    assert book[0]["allowed_mentions"] == {"parse": []}
    clean(l)


def refused(l):
    url = f"/channels/{l.general}/messages"
    l.set(discord__bucket_limit=100)
    for body, code in (({}, 50006), ({"content": ""}, 50006), ({"content": "x" * 2001}, 50035),
                       ({"content": "x", "nonce": "n" * 26}, 50035), ({"embeds": [{"title": "x"}] * 11}, 50035),
                       ({"embeds": [{"description": "x" * 3001}] * 2}, 50035),
                       ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, 50035),
                       ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
                       ({"content": "x", "message_reference": {"message_id": "1"}}, 50035), ({"content": 7}, 50035)):
        status, _, answer = l.rest("POST", url, body)
        assert (status, answer["code"]) == (400, code), (body, answer)
    broke(l, "content-too-long", "nonce", "embeds-too-long", "embeds-too-long")
    assert l.rest("POST", url, {"content": "\U0001f9c0" * 1000})[0] == 200
    assert l.rest("POST", url, {"content": "\U0001f9c0" * 1001})[0] == 400
    assert l.rest("POST", url, {"content": "x", "message_reference": {"message_id": "1", "fail_if_not_exists": False}})[0] == 200
    assert l.rest("POST", "/channels/1/messages", {"content": "x"})[2]["code"] == 10003
    for code, status in ((50013, 403), (50083, 400), (200000, 400), (130000, 503)):
        l.post("/lab/discord/channel", id=l.general, deny=code)
        assert l.rest("POST", url, {"content": "x"})[0] == status
    l.post("/lab/discord/channel", id=l.general, deny=0)
    other = l.post("/lab/discord/guild", name="foreign", bots=[])["channels"]["general"]
    assert l.rest("POST", f"/channels/{other}/messages", {"content": "x"})[2]["code"] == 50001


def nonce(l):
    """The same nonce with enforce_nonce makes one message; without it, or after the window, another."""
    url, body = f"/channels/{l.general}/messages", {"content": "once", "nonce": "n1", "enforce_nonce": True}
    ids = [l.rest("POST", url, body)[2]["id"] for _ in range(2)]
    assert ids[0] == ids[1]
    assert l.rest("POST", url, {**body, "enforce_nonce": False})[2]["id"] != ids[0]
    l.set(discord__nonce_window_s=0)
    assert l.rest("POST", url, body)[2]["id"] != ids[0]
    assert len(l.get("/lab/said")["entries"]) == 3 and l.get("/lab/counts")["counts"]["said-again"] == 1
    clean(l)


def history(l):
    l.set(discord__bucket_limit=100)
    ids = l.post("/lab/say", channel="general", text="{n}", count=130)["ids"]
    url = f"/channels/{l.general}/messages"
    assert [m["id"] for m in l.rest("GET", url + "?limit=3")[2]] == ids[:-4:-1]
    assert [m["id"] for m in l.rest("GET", f"{url}?after={ids[9]}&limit=100")[2]] == ids[10:110][::-1]
    assert [m["id"] for m in l.rest("GET", f"{url}?before={ids[2]}")[2]] == [ids[1], ids[0]]
    assert l.rest("GET", url + "?limit=101")[2]["code"] == 50035
    clean(l)


def limits(l):
    """A bucket's headers, its 429, and what asking too early is called; the global limit; other channels have their own bucket."""
    url, wait = f"/channels/{l.general}/messages", 5
    l.set(discord__bucket_limit=2, discord__bucket_window_s=wait, lab__slack_s=0.05)
    left = []
    for _ in range(2):
        status, h, _ = l.rest("POST", url, {"content": "x"})
        assert status == 200
        left.append(h["X-RateLimit-Remaining"])
    assert left == ["1", "0"] and h["X-RateLimit-Limit"] == "2" and h["X-RateLimit-Bucket"]
    assert 0 < float(h["X-RateLimit-Reset-After"]) <= wait
    assert abs(float(h["X-RateLimit-Reset"]) - time.time()) < wait + 2
    other = l.guild["channels"]["bots"]
    assert l.rest("POST", f"/channels/{other}/messages", {"content": "x"})[0] == 200
    status, h, body = l.rest("POST", url, {"content": "x"})
    assert status == 429 and h["X-RateLimit-Scope"] == "user" and h["Retry-After"] in ("1", "2", "3", "4", "5") and "X-RateLimit-Global" not in h
    assert 0 < body["retry_after"] <= wait and body["global"] is False
    clean(l)
    while not l.rules():        # what was on its way before the answer came is forgiven for a moment
        assert l.rest("POST", url, {"content": "x"})[0] == 429
    broke(l, "ratelimit-ignored")
    l.set(discord__global_limit=1, discord__bucket_limit=1000)
    while (stopped := l.rest("GET", f"/users/{l.bot['id']}"))[0] != 429:
        pass
    assert stopped[1]["X-RateLimit-Global"] == "true" and stopped[2]["global"] is True and "X-RateLimit-Bucket" not in stopped[1]


def banned(l):
    """Too many answers of 401, 403 and 429 from one address, and Cloudflare answers: HTML."""
    l.set(discord__invalid_limit=3)
    for _ in range(3):
        assert l.rest("GET", "/users/@me", auth="Bot wrong")[0] == 401
    status, h, body = l.rest("GET", "/users/@me")
    assert status == 429 and h["Content-Type"] == "text/html" and int(h["Retry-After"]) > 500 and "X-RateLimit-Scope" not in h, h
    assert body.startswith("<!doctype html>")
    broke(l, "cloudflare")


def interactions(l):
    """Over the gateway: the first response in its time, one of them, then follow-ups."""
    assert l.get("/lab/config")["discord.interaction_first_s"] == 3
    l.set(discord__interaction_first_s=30)
    ws, _ = l.session()
    ws.recv()
    l.post("/lab/discord/interaction", channel="general", name="ping", options=[{"name": "n", "type": 4, "value": 3}])
    o = ws.recv()
    i = o["d"]
    assert o["t"] == "INTERACTION_CREATE" and i["data"]["name"] == "ping" and i["member"]["user"]["username"] == "ada", o
    hook, call = f"/webhooks/{l.bot['id']}/{i['token']}", f"/interactions/{i['id']}/{i['token']}/callback"
    assert l.rest("POST", hook, {"content": "early"}, auth="")[2]["code"] == 10015
    broke(l, "interaction-unanswered")
    assert l.rest("POST", call, {"type": 8, "data": {"choices": []}}, auth="")[2]["code"] == 50035
    broke(l, "interaction-type")
    for data in ({}, {"custom_id": "c", "title": "t" * 46, "components": [{}]}, {"custom_id": "c", "title": "t", "components": [{}] * 6}):
        assert l.rest("POST", call, {"type": 9, "data": data}, auth="")[2]["code"] == 50035, data
    assert l.rest("POST", call, {"type": 5}, auth="")[0] == 204
    assert l.rest("POST", call, {"type": 4, "data": {"content": "x"}}, auth="")[2]["code"] == 40060
    status, _, m = l.rest("PATCH", hook + "/messages/@original", {"content": "pong"}, auth="")
    assert status == 200 and m["content"] == "pong" and m["flags"] & 128 == 0
    status, _, more = l.rest("POST", hook, {"content": "and more"}, auth="")
    assert status == 200 and more["id"] != m["id"]
    assert l.rest("DELETE", f"{hook}/messages/{more['id']}", auth="")[0] == 204
    assert [(e["how"], e["text"]) for e in l.get("/lab/said")["entries"]] == [("deferred", "pong"), ("followup", "and more")]
    # an ephemeral one: in no history, and for a bot with DIRECT_MESSAGES only
    status, _, secret = l.rest("POST", hook, {"content": "for you", "flags": 64}, auth="")
    assert status == 200 and all(x["id"] != secret["id"] for x in l.get("/lab/messages")["messages"])
    assert l.rest("PATCH", f"{hook}/messages/{secret['id']}", {"content": "for you!"}, auth="")[2]["content"] == "for you!"
    assert l.rest("GET", f"{hook}/messages/1", auth="")[2]["code"] == 10008
    l.set(discord__interaction_life_s=0)
    assert l.rest("PATCH", hook + "/messages/@original", {"content": "late"}, auth="")[2]["code"] == 50027
    l.set(discord__interaction_first_s=0, discord__interaction_life_s=900)
    l.post("/lab/discord/interaction", channel="general")
    i = ws.until(lambda o: o["t"] == "INTERACTION_CREATE")["d"]
    status, _, body = l.rest("POST", f"/interactions/{i['id']}/{i['token']}/callback", {"type": 4, "data": {"content": "x"}}, auth="")
    assert (status, body["code"]) == (404, 10062)
    assert l.rest("POST", f"/interactions/{i['id']}/wrong/callback", {"type": 5}, auth="")[2]["code"] == 10062
    clean(l)


class Endpoint:
    """An HTTP server of the test's own; answer(headers, body) gives (status, content type, body)."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, text = answer(self.headers, body)
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *words):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def verified(public_key, headers, body):
    """By the openssl command: the lab's own signing is what is tested here."""
    import os
    import subprocess
    import tempfile
    signature, stamp = headers.get("X-Signature-Ed25519"), headers.get("X-Signature-Timestamp")
    if not signature or not stamp:
        return False
    with tempfile.TemporaryDirectory() as d:
        files = {"key": bytes.fromhex("302a300506032b6570032100" + public_key), "sig": bytes.fromhex(signature),
                 "msg": stamp.encode() + body}
        for name, data in files.items():
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-in",
                               "msg", "-sigfile", "sig"],
                              cwd=d, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def endpoint(l):
    """Over HTTP: signed, checked as the portal does; an endpoint that takes a wrong signature is not taken."""
    def careful(headers, body):
        if not verified(l.bot["public_key"], headers, body):
            return 401, None, b""
        if json.loads(body)["type"] == 1:
            return 200, "application/json", b'{"type":1}'
        name = json.loads(body)["data"]["name"]
        if name == "later":
            return 202, None, b""
        return 200, "application/json", b'{"type":4,"data":{"content":"from http"}}'
    l.set(discord__interaction_first_s=30)
    good = Endpoint(careful)
    assert l.post("/lab/discord/endpoint", url=good.url)["ok"] is True
    clean(l)
    assert l.post("/lab/discord/interaction", channel="general", name="now")["status"] == 200
    assert l.get("/lab/said")["entries"][0]["text"] == "from http"
    later = l.post("/lab/discord/interaction", channel="general", name="later")
    assert later["status"] == 202
    assert l.rest("POST", f"/interactions/{later['id']}/{later['token']}/callback", {"type": 4, "data": {"content": "called"}},
                  auth="")[0] == 204
    for spoil in ("signature", "body", "missing"):
        assert l.post("/lab/discord/post", body={"type": 1}, spoil=spoil)["status"] == 401, spoil
    clean(l)
    l.post("/lab/discord/endpoint", url=None)
    careless = Endpoint(lambda h, b: (200, "application/json", b'{"type":1}'))
    assert l.post("/lab/discord/endpoint", url=careless.url)["ok"] is False
    broke(l, "interaction-endpoint")
    careless.end()
    good.end()


__all__ = ["labclient"]
if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
