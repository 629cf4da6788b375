/*
 * Reconciling: what the file wants against what Twitch has. A plain socket creates all of its own right after its welcome, the
 * first one at once (ten-second rule); lists find what was lost without a word and what nobody wants any more. Ours, and so to
 * be deleted when the file does not want it, is: of plain sockets what belongs to a session of ours, of webhooks what has our
 * callback, of conduits what is in a conduit that the file names or that was made here. An account that had webhooks before it had a
 * conduit deletes those, too: else all would come twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define ABSENT "a subscription was not there when this process began"
#define VERIFIED (5 * CLOCK_S)		/* the challenge may come to another process: a list tells */
#define TRANSPORTS_WAIT (60 * CLOCK_S)	/* old sockets need time to stop counting; more sockets only make it worse */

/* ---- what is to be created ---- */

void tw_missing(struct twitch *p, unsigned conn)
{
	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *s = &p->subs.v[i];

		if (s->conn != conn || s->state == SUB_REFUSED)
			continue;
		if (s->state == SUB_ASKED)
			tw_orphan(p, s->key);
		sub_set(s, SUB_MISSING, 0, NULL);
		s->missed[0] = '\0';
	}
	p->hint = 0;
}

static void missed(struct sub *s, const char *since)
{
	if (!*s->missed)
		snprintf(s->missed, sizeof(s->missed), "%s", since);
}

void tw_missed_look(struct twitch *p)
{
	for (unsigned i = 0; i < p->nconns; i++) {
		bool some = false;

		for (size_t k = 0; *p->conns[i].missed && k < p->subs.n; k++)
			some = some || (p->subs.v[k].conn == i && *p->subs.v[k].missed);
		if (!some)
			p->conns[i].missed[0] = '\0';
	}
}

/* Of s is known what it missed: told, or that it never was. */
static void missed_no_more(struct twitch *p, struct sub *s)
{
	s->missed[0] = '\0';
	tw_missed_look(p);
}

void tw_absent(struct twitch *p)
{
	bool some = false;

	for (size_t i = 0; i < p->subs.n && *p->since; i++) {
		struct sub *s = &p->subs.v[i];
		bool absent = s->state == SUB_MISSING || s->state == SUB_ASKED;

		if (absent && s->seen != p->lists && (tw_known(p, s) || tw_was_lost(p, s)))
			missed(s, p->since);
		else if (!absent && s->state != SUB_REFUSED && tw_was_lost(p, s))
			tw_hole(p, s->conn, ABSENT, p->since);	/* made by a process that was killed with the answer */
		some = some || *s->missed;
	}
	buf_clear(&p->known);
	buf_clear(&p->lost);
	/* Until they are made, and told, whoever goes on has to know. */
	if (!some)
		p->since[0] = '\0';
}

void tw_ask_again(struct twitch *p, unsigned conn, int64_t since)
{
	struct tw_conn *c = &p->conns[conn];

	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *s = &p->subs.v[i];

		if (s->conn != conn || (s->state != SUB_ASKED && (s->state != SUB_ENABLED || !s->made || s->made <= since)))
			continue;
		if (s->state == SUB_ENABLED) {
			missed(s, c->part_from);
			if (!*c->missed)
				memcpy(c->missed, s->missed, sizeof(c->missed));
		}
		tw_orphan(p, s->key);
		sub_set(s, SUB_MISSING, 0, NULL);
	}
	p->hint = 0;
}

bool tw_settled(const struct twitch *p, unsigned conn, size_t *enabled)
{
	bool settled = true;

	*enabled = 0;
	for (size_t i = 0; i < p->subs.n; i++) {
		const struct sub *s = &p->subs.v[i];

		if (s->conn != conn)
			continue;
		settled = settled && s->state != SUB_MISSING && s->state != SUB_ASKED;
		*enabled += s->state == SUB_ENABLED || s->state == SUB_PENDING;
	}
	return settled;
}

