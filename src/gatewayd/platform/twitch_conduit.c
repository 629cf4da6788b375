/*
 * The conduit: a set of shards that Twitch sends the events of all its subscriptions to, each channel's to one shard. A shard
 * is a socket of ours (connection N is shard N) or, with `callback`, that URL. Subscriptions belong to the conduit and outlive
 * its sockets.
 *
 * Which one: `conduit` of the file; else the only one there is; else one is made, by whoever holds connection 0. Several and no
 * word which: none is touched. Sources: dev.twitch.tv "Getting Events Using Conduits", Helix reference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define AGAIN CLOCK_S			/* within the ten seconds of a welcome */
#define AGAIN_SLOW (30 * CLOCK_S)
#define ATTACH_MAX TW_HOOKS_MAX		/* shards in a request */
#define ATTACH_TRIES 6u

static void later(struct twitch *p, int64_t now)
{
	int64_t wait = AGAIN_SLOW, due;

	for (unsigned i = 0; i < p->nconns; i++)
		if (p->conns[i].attach)
			wait = AGAIN;
	due = now + wait + (int64_t)(out_random(p->out) % (uint64_t)(wait / 4));
	out_timer(p->out, OUT_ACCOUNT, TIMER_ATTACH, due < p->pause ? p->pause : due);
}

void tw_conduit_start(struct twitch *p, int64_t now)
{
	if (tw_asking(p, CALL_CONDUITS) || tw_asking(p, CALL_MAKE))
		return;
	if (!tw_ask(p, CALL_CONDUITS, NULL, "GET", "/eventsub/conduits", NULL))
		out_timer(p->out, OUT_ACCOUNT, TIMER_START, now + AGAIN);
}

static bool post(struct twitch *p, enum tw_call_kind kind, const char *method, const char *path, struct buf *body)
{
	bool ok = tw_ask(p, kind, NULL, method, path, body);

	if (body->p)
		explicit_bzero(body->p, body->len);
	buf_release(body);
	return ok;
}

static bool make(struct twitch *p)
{
	struct buf body;

	buf_init(&body, 256);
	buf_printf(&body, "{\"shard_count\":%llu}", (unsigned long long)(p->conf.shards ? p->conf.shards : 1));
	return post(p, CALL_MAKE, "POST", "/eventsub/conduits", &body);
}

static bool resize(struct twitch *p)
{
	struct buf body;

	buf_init(&body, 512);
	buf_printf(&body, "{\"id\":\"%s\",\"shard_count\":%llu}", p->conduit, (unsigned long long)p->conf.shards);
	return post(p, CALL_RESIZE, "PATCH", "/eventsub/conduits", &body);
}

/* ---- attaching ---- */

static bool add_hooks(const struct twitch *p, struct buf *body)
{
	for (uint64_t i = 0; i < p->shards && i < ATTACH_MAX; i++)
		if (buf_printf(body, "%s{\"id\":\"%llu\",\"transport\":{\"method\":\"webhook\",\"callback\":", i ? "," : "",
			       (unsigned long long)i) ||
		    buf_add_json(body, p->conf.callback, strlen(p->conf.callback)) || buf_adds(body, ",\"secret\":") ||
		    buf_add_json(body, p->conf.secret.p, p->conf.secret.len) || buf_adds(body, "}}"))
			return false;
	return true;
}

static unsigned add_sockets(struct twitch *p, struct buf *body)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->nconns && n < ATTACH_MAX; i++) {
		struct tw_conn *c = &p->conns[i];

		if (!c->attach)
			continue;
		if (buf_printf(body, "%s{\"id\":\"%u\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"%s\"}}", n ? "," : "", i,
			       *c->next ? c->next : c->session))
			break;
		c->attaching = true;
		c->asked_next = *c->next != '\0';
		n++;
	}
	return n;
}

/* Attaches every shard that waits for it, in one request; one at a time. */
static void attach(struct twitch *p, int64_t now)
{
	struct buf body;
	bool some;

	buf_init(&body, 256u << 10);
	buf_printf(&body, "{\"conduit_id\":\"%s\",\"shards\":[", p->conduit);
	some = tw_sockets(p) ? add_sockets(p, &body) > 0 : tw_leads(p) && !p->hooked && add_hooks(p, &body);
	buf_adds(&body, "]}");
	if (!some) {
		buf_release(&body);
	} else if (!post(p, CALL_ATTACH, "PATCH", "/eventsub/conduits/shards", &body)) {
		for (unsigned i = 0; i < p->nconns; i++)
			p->conns[i].attaching = false;
		later(p, now);
	}
}

void tw_conduit_pump(struct twitch *p, int64_t now)
{
	if (p->refused || tw_asking(p, CALL_CONDUITS) || tw_asking(p, CALL_MAKE) || tw_asking(p, CALL_RESIZE) ||
	    tw_asking(p, CALL_ATTACH))
		return;
	if (p->pause > now) {
		later(p, now);
	} else if (!*p->conduit) {
		tw_conduit_start(p, now);
	} else if (tw_leads(p) && (p->conf.shards > p->shards || (p->ours && p->conf.shards && p->conf.shards < p->shards))) {
		if (!resize(p))
			later(p, now);
	} else {
		attach(p, now);
	}
}

