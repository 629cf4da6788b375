/*
 * twitch: chat messages through Helix, POST chat/messages.
 *
 * Sources: dev.twitch.tv, Send Chat Message, API guide (rate limits). Helix's page does not name the limits of chatting; those of IRC are kept to: 20
 * messages in 30 s for a sender (chat-limit: 100 for a moderator, 7500 for a verified bot), and one a second in a channel unless the
 * account has more than 20; whose account it is here does not matter, two of the same user share them. Twitch knows no idempotency key: what perhaps arrived is not said again unless the account's file says send-unknown = again.
 */
#include "deliver/target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/json.h"
#include "base/log.h"

#define HELIX "https://api.twitch.tv/helix"
#define CHAT_DEFAULT 20u
#define CHAT_PERIOD (31 * CLOCK_S)	/* one more than the limit's 30 s: what leaves evenly may arrive closer together */
#define CHANNEL_PERIOD (1100 * CLOCK_MS)
#define RESET_MAX (120 * CLOCK_S)	/* of Ratelimit-Reset, if clocks differ; the bucket is full again after a minute */

struct twitch {
	char *helix, *client, *user;
	char who[160];
	char upstream[NEED_NAME];
	uint64_t chat;			/* messages in CHAT_PERIOD */
	bool again;			/* send-unknown */
};

static void close_twitch(void *t)
{
	struct twitch *w = t;

	free(w->helix);
	free(w->client);
	free(w->user);
	free(w);
}

static int read_words(struct twitch *w, const struct account *a)
{
	if (account_u64(a, "chat-limit", 1, 7500, &w->chat) || target_again(a, &w->again))
		return -1;
	if (target_upstream(w->helix, w->upstream))
		return account_bad(a, "helix", "\"%.100s\": want https://HOST/PATH", w->helix);
	if (!target_digits(w->user))
		return account_bad(a, "user", "\"%.40s\": want the number of the user who speaks", w->user);
	if (!*w->client || strpbrk(w->client, " \t\r\n"))
		return account_bad(a, "client-id", "\"%.40s\": want the client's id", w->client);
	return 0;
}

static void *open_twitch(const struct account *a)
{
	struct twitch *w = calloc(1, sizeof(*w));

	if (!w) {
		log_error("%s: no memory", account_file(a));
		return NULL;
	}
	w->chat = CHAT_DEFAULT;
	snprintf(w->who, sizeof(w->who), "twitch %s/%s", account_tenant(a), account_name(a));
	w->helix = strdup(account_get(a, "helix", HELIX));
	w->client = strdup(account_get(a, "client-id", ""));
	w->user = strdup(account_get(a, "user", ""));
	if (w->helix && w->client && w->user && read_words(w, a) == 0)
		return w;
	close_twitch(w);
	return NULL;
}

static const char *upstream(void *t)
{
	struct twitch *w = t;

	return w->upstream;
}

static const char *check(void *t, const struct say *s)
{
	(void)t;
	if (*s->edit)
		return "Twitch has no edits";
	return target_digits(s->channel) ? NULL : "data.channel.id is no number of Twitch's";
}

static unsigned needs(void *t, const struct say *s, struct need *to)
{
	struct twitch *w = t;
	unsigned n = 0;

	to[n] = (struct need){.unknown = 1};
	snprintf(to[n++].name, NEED_NAME, "%s helix", w->who);
	to[n] = (struct need){.n = (uint32_t)w->chat, .period = CHAT_PERIOD};
	snprintf(to[n++].name, NEED_NAME, "%.200s user %.24s", w->upstream, w->user);
	if (w->chat > CHAT_DEFAULT)
		return n;
	to[n] = (struct need){.n = 1, .period = CHANNEL_PERIOD};
	snprintf(to[n++].name, NEED_NAME, "%.200s user %.24s in %.24s", w->upstream, w->user, s->channel);
	return n;
}

static unsigned spots(void *t, const struct say *s, char name[SPOTS_OF_ONE][SPOT_NAME])
{
	(void)t;
	snprintf(name[0], SPOT_NAME, "channel %.24s", s->channel);
	return 1;
}

/* A message id of Twitch's is a UUID. */
static bool uuid(const char *s)
{
	return strlen(s) == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36;
}

/* A chat message is one line: of the escapes of line ends, as buf_add_json writes them, one blank is left. A backslash of the text is two. */
static int add_line(const struct say *s, struct buf *b)
{
	size_t to = b->len, from = to;

	if (buf_add_json(b, s->piece, s->npiece))
		return -1;
	for (; from < b->len; from++) {
		char c = b->p[from];

		if (c == '\\' && (b->p[from + 1] == 'n' || b->p[from + 1] == 'r')) {
			b->p[to++] = ' ';
			from++;
			continue;
		}
		b->p[to++] = c;
		if (c == '\\')
			b->p[to++] = b->p[++from];
	}
	b->len = to;
	return 0;
}

