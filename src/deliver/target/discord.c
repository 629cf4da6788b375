/*
 * discord: channel messages, replies, edits, answers to interactions; REST API v10.
 *
 * Sources: discord.com/developers/docs: Create Message, Rate Limits, Receiving and Responding. Not verified there, and so done what is safe either
 * way: the unit of the 2000 characters (UTF-16 units are counted); how long a nonce is remembered (REPEAT_WINDOW); that a callback needs
 * no Authorization (none is sent: the token in the path is the credential); what a ban by Cloudflare looks like (a 403 or 429 without the JSON of
 * an error makes everybody wait). What is said to an interaction after its first answer goes to a webhook: one that gives 404 is not used again.
 */
#include "deliver/target/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"

#define API "https://discord.com/api/v10"
#define GLOBAL_N 50u				/* requests a second of a bot; answers to interactions do not count */
#define GLOBAL_PERIOD (1050 * CLOCK_MS)		/* 50 ms more: what leaves evenly may arrive closer together */
#define MARGIN (50 * CLOCK_MS)			/* behind a reset, for the same reason */
#define BAN_WAIT (60 * CLOCK_S)			/* an answer that is not the API's, and names no time */
#define HASH_MAX 64u
#define CODE_ANSWERED 40060
#define CODE_NO_MESSAGE 10008
#define CODE_NO_WEBHOOK 10015
#define CODE_NO_INTERACTION 10062
#define CODE_WEBHOOK_TOKEN 50027
#define CODE_AGENT 40333		/* Cloudflare does not like us */
#define CODE_OVERLOADED 130000
#define CODE_AUTOMOD 200000		/* these two refuse a text, not who says it */
#define CODE_LINKS 240000

struct discord {
	char *api, *token, *application;
	char who[160];				/* of the account, in names of gates */
	char upstream[NEED_NAME];
	char hash[FORM_COUNT][HASH_MAX + 1];	/* the bucket of each route, as the platform calls it; "" not known yet */
};

static void close_discord(void *t)
{
	struct discord *d = t;

	if (d->token)
		explicit_bzero(d->token, strlen(d->token));
	free(d->token);
	free(d->api);
	free(d->application);
	free(d);
}

static void *open_discord(const struct account *a)
{
	struct discord *d = calloc(1, sizeof(*d));
	struct buf token;

	if (!d) {
		log_error("%s: no memory", account_file(a));
		return NULL;
	}
	buf_init(&token, 4096);
	snprintf(d->who, sizeof(d->who), "discord %s/%s", account_tenant(a), account_name(a));
	d->api = strdup(account_get(a, "api", API));
	d->application = strdup(account_get(a, "application-id", ""));
	if (account_secret(a, "token-file", &token) || !d->api || !d->application || !(d->token = strndup(token.p ? token.p : "", token.len)))
		goto fail;
	if (target_upstream(d->api, d->upstream)) {
		account_bad(a, "api", "\"%.100s\": want https://HOST/PATH", d->api);
		goto fail;
	}
	if (!*d->token || strpbrk(d->token, " \t\r\n")) {
		account_bad(a, "token-file", "the file does not hold a token");
		goto fail;
	}
	if (token.p)
		explicit_bzero(token.p, token.len);
	buf_release(&token);
	return d;
fail:
	buf_release(&token);
	close_discord(d);
	return NULL;
}

/* ---- what is asked for ---- */

static bool token_ok(const char *s)
{
	return *s && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~=:+") == strlen(s);
}

static const char *application(const struct discord *d, const struct say *s)
{
	return *s->application ? s->application : d->application;
}

static const char *upstream(void *t)
{
	struct discord *d = t;

	return d->upstream;
}

static const char *check(void *t, const struct say *s)
{
	struct discord *d = t;

	if (*s->interaction) {
		if (!target_digits(s->interaction) || !token_ok(s->token))
			return "data.interaction needs id and token as Discord gave them";
		if (!target_digits(application(d, s)))
			return "data.interaction.application_id is missing, and the account has no application-id";
		return NULL;
	}
	if (!target_digits(s->channel))
		return "data.channel.id is no number of Discord's";
	if (*s->edit && !target_digits(s->edit))
		return "data.edit is no number of Discord's";
	return NULL;
}

