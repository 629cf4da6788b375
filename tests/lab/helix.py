"""Cases of Helix and OAuth."""
import sys
import time

from labclient import run_cases
from gateway import broke, clean


def say(l, text, token=None, **more):
    return l.helix("POST", "/chat/messages", {"broadcaster_id": "42", "sender_id": "99", "message": text, **more}, token)


def headers(l):
    status, h, body = l.helix("GET", "/users?login=ada&login=bob&login=nobody")
    assert status == 200 and [u["id"] for u in body["data"]] == ["7", "8"]
    assert h["Ratelimit-Limit"] == "800" and h["Ratelimit-Remaining"] == "799" and abs(int(h["Ratelimit-Reset"]) - time.time() - 60) < 5
    clean(l)
    assert l.helix("GET", "/users", token="wrong")[2] == {"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"}
    clean(l)
    for change, rule in (({"Authorization": "OAuth " + l.user_token["access_token"]}, "auth-scheme"),
                         ({"Client-Id": "other"}, "client-id"), ({"Client-Id": ""}, "client-id")):
        assert l.helix("GET", "/users", headers=change)[0] == 401
        broke(l, rule)


def points(l):
    """No points left: 429 with its headers, and asking again before Reset is written down."""
    l.set(twitch__helix_limit=2)
    assert [l.helix("GET", "/users")[0] for _ in range(3)] == [200, 200, 429]
    clean(l)
    l.set(lab__slack_s=0.05)
    while not l.rules():
        status, h, _ = l.helix("GET", "/users")
        assert status == 429 and h["Ratelimit-Remaining"] == "0"
    broke(l, "ratelimit-ignored")


def dead_token(l):
    """A token that was refused may be tried again, and not on and on; a user's is to be validated within the hour; announcements have a pause."""
    l.set(lab__unauthorized_max=2)
    for rules in ([], [], ["unauthorized-ignored"], ["unauthorized-ignored"]):
        assert l.helix("GET", "/users", token="wrong")[0] == 401 and l.rules() == rules
    broke(l, "unauthorized-ignored")
    for rules in ([], [], ["unauthorized-ignored"], ["unauthorized-ignored"]):
        assert l.rest("GET", "/users/@me", auth="Bot wrong")[0] == 401 and l.rules() == rules
    broke(l, "unauthorized-ignored")
    for rules in ([], [], ["webhook-dead"]):
        assert l.rest("POST", f"/webhooks/{l.bot['id']}/gone", {"content": "x"})[0] == 404 and l.rules() == rules
    broke(l, "webhook-dead")
    l.set(twitch__validate_s=0)
    l.helix("GET", "/users")
    broke(l, "validate-missed")
    l.set(twitch__validate_s=3600)
    assert l.oauth("GET", "validate", headers={"Authorization": "OAuth " + l.user_token["access_token"]})[0] == 200
    l.helix("GET", "/users")
    clean(l)
    token = l.post("/lab/twitch/grant", user="penstock", scopes=["moderator:manage:announcements"])["access_token"]
    path = "/chat/announcements?broadcaster_id=42&moderator_id=99"
    l.set(twitch__announce_s=60)
    assert [l.helix("POST", path, {"message": "m"}, token)[0] for _ in range(2)] == [204, 429]
    clean(l)


def chat(l):
    """Sent, and echoed; dropped as a repeat; too long; to whom it is not allowed; limits of chat while points are left."""
    ws, s = l.eventsub()
    l.subscribe(s["id"])
    status, _, body = say(l, "hello", reply_parent_message_id="none")
    assert status == 200 and body["data"][0]["is_sent"] is True
    e = ws.recv()["payload"]["event"]
    assert e["message_id"] == body["data"][0]["message_id"] and e["chatter_user_id"] == "99" and e["badges"][0]["set_id"] == "moderator"
    assert say(l, "hello")[2]["data"][0]["is_sent"] is True         # a moderator may
    assert say(l, "x", for_source_only=True)[0] == 400
    broke(l, "for-source-only")
    assert say(l, "x" * 501)[0] == 422
    broke(l, "message-too-long")
    assert l.helix("POST", "/chat/messages", {"broadcaster_id": "42", "sender_id": "7", "message": "x"})[0] == 401
    assert l.helix("POST", "/chat/messages", {"broadcaster_id": "42", "message": "x"})[0] == 400
    l.set(twitch__chat_mod_limit=2, twitch__chat_window_s=30)
    status, h, _ = say(l, "three")
    assert status == 429 and int(h["Ratelimit-Remaining"]) > 700
    l.fault("request path=/chat/messages: drop automod_held")
    l.set(twitch__chat_mod_limit=100)
    dropped = say(l, "spam")[2]["data"][0]
    assert dropped["is_sent"] is False and dropped["message_id"] == "" and dropped["drop_reason"]["code"] == "automod_held"
    clean(l)
    assert [(e["kind"], e["text"]) for e in l.get("/lab/said")["entries"]] == [("said", "hello"), ("said", "hello"), ("dropped", "spam")]