/* Can it be asked for now? */
static bool ready(const struct twitch *p, const struct sub *s)
{
	if (s->state != SUB_MISSING)
		return false;
	if (p->conf.transport == TW_WEBSOCKET)
		return s->conn < p->nconns && p->conns[s->conn].state >= CONN_READY && *p->conns[s->conn].session;
	/* What is there already need not be asked for. */
	return tw_leads(p) && p->listed && (p->conf.transport == TW_WEBHOOK || *p->conduit);
}

static bool add_transport(const struct twitch *p, const struct sub *s, struct buf *body)
{
	const struct tw_conf *c = &p->conf;

	switch (c->transport) {
	case TW_WEBSOCKET:
		return buf_printf(body, "{\"method\":\"websocket\",\"session_id\":\"%s\"}", p->conns[s->conn].session) == 0;
	case TW_CONDUIT:
		return buf_printf(body, "{\"method\":\"conduit\",\"conduit_id\":\"%s\"}", p->conduit) == 0;
	case TW_WEBHOOK:
		break;
	}
	return !buf_adds(body, "{\"method\":\"webhook\",\"callback\":") && !buf_add_json(body, c->callback, strlen(c->callback)) &&
		!buf_adds(body, ",\"secret\":") && !buf_add_json(body, c->secret.p, c->secret.len) && !buf_addc(body, '}');
}

static bool create(struct twitch *p, struct sub *s)
{
	struct buf body;
	bool ok;

	buf_init(&body, 16384);
	ok = !buf_addc(&body, '{') && !subs_members(s, &body) && !buf_adds(&body, ",\"transport\":") && add_transport(p, s, &body) &&
		!buf_addc(&body, '}') && tw_ask(p, CALL_CREATE, strdup(s->key), "POST", "/eventsub/subscriptions", &body);
	if (body.p)
		explicit_bzero(body.p, body.len);
	buf_release(&body);
	if (ok) {
		s->state = SUB_ASKED;
		s->verified = false;
	}
	return ok;
}

/* ---- what is to be deleted ---- */

void tw_anew(struct twitch *p, struct sub *s, const char *said)
{
	/* Of a plain socket nothing is left. */
	if (*s->id && p->conf.transport != TW_WEBSOCKET)
		tw_doom(p, s->id);
	sub_set(s, SUB_MISSING, s->http, said);
	p->hint = 0;
}

void tw_doom(struct twitch *p, const char *id)
{
	char **v;

	for (size_t i = 0; i < p->ndoomed; i++)
		if (strcmp(p->doomed[i], id) == 0)
			return;
	v = reallocarray(p->doomed, p->ndoomed + 1, sizeof(*v));
	if (!v)
		return;		/* the next list finds it again */
	p->doomed = v;
	v[p->ndoomed] = strdup(id);
	p->ndoomed += v[p->ndoomed] != NULL;
}

static bool delete_one(struct twitch *p)
{
	char path[TW_ID + 40], *id = p->doomed[p->ndoomed - 1];

	snprintf(path, sizeof(path), "/eventsub/subscriptions?id=%s", id);
	p->ndoomed--;
	return tw_ask(p, CALL_DELETE, id, "DELETE", path, NULL);
}

/* ---- listing ---- */

void tw_list(struct twitch *p, int64_t now)
{
	p->want_list = true;
	tw_pump(p, now);
}

bool tw_list_page(struct twitch *p)
{
	char path[sizeof(p->cursor) + TW_ID + 64];
	bool filter = p->conf.transport == TW_CONDUIT && !p->sweeping;

	/* At most one filter. Of a user token the list has every socket's. */
	snprintf(path, sizeof(path), "/eventsub/subscriptions%s%s%s%s", filter ? "?conduit_id=" : "", filter ? p->conduit : "",
		*p->cursor ? filter ? "&after=" : "?after=" : "", p->cursor);
	return tw_ask(p, CALL_LIST, NULL, "GET", path, NULL);
}