/* The gate of a bucket: its hash, or the route as long as that is not known, and the top-level resource it does not contain. */
static void bucket(const struct discord *d, const struct say *s, char name[NEED_NAME])
{
	static const char *const route[FORM_COUNT] = {"create", "edit", "callback", "callback", "original", "followup"};
	bool known = d->hash[s->form][0];

	snprintf(name, NEED_NAME, "%s %s %.64s %s%.24s", d->who, known ? "bucket" : "route", known ? d->hash[s->form] : route[s->form],
		*s->interaction ? "i" : "c", *s->interaction ? s->interaction : s->channel);
}

static unsigned needs(void *t, const struct say *s, struct need *to)
{
	struct discord *d = t;
	unsigned n = 0;

	if (s->form == FORM_CALLBACK || s->form == FORM_DEFER)
		return 0;
	if (!*s->interaction) {
		to[n] = (struct need){.n = GLOBAL_N, .period = GLOBAL_PERIOD};
		snprintf(to[n++].name, NEED_NAME, "%s", d->who);
	}
	to[n] = (struct need){.unknown = 1};
	bucket(d, s, to[n++].name);
	return n;
}

/* An edit that is refused says nothing of the channel, only of that message; many of these do. A reply needs to read what it answers. */
static unsigned spots(void *t, const struct say *s, char name[SPOTS_OF_ONE][SPOT_NAME])
{
	(void)t;
	if (s->form == FORM_CALLBACK || s->form == FORM_DEFER)
		return 0;	/* each interaction has one, and no time to wait */
	if (*s->interaction) {
		snprintf(name[0], SPOT_NAME, "interaction %.24s", s->interaction);
		return 1;
	}
	if (s->form == FORM_EDIT) {
		snprintf(name[0], SPOT_NAME, "edits of message %.24s in channel %.24s", s->edit, s->channel);
		snprintf(name[1], SPOT_NAME, "edits in channel %.24s", s->channel);
		return 2;
	}
	snprintf(name[0], SPOT_NAME, "%schannel %.24s", target_digits(s->reply_to) ? "replies in " : "", s->channel);
	return 1;
}

static int url(const struct discord *d, const struct say *s, struct request *r)
{
	switch (s->form) {
	case FORM_CREATE:
		return buf_printf(&r->url, "%s/channels/%s/messages", d->api, s->channel);
	case FORM_EDIT:
		return buf_printf(&r->url, "%s/channels/%s/messages/%s", d->api, s->channel, s->edit);
	case FORM_CALLBACK:
		return buf_printf(&r->url, "%s/interactions/%s/%s/callback?with_response=true", d->api, s->interaction, s->token);
	case FORM_DEFER:
		return buf_printf(&r->url, "%s/interactions/%s/%s/callback", d->api, s->interaction, s->token);
	case FORM_ORIGINAL:
		return buf_printf(&r->url, "%s/webhooks/%s/%s/messages/@original", d->api, application(d, s), s->token);
	case FORM_FOLLOWUP:
		return buf_printf(&r->url, "%s/webhooks/%s/%s?wait=true", d->api, application(d, s), s->token);
	case FORM_COUNT:
		break;
	}
	return -1;
}

/* "content" and who may be pinged by it: nobody unless the event asks for it. Left out, allowed_mentions would mean everybody. */
static int content(const struct say *s, struct buf *b)
{
	static const struct { unsigned bit; const char *word; } row[] = {
		{MENTION_USERS, "users"}, {MENTION_ROLES, "roles"}, {MENTION_EVERYONE, "everyone"},
	};
	const char *comma = "";
	int rc = buf_adds(b, "\"content\":") | buf_add_json(b, s->piece, s->npiece) | buf_adds(b, ",\"allowed_mentions\":{\"parse\":[");

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		if (s->mentions & row[i].bit) {
			rc |= buf_printf(b, "%s\"%s\"", comma, row[i].word);
			comma = ",";
		}
	return rc | buf_printf(b, "]%s}", s->mentions & MENTION_REPLY ? ",\"replied_user\":true" : "");
}

