/*
 * One socket of EventSub. Nothing is ever sent on it: Twitch closes a socket that sends anything but Pong and Close (4001).
 * Sources: dev.twitch.tv "Getting Events Using WebSockets", "WebSocket Messages".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"
#include "gatewayd/platform/twitch_impl.h"

#define OPENING (10 * CLOCK_S)
#define WELCOME (15 * CLOCK_S)
#define GREETING (30 * CLOCK_S)		/* the welcome, and then the first subscription within 10 s */
#define SETTLE (8 * CLOCK_S)		/* behind the welcome: live with what there is */
#define MOVE (30 * CLOCK_S)
#define MOVE_RETRY CLOCK_S
#define BYE (4 * CLOCK_S)		/* whoever takes over attaches within this time */
#define KEEPALIVE_MAX 3600.0

/* What a close code means. After every loss that is not a finished move the subscriptions of the session are gone, and nothing
 * is replayed. */
static const struct close {
	unsigned code;
	const char *what;
	enum log_level level;
	int64_t wait;		/* 0: the back-off's */
} closes[] = {
	{4000, "internal server error", LOG_INFO, 0},
	{4001, "client sent inbound traffic", LOG_ERROR, 30 * CLOCK_S},	/* ours would be the fault */
	{4002, "client failed ping-pong", LOG_WARN, 0},
	{4003, "connection unused: no subscription within 10 s of the welcome", LOG_ERROR, 30 * CLOCK_S},
	{4004, "reconnect grace time expired", LOG_WARN, 0},
	{4005, "network timeout", LOG_INFO, 0},
	{4006, "network error", LOG_INFO, 0},
	{4007, "invalid reconnect URL", LOG_WARN, 0},
};

static const struct close *find_close(unsigned code)
{
	for (size_t i = 0; i < sizeof(closes) / sizeof(*closes); i++)
		if (closes[i].code == code)
			return &closes[i];
	return NULL;
}

/* ---- what outlives the process: "open SESSION TIME", or "handed SESSION TIME" ---- */

static void save(struct twitch *p, unsigned i, const char *how, const char *time)
{
	char text[TW_ID + TW_TIME + 16];
	int n = snprintf(text, sizeof(text), "%s %s %s", how, p->conns[i].session, *time ? time : "-");

	out_save(p->out, i, text, (size_t)n);
}

/* What an earlier process left. */
static void recall(struct twitch *p, unsigned i, const char *saved, size_t n)
{
	char text[TW_ID + TW_TIME + 16], how[8], session[TW_ID], time[TW_TIME];
	struct tw_conn *c = &p->conns[i];

	if (!saved || !n || n >= sizeof(text))
		return;
	memcpy(text, saved, n);
	text[n] = '\0';
	if (sscanf(text, "%7s %159s %39s", how, session, time) != 3)
		return;
	memcpy(c->old, session, sizeof(session));
	/* A shard that was handed over stays attached for a while, until its new holder attaches itself. */
	if (p->conf.transport == TW_CONDUIT && strcmp(how, "handed") == 0 && clock_parse(time, strlen(time), &c->handed) == 0)
		c->resumable = true;
	else
		c->gap = true;
	snprintf(c->why, sizeof(c->why), "the process that held the socket ended or gave it away");
	memcpy(c->from, strcmp(time, "-") == 0 ? "" : time, strcmp(time, "-") == 0 ? 1 : sizeof(time));
}

/* ---- dialling ---- */

void tw_conn_release(struct tw_conn *c)
{
	free(c->move);
	c->move = NULL;
}

/* Why a connection is of no use: Twitch's words about the first of its subscriptions. */
static void no_use(const struct twitch *p, unsigned i, char *why, size_t n)
{
	const char *said = "there are none";

	for (size_t k = p->subs.n; k-- > 0;)
		if (p->subs.v[k].conn == i && p->subs.v[k].state == SUB_REFUSED)
			said = p->subs.v[k].said ? p->subs.v[k].said : "refused";
	snprintf(why, n, "no subscription was accepted: %s", said);
}

