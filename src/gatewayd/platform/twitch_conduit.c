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
#include "base/utf8.h"
#include "gatewayd/platform/twitch_impl.h"

#define AGAIN CLOCK_S			/* within the ten seconds of a welcome */

void tw_conduit_later(struct twitch *p, int64_t now)
{
	int64_t wait = TW_AGAIN_SLOW, due;

	for (unsigned i = 0; i < p->nconns; i++)
		if (p->conns[i].attach)
			wait = AGAIN;
	if (!tw_sockets(p) && !p->hooked)
		wait = TW_AGAIN_HOOKS;
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

static bool make(struct twitch *p)
{
	struct buf body;

	buf_init(&body, 256);
	buf_printf(&body, "{\"shard_count\":%llu}", (unsigned long long)(p->conf.shards ? p->conf.shards : 1));
	return tw_post(p, CALL_MAKE, "POST", "/eventsub/conduits", &body);
}

static bool resize(struct twitch *p)
{
	struct buf body;

	buf_init(&body, 512);
	buf_printf(&body, "{\"id\":\"%s\",\"shard_count\":%llu}", p->conduit, (unsigned long long)p->conf.shards);
	return tw_post(p, CALL_RESIZE, "PATCH", "/eventsub/conduits", &body);
}

void tw_conduit_pump(struct twitch *p, int64_t now)
{
	if (p->refused || tw_asking(p, CALL_CONDUITS) || tw_asking(p, CALL_MAKE) || tw_asking(p, CALL_RESIZE) ||
	    tw_asking(p, CALL_ATTACH) || (!tw_sockets(p) && tw_asking(p, CALL_SHARDS)))
		return;
	if (p->pause > now) {
		tw_conduit_later(p, now);
	} else if (!*p->conduit) {
		tw_conduit_start(p, now);
	} else if (tw_leads(p) && (p->conf.shards > p->shards || (p->ours && p->conf.shards && p->conf.shards < p->shards))) {
		if (!resize(p))
			tw_conduit_later(p, now);
	} else {
		tw_attach(p, now);
	}
}

/* ---- which one ---- */

/* The conduit is another one: nothing of what was is in it. */
static void nothing_attached(struct twitch *p)
{
	memset(p->hook, 0, sizeof(p->hook));
	for (unsigned i = 0; i < p->nconns; i++) {
		struct tw_conn *c = &p->conns[i];

		if (c->state != CONN_LIVE)
			continue;
		tw_hole(p, i, "the conduit is another one", tw_last_list(p));
		c->attach = c->off = tw_sockets(p);
	}
}

static void found(struct twitch *p, const char *id, uint64_t shards, int64_t now)
{
	if (strcmp(p->conduit, id) != 0) {
		memmove(p->conduit, id, strlen(id) + 1);
		nothing_attached(p);
	}
	if (!tw_sockets(p) && shards > TW_HOOKS_MAX && p->shards != shards)
		tw_say(p, LOG_WARN, "the conduit has %llu shards; over webhooks %u are attached", (unsigned long long)shards, TW_HOOKS_MAX);
	p->shards = shards;
	p->hooked = p->hooks_known = false;
	p->error[0] = '\0';
	/* Asks for the connections again: without `conduit-shards` only now is known how many. */
	p->proved = false;
	tw_proved(p, now);
	tw_conduit_pump(p, now);
	tw_list(p, now);
}

void tw_trouble(struct twitch *p, const char *what)
{
	char text[sizeof(p->error)];

	snprintf(text, sizeof(text), "%s", what);
	utf8_cut(text);
	if (strcmp(p->error, text) == 0)
		return;
	memcpy(p->error, text, sizeof(text));
	tw_say(p, LOG_ERROR, "%s", what);
}

/* Nothing is to be had now: who has a welcome waits, the others need not dial. */
static void none(struct twitch *p, const char *what, int64_t now)
{
	tw_trouble(p, what);
	tw_conduit_later(p, now);
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
	if (tw_asking(p, CALL_CONDUITS))
		return;		/* it is ours since a moment ago, and that answer decides */
	if (tw_leads(p) && p->conns[0].state >= CONN_READY) {
		if (!make(p))
			tw_conduit_later(p, now);
	} else {
		tw_conduit_later(p, now);
	}
}

/* ---- answers ---- */

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
	if (kind == CALL_SHARDS) {
		tw_shards_answer(p, a, said, now);
		return;
	}
	if (kind == CALL_ATTACH) {
		tw_attach_answer(p, a, said, now);
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
