/*
 * webhook: the line itself, POSTed to the account's url as a CloudEvent in structured mode (CloudEvents HTTP binding 1.0.2, 3.2).
 *
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) is the same for every try of a line: a receiver that knows it does a thing once,
 * and then the account may say send-unknown = again. With a secret-file the body is signed as GitHub does it: X-Hub-Signature-256.
 *
 * An address where nobody is: 410 says that it is so for good (RFC 9110, 15.5.11), and nothing is posted there any more. Of Discord's webhooks, 404
 * means the same ("must not be used again"): the error's code is 10015, or the address has their form, /api/webhooks/NUMBER/TOKEN, with whatever
 * host, as a proxy may stand before it. 404 of any other receiver may be a deployment that takes a while: the event was not taken, so it waits
 * and is posted again, and the address rests for longer and longer, up to a minute (breaker.h); it is never stopped for it.
 */
#include "deliver/target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sign.h"

#define DIGITS "0123456789"
#define CODE_NO_WEBHOOK 10015

struct webhook {
	char *url;
	struct buf secret;
	char who[160];
	char upstream[NEED_NAME];
	bool again, private;
	bool discord;			/* one of Discord's, by its form */
};

static void close_webhook(void *t)
{
	struct webhook *w = t;

	if (w->secret.p)
		explicit_bzero(w->secret.p, w->secret.len);
	buf_release(&w->secret);
	free(w->url);
	free(w);
}

static bool is_discord(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 + strcspn(p + 3, "/?#") : "";
	if (strncmp(p, "/api/", 5) != 0)
		return false;
	p += 5;
	if (*p == 'v' && strspn(p + 1, DIGITS) && p[1 + strspn(p + 1, DIGITS)] == '/')
		p += strspn(p + 1, DIGITS) + 2;
	if (strncmp(p, "webhooks/", 9) != 0)
		return false;
	p += 9;
	return strspn(p, DIGITS) && p[strspn(p, DIGITS)] == '/' && !strchr("/?#", p[strspn(p, DIGITS) + 1]);
}

/* The address is a secret for many services: it may stand in a file of its own. */
static int read_url(struct webhook *w, const struct account *a)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, 8192);
	if (account_get(a, "url-file", NULL))
		rc = account_secret(a, "url-file", &b);
	else
		rc = buf_adds(&b, account_get(a, "url", ""));
	if (rc == 0 && !(w->url = strndup(b.p ? b.p : "", b.len)))
		rc = -1;
	if (rc == 0 && (target_upstream(w->url, w->upstream) || strpbrk(w->url, " \t\r\n")))
		rc = account_bad(a, account_get(a, "url-file", NULL) ? "url-file" : "url", "want https://HOST/PATH");
	else if (rc == 0)
		w->discord = is_discord(w->url);
	buf_release(&b);
	return rc;
}

static int read_words(struct webhook *w, const struct account *a)
{
	if (target_again(a, &w->again) || account_bool(a, "allow-private", &w->private) || read_url(w, a))
		return -1;
	return account_get(a, "secret-file", NULL) ? account_secret(a, "secret-file", &w->secret) : 0;
}

static const char *const words[] = {"platform", "enabled", "ca", "url", "url-file", "secret-file", "allow-private", "send-unknown", NULL};

static void *open_webhook(const struct account *a)
{
	struct webhook *w = calloc(1, sizeof(*w));

	if (!w) {
		log_error("%s: no memory", account_file(a));
		return NULL;
	}
	buf_init(&w->secret, 4096);
	snprintf(w->who, sizeof(w->who), "webhook %s/%s", account_tenant(a), account_name(a));
	account_known(a, words);	/* nobody else reads accounts of this platform */
	if (read_words(w, a) == 0)
		return w;
	close_webhook(w);
	return NULL;
}

static const char *upstream(void *t)
{
	struct webhook *w = t;

	return w->upstream;
}

static const char *check(void *t, const struct say *s)
{
	(void)t, (void)s;
	return NULL;
}

static unsigned needs(void *t, const struct say *s, struct need *to)
{
	struct webhook *w = t;

	(void)s;
	to[0] = (struct need){.n = 0};
	snprintf(to[0].name, NEED_NAME, "%s", w->who);
	return 1;
}