static void begin_list(struct twitch *p, int64_t now)
{
	p->want_list = false;
	p->sweeping = p->sweep_due;
	p->swept = 0;
	p->lists++;
	p->list_at = now;
	p->list_wall = out_wall(p->out);
	p->pages = 0;
	p->cursor[0] = '\0';
	if (!tw_list_page(p))
		p->want_list = true;
}

void tw_pump(struct twitch *p, int64_t now)
{
	unsigned n = tw_asking(p, CALL_CREATE) + tw_asking(p, CALL_DELETE);
	size_t i;

	if (p->refused || (p->pause && now < p->pause))
		return;
	p->pause = 0;
	/* Another process looks after them; the first answer only shows that the token is good. */
	if (!tw_leads(p)) {
		if (p->want_list && !p->proved && !tw_asking(p, CALL_LIST))
			begin_list(p, now);
		p->want_list = false;
		return;
	}
	/* A dead one that is still there may be in the way of its successor (409). A session cannot wait, and has no such. */
	if (p->conf.transport != TW_WEBSOCKET) {
		while (n < TW_PARALLEL && p->ndoomed && delete_one(p))
			n++;
		if (p->ndoomed || tw_asking(p, CALL_DELETE))
			return;
	}
	for (i = p->hint; i < p->subs.n && n < TW_PARALLEL; i++) {
		struct sub *s = &p->subs.v[i];

		if (i == p->hint && s->state != SUB_MISSING && s->state != SUB_ASKED)
			p->hint = i + 1;
		if (!ready(p, s))
			continue;
		if (!create(p, s))
			break;
		n++;
	}
	/* What is missing comes first; deleting and looking can wait. */
	while (n < TW_PARALLEL && i >= p->subs.n && p->ndoomed && delete_one(p))
		n++;
	if (p->want_list && !p->reading && n == 0 && i >= p->subs.n && !tw_asking(p, CALL_LIST) && (p->conf.transport != TW_CONDUIT || *p->conduit))
		begin_list(p, now);
}

void tw_pause(struct twitch *p, int64_t wait, const char *why, int64_t now)
{
	if (now + wait > p->pause) {
		p->pause = now + wait;
		snprintf(p->paused, sizeof(p->paused), "%s", why);
	}
	out_timer(p->out, OUT_ACCOUNT, TIMER_PUMP, p->pause);
}

/* ---- answers ---- */

/* The subscription of an answer to a creation: data[0], or what says that it exists. */
static void take_created(struct sub *s, const struct http_answer *a, char *made, size_t size, bool *pending)
{
	struct json_error err;
	struct json *doc = json_parse(a->body, a->nbody, &err);
	const struct json *one = json_at(json_member(doc, "data"), 0);
	const char *status = json_str(json_member(one, "status"), NULL);

	tw_copy(s->id, sizeof(s->id), json_member(one ? one : doc, "id"));
	tw_copy(made, size, json_member(one, "created_at"));
	*pending = status && strcmp(status, "webhook_callback_verification_pending") == 0;
	json_free(doc);
}

/* 429 and what else goes away by itself. */
static void passing(struct twitch *p, struct sub *s, const struct http_answer *a, const char *said, int64_t now)
{
	struct tw_conn *c = p->conf.transport == TW_WEBSOCKET && s->conn < p->nconns ? &p->conns[s->conn] : NULL;
	int64_t wait = tw_wait(p, a);
	size_t enabled;

	sub_set(s, SUB_MISSING, a->status, said);
	p->hint = 0;
	if (a->status == 429 && strstr(said, "transports limit") && c && c->state == CONN_READY) {
		tw_conn_lost(p, s->conn, NEXT_RESUME, 1000, said, TRANSPORTS_WAIT);
		return;
	}
	tw_pause(p, wait, said, now);
	/* Nothing subscribed within ten seconds: Twitch would close it (4003). */
	tw_settled(p, s->conn, &enabled);
	if (c && c->state == CONN_READY && !enabled && now + wait > c->welcome_at + TW_UNUSED)
		tw_conn_lost(p, s->conn, NEXT_RESUME, 1000, said, wait);
}

