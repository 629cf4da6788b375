/*
 * What Twitch says of a conduit's shards, and what follows. It is asked before callbacks are attached (one that is attached already
 * must not be once more: it would be off until it is verified again), while they are verified, and with every list of subscriptions:
 * a shard that Twitch switched off tells nothing by itself. Source: Helix reference, "Get Conduit Shards".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define LAG (60 * CLOCK_S)		/* what is listed may be older than an attachment that has just been made */
#define PAGES_MAX 20u
#define LOOK_EVERY (15 * 60 * CLOCK_S)

void tw_shards_ask(struct twitch *p, int64_t now)
{
	char path[TW_ID + sizeof(p->shard_cursor) + 80];

	if (!*p->conduit || p->refused || (!tw_sockets(p) && !tw_leads(p)) || p->pause > now || tw_asking(p, CALL_SHARDS))
		return;
	if (!*p->shard_cursor) {
		p->shard_pages = 0;
		p->shards_wall = out_wall(p->out);
	}
	snprintf(path, sizeof(path), "/eventsub/conduits/shards?conduit_id=%s%s%s", p->conduit, *p->shard_cursor ? "&after=" : "", p->shard_cursor);
	if (!tw_ask(p, CALL_SHARDS, NULL, "GET", path, NULL))
		tw_conduit_later(p, now);
}

void tw_shards_later(struct twitch *p, int64_t now)
{
	if (!tw_leads(p))
		out_timer(p->out, OUT_ACCOUNT, TIMER_LIST, now + LOOK_EVERY + (int64_t)(out_random(p->out) % (uint64_t)(LOOK_EVERY / 4)));
}

unsigned tw_shard_of(const struct twitch *p, const struct json *e)
{
	const char *id = json_str(json_member(e, "id"), NULL);
	unsigned n = tw_sockets(p) ? p->nconns : p->shards < TW_HOOKS_MAX ? (unsigned)p->shards : TW_HOOKS_MAX;

	if (!id || !*id || strspn(id, "0123456789") != strlen(id) || strlen(id) > 5 || strtoul(id, NULL, 10) >= n)
		return UINT32_MAX;
	return (unsigned)strtoul(id, NULL, 10);
}

/* ---- callbacks ---- */

static void hook(struct twitch *p, unsigned k, const struct json *e)
{
	const char *status = json_str(json_member(e, "status"), NULL), *url = json_str(json_path(e, "transport.callback"), NULL);
	bool failed, same = url && strcmp(url, p->conf.callback) == 0 && !p->remake;

	if (!status)
		return;
	if (same && strcmp(status, "enabled") == 0) {
		p->hook[k] = HOOK_ON;
	} else if (same && strcmp(status, "webhook_callback_verification_pending") == 0) {
		p->hook[k] = HOOK_PENDING;
	} else {
		if (p->hook[k] == HOOK_ON || p->hook[k] == HOOK_PENDING)
			tw_say(p, LOG_WARN, "shard %u of the conduit is off: %s", k, status);
		failed = strcmp(status, "webhook_callback_verification_failed") == 0;
		if (p->hook[k] == HOOK_ON || (p->hook[k] == HOOK_UNKNOWN && same && !failed))
			tw_hole(p, 0, status, p->shards_time);
		p->hook[k] = HOOK_OFF;
		if (same && failed)
			tw_trouble(p, "Twitch could not verify the callback of a shard");
	}
}

static void hooks_known(struct twitch *p, int64_t now)
{
	unsigned n = p->shards < TW_HOOKS_MAX ? (unsigned)p->shards : TW_HOOKS_MAX, on = 0;

	p->hooks_known = true;
	p->remake = false;
	for (unsigned i = 0; i < n; i++) {
		if (p->hook[i] == HOOK_UNKNOWN)
			p->hook[i] = HOOK_OFF;	/* never attached: none of that name was listed */
		on += p->hook[i] == HOOK_ON;
	}
	p->hooked = on == n;
	if (p->hooked) {
		p->hooks_wait = 0;
		p->error[0] = '\0';
		tw_callback_settle(p, now);
		tw_hole_tell(p, 0);
	} else {
		tw_conduit_pump(p, now);
		tw_conduit_later(p, now);
	}
}

void tw_shard_verified(struct twitch *p, unsigned k, int64_t now)
{
	if (k >= TW_HOOKS_MAX || k >= p->shards || p->hook[k] != HOOK_PENDING)
		return;
	p->hook[k] = HOOK_ON;
	hooks_known(p, now);
}

