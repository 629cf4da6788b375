/*
 * Attaching the shards of the conduit, to sockets or to the callback. Sources: dev.twitch.tv "Getting Events Using Conduits", Helix reference.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define ATTACH_MAX TW_HOOKS_MAX		/* shards in a request */
#define ATTACH_TRIES 6u

/* One that is attached already goes on: attached once more it would be off until it is verified. */
static unsigned add_hooks(struct twitch *p, struct buf *body)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->shards && i < TW_HOOKS_MAX; i++) {
		if (p->hook[i] != HOOK_OFF)
			continue;
		if (buf_printf(body, "%s{\"id\":\"%u\",\"transport\":{\"method\":\"webhook\",\"callback\":", n ? "," : "", i) ||
		    buf_add_json(body, p->conf.callback, strlen(p->conf.callback)) || buf_adds(body, ",\"secret\":") ||
		    buf_add_json(body, p->conf.secret.p, p->conf.secret.len) || buf_adds(body, "}}"))
			return 0;
		n++;
	}
	return n;
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
		c->attaching = c->asked = true;
		c->asked_next = *c->next != '\0';
		n++;
	}
	return n;
}

void tw_attach(struct twitch *p, int64_t now)
{
	struct buf body;
	bool some;

	if (!tw_sockets(p) && (!tw_leads(p) || !p->hooks_known)) {
		if (tw_leads(p))
			tw_shards_ask(p, now);
		return;
	}
	buf_init(&body, 256u << 10);
	buf_printf(&body, "{\"conduit_id\":\"%s\",\"shards\":[", p->conduit);
	/* A callback that cannot be verified is not asked for again at once. */
	if (tw_sockets(p))
		some = add_sockets(p, &body) > 0;
	else
		some = (!p->hooks_at || now >= p->hooks_at + p->hooks_wait) && add_hooks(p, &body) > 0;
	if (some && !tw_sockets(p)) {
		p->hooks_at = now;
		p->hooks_wait = !p->hooks_wait ? TW_AGAIN_HOOKS : p->hooks_wait < TW_AGAIN_SLOW / 2 ? 2 * p->hooks_wait : TW_AGAIN_SLOW;
	}
	buf_adds(&body, "]}");
	if (!some) {
		buf_release(&body);
	} else if (!tw_post(p, CALL_ATTACH, "PATCH", "/eventsub/conduits/shards", &body)) {
		for (unsigned i = 0; i < p->nconns; i++)
			p->conns[i].attaching = false;
		tw_conduit_later(p, now);
	}
}

/* ---- answers ---- */

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
		unsigned k = tw_shard_of(p, e);
		char text[160];

		snprintf(text, sizeof(text), "%.100s%s%.40s", why ? why : "refused", code ? ", " : "", code ? code : "");
		tw_trouble(p, text);
		if (k != UINT32_MAX && tw_sockets(p) && p->conns[k].attaching)
			not_attached(p, k, text, TW_AGAIN_SLOW / 3);
	}
	for (size_t i = 0; i < json_count(data); i++) {
		unsigned k = tw_shard_of(p, json_at(data, i));

		if (k != UINT32_MAX && !tw_sockets(p))
			p->hook[k] = HOOK_PENDING;
		if (k == UINT32_MAX || !tw_sockets(p) || !p->conns[k].attaching)
			continue;
		/* A move began meanwhile: its session has to be attached, too. */
		if (*p->conns[k].next && !p->conns[k].asked_next) {
			p->conns[k].attaching = false;
			continue;
		}
		p->conns[k].attach = p->conns[k].attaching = false;
		p->conns[k].attach_tries = 0;
		p->conns[k].attached_at = now;
		tw_conn_attached(p, k, now);
	}
	/* What came of the challenges is looked at, whichever process they reach. */
	if (!tw_sockets(p))
		tw_conduit_later(p, now);
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
	tw_trouble(p, said);
	for (unsigned i = 0; i < p->nconns; i++) {
		struct tw_conn *c = &p->conns[i];

		if (!c->attaching)
			continue;
		c->attaching = false;
		if ((!tw_passing(a) && a->status != 404) || ++c->attach_tries >= ATTACH_TRIES)
			not_attached(p, i, said, TW_AGAIN_SLOW);
	}
	tw_conduit_later(p, now);
}

void tw_attach_answer(struct twitch *p, const struct http_answer *a, const char *said, int64_t now)
{
	if (a->status == 202 || a->status == 200)
		attached(p, a, now);
	else
		attach_failed(p, a, said, now);
}