static void refused(struct twitch *p, struct sub *s, const struct http_answer *a, const char *said, int64_t now)
{
	bool again = s->http == 403 && a->status == 403;

	sub_set(s, SUB_REFUSED, a->status, said);
	if (*s->missed)
		missed_no_more(p, s);
	s->refused_at = now;
	tw_say(p, again ? LOG_DEBUG : LOG_WARN, "subscription %s is refused: %s; tried again when the token or the file changes%s", s->key, said,
		a->status == 403 ? ", and once an hour" : "");
}

void tw_created(struct twitch *p, const char *key, const struct http_answer *a, int64_t now)
{
	struct sub *s = key ? subs_find(&p->subs, key) : NULL;
	struct tw_conn *c;
	char said[160], made[TW_TIME];
	bool pending = false;
	size_t enabled;

	if (!s || s->state != SUB_ASKED) {
		/* Nobody wants it any more, or not on that session; the next list tells whether it has to go. */
		p->want_list = true;
		tw_pump(p, now);
		return;
	}
	tw_said(a, said, sizeof(said));
	c = s->conn < p->nconns ? &p->conns[s->conn] : NULL;
	if (a->status == 202 || a->status == 200 || a->status == 409) {
		sub_set(s, SUB_ENABLED, a->status, NULL);
		if (*s->missed && a->status != 409)
			tw_hole(p, s->conn, p->conf.transport == TW_WEBSOCKET ? "a subscription was made while its session moved" :
				ABSENT, s->missed);
		if (*s->missed)
			missed_no_more(p, s);
		take_created(s, a, made, sizeof(made), &pending);
		if (pending && !s->verified)
			sub_set(s, SUB_PENDING, a->status, "the callback is being verified");
		/* That there is one already is looked at. */
		s->made = a->status == 409 ? 0 : now;
		p->want_list = p->want_list || a->status == 409;
		backoff_reset(&p->backoff);
		if (c && *made)
			memcpy(c->made, made, sizeof(made));
	} else if (tw_passing(a)) {
		passing(p, s, a, said, now);
	} else if (a->status == 400 && p->conf.transport == TW_WEBSOCKET && strstr(said, "session")) {
		/* "websocket transport session does not exist or has already disconnected": nothing is wrong with the
		 * subscription. */
		sub_set(s, SUB_MISSING, a->status, said);
		p->hint = 0;
		if (c && c->state >= CONN_READY)
			tw_conn_lost(p, s->conn, NEXT_RESUME, 1000, said, 0);
	} else if (a->status == 401) {
		sub_set(s, SUB_MISSING, a->status, said);
		p->hint = 0;
		tw_token_refused(p, said, a->error != NULL, now);
	} else {
		refused(p, s, a, said, now);
	}
	if (s->state == SUB_PENDING)
		out_timer(p->out, OUT_ACCOUNT, TIMER_LIST, now + VERIFIED);
	if (p->conf.transport != TW_CONDUIT)
		tw_conn_settle(p, s->conn, now);
	tw_hole_tell(p, s->conn);
	if (tw_settled(p, s->conn, &enabled))
		tw_seen_changed(p);
	tw_pump(p, now);
}

void tw_deleted(struct twitch *p, const char *id, const struct http_answer *a, int64_t now)
{
	char said[160];

	if (a->status != 204 && a->status != 200 && a->status != 404) {
		tw_said(a, said, sizeof(said));
		tw_say(p, LOG_WARN, "subscription %s, which nobody wants, cannot be deleted: %s", id, said);
		if (tw_passing(a)) {
			tw_pause(p, tw_wait(p, a), said, now);
			tw_doom(p, id);
		}
	} else if (a->status != 404 && *p->stale) {
		/* Are all of them gone? A list may still have what is not there any more (404): that is looked at later. */
		p->sweep_due = p->want_list = true;
	}
	tw_pump(p, now);
}