int tw_dial(void *arg, unsigned i, const char *saved, size_t nsaved, struct dial *d, int64_t now)
{
	struct twitch *p = arg;
	struct tw_conn *c;
	char why[220];
	size_t enabled;

	(void)now;
	if (i >= p->nconns || p->refused) {
		out_lost(p->out, i, NEXT_STOP, 0, p->refused ? p->error : "not wanted any more", 0);
		return -1;
	}
	c = &p->conns[i];
	if (p->conf.transport == TW_WEBSOCKET && tw_settled(p, i, &enabled) && !enabled) {
		no_use(p, i, why, sizeof(why));
		out_lost(p->out, i, NEXT_STOP, 0, why, 0);
		return -1;
	}
	if (!*c->last && !c->gap && !*c->old)
		recall(p, i, saved, nsaved);
	c->state = CONN_GREETING;
	c->off = p->conf.transport == TW_CONDUIT;
	snprintf(d->url, sizeof(d->url), "%s", p->conf.eventsub);
	d->opening = OPENING;
	d->greeting = GREETING;
	return 0;
}

void tw_opened(void *arg, unsigned i, unsigned sock, int64_t now)
{
	struct twitch *p = arg;

	(void)now;
	out_expect(p->out, i, sock, WELCOME, "no welcome");
}

/* ---- losing ---- */

static void clear_move(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	tw_conn_release(c);
	c->next_up = c->old_gone = c->moved_on = false;
	c->next[0] = '\0';
	out_timer(p->out, i, TIMER_MOVE, 0);
}

/* Of a conduit: may the loss of this shard have cost anything? Twitch gives the events of a shard that is off to one other
 * shard, and drops them when that is off too. What it had sent to a socket before anybody noticed that it was dead is lost as
 * well. */
static bool shard_gap(struct twitch *p, unsigned i, bool told)
{
	bool alone = p->shards <= 1 || !told;

	for (unsigned k = 0; k < p->nconns; k++) {
		struct tw_conn *other = &p->conns[k];

		if (k == i || !other->off)
			continue;
		alone = true;
		/* For that one it is the same. */
		other->gap = other->gap || other->resumable;
		other->resumable = false;
	}
	return alone;
}

static void mark_loss(struct twitch *p, unsigned i, const char *why, bool told)
{
	struct tw_conn *c = &p->conns[i];
	bool conduit = p->conf.transport == TW_CONDUIT;

	if (c->state != CONN_LIVE)
		return;
	if (!c->gap) {
		snprintf(c->why, sizeof(c->why), "%s", why);
		memcpy(c->from, c->last, sizeof(c->from));
	}
	c->gap = c->gap || !conduit || shard_gap(p, i, told);
	c->resumable = !c->gap;
	c->off = conduit;
}

static void lost(struct twitch *p, unsigned i, enum next next, unsigned code, const char *why, int64_t wait, bool told)
{
	struct tw_conn *c = &p->conns[i];

	mark_loss(p, i, why, told);
	clear_move(p, i);
	out_timer(p->out, i, TIMER_SETTLE, 0);
	if (*c->session)
		memcpy(c->old, c->session, sizeof(c->old));
	c->session[0] = '\0';
	c->state = CONN_IDLE;
	c->attach = c->attaching = false;
	if (p->conf.transport == TW_WEBSOCKET)
		tw_missing(p, i);
	/* Whether anything is missing is told when it is live again: then the range is known. */
	out_lost(p->out, i, next, code, why, wait);
}

void tw_conn_lost(struct twitch *p, unsigned i, enum next next, unsigned code, const char *why, int64_t wait)
{
	lost(p, i, next, code, why, wait, true);
}

static void gone_next(struct twitch *p, unsigned i, unsigned code, const char *reason, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	c->next_up = false;
	c->next[0] = '\0';
	c->attach = false;
	tw_say(p, LOG_WARN, "connection %u: the socket to move to is gone: %u %s", i, code, reason);
	if (!c->move)
		return;
	if (c->old_gone || code == 4007)
		lost(p, i, NEXT_RESUME, 1000, code == 4007 ? "the reconnect URL is invalid" : "both sockets of a move are gone",
			0, code != 0);
	else if (now + 3 * MOVE_RETRY < c->move_by)
		out_timer(p->out, i, TIMER_MOVE, now + MOVE_RETRY);
}

void tw_gone(void *arg, unsigned i, unsigned sock, unsigned code, const char *reason, int64_t now)
{
	struct twitch *p = arg;
	const struct close *row = find_close(code);
	struct tw_conn *c;
	char why[160];

	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	if (sock == 1) {
		gone_next(p, i, code, reason, now);
		return;
	}
	if (c->move && c->next_up && code != 4004) {
		/* The session may still live on with the socket that is on its way. What came in between may not have come. */
		tw_say(p, LOG_WARN, "connection %u: the old socket of a move is gone: %u %s", i, code, reason);
		c->old_gone = true;
		memcpy(c->from, c->last, sizeof(c->from));
		return;
	}
	if (row)
		snprintf(why, sizeof(why), "%u %s", code, row->what);
	else if (code)
		snprintf(why, sizeof(why), "%u %.100s", code, reason && *reason ? reason : "closed");
	else
		snprintf(why, sizeof(why), "%.120s", reason && *reason ? reason : "the connection broke off");
	if (row && row->level <= LOG_WARN)
		tw_say(p, row->level, "connection %u: closed by Twitch: %s", i, why);
	lost(p, i, NEXT_RESUME, 0, why, row ? row->wait : 0, code != 0);
}

