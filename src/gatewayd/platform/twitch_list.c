/* What Twitch lists, compared with what is wanted (twitch_reconcile.c begins it and carries out what follows). */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define LIST_EVERY (15 * 60 * CLOCK_S)
#define LIST_PENDING (20 * CLOCK_S)
#define LIST_SOON (2 * CLOCK_S)
#define LAG (60 * CLOCK_S)		/* a list may be older than what was created just before it */
#define VERIFY_AGAIN (300 * CLOCK_S)
#define PAGES_MAX 200u

/* Statuses of a subscription that Twitch took back: a person has to do something. All others that are not in force are made
 * anew. */
static const char *const taken_back[] = {"authorization_revoked", "user_removed", "moderator_removed", "chat_user_banned",
	"version_removed", "beta_maintenance", NULL};

bool tw_taken_back(const char *status)
{
	for (size_t i = 0; taken_back[i]; i++)
		if (strcmp(taken_back[i], status) == 0)
			return true;
	return false;
}

/* ---- whose is it ---- */

static bool ours(const struct twitch *p, const struct json *transport, bool *dead)
{
	const char *method = json_str(json_member(transport, "method"), NULL), *text;

	*dead = false;
	if (!method)
		return false;
	if (p->conf.transport == TW_WEBHOOK) {
		text = json_str(json_member(transport, "callback"), NULL);
		*dead = text && *p->callback_was && strcmp(text, p->callback_was) == 0;
		return strcmp(method, "webhook") == 0 && text && (*dead || strcmp(text, p->conf.callback) == 0);
	}
	if (p->conf.transport == TW_CONDUIT) {
		text = json_str(json_member(transport, "conduit_id"), NULL);
		return strcmp(method, "conduit") == 0 && text && strcmp(text, p->conduit) == 0;
	}
	text = json_str(json_member(transport, "session_id"), NULL);
	for (unsigned i = 0; text && *text && i < p->nconns; i++) {
		const struct tw_conn *c = &p->conns[i];

		*dead = strcmp(text, c->old) == 0 && strcmp(text, c->session) != 0;
		if (*dead || strcmp(text, c->session) == 0 || strcmp(text, c->next) == 0 || strcmp(text, c->was) == 0)
			return strcmp(method, "websocket") == 0;
	}
	return false;
}

/* One of ours that is wanted, but neither enabled nor about to be. */
static void not_in_force(struct twitch *p, struct sub *s, const char id[TW_ID], const char *status, int64_t now)
{
	bool failed = strcmp(status, "webhook_callback_verification_failed") == 0;

	/* Of a plain socket the end is told by the socket itself, and what it leaves goes away in a minute. */
	if (p->conf.transport == TW_WEBSOCKET || s->seen == p->lists)
		return;
	s->seen = p->lists;
	if (tw_taken_back(status) && !p->clean) {
		if (s->state != SUB_REFUSED)
			tw_say(p, LOG_WARN, "subscription %s: Twitch took it back: %s", s->key, status);
		sub_set(s, SUB_REFUSED, 0, status);
		memcpy(s->id, id, TW_ID);
		return;
	}
	if (s->state == SUB_ASKED)
		return;
	/* A callback that does not answer is not asked over and over. */
	if (failed && s->made && now - s->made < VERIFY_AGAIN) {
		sub_set(s, SUB_PENDING, s->http, "Twitch could not verify the callback");
		memcpy(s->id, id, TW_ID);
		return;
	}
	if (s->state == SUB_ENABLED || (!p->listed && !failed))
		tw_hole(p, 0, status, tw_last_list(p));
	/* It is listed for days though it is dead. */
	memcpy(s->id, id, TW_ID);
	tw_anew(p, s, status);
}

/* An entry of the list of all there is. */
static void sweep(struct twitch *p, const struct json *transport, const char *id)
{
	const char *method = json_str(json_member(transport, "method"), NULL), *callback = json_str(json_member(transport, "callback"), NULL);

	if (!method || strcmp(method, "webhook") != 0 || !callback || strcmp(callback, p->stale) != 0)
		return;
	tw_doom(p, id);
	p->swept++;
}

static void keep(struct twitch *p)
{
	if (!tw_sockets(p))
		tw_callback_save(p);
	else if (p->conns[0].state == CONN_LIVE)
		tw_save(p, 0, "open", p->conns[0].safe);
}

bool tw_stale_left(struct twitch *p)
{
	if (p->stale_gone && (tw_sockets(p) || !p->conns[0].hole))
		p->stale[0] = '\0';
	return *p->stale != '\0';
}

/* What the conduit has is listed behind it. */
static void sweep_done(struct twitch *p, bool whole)
{
	p->sweeping = p->sweep_due = false;
	p->want_list = true;
	if (p->swept) {
		tw_say(p, LOG_INFO, "%zu subscriptions of webhooks to %s are deleted: there is a conduit now", p->swept, p->stale);
		/* Over sockets it is told when they are attached. */
		if (!tw_sockets(p))
			tw_hole(p, 0, "the webhooks were given up for a conduit", *p->list_time ? p->list_time : p->conns[0].from);
		keep(p);
	} else if (whole) {
		p->stale_gone = true;
		keep(p);
	}
}