static int body(const struct say *s, struct buf *b)
{
	int rc;

	switch (s->form) {
	case FORM_DEFER:
		return buf_adds(b, "{\"type\":5}");
	case FORM_CALLBACK:
		rc = buf_adds(b, "{\"type\":4,\"data\":{") | content(s, b);
		return rc | buf_adds(b, "}}");
	case FORM_CREATE:
		rc = buf_addc(b, '{') | content(s, b);
		rc |= buf_printf(b, ",\"nonce\":\"%s\",\"enforce_nonce\":true", s->nonce);
		/* What is no number of a message (an event's id, of another platform) is no reply. */
		if (target_digits(s->reply_to))
			rc |= buf_printf(b, ",\"message_reference\":{\"message_id\":\"%s\",\"fail_if_not_exists\":false}", s->reply_to);
		return rc | buf_addc(b, '}');
	default:
		rc = buf_addc(b, '{') | content(s, b);
		return rc | buf_addc(b, '}');
	}
}

static int request(void *t, const struct say *s, struct request *r)
{
	struct discord *d = t;
	bool first = s->form == FORM_CALLBACK || s->form == FORM_DEFER;

	r->method = s->form == FORM_EDIT || s->form == FORM_ORIGINAL ? "PATCH" : "POST";
	r->timeout = first ? 2500 * CLOCK_MS : 15 * CLOCK_S;	/* the first answer has 3 s from the event on */
	if (url(d, s, r) || body(s, &r->body) || request_field(r, "Content-Type: application/json") ||
	    request_field(r, "User-Agent: " HTTP_AGENT_DISCORD))
		return -1;
	return *s->interaction ? 0 : request_field(r, "Authorization: Bot %s", d->token);
}

static enum repeat repeat(void *t, const struct say *s)
{
	(void)t;
	if (s->form == FORM_CREATE)
		return REPEAT_SOON;	/* by its nonce */
	/* Webhooks know no nonce. A second callback is answered with 40060; the others are the same twice. */
	return s->form == FORM_FOLLOWUP ? REPEAT_NEVER : REPEAT_SAFE;
}

/* ---- what is answered ---- */

static void limits(struct discord *d, const struct say *s, const struct answer *a, struct verdict *v)
{
	const char *hash = a->field(a->arg, "X-RateLimit-Bucket");
	int64_t left = target_count(a->field(a->arg, "X-RateLimit-Remaining")), limit = target_count(a->field(a->arg, "X-RateLimit-Limit"));
	int64_t reset;
	struct told *told = &v->told[v->ntold];

	if (!hash || !*hash || strlen(hash) > HASH_MAX || left < 0 || limit < 0 ||
	    !target_seconds(a->field(a->arg, "X-RateLimit-Reset-After"), &reset) || s->form == FORM_CALLBACK || s->form == FORM_DEFER)
		return;
	strcpy(d->hash[s->form], hash);
	*told = (struct told){.left = (uint32_t)left, .limit = (uint32_t)limit, .reset = reset + MARGIN};
	bucket(d, s, told->name);
	v->ntold++;
}

/* The first of a form's errors, {"errors":{"content":{"_errors":[{"code":..,"message":..}]}}}. */
struct deep { int depth; const char *text; };

static int find_error(void *arg, const char *name, const struct json *value)
{
	struct deep *f = arg;
	int rc = 0;

	if (strcmp(name, "_errors") == 0) {
		f->text = json_str(json_member(json_at(value, 0), "message"), NULL);
		return f->text != NULL;
	}
	if (json_is_object(value) && ++f->depth < 8)
		rc = json_each(value, find_error, f);
	return rc;
}

static void fault(const struct answer *a, const struct json *doc, struct verdict *v)
{
	const char *text = json_str(json_member(doc, "message"), NULL);
	struct deep deep = {0};
	int64_t code = json_int(json_member(doc, "code"), 0);

	if (json_is_object(json_member(doc, "errors")))
		json_each(json_member(doc, "errors"), find_error, &deep);
	if (code)
		snprintf(v->code, sizeof(v->code), "%lld", (long long)code);
	verdict_text(v, "%s%s%s", text ? text : "no reason was given", deep.text ? ": " : "", deep.text ? deep.text : "");
	if (!text && !code)
		verdict_text(v, "HTTP status %d", a->status);
}

