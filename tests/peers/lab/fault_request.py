"""Faults of HTTP requests. A deed is awaited in the place of the handler and gives its answer, or raises Hang or Reset."""
import asyncio
import email.utils
import time

from deeds import Deeds
from discord_rest import CLOUDFLARE, CODES
from httpserver import REASONS, Hang, Reset, Response, answer

DEEDS = deed = Deeds()


def is_discord(request):
    return request.path.startswith("/api/")


@deed("status", int, need=1, code=int, message=str)
async def status(lab, f, request, handler):
    """status CODE [code=N]: nothing is done. Discord: with one of its error codes in the body."""
    n = int(f.args[0])
    if is_discord(request):
        code = int(f.word("code", 0))
        return lab.rest.count_invalid(request, answer(n, {"message": CODES.get(code, (n, f"{n}: {REASONS.get(n, '')}"))[1], "code": code}))
    return answer(n, {"error": REASONS.get(n, ""), "status": n, "message": f.word("message", "")})


@deed("html", int)
async def html(lab, f, request, handler):
    """html CODE: a page where JSON belongs."""
    n = int(f.args[0]) if f.args else 502
    return answer(n, b"<html><body><h1>Bad Gateway</h1></body></html>", [("Content-Type", "text/html")])


@deed("empty", int)
async def empty(lab, f, request, handler):
    """empty CODE: no body."""
    return answer(int(f.args[0]) if f.args else 500)


# What is left of a 429: names of headers in lower case, as HTTP/2 has them; the wait told in one place only, or as a date; nowhere.
FORMS = {"lower": lambda r, wait: rename(r, str.lower), "upper": lambda r, wait: rename(r, str.upper),
         "body": lambda r, wait: keep(r, ("content-type",)), "header": lambda r, wait: blank(keep(r, ("retry-after",))),
         "after": lambda r, wait: blank(keep(r, ("x-ratelimit-reset-after", "x-ratelimit-remaining"))),
         "reset": lambda r, wait: blank(keep(r, ("x-ratelimit-reset", "x-ratelimit-remaining", "ratelimit-reset", "ratelimit-remaining"))),
         "date": lambda r, wait: blank(dated(r, wait)), "none": lambda r, wait: blank(keep(r, ()))}


def rename(r, how):
    r.headers = [(how(k), v) for k, v in r.headers]
    return r


def keep(r, names):
    r.headers = [(k, v) for k, v in r.headers if k.lower() in names]
    return r


def blank(r):
    r.body = b""
    return r


def dated(r, wait):
    r.headers = [("Retry-After", email.utils.formatdate(time.time() + wait + 0.999, usegmt=True))]
    return r


@deed("429", scope=("user", "global", "shared", "cloudflare", "points", "endpoint", "bare"), retry=float, form=tuple(FORMS))
async def too_many(lab, f, request, handler):
    """Discord: scope=user, global, shared, cloudflare (HTML), bare (Retry-After alone); Helix: scope=points (none left), endpoint
    (points left), bare (no headers). retry=SECONDS. form=...: only a part of what tells the wait (FORMS)."""
    wait, scope, form = float(f.word("retry", 1)), f.word("scope", "user"), f.word("form")
    response = limited(lab, request, scope, wait)
    return FORMS[form](response, wait) if form else response


def limited(lab, request, scope, wait):
    if not is_discord(request):
        return helix_429(lab, request, scope, wait)
    if scope == "cloudflare":
        return answer(429, CLOUDFLARE, [("Content-Type", "text/html"), ("Retry-After", str(max(1, int(wait + 0.999))))])
    if scope == "bare":
        return answer(429, None, [("Retry-After", str(max(1, int(wait + 0.999))))])
    rest = lab.rest
    found = rest.find(request)
    bot = rest.bot_of(request)
    headers, key = {}, None
    if found:
        _, params, template = found
        key = rest.bucket_key(bot, template, params, request.method)
        headers = {"X-RateLimit-Limit": 5, "X-RateLimit-Remaining": 3 if scope == "shared" else 0,
                   "X-RateLimit-Reset": f"{time.time() + wait:.3f}",
                   "X-RateLimit-Reset-After": f"{wait:.3f}", "X-RateLimit-Bucket": "lab0fault"}
    if scope == "global":
        headers = {}
    return rest.count_invalid(request, rest.too_many(scope, wait, request, bot, headers, key).response)


def helix_429(lab, request, scope, wait):
    lab.books.note("ratelimit", platform="twitch", scope=scope, path=request.path, wait=wait)
    headers = []
    if scope != "bare":
        left = 37 if scope == "endpoint" else 0
        headers = [("Ratelimit-Limit", 800), ("Ratelimit-Remaining", left), ("Ratelimit-Reset", int(time.time() + wait + 0.999))]
        token = lab.world.tw_tokens.get(request.header("authorization", "")[7:])
        if token and not left:
            lab.helix.told.tell((token.client.id, token.user.id if token.user else None), wait)
    return answer(429, {"error": "Too Many Requests", "status": 429, "message": "Too Many Requests"}, headers)


@deed("hang")
async def hang(lab, f, request, handler):
    """Nothing is done and nothing said; the connection stays open."""
    raise Hang()


@deed("reset")
async def reset(lab, f, request, handler):
    """Nothing is done; RST."""
    raise Reset()


@deed("slow", float)
async def slow(lab, f, request, handler):
    """slow SECONDS: done, then answered so much later."""
    response = await handler(request)
    await asyncio.sleep(f.number(0, 1))
    return response


@deed("lost", form=("reset", "hang", "500", "cut"))
async def lost(lab, f, request, handler):
    """The request is carried out and the answer is lost: form=hang, reset, 500, cut (the body breaks off)."""
    response = await handler(request)
    form = f.word("form", "reset")
    if form == "hang":
        raise Hang()
    if form == "reset":
        raise Reset()
    if form == "500":
        return answer(500)
    body = response.body
    response.headers.append(("Content-Length", len(body)))
    return Response(response.status, body[:len(body) // 2], [h for h in response.headers], close=True)


@deed("drop", str)
async def drop(lab, f, request, handler):
    """drop CODE: Helix says 200 with is_sent false and this drop_reason."""
    lab.helix.drops.append(f.args[0] if f.args else "msg_rejected")
    return await handler(request)


@deed("expired")
async def expired(lab, f, request, handler):
    """The token of this request has ended just now (Helix), or is another one (Discord's bot token: not known to the client)."""
    if is_discord(request):
        return lab.rest.count_invalid(request, answer(401, {"message": "401: Unauthorized", "code": 0}))
    token = lab.world.tw_tokens.get(request.header("authorization", "")[7:])
    if token:
        token.ends = 0
    return await handler(request)