/* ---- sockets ---- */

static bool covered(const struct twitch *p, unsigned i)
{
	for (unsigned k = 0; k < p->nconns; k++)
		/* One that is moving may have its events at a socket whose welcome was lost. */
		if (k != i && (p->conns[k].state != CONN_LIVE || p->conns[k].off || p->conns[k].move))
			return false;
	return p->shards > 1 && p->shards == p->nconns;
}

bool tw_shard_covered(const struct twitch *p, unsigned i)
{
	return covered(p, i);
}

/* Our socket lives, Twitch thinks otherwise: attached again. */
static void off(struct twitch *p, unsigned k, const char *why, const char *from, int64_t now)
{
	struct tw_conn *c = &p->conns[k];

	if (!covered(p, k))
		tw_hole(p, k, why, from);
	c->attach = c->off = true;
	tw_conduit_pump(p, now);
}

static void socket_of(struct twitch *p, unsigned k, const struct json *e, int64_t now)
{
	struct tw_conn *c = &p->conns[k];
	const char *status = json_str(json_member(e, "status"), NULL), *session = json_str(json_path(e, "transport.session_id"), NULL);
	char why[160];

	if (c->state != CONN_LIVE || c->off || c->attach || c->move || now - c->attached_at < LAG || !status)
		return;
	if (strcmp(status, "enabled") == 0 && session && (strcmp(session, c->session) == 0 || strcmp(session, c->was) == 0))
		return;
	snprintf(why, sizeof(why), "Twitch has another socket on the shard, or none: %.60s", status);
	tw_say(p, LOG_WARN, "connection %u: %s", k, why);
	off(p, k, why, p->shards_time, now);
}

/* ---- answers ---- */

void tw_shards_answer(struct twitch *p, const struct http_answer *a, const char *said, int64_t now)
{
	struct json_error err;
	struct json *doc = a->status == 200 ? json_parse(a->body, a->nbody, &err) : NULL;
	const struct json *data = json_member(doc, "data");

	if (!json_is_array(data)) {
		p->shard_cursor[0] = '\0';
		if (a->status == 404)
			p->conduit[0] = '\0';
		tw_trouble(p, a->status == 200 ? "an answer about shards makes no sense" : said);
		tw_conduit_later(p, now);
		json_free(doc);
		return;
	}
	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *e = json_at(data, i);
		unsigned k = tw_shard_of(p, e);

		if (k == UINT32_MAX)
			continue;
		if (tw_sockets(p))
			socket_of(p, k, e, now);
		else
			hook(p, k, e);
	}
	tw_cursor(p->shard_cursor, sizeof(p->shard_cursor), json_path(doc, "pagination.cursor"));
	json_free(doc);
	if (*p->shard_cursor && ++p->shard_pages < PAGES_MAX) {
		tw_shards_ask(p, now);
		return;
	}
	p->shard_cursor[0] = '\0';
	clock_rfc3339(p->shards_time, p->shards_wall);
	if (!tw_sockets(p))
		hooks_known(p, now);
}

void tw_conduit_disabled(struct twitch *p, struct span event, int64_t now)
{
	char conduit[TW_ID], shard[8], session[TW_ID] = "", time[CLOCK_RFC3339_MAX];
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
		tw_shards_ask(p, now);
		return;
	}
	if (strspn(shard, "0123456789") != strlen(shard) || (k = (unsigned)strtoul(shard, NULL, 10)) >= p->nconns)
		return;
	/* An older session's end is no news. */
	if (p->conns[k].state != CONN_LIVE || !*session || strcmp(session, p->conns[k].session) != 0)
		return;
	clock_rfc3339(time, out_wall(p->out));
	off(p, k, "Twitch switched the shard off", *p->conns[k].last ? p->conns[k].last : time, now);
}

int tw_conduit_status(const struct twitch *p, struct buf *j)
{
	unsigned on = 0;	/* by this process */

	if (!*p->conduit)
		return buf_adds(j, "\"conduit\":null");
	for (unsigned i = 0; i < TW_HOOKS_MAX && i < p->shards; i++)
		on += p->hook[i] == HOOK_ON;
	for (unsigned i = 0; i < p->nconns && tw_sockets(p); i++)
		on += p->conns[i].state == CONN_LIVE && !p->conns[i].off;
	return buf_printf(j, "\"conduit\":{\"id\":\"%s\",\"shards\":%llu,\"attached\":%u}", p->conduit, (unsigned long long)p->shards, on);
}