/* What another receiver refuses with 403 may be this event. */
static unsigned spots(void *t, const struct say *s, char name[SPOTS_OF_ONE][SPOT_NAME])
{
	struct webhook *w = t;

	(void)s;
	snprintf(name[0], SPOT_NAME, "Discord's webhook");
	return w->discord;
}

static int request(void *t, const struct say *s, struct request *r)
{
	struct webhook *w = t;
	struct sign_part part = {s->line, s->nline};
	unsigned char mac[SIGN_SHA256];
	char hex[2 * SIGN_SHA256 + 1], key[2 * SAY_KEY + 1];
	int rc;

	r->method = "POST";
	r->timeout = 15 * CLOCK_S;
	r->public_only = !w->private;
	sign_hex(key, s->key, SAY_KEY);
	rc = buf_adds(&r->url, w->url) | buf_add(&r->body, s->line, s->nline);
	rc |= request_field(r, "Content-Type: application/cloudevents+json; charset=UTF-8") | request_field(r, "Idempotency-Key: \"%s\"", key);
	if (rc || !w->secret.len)
		return rc;
	if (sign_hmac(mac, w->secret.p, w->secret.len, &part, 1))
		return -1;
	sign_hex(hex, mac, sizeof(mac));
	return request_field(r, "X-Hub-Signature-256: sha256=%s", hex);
}

static enum repeat repeat(void *t, const struct say *s)
{
	struct webhook *w = t;

	(void)s;
	return w->again ? REPEAT_SAFE : REPEAT_NEVER;
}

static bool no_webhook(const struct answer *a)
{
	struct json_error err;
	struct json *doc = a->nbody ? json_parse(a->body, a->nbody, &err) : NULL;
	bool yes = json_int(json_member(doc, "code"), 0) == CODE_NO_WEBHOOK;

	json_free(doc);
	return yes;
}

static void nobody(const struct webhook *w, const struct answer *a, struct verdict *v)
{
	bool unknown = a->status == 404 && no_webhook(a);

	v->kind = a->status == 410 || unknown || w->discord ? GONE : ABSENT;
	if (unknown) {
		snprintf(v->code, sizeof(v->code), "%d", CODE_NO_WEBHOOK);
		verdict_text(v, "HTTP status 404: Unknown Webhook");
	}
	if (v->kind == ABSENT)
		snprintf(v->closed, sizeof(v->closed), "%s", w->who);
}

/* Discord bans an address for these, whether a bot made them or a webhook; not for a limit that others used up. */
static void discord_counts(const struct answer *a, struct verdict *v)
{
	const char *scope = a->field(a->arg, "X-RateLimit-Scope");

	v->forbidden = a->status == 403;
	v->counts = a->status == 401 || a->status == 403 || (a->status == 429 && !(scope && strcmp(scope, "shared") == 0));
}

static void answer(void *t, const struct say *s, const struct answer *a, struct verdict *v)
{
	struct webhook *w = t;
	struct json_error err;
	struct json *doc;
	const char *id;

	(void)s;
	snprintf(v->code, sizeof(v->code), "%d", a->status);
	verdict_text(v, "HTTP status %d%s", a->status, a->status >= 300 && a->status < 400 ? ": redirects are not followed" : "");
	v->kind = REFUSED;
	if (w->discord)
		discord_counts(a, v);
	if (a->status == 404 || a->status == 410) {
		nobody(w, a, v);
	} else if (a->status >= 500) {
		v->kind = BROKEN;
		target_retry_after(a, &v->wait);
	} else if (a->status == 429) {
		v->kind = LIMITED;
		if (target_retry_after(a, &v->wait) && v->wait)
			snprintf(v->closed, sizeof(v->closed), "%s", w->who);
	} else if (a->status >= 200 && a->status < 300) {
		v->kind = SAID;
		doc = a->nbody ? json_parse(a->body, a->nbody, &err) : NULL;
		id = json_str(json_member(doc, "message_id"), NULL);
		if (!id)
			id = json_str(json_member(doc, "id"), NULL);
		snprintf(v->id, sizeof(v->id), "%s", id && strlen(id) < sizeof(v->id) ? id : "");
		json_free(doc);
	}
}

const struct target target_webhook = {
	.name = "webhook",
	.words = words,
	.blank = true,
	.open = open_webhook,
	.close = close_webhook,
	.upstream = upstream,
	.check = check,
	.needs = needs,
	.spots = spots,
	.request = request,
	.repeat = repeat,
	.answer = answer,
};
