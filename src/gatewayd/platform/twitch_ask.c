/* Requests to Helix, and what is taken out of its answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "gatewayd/platform/twitch_impl.h"

#define ANSWER_MAX (4u << 20)
#define SOON (8 * CLOCK_S)		/* of requests that a session waits for: within the ten seconds of its welcome */
#define RESET_MAX (600 * CLOCK_S)	/* a bucket is full again after a minute; clocks differ */

/* ---- ids and texts of Twitch's ---- */

/* What can go into JSON and a URL as it stands. */
static bool id_ok(const char *s)
{
	for (const char *q = s; *q; q++)
		if (*q <= ' ' || *q > '~' || strchr("\"\\&#?%", *q))
			return false;
	return *s != '\0';
}

bool tw_id(struct span raw, char to[TW_ID])
{
	return raw.p && scan_cstr(raw, to, TW_ID) > 0 && id_ok(to);
}

void tw_copy(char *to, size_t size, const struct json *v)
{
	const char *s = json_str(v, NULL);

	snprintf(to, size, "%s", s && strlen(s) < size && id_ok(s) ? s : "");
}

void tw_said(const struct http_answer *a, char *out, size_t n)
{
	struct json_error err;
	struct json *doc;
	const char *text;

	/* With a status it is that of a token that was not to be had. */
	if (a->status == 0 || a->error) {
		snprintf(out, n, "%s", a->error ? a->error : "no answer");
		return;
	}
	doc = json_parse(a->body, a->nbody, &err);
	text = json_str(json_member(doc, "message"), NULL);
	snprintf(out, n, "status %d%s%.120s", a->status, text && *text ? ": " : "", text ? text : "");
	json_free(doc);
	utf8_cut(out);
}

bool tw_passing(const struct http_answer *a)
{
	return a->status == 0 || a->status == 429 || a->status >= 500;
}

/* ---- limits ---- */

/* RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". 0: it is none. */
static int64_t http_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], iso[CLOCK_RFC3339_MAX];
	unsigned day, year, hour, minute, second;
	const char *at;
	int64_t wall;

	if (!text || sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u GMT", &day, month, &year, &hour, &minute, &second) != 6 ||
	    strlen(month) != 3 || !(at = strstr(months, month)) || (at - months) % 3)
		return 0;
	snprintf(iso, sizeof(iso), "%04u-%02u-%02uT%02u:%02u:%02uZ", year, (unsigned)(at - months) / 3 + 1, day, hour, minute, second);
	return clock_parse(iso, strlen(iso), &wall) ? 0 : wall;
}

/* Ratelimit-Reset is the second at which the bucket is full again, by Twitch's clock, which Date shows. 0: it does not say; with points left
 * the limit is the endpoint's own. */
static int64_t until_reset(struct twitch *p, const struct http_answer *a)
{
	const char *reset = http_header(a, "Ratelimit-Reset"), *left = http_header(a, "Ratelimit-Remaining");
	int64_t date = http_date(http_header(a, "Date")), wait;

	if (a->status != 429 || !reset || !*reset || strlen(reset) > 10 || strspn(reset, "0123456789") != strlen(reset) ||
	    (left && strcmp(left, "0") != 0))
		return 0;
	wait = strtoll(reset, NULL, 10) * CLOCK_S - (date ? date : out_wall(p->out));
	return wait < 0 ? 0 : wait > RESET_MAX ? RESET_MAX : wait;
}

int64_t tw_wait(struct twitch *p, const struct http_answer *a)
{
	int64_t reset = until_reset(p, a), wait = backoff_next(&p->backoff, out_random(p->out));

	/* Accounts of one client share the bucket. */
	return reset ? reset + (int64_t)(out_random(p->out) % (uint64_t)CLOCK_S) : wait;
}

/* ---- requests ---- */

bool tw_post(struct twitch *p, enum tw_call_kind kind, const char *method, const char *path, struct buf *body)
{
	bool ok = tw_ask(p, kind, NULL, method, path, body);

	if (body->p)
		explicit_bzero(body->p, body->len);
	buf_release(body);
	return ok;
}

unsigned tw_asking(const struct twitch *p, enum tw_call_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TW_CALLS; i++)
		n += p->calls[i].kind == kind;
	return n;
}

void tw_orphan(struct twitch *p, const char *key)
{
	for (unsigned i = 0; i < TW_CALLS; i++) {
		struct tw_call *c = &p->calls[i];

		if (c->kind == CALL_CREATE && c->key && strcmp(c->key, key) == 0) {
			free(c->key);
			c->key = NULL;
		}
	}
}

static struct tw_call *free_call(struct twitch *p)
{
	for (unsigned i = 0; i < TW_CALLS; i++)
		if (p->calls[i].kind == CALL_NONE)
			return &p->calls[i];
	return NULL;
}

bool tw_ask(struct twitch *p, enum tw_call_kind kind, char *key, const char *method, const char *path, const struct buf *body)
{
	bool keyed = kind == CALL_CREATE || kind == CALL_DELETE;
	struct tw_call *c = free_call(p);
	char url[TW_URL + 1024], client[sizeof(p->conf.client) + 16];
	const char *headers[] = {client, "Content-Type: application/json", NULL};
	struct http_request r = {.method = method, .url = url, .headers = headers, .max_answer = ANSWER_MAX};

	if (!c || (keyed && !key)) {
		free(key);
		return false;
	}
	if (kind == CALL_CREATE || kind == CALL_ATTACH)
		r.timeout = SOON;
	snprintf(url, sizeof(url), "%s%s", p->conf.helix, path);
	snprintf(client, sizeof(client), "Client-Id: %s", p->conf.client);
	if (body) {
		r.body = body->p;
		r.nbody = body->len;
	} else {
		headers[1] = NULL;
	}
	*c = (struct tw_call){kind, out_http(p->out, &r, p->conf.transport == TW_WEBSOCKET ? OUT_TOKEN_USER : OUT_TOKEN_APP), key};
	return true;
}