static void limited(const struct discord *d, const struct say *s, const struct answer *a, const struct json *doc, struct verdict *v)
{
	const char *scope = a->field(a->arg, "X-RateLimit-Scope"), *global = a->field(a->arg, "X-RateLimit-Global");
	double seconds = json_double(json_member(doc, "retry_after"), -1);
	bool shared = scope && strcmp(scope, "shared") == 0;
	bool all = json_bool(json_member(doc, "global"), false) || (global && strcmp(global, "true") == 0) ||
		(scope && strcmp(scope, "global") == 0);

	v->kind = LIMITED;
	v->counts = !shared;
	if (seconds >= 0)
		v->wait = (int64_t)(seconds < 86400 ? seconds * 1000 : 86400e3) * CLOCK_MS + MARGIN;
	else if (target_retry_after(a, &v->wait) ||
		 target_seconds(a->field(a->arg, "X-RateLimit-Reset-After"), &v->wait))
		v->wait += MARGIN;
	/* A ban by whoever stands before Discord says nothing of Discord's limits. */
	if (!doc && !a->field(a->arg, "X-RateLimit-Remaining")) {
		v->everybody = true;
		v->wait = v->wait ? v->wait : BAN_WAIT;
		return;
	}
	if (shared || !v->wait || s->form == FORM_CALLBACK || s->form == FORM_DEFER)
		return;
	/* The bucket, or everything of this bot. What its headers say of the bucket holds, too. */
	if (all)
		snprintf(v->closed, sizeof(v->closed), "%s", d->who);
	else
		bucket(d, s, v->closed);
}

static void said(const struct say *s, const struct json *doc, struct verdict *v)
{
	const char *id = json_str(s->form == FORM_CALLBACK ? json_path(doc, "resource.message.id") : json_member(doc, "id"), NULL);

	v->kind = SAID;
	if (id && target_digits(id))
		snprintf(v->id, sizeof(v->id), "%s", id);
}

static void answer(void *t, const struct say *s, const struct answer *a, struct verdict *v)
{
	struct discord *d = t;
	struct json_error err;
	struct json *doc = a->nbody ? json_parse(a->body, a->nbody, &err) : NULL;
	int64_t code = json_int(json_member(doc, "code"), 0);

	limits(d, s, a, v);
	fault(a, doc, v);
	v->kind = REFUSED;
	v->over = *s->interaction && (code == CODE_NO_INTERACTION || code == CODE_NO_WEBHOOK || code == CODE_WEBHOOK_TOKEN ||
		(a->status == 404 && code != CODE_NO_MESSAGE && (s->form == FORM_ORIGINAL || s->form == FORM_FOLLOWUP)));
	if (a->status >= 200 && a->status < 300) {
		said(s, doc, v);
	} else if (a->status == 429) {
		limited(d, s, a, doc, v);
	} else if (a->status >= 500 || code == CODE_OVERLOADED) {
		v->kind = BROKEN;
		target_retry_after(a, &v->wait);
	} else if (a->status == 401) {
		v->counts = true;
		v->kind = *s->interaction ? REFUSED : DENIED;
	} else if (a->status == 403) {
		v->counts = true;
		if (!doc || code == CODE_AGENT) {
			v->kind = LIMITED;
			v->everybody = true;
			if (!target_retry_after(a, &v->wait) || !v->wait)
				v->wait = BAN_WAIT;
		}
		v->forbidden = v->kind == REFUSED && code != CODE_AUTOMOD && code != CODE_LINKS;
	} else if (code == CODE_ANSWERED) {
		v->kind = ANSWERED;
	} else if (code == CODE_NO_MESSAGE && s->form == FORM_ORIGINAL) {
		v->kind = NOT_THAT_WAY;
	}
	json_free(doc);
}

static const char *const words[] = {"api", "application-id", "token-file", NULL};

const struct target target_discord = {
	.name = "discord",
	.words = words,
	.max_units = 2000,
	.open = open_discord,
	.close = close_discord,
	.upstream = upstream,
	.check = check,
	.needs = needs,
	.spots = spots,
	.request = request,
	.repeat = repeat,
	.answer = answer,
};