/* ---- going live ---- */

void tw_watch(struct twitch *p, unsigned i, unsigned sock)
{
	if (sock < 2)
		out_expect(p->out, i, sock, p->conns[i].watch, "no keepalive and no notification");
}

/* What time it is at Twitch: that of the last message and what went by since. */
static int64_t platform_time(const struct tw_conn *c, int64_t now)
{
	int64_t at;

	return clock_parse(c->last, strlen(c->last), &at) ? 0 : at + (now - c->last_at);
}

static void go_live(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	bool resumed;

	/* Too late for the socket of whoever handed it over. */
	if (c->handed && platform_time(c, now) > c->handed + BYE)
		c->gap = true;
	c->handed = 0;
	resumed = c->resumable && !c->gap;
	c->state = CONN_LIVE;
	out_timer(p->out, i, TIMER_SETTLE, 0);
	if (c->gap)
		out_gap(p->out, i, c->why, c->from, *c->made ? c->made : c->last);
	c->gap = c->resumable = c->off = false;
	c->why[0] = '\0';
	out_live(p->out, i, resumed);
	save(p, i, "open", c->last);
	c->spot = 0;
	c->spot_at = now;
	/* Subscriptions of the session before this one may still count. */
	if (p->conf.transport == TW_WEBSOCKET && *c->old)
		tw_list(p, now);
}

void tw_conn_settle(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	bool settled;
	size_t enabled;
	char why[220];

	if (i >= p->nconns || c->state != CONN_READY)
		return;
	settled = tw_settled(p, i, &enabled);
	if (enabled && (settled || now >= c->welcome_at + SETTLE)) {
		go_live(p, i, now);
	} else if (settled && !enabled) {
		no_use(p, i, why, sizeof(why));
		lost(p, i, NEXT_STOP, 1000, why, 0, true);
	}
}

static void finish_move(struct twitch *p, unsigned i, const char *session)
{
	struct tw_conn *c = &p->conns[i];
	const char *gap = c->old_gone ? "the old socket of a move was lost before the new one had its welcome" :
		c->moved_on ? "the socket of a move was moved before it had its welcome" : NULL;
	char id[TW_ID];

	snprintf(id, sizeof(id), "%s", session);
	clear_move(p, i);
	memcpy(c->session, id, sizeof(id));
	out_switch(p->out, i);
	tw_watch(p, i, 0);
	if (c->state != CONN_LIVE)
		return;
	save(p, i, "open", c->last);
	if (gap)
		out_gap(p->out, i, gap, c->from, c->last);
}

void tw_conn_attached(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (*c->next)
		finish_move(p, i, c->next);
	c->off = false;
	if (c->state == CONN_READY)
		go_live(p, i, now);
}

/* Until it is time the old one is still there; then it is lost as any other. */
void tw_conn_next_failed(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	c->next[0] = '\0';
	c->next_up = false;
	out_close(p->out, i, 1, 1000, "not attached");
	if (c->old_gone)
		lost(p, i, NEXT_RESUME, 1000, "both sockets of a move are gone", 0, false);
}

/* ---- what the session says of itself ---- */

