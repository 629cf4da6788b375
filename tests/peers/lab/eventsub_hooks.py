"""Webhooks of EventSub: signed POSTs, the challenge, repeats with growing pauses, revocation of a callback that keeps failing."""
import asyncio
import hashlib
import hmac
import json
import uuid

import httpclient
from world import iso_twitch


class Hook:
    def __init__(self, callback, secret):
        self.callback, self.secret, self.failures = callback, secret, 0


class Hooks:
    def __init__(self, lab):
        self.lab, self.set, self.books = lab, lab.settings, lab.books
        self.sent = []                  # {"id", "callback", "message", "type", "chat", "tries", "statuses", "given_up"}

    def hook(self, callback, secret):
        return Hook(callback, secret)

    def headers(self, hook, body, message_id, kind, sub_type, version, attempt=0, timestamp=None, spoil=None):
        timestamp = timestamp or iso_twitch()
        mac = hmac.new(hook.secret.encode(), message_id.encode() + timestamp.encode() + body, hashlib.sha256).hexdigest()
        if spoil == "signature":
            mac = ("0" if mac[0] != "0" else "1") + mac[1:]
        headers = {"Content-Type": "application/json", "Twitch-Eventsub-Message-Id": message_id,
                   "Twitch-Eventsub-Message-Retry": str(attempt),
                   "Twitch-Eventsub-Message-Type": kind, "Twitch-Eventsub-Message-Signature": f"sha256={mac}",
                   "Twitch-Eventsub-Message-Timestamp": timestamp}
        if sub_type:
            headers.update({"Twitch-Eventsub-Subscription-Type": sub_type, "Twitch-Eventsub-Subscription-Version": version})
        if spoil == "missing":
            del headers["Twitch-Eventsub-Message-Signature"]
        return headers

    async def post(self, hook, body, headers):
        """(status, headers, body); (None, {}, reason) when there was no answer."""
        try:
            return await httpclient.post(hook.callback, body, headers, self.set["twitch.webhook_answer_s"], self.lab.trust)
        except (OSError, asyncio.TimeoutError) as e:
            return None, {}, (str(e) or "no answer in time").encode()

    async def challenge(self, hook, extra, sub_type=None, version=None):
        """True when the callback gave the challenge back as it ought to."""
        word = uuid.uuid4().hex
        body = json.dumps({"challenge": word, **extra}, separators=(",", ":")).encode()
        headers = self.headers(hook, body, str(uuid.uuid4()), "webhook_callback_verification", sub_type, version)
        status, head, text = await self.post(hook, body, headers)
        ok = status == 200 and text == word.encode()
        if ok and not head.get("content-type", "").startswith("text/plain"):
            self.books.violation("challenge-type", platform="twitch", callback=hook.callback, got=head.get("content-type"))
        self.books.note("challenge", platform="twitch", callback=hook.callback, status=status, ok=ok)
        if not ok and status == 200:
            self.books.violation("challenge", platform="twitch", callback=hook.callback, body=text.decode("utf-8", "replace")[:200])
        return ok

    def verify(self, sub):
        async def run():
            ok = await self.challenge(sub.hook, {"subscription": sub.json()}, sub.type, sub.version)
            if sub.status == "webhook_callback_verification_pending":
                sub.status = "enabled" if ok else "webhook_callback_verification_failed"
                self.books.note("verified", platform="twitch", id=sub.id, type=sub.type, status=sub.status)
        self.lab.spawn(run())

    def deliver(self, hook, sub, kind, payload, message_id, spoil=None, timestamp=None):
        shown = {**payload, "subscription": {**payload["subscription"],
                                             "transport": {k: v for k, v in payload["subscription"]["transport"].items()
                                                                                      if k in ("method", "callback", "conduit_id")}}}
        body = json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()
        chat = payload.get("event", {}).get("message_id")
        return self.lab.spawn(self.deliver_body(hook, sub, kind, body, message_id, spoil, timestamp, chat))

    async def deliver_body(self, hook, sub, kind, body, message_id, spoil=None, timestamp=None, chat=None):
        """Until a 2xx comes or the tries are used up. Spoiled ones are sent once. The last status."""
        entry = {"id": message_id, "callback": hook.callback, "message": kind, "type": sub.type, "chat": chat, "tries": 0, "statuses": [],
                 "given_up": False}
        self.sent.append(entry)
        status = None
        for attempt in range(1 if spoil else max(1, self.set["twitch.webhook_tries"])):
            if attempt:
                await asyncio.sleep(self.set["twitch.webhook_retry_s"] * 2 ** (attempt - 1))
            headers = self.headers(hook, body, message_id, kind, sub.type, sub.version, attempt, timestamp, spoil)
            status, _, _ = await self.post(hook, body, headers)
            entry["tries"] += 1
            entry["statuses"].append(status)
            self.books.note("webhook", platform="twitch", id=message_id, type=sub.type, message=kind, attempt=attempt,
                            status=status, spoil=spoil)
            if status is not None and 200 <= status < 300:
                hook.failures = 0
                return status
        entry["given_up"] = True
        if not spoil:
            self.failed(hook, sub, message_id)
        return status

    def failed(self, hook, sub, message_id):
        hook.failures += 1
        self.books.note("webhook-given-up", platform="twitch", id=message_id, type=sub.type, callback=hook.callback)
        if hook.failures >= self.set["twitch.webhook_failures_max"]:
            if sub.conduit:
                self.lab.conduits.hook_failed(sub.conduit, hook)
            elif sub.enabled:
                self.lab.eventsub.revoke(sub, "notification_failures_exceeded")