/* ---- which one ---- */

static void found(struct twitch *p, const char *id, uint64_t shards, int64_t now)
{
	if (strcmp(p->conduit, id) != 0)
		memmove(p->conduit, id, strlen(id) + 1);
	p->shards = shards;
	p->hooked = false;
	p->error[0] = '\0';
	/* Asks for the connections again: without `conduit-shards` only now is known how many. */
	p->proved = false;
	tw_proved(p, now);
	tw_conduit_pump(p, now);
	tw_list(p, now);
}

static void trouble(struct twitch *p, const char *what)
{
	if (strcmp(p->error, what) == 0)
		return;
	snprintf(p->error, sizeof(p->error), "%s", what);
	tw_say(p, LOG_ERROR, "%s", what);
}

/* Nothing is to be had now: who has a welcome waits, the others need not dial. */
static void none(struct twitch *p, const char *what, int64_t now)
{
	trouble(p, what);
	later(p, now);
}

static const struct json *pick(struct twitch *p, const struct json *data, int64_t now)
{
	size_t n = json_count(data);
	char what[200];

	for (size_t i = 0; *p->conf.conduit && i < n; i++) {
		const char *id = json_str(json_member(json_at(data, i), "id"), NULL);

		if (id && strcmp(id, p->conf.conduit) == 0)
			return json_at(data, i);
	}
	if (*p->conf.conduit) {
		snprintf(what, sizeof(what), "there is no conduit %.80s", p->conf.conduit);
		none(p, what, now);
		return NULL;
	}
	if (n > 1) {
		const char *id = json_str(json_member(json_at(data, 0), "id"), NULL);

		snprintf(what, sizeof(what), "there are %zu conduits (%.60s, ...): say which, with conduit = ID", n, id ? id : "?");
		none(p, what, now);
		return NULL;
	}
	return n ? json_at(data, 0) : NULL;
}

static void conduits(struct twitch *p, const struct json *data, int64_t now)
{
	const struct json *one = pick(p, data, now);
	char id[TW_ID];

	if (one) {
		tw_copy(id, sizeof(id), json_member(one, "id"));
		if (!*id) {
			none(p, "the conduit has no id that can be used", now);
			return;
		}
		if (!*p->conf.conduit && strcmp(p->conduit, id) != 0) {
			p->ours = false;
			tw_say(p, LOG_INFO, "conduit %s is used; with conduit = %s what the file does not want would be deleted in it", id, id);
		}
		found(p, id, (uint64_t)json_int(json_member(one, "shard_count"), 1), now);
		return;
	}
	if (json_count(data) || *p->conf.conduit)
		return;
	/* None yet. Of several processes the one with connection 0 makes it, the others find it. */
	p->proved = false;
	tw_proved(p, now);
	if (tw_leads(p) && p->conns[0].state >= CONN_READY) {
		if (!make(p))
			later(p, now);
	} else {
		later(p, now);
	}
}

/* ---- answers ---- */

static unsigned shard_of(const struct twitch *p, const struct json *e)
{
	const char *id = json_str(json_member(e, "id"), NULL);

	if (!id || !*id || strspn(id, "0123456789") != strlen(id) || strlen(id) > 5 || strtoul(id, NULL, 10) >= p->nconns)
		return UINT32_MAX;
	return (unsigned)strtoul(id, NULL, 10);
}

static void not_attached(struct twitch *p, unsigned i, const char *why, int64_t wait)
{
	struct tw_conn *c = &p->conns[i];
	char text[200];

	snprintf(text, sizeof(text), "the shard was not attached: %s", why);
	/* A socket that was to take over goes; the old one is still attached. */
	if (*c->next) {
		tw_say(p, LOG_WARN, "connection %u: %s", i, text);
		c->attach = c->attaching = false;
		tw_conn_next_failed(p, i);
		return;
	}
	tw_conn_lost(p, i, NEXT_RESUME, 1000, text, wait);
}

/* 202 says nothing about a shard: `data` and `errors` do. A shard in neither is asked for again. */
static void attached(struct twitch *p, const struct http_answer *a, int64_t now)
{
	struct json_error err;
	struct json *doc = json_parse(a->body, a->nbody, &err);
	const struct json *data = json_member(doc, "data"), *errors = json_member(doc, "errors");

	for (size_t i = 0; i < json_count(errors); i++) {
		const struct json *e = json_at(errors, i);
		const char *why = json_str(json_member(e, "message"), NULL), *code = json_str(json_member(e, "code"), NULL);
		unsigned k = shard_of(p, e);
		char text[160];

		snprintf(text, sizeof(text), "%.100s%s%.40s", why ? why : "refused", code ? ", " : "", code ? code : "");
		trouble(p, text);
		if (k != UINT32_MAX && p->conns[k].attaching)
			not_attached(p, k, text, AGAIN_SLOW / 3);
	}
	for (size_t i = 0; i < json_count(data); i++) {
		unsigned k = shard_of(p, json_at(data, i));

		if (k == UINT32_MAX || !p->conns[k].attaching)
			continue;
		/* A move began meanwhile: its session has to be attached, too. */
		if (*p->conns[k].next && !p->conns[k].asked_next) {
			p->conns[k].attaching = false;
			continue;
		}
		p->conns[k].attach = p->conns[k].attaching = false;
		p->conns[k].attach_tries = 0;
		tw_conn_attached(p, k, now);
	}
	if (!tw_sockets(p) && json_count(errors) == 0)
		p->hooked = true;
	else if (!tw_sockets(p))
		later(p, now);
	if (!tw_sockets(p) && p->hooked)
		tw_callback_settle(p, now);
	if (json_count(errors) == 0)
		p->error[0] = '\0';
	json_free(doc);
}

