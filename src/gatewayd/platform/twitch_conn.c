/*
 * One socket of EventSub. Nothing is ever sent on it: Twitch closes a socket that sends anything but Pong and Close (4001).
 * Sources: dev.twitch.tv "Getting Events Using WebSockets", "WebSocket Messages".
 */
#include <stdio.h>
#include <string.h>

#include "gatewayd/platform/twitch_impl.h"

#define OPENING (10 * CLOCK_S)
#define WELCOME (15 * CLOCK_S)
#define GREETING (30 * CLOCK_S)		/* the welcome, and then the first subscription within 10 s */
#define CALLBACK (60 * CLOCK_S)		/* it has its own limit */
#define SETTLE (8 * CLOCK_S)		/* behind the welcome: live with what there is */
#define KEEPALIVE_MAX 3600.0

/* ---- dialling ---- */

void tw_no_use(const struct twitch *p, unsigned i, char *why, size_t n)
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
	bool lead;

	if (i >= p->nconns || p->refused) {
		out_lost(p->out, i, NEXT_STOP, 0, p->refused ? p->error : "not wanted any more", 0);
		return -1;
	}
	c = &p->conns[i];
	lead = i == 0 && !c->held && p->conf.transport == TW_CONDUIT && tw_sockets(p);
	c->held = true;
	if (p->conf.transport != TW_CONDUIT && tw_settled(p, i, &enabled) && !enabled) {
		tw_no_use(p, i, why, sizeof(why));
		out_lost(p->out, i, NEXT_STOP, 0, why, 0);
		return -1;
	}
	/* A session that nothing can be subscribed to is closed after ten seconds. */
	if (p->pause > now) {
		out_lost(p->out, i, NEXT_RESUME, 0, p->paused, p->pause - now);
		return -1;
	}
	c->state = CONN_GREETING;
	if (!tw_sockets(p)) {
		if (!*c->last)
			tw_callback_recall(p, saved, nsaved);
		d->greeting = CALLBACK;
		return 0;
	}
	if (!*c->last && !c->gap && !*c->old)
		tw_recall(p, i, saved, nsaved);
	c->off = p->conf.transport == TW_CONDUIT;
	c->asked = false;
	snprintf(d->url, sizeof(d->url), "%s", p->conf.eventsub);
	d->opening = OPENING;
	d->greeting = GREETING;
	if (lead) {
		tw_conduit_pump(p, now);
		tw_list(p, now);
	}
	return 0;
}

void tw_opened(void *arg, unsigned i, unsigned sock, int64_t now)
{
	struct twitch *p = arg;

	if (!tw_sockets(p))
		tw_callback_opened(p, now);
	else
		out_expect(p->out, i, sock, WELCOME, "no welcome");
}

/* ---- going live ---- */

void tw_watch(struct twitch *p, unsigned i, unsigned sock)
{
	/* Once it is to move the old one may go silent; what comes on it nevertheless does not change that. */
	if (sock == 1 || (sock == 0 && !p->conns[i].move))
		out_expect(p->out, i, sock, p->conns[i].watch, "no keepalive and no notification");
}

int64_t tw_time(const struct tw_conn *c, int64_t now)
{
	int64_t at;

	return clock_parse(c->last, strlen(c->last), &at) ? 0 : at + (now - c->last_at);
}

static void go_live(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	bool resumed, gap;
	size_t enabled;
	char to[TW_TIME];

	/* Too late for the socket of whoever handed it over. */
	if (c->handed && tw_time(c, now) > c->handed + TW_IN_TIME)
		c->gap = true;
	c->handed = 0;
	resumed = c->resumable && !c->gap;
	c->state = CONN_LIVE;
	out_timer(p->out, i, TIMER_SETTLE, 0);
	/* A shard is on since it was attached, just now; what goes by between its welcome and that is missing, too. */
	if (p->conf.transport == TW_CONDUIT)
		clock_rfc3339(to, tw_time(c, now));
	else
		snprintf(to, sizeof(to), "%s", *c->made ? c->made : c->last);
	if (c->gap)
		out_gap(p->out, i, c->why, c->from, to);
	gap = c->gap;
	c->gap = c->resumable = c->off = false;
	c->why[0] = '\0';
	out_live(p->out, i, resumed);
	tw_spot(p, i, gap, now);
	tw_hole_tell(p, i);
	/* The subscriptions of a conduit are connection 0's; before there was a list nobody knows which it has. */
	if (gap && (p->conf.transport == TW_WEBSOCKET || (i == 0 && p->listed)) && !tw_settled(p, i, &enabled))
		tw_hole(p, i, "some subscriptions were made late", c->from);
	/* Subscriptions of the session before this one may still count; those of a conduit may have gone with all its shards. */
	if (*c->old)
		tw_list(p, now);
	if (p->conf.transport == TW_CONDUIT)
		tw_shards_later(p, now);
}