static int request(void *t, const struct say *s, struct request *r)
{
	struct twitch *w = t;
	int rc;

	r->method = "POST";
	r->timeout = 15 * CLOCK_S;
	r->token = TOKEN_USER;
	rc = buf_printf(&r->body, "{\"broadcaster_id\":\"%s\",\"sender_id\":\"%s\",\"message\":", s->channel, w->user) | add_line(s, &r->body);
	if (uuid(s->reply_to))
		rc |= buf_printf(&r->body, ",\"reply_parent_message_id\":\"%s\"", s->reply_to);
	rc |= buf_addc(&r->body, '}') | buf_printf(&r->url, "%s/chat/messages", w->helix);
	return rc | request_field(r, "Content-Type: application/json") | request_field(r, "Client-Id: %s", w->client);
}

static enum repeat repeat(void *t, const struct say *s)
{
	struct twitch *w = t;

	(void)s;
	return w->again ? REPEAT_SAFE : REPEAT_NEVER;
}

/* Ratelimit-Reset is the second at which the bucket is full again. */
static void limits(const struct twitch *w, const struct answer *a, struct verdict *v)
{
	int64_t left = target_count(a->field(a->arg, "Ratelimit-Remaining")), limit = target_count(a->field(a->arg, "Ratelimit-Limit"));
	const char *at = a->field(a->arg, "Ratelimit-Reset");
	struct told *told = &v->told[0];
	int64_t second, reset;

	if (left < 0 || limit < 0 || !at || strlen(at) > 10 || !target_digits(at))
		return;
	second = atoll(at);
	reset = second > INT64_MAX / CLOCK_S ? RESET_MAX : second * CLOCK_S - a->wall;
	*told = (struct told){.left = (uint32_t)left, .limit = (uint32_t)limit,
		.reset = reset < CLOCK_S ? CLOCK_S : reset > RESET_MAX ? RESET_MAX : reset};
	snprintf(told->name, sizeof(told->name), "%s helix", w->who);
	v->ntold = 1;
	if (a->status == 429 && left == 0)
		v->wait = told->reset;
	if (v->wait)
		snprintf(v->closed, sizeof(v->closed), "%s", told->name);
}

/* 200 does not mean that it was sent. */
static void said(const struct json *doc, struct verdict *v)
{
	const struct json *row = json_at(json_member(doc, "data"), 0), *drop = json_member(row, "drop_reason");
	const char *id = json_str(json_member(row, "message_id"), NULL), *code = json_str(json_member(drop, "code"), NULL);
	const char *text = json_str(json_member(drop, "message"), NULL);

	if (!json_is_object(row)) {
		v->kind = BROKEN;
		verdict_text(v, "the answer does not say whether it was sent");
	} else if (json_bool(json_member(row, "is_sent"), false)) {
		v->kind = SAID;
		snprintf(v->id, sizeof(v->id), "%s", id && strlen(id) < sizeof(v->id) ? id : "");
	} else {
		v->kind = REFUSED;
		snprintf(v->code, sizeof(v->code), "%s", code && strlen(code) < sizeof(v->code) ? code : "not_sent");
		verdict_text(v, "%s", text ? text : "Twitch did not send it");
	}
}

static void answer(void *t, const struct say *s, const struct answer *a, struct verdict *v)
{
	struct twitch *w = t;
	struct json_error err;
	struct json *doc = a->nbody ? json_parse(a->body, a->nbody, &err) : NULL;
	const char *text = json_str(json_member(doc, "message"), NULL);

	(void)s;
	limits(w, a, v);
	verdict_text(v, "HTTP status %d%s%s", a->status, text && *text ? ": " : "", text ? text : "");
	snprintf(v->code, sizeof(v->code), "%d", a->status);
	v->kind = a->status == 401 ? DENIED : a->status == 429 ? LIMITED : a->status >= 500 ? BROKEN : REFUSED;
	v->forbidden = a->status == 403;	/* the sender may not chat here: banned, timed out */
	if (a->status >= 500)
		target_retry_after(a, &v->wait);
	if (a->status == 200) {
		v->code[0] = '\0';
		said(doc, v);
	}
	json_free(doc);
}

static const char *const words[] = {"client-id", "client-secret-file", "token-file", "oauth", "user", "helix", "send-unknown", "chat-limit", NULL};

const struct target target_twitch = {
	.name = "twitch",
	.words = words,
	.max_units = 500,
	.oauth = true,
	.open = open_twitch,
	.close = close_twitch,
	.upstream = upstream,
	.check = check,
	.needs = needs,
	.spots = spots,
	.request = request,
	.repeat = repeat,
	.answer = answer,
};