static void attach_failed(struct twitch *p, const struct http_answer *a, const char *said, int64_t now)
{
	/* The conduit is gone: another one has to be found or made. */
	if (a->status == 404) {
		p->conduit[0] = '\0';
		p->shards = 0;
		for (size_t i = 0; i < p->subs.n; i++)
			if (p->subs.v[i].state == SUB_ENABLED)
				sub_set(&p->subs.v[i], SUB_MISSING, 0, "the conduit is gone");
		p->hint = 0;
		p->listed = false;
	}
	trouble(p, said);
	for (unsigned i = 0; i < p->nconns; i++) {
		struct tw_conn *c = &p->conns[i];

		if (!c->attaching)
			continue;
		c->attaching = false;
		if ((!tw_passing(a) && a->status != 404) || ++c->attach_tries >= ATTACH_TRIES)
			not_attached(p, i, said, AGAIN_SLOW);
	}
	later(p, now);
}

void tw_conduit_answer(struct twitch *p, enum tw_call_kind kind, const struct http_answer *a, int64_t now)
{
	struct json_error err;
	struct json *doc;
	const struct json *data, *one;
	char said[160], id[TW_ID];

	tw_said(a, said, sizeof(said));
	if (a->status == 429)
		tw_pause(p, tw_wait(p, a), said, now);
	if (a->status == 401) {
		for (unsigned i = 0; i < p->nconns; i++)
			p->conns[i].attaching = false;
		tw_token_refused(p, said, a->error != NULL, now);
		return;
	}
	if (kind == CALL_ATTACH) {
		if (a->status == 202 || a->status == 200)
			attached(p, a, now);
		else
			attach_failed(p, a, said, now);
		tw_conduit_pump(p, now);
		tw_pump(p, now);
		return;
	}
	doc = a->status == 200 || a->status == 202 ? json_parse(a->body, a->nbody, &err) : NULL;
	data = json_member(doc, "data");
	one = json_at(data, 0);
	if (!json_is_array(data)) {
		none(p, a->status == 200 ? "an answer about conduits makes no sense" : said, now);
	} else if (kind == CALL_CONDUITS) {
		conduits(p, data, now);
	} else {
		tw_copy(id, sizeof(id), json_member(one, "id"));
		if (kind == CALL_MAKE && *id) {
			p->ours = true;
			tw_say(p, LOG_INFO, "conduit %s was made", id);
		}
		if (*id)
			found(p, id, (uint64_t)json_int(json_member(one, "shard_count"), 1), now);
		else
			none(p, "an answer about conduits makes no sense", now);
	}
	json_free(doc);
}

/* ---- what Twitch says of shards ---- */

void tw_conduit_disabled(struct twitch *p, struct span event, int64_t now)
{
	char conduit[TW_ID], shard[8], session[TW_ID] = "";
	struct span transport;
	unsigned k;

	if (!event.p || event.p[0] != '{' || !tw_id(scan_member(event, "conduit_id"), conduit) || strcmp(conduit, p->conduit) != 0 ||
	    scan_cstr(scan_member(event, "shard_id"), shard, sizeof(shard)) <= 0)
		return;
	transport = scan_member(event, "transport");
	if (transport.p && transport.p[0] == '{')
		tw_id(scan_member(transport, "session_id"), session);
	tw_say(p, LOG_WARN, "Twitch switched shard %s of the conduit off", shard);
	if (!tw_sockets(p)) {
		p->hooked = false;
		later(p, now);
		return;
	}
	if (strspn(shard, "0123456789") != strlen(shard) || (k = (unsigned)strtoul(shard, NULL, 10)) >= p->nconns)
		return;
	/* Our socket lives, Twitch thinks otherwise: attached again. An older session's end is no news. */
	if (p->conns[k].state == CONN_LIVE && *session && strcmp(session, p->conns[k].session) == 0) {
		p->conns[k].attach = p->conns[k].off = true;
		tw_conduit_pump(p, now);
	}
}

int tw_conduit_status(const struct twitch *p, struct buf *j)
{
	if (!*p->conduit)
		return buf_adds(j, "\"conduit\":null");
	return buf_printf(j, "\"conduit\":{\"id\":\"%s\",\"shards\":%llu%s}", p->conduit, (unsigned long long)p->shards,
		tw_sockets(p) ? "" : p->hooked ? ",\"attached\":true" : ",\"attached\":false");
}