/* One entry of a list. */
static void listed(struct twitch *p, const struct json *e, int64_t now)
{
	const char *status = json_str(json_member(e, "status"), NULL);
	bool dead, enabled, pending;
	char id[TW_ID];
	struct sub *s;

	tw_copy(id, sizeof(id), json_member(e, "id"));
	if (!status || !*id)
		return;
	enabled = strcmp(status, "enabled") == 0;
	pending = strcmp(status, "webhook_callback_verification_pending") == 0;
	if (p->sweeping) {
		if (enabled || pending)
			sweep(p, json_member(e, "transport"), id);
		return;
	}
	if (!ours(p, json_member(e, "transport"), &dead))
		return;
	if (subs_key(json_str(json_member(e, "type"), NULL), json_str(json_member(e, "version"), NULL),
		     json_member(e, "condition"), &p->text))
		return;
	s = subs_find(&p->subs, p->text.p);
	if (dead) {
		/* Enabled ones of a dead socket count against the limit of three until Twitch notices; those of a callback that
		 * is given up go on. */
		if (enabled || pending)
			tw_doom(p, id);
		if (s)
			s->seen = p->lists;
		return;
	}
	if (!s) {
		if (p->conf.transport != TW_CONDUIT || p->ours)
			tw_doom(p, id);
		return;
	}
	if ((enabled || pending) && p->remake && p->conf.transport == TW_WEBHOOK) {
		s->seen = p->lists;
		memcpy(s->id, id, sizeof(id));
		tw_anew(p, s, "the secret is another one");
		return;
	}
	if (enabled || pending) {
		s->seen = p->lists;
		sub_set(s, enabled ? SUB_ENABLED : SUB_PENDING, s->http, pending ? status : NULL);
		memcpy(s->id, id, sizeof(id));
		return;
	}
	not_in_force(p, s, id, status, now);
}

/* What was there and is in no page any more. */
static void list_done(struct twitch *p, int64_t now)
{
	bool whole = !*p->cursor, pending = false;
	char time[CLOCK_RFC3339_MAX];
	int64_t wait;

	if (whole && p->conf.transport != TW_WEBSOCKET)
		tw_absent(p);
	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *s = &p->subs.v[i];

		pending = pending || s->state == SUB_PENDING;
		if (!whole || (s->state != SUB_ENABLED && s->state != SUB_PENDING) || s->seen == p->lists || s->made > p->list_at - LAG)
			continue;
		tw_say(p, LOG_WARN, "subscription %s is gone from Twitch's list; it is created again", s->key);
		tw_hole(p, s->conn, "a subscription was gone from Twitch's list", tw_last_list(p));
		sub_set(s, SUB_MISSING, s->http, "gone from the list");
		p->hint = 0;
	}
	p->sweep_due = tw_stale_left(p);
	p->clean = false;
	p->remake = p->remake && p->conf.transport != TW_WEBHOOK;
	p->listed = true;
	clock_rfc3339(time, p->list_wall);
	memcpy(p->list_time, time, sizeof(time));
	/* Before anything is asked for: what is missing has to be told by whoever goes on. */
	tw_seen_changed(p);
	tw_retry_late(p, now);
	wait = pending ? LIST_PENDING : LIST_EVERY;
	out_timer(p->out, OUT_ACCOUNT, TIMER_LIST, now + wait + (int64_t)(out_random(p->out) % (uint64_t)(wait / 4)));
	for (unsigned i = 0; i < p->nconns; i++)
		tw_hole_tell(p, i);
	if (!tw_sockets(p) && p->nconns)
		tw_callback_settle(p, now);
}

void tw_cursor(char *to, size_t size, const struct json *v)
{
	const char *s = json_str(v, NULL);
	size_t at = 0;

	to[0] = '\0';
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c);

		if (at + 4 > size) {
			to[0] = '\0';
			return;
		}
		at += (size_t)snprintf(to + at, size - at, plain ? "%c" : "%%%02X", c);
	}
}

void tw_listed(struct twitch *p, const struct http_answer *a, int64_t now)
{
	struct json_error err;
	struct json *doc = a->status == 200 ? json_parse(a->body, a->nbody, &err) : NULL;
	const struct json *data = json_member(doc, "data");
	int64_t wait;
	char said[160];

	if (!json_is_array(data)) {
		tw_said(a, said, sizeof(said));
		tw_say(p, LOG_WARN, "the subscriptions cannot be listed: %s", a->status == 200 ? "the answer makes no sense" : said);
		json_free(doc);
		if (a->status == 401) {
			tw_token_refused(p, said, a->error != NULL, now);
			return;
		}
		wait = tw_wait(p, a);
		/* Others would only be refused like this one. */
		if (a->status == 429)
			tw_pause(p, wait, said, now);
		out_timer(p->out, OUT_ACCOUNT, TIMER_LIST, now + wait + LIST_SOON);
		return;
	}
	backoff_reset(&p->backoff);
	/* Nobody looks after them before connection 0 is held: then there is another list. */
	if (!tw_leads(p)) {
		json_free(doc);
		tw_proved(p, now);
		return;
	}
	p->reading = true;
	tw_proved(p, now);
	for (size_t i = 0; i < json_count(data); i++)
		listed(p, json_at(data, i), now);
	p->reading = false;
	tw_cursor(p->cursor, sizeof(p->cursor), json_path(doc, "pagination.cursor"));
	json_free(doc);
	if (*p->cursor && ++p->pages < PAGES_MAX) {
		if (!tw_list_page(p))
			out_timer(p->out, OUT_ACCOUNT, TIMER_LIST, now + LIST_SOON);
		return;
	}
	if (p->sweeping)
		sweep_done(p, !*p->cursor);
	else
		list_done(p, now);
	tw_pump(p, now);
}