void tw_conn_settle(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	bool settled;
	size_t enabled;
	char why[220];

	if (i >= p->nconns || c->state != CONN_READY)
		return;
	if (!tw_sockets(p)) {
		tw_callback_settle(p, now);
		return;
	}
	if (p->conf.transport == TW_CONDUIT) {
		if (now >= c->welcome_at + TW_UNUSED)
			tw_lost(p, i, NEXT_RESUME, 1000, *p->error ? p->error : "the shard was not attached within 9 s of the welcome", 0, true);
		return;
	}
	settled = tw_settled(p, i, &enabled);
	if (enabled && (settled || now >= c->welcome_at + SETTLE)) {
		go_live(p, i, now);
	} else if (settled && !enabled) {
		tw_no_use(p, i, why, sizeof(why));
		tw_lost(p, i, NEXT_STOP, 1000, why, 0, true);
	} else if (now >= c->welcome_at + TW_UNUSED) {
		tw_lost(p, i, NEXT_RESUME, 1000, "no subscription was answered within 9 s of the welcome", 0, true);
	} else if (now >= c->welcome_at + SETTLE) {
		out_timer(p->out, i, TIMER_SETTLE, c->welcome_at + TW_UNUSED);
	}
}

void tw_conn_attached(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (*c->next)
		tw_move_done(p, i, c->next, now);
	c->off = false;
	if (c->state == CONN_READY)
		go_live(p, i, now);
	else
		tw_hole_tell(p, i);
}

/* ---- what the session says of itself ---- */

static void next_welcome(struct twitch *p, unsigned i, const char id[TW_ID], int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	tw_watch(p, i, 1);
	/* That a shard follows its session by itself is said nowhere: it is attached to the new one before the old one goes. */
	if (p->conf.transport == TW_CONDUIT && strcmp(id, c->session) != 0) {
		memcpy(c->next, id, TW_ID);
		c->attach = true;
		tw_conduit_pump(p, now);
	} else {
		tw_move_done(p, i, id, now);
	}
}

void tw_welcome(struct twitch *p, unsigned i, unsigned sock, struct span session, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	struct span seconds = session.p ? scan_member(session, "keepalive_timeout_seconds") : session;
	char id[TW_ID];
	double s;

	if (!session.p || !tw_id(scan_member(session, "id"), id)) {
		tw_say(p, LOG_ERROR, "connection %u: a welcome without a session", i);
		if (sock == 0)
			tw_lost(p, i, NEXT_RESUME, 1000, "a welcome without a session", 0, true);
		return;
	}
	/* Half as much again at most: a zombie is noticed within 1.5 keepalives. A fifth is what twurple waits. */
	if (seconds.p && scan_number(seconds, &s) && s >= 1 && s <= KEEPALIVE_MAX)
		c->watch = (int64_t)(s * 1e9) + ((int64_t)(s * 2e8) > CLOCK_S / 2 ? (int64_t)(s * 2e8) : CLOCK_S / 2);
	else
		c->watch = 12 * CLOCK_S;
	if (sock == 1 && c->move && c->state != CONN_GREETING) {
		next_welcome(p, i, id, now);
		return;
	}
	/* Sent elsewhere before its first welcome: this is the first one. */
	if (sock == 1 && c->move)
		tw_move_done(p, i, id, now);
	else if (sock == 1 || c->state != CONN_GREETING)
		return;
	memcpy(c->session, id, sizeof(id));
	c->state = CONN_READY;
	c->welcome_at = now;
	c->made[0] = '\0';
	/* Before the first session there was nothing to miss. */
	if (!*c->safe && !c->gap)
		memcpy(c->safe, c->last, sizeof(c->safe));
	tw_watch(p, i, 0);
	if (p->conf.transport == TW_CONDUIT) {
		c->attach = true;
		c->attach_tries = 0;
		out_timer(p->out, i, TIMER_SETTLE, now + TW_UNUSED);
		tw_conduit_pump(p, now);
		return;
	}
	tw_missing(p, i);
	out_timer(p->out, i, TIMER_SETTLE, now + SETTLE);
	tw_pump(p, now);
}

/* ---- the rest ---- */

void tw_conn_due(struct twitch *p, unsigned i, unsigned timer, int64_t now)
{
	if (i >= p->nconns)
		return;
	if (timer == TIMER_SETTLE)
		tw_conn_settle(p, i, now);
	else if (timer == TIMER_MOVE)
		tw_move_due(p, i, now);
	else if (timer == TIMER_ALIVE)
		tw_callback_alive(p, now);
}