def plain_account(l):
    """Who is no moderator: one message a second in a channel, and no repeats; a ban is 403."""
    assert l.get("/lab/config")["twitch.chat_channel_s"] == 1
    l.set(twitch__chat_channel_s=60)
    t = l.post("/lab/twitch/grant", user="ada", scopes=["user:write:chat"])["access_token"]
    def ada(text):
        return l.helix("POST", "/chat/messages", {"broadcaster_id": "42", "sender_id": "7", "message": text}, t)
    assert ada("a")[2]["data"][0]["is_sent"] is True
    assert ada("b")[0] == 429
    l.set(twitch__chat_channel_s=0)
    assert ada("a")[2]["data"][0]["drop_reason"]["code"] == "msg_duplicate"
    l.post("/lab/twitch/user", login="ada", banned_in=["lab"])
    assert ada("c")[0] == 403
    clean(l)


def app_token(l):
    """An app may write where the bot and the channel let it."""
    app = l.post("/lab/twitch/grant", user=None)["access_token"]
    assert say(l, "from the app", app, for_source_only=False)[2]["data"][0]["is_sent"] is True
    assert l.helix("POST", "/chat/messages", {"broadcaster_id": "7", "sender_id": "99", "message": "x"}, app)[0] == 401
    clean(l)


def subscriptions(l):
    """Listing, its filters and pages; deletion."""
    ws, s = l.eventsub()
    l.set(twitch__cost_max=1000)
    ids = [l.post("/lab/twitch/user", login=f"u{i}")["id"] for i in range(105)]
    for i in ids:
        assert l.subscribe(s["id"], "stream.offline", broadcaster_user_id=i)[0] == 202
    page = l.helix("GET", "/eventsub/subscriptions?type=stream.offline")[2]
    assert len(page["data"]) == 100 and page["total"] == 105 and page["pagination"]["cursor"]
    rest = l.helix("GET", f"/eventsub/subscriptions?type=stream.offline&after={page['pagination']['cursor']}")[2]
    assert len(rest["data"]) == 5 and rest["pagination"] == {}
    assert l.helix("GET", "/eventsub/subscriptions?type=x&status=enabled")[0] == 400
    one = rest["data"][0]["id"]
    assert [l.helix("DELETE", f"/eventsub/subscriptions?id={one}")[0] for _ in range(2)] == [204, 404]
    assert l.helix("DELETE", "/eventsub/subscriptions")[0] == 400
    clean(l)


def tokens(l):
    """validate, refresh (a refresh token is good once), expiry, revocation."""
    t, k = l.user_token, l.client
    def validate(scheme, token):
        return l.oauth("GET", "validate", {"Authorization": f"{scheme} {token}"})
    status, _, v = validate("OAuth", t["access_token"])
    assert status == 200 and v["login"] == "penstock" and v["user_id"] == "99" and v["client_id"] == k["id"] and 14000 < v["expires_in"] <= 14124
    assert validate("Bearer", t["access_token"])[0] == 401
    broke(l, "validate-scheme")
    l.post("/lab/twitch/expire", user="penstock")
    assert validate("OAuth", t["access_token"])[2] == {"status": 401, "message": "invalid access token"}
    assert l.helix("GET", "/users")[0] == 401
    form = {"grant_type": "refresh_token", "refresh_token": t["refresh_token"], "client_id": k["id"], "client_secret": k["secret"]}
    status, _, new = l.oauth("POST", "token", **form)
    assert status == 200 and new["refresh_token"] != t["refresh_token"] and "user:read:chat" in new["scope"]
    assert l.helix("GET", "/users", token=new["access_token"])[0] == 200
    clean(l)
    assert l.oauth("POST", "token", **form)[2] == {"status": 400, "message": "Invalid refresh token"}
    broke(l, "refresh-token-reuse")
    assert l.oauth("POST", "token", **{**form, "client_secret": "x"})[0] == 403
    assert l.oauth("POST", "revoke", client_id=k["id"], token=new["access_token"])[0] == 200
    assert l.helix("GET", "/users", token=new["access_token"])[0] == 401
    status, _, app = l.oauth("POST", "token", grant_type="client_credentials", client_id=k["id"], client_secret=k["secret"])
    assert status == 200 and "refresh_token" not in app
    assert "user_id" not in validate("OAuth", app["access_token"])[2]
    clean(l)


def consent(l):
    """Device and code flow; consent that is taken back ends tokens and refresh tokens."""
    k = l.client
    d = l.oauth("POST", "device", client_id=k["id"], scopes="user:read:chat user:write:chat")[2]
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": k["id"], "device_code": d["device_code"],
            "scopes": "user:read:chat"}
    assert l.oauth("POST", "token", **poll)[2]["message"] == "authorization_pending"
    l.post("/lab/twitch/device", user_code=d["user_code"], user="bob")
    t = l.oauth("POST", "token", **poll)[2]
    assert sorted(t["scope"]) == ["user:read:chat", "user:write:chat"]
    code = l.post("/lab/twitch/code", user="bob", scopes=["bits:read"])["code"]
    form = {"grant_type": "authorization_code", "code": code, "client_id": k["id"], "client_secret": k["secret"],
            "redirect_uri": "http://localhost"}
    assert [l.oauth("POST", "token", **form)[0] for _ in range(2)] == [200, 400]
    l.post("/lab/twitch/revoke", user="bob")
    assert l.helix("GET", "/users", token=t["access_token"])[0] == 401
    assert l.oauth("POST", "token", grant_type="refresh_token", refresh_token=t["refresh_token"], client_id=k["id"],
                   client_secret=k["secret"])[0] == 400
    clean(l)


if __name__ == "__main__":
    run_cases(globals(), sys.argv[1:])