void tw_welcome(struct twitch *p, unsigned i, unsigned sock, struct span session, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	struct span seconds = session.p ? scan_member(session, "keepalive_timeout_seconds") : session;
	char id[TW_ID];
	double s;

	if (!session.p || !tw_id(scan_member(session, "id"), id)) {
		tw_say(p, LOG_ERROR, "connection %u: a welcome without a session", i);
		if (sock == 0)
			lost(p, i, NEXT_RESUME, 1000, "a welcome without a session", 0, true);
		return;
	}
	/* Half as much again at most: a zombie is noticed within 1.5 keepalives. A fifth is what twurple waits. */
	if (seconds.p && scan_number(seconds, &s) && s >= 1 && s <= KEEPALIVE_MAX)
		c->watch = (int64_t)(s * 1e9) + ((int64_t)(s * 2e8) > CLOCK_S / 2 ? (int64_t)(s * 2e8) : CLOCK_S / 2);
	else
		c->watch = 12 * CLOCK_S;
	if (sock == 1 && c->move) {
		tw_watch(p, i, 1);
		/* That a shard follows its session by itself is said nowhere: it is attached to the new one before the old one
		 * goes. */
		if (p->conf.transport == TW_CONDUIT && strcmp(id, c->session) != 0) {
			memcpy(c->next, id, sizeof(id));
			c->attach = true;
			tw_conduit_pump(p, now);
		} else {
			finish_move(p, i, id);
		}
		return;
	}
	if (sock == 1 || c->state != CONN_GREETING)
		return;
	memcpy(c->session, id, sizeof(id));
	c->state = CONN_READY;
	c->welcome_at = now;
	c->made[0] = '\0';
	tw_watch(p, i, 0);
	if (p->conf.transport == TW_CONDUIT) {
		c->attach = true;
		c->attach_tries = 0;
		tw_conduit_pump(p, now);
		return;
	}
	tw_missing(p, i);
	out_timer(p->out, i, TIMER_SETTLE, now + SETTLE);
	tw_pump(p, now);
}

static void start_next(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	c->next_up = true;
	out_dial_next(p->out, i, c->move, OPENING);
	out_timer(p->out, i, TIMER_MOVE, c->move_by);
}

void tw_reconnect(struct twitch *p, unsigned i, unsigned sock, struct span session, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	char url[sizeof(((struct dial *)0)->url)];
	bool moved_on = c->moved_on || sock == 1;

	if (!session.p || scan_cstr(scan_member(session, "reconnect_url"), url, sizeof(url)) <= 0 || strncmp(url, "ws", 2) != 0 ||
	    !url_safe(url)) {
		/* Twitch will close the old socket with 4004, and all begins anew. */
		tw_say(p, LOG_ERROR, "connection %u: asked to move, without an URL that can be dialled", i);
		return;
	}
	if (c->move && c->next_up) {
		if (strcmp(c->move, url) == 0)
			return;
		out_close(p->out, i, 1, 1000, "moved elsewhere");
		c->next[0] = '\0';
		if (moved_on && !c->moved_on && !c->old_gone)
			memcpy(c->from, c->last, sizeof(c->from));
		c->moved_on = moved_on;
	}
	tw_conn_release(c);
	c->move = strdup(url);
	if (!c->move) {
		tw_say(p, LOG_ERROR, "connection %u: out of memory", i);
		return;
	}
	c->move_by = now + MOVE;
	/* From now on it may go silent. */
	out_expect(p->out, i, 0, 0, NULL);
	start_next(p, i);
}

/* ---- the rest ---- */

void tw_conn_due(struct twitch *p, unsigned i, unsigned timer, int64_t now)
{
	struct tw_conn *c;

	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	if (timer == TIMER_SETTLE) {
		tw_conn_settle(p, i, now);
	} else if (timer == TIMER_MOVE && c->move) {
		if (now < c->move_by)
			start_next(p, i);
		else
			lost(p, i, NEXT_RESUME, 1000, "the move was not finished within 30 s", 0, true);
	}
}

void tw_acked(void *arg, unsigned i, uint64_t mark, int64_t now)
{
	struct twitch *p = arg;
	struct tw_conn *c;

	(void)now;
	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	if (!c->spot || mark < c->spot || c->state != CONN_LIVE)
		return;
	c->spot = 0;
	save(p, i, "open", c->spot_time);
}

void tw_drain(void *arg, unsigned i, int64_t now)
{
	struct twitch *p = arg;
	char time[CLOCK_RFC3339_MAX];
	struct tw_conn *c;

	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	clock_rfc3339(time, platform_time(c, now));
	if (c->move && c->next_up)
		out_close(p->out, i, 1, 1000, "handed over");
	clear_move(p, i);
	/* A shard's new holder attaches itself before this socket is closed. A plain session cannot be handed over: two of them
	 * would tell everything twice, under different ids. */
	if (p->conf.transport == TW_CONDUIT && c->state == CONN_LIVE && out_linger(p->out, i, BYE)) {
		save(p, i, "handed", time);
	} else {
		if (c->state == CONN_LIVE)
			save(p, i, "open", time);
		out_close(p->out, i, 0, 1000, "handed over");
	}
	/* Whoever has it next says how it was left, this process too. */
	c->state = CONN_IDLE;
	c->session[0] = c->old[0] = c->last[0] = c->why[0] = '\0';
	c->gap = c->resumable = c->off = c->attach = c->attaching = false;
	c->spot = 0;
}
