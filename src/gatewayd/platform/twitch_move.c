/*
 * Moving to another socket when Twitch says so (session_reconnect): the old one is read until the new one has its welcome, and a shard
 * of a conduit is attached to the new one before. Source: dev.twitch.tv "Getting Events Using WebSockets".
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/url.h"
#include "gatewayd/platform/twitch_impl.h"

#define OPENING (10 * CLOCK_S)
#define MOVE (30 * CLOCK_S)
#define MOVE_RETRY CLOCK_S

void tw_conn_release(struct tw_conn *c)
{
	free(c->move);
	free(c->then);
	c->move = c->then = NULL;
}

void tw_move_end(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	tw_conn_release(c);
	c->next_up = c->old_gone = c->moved_on = false;
	c->next[0] = '\0';
	out_timer(p->out, i, TIMER_MOVE, 0);
}

static void start_next(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	c->next_up = true;
	out_dial_next(p->out, i, c->move, OPENING);
	out_timer(p->out, i, TIMER_MOVE, c->move_by);
}

/* Takes url. */
static void begin(struct twitch *p, unsigned i, char *url, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (!c->move)
		c->move_at = now;
	if (!c->moved_on)
		memcpy(c->move_from, c->last, sizeof(c->move_from));
	free(c->move);
	c->move = url;
	c->move_by = now + MOVE;
	/* From now on it may go silent. */
	out_expect(p->out, i, 0, 0, NULL);
	start_next(p, i);
}

void tw_next_gone(struct twitch *p, unsigned i, unsigned code, const char *reason, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	c->next_up = false;
	c->next[0] = '\0';
	c->attach = false;
	free(c->then);
	c->then = NULL;
	tw_say(p, LOG_WARN, "connection %u: the socket to move to is gone: %u %s", i, code, reason);
	if (!c->move)
		return;
	/* Its welcome may have been sent, and events behind it. */
	tw_missing_from(c);
	c->moved_on = true;
	if (c->old_gone || code == 4007)
		tw_lost(p, i, NEXT_RESUME, 1000, c->old_gone ? "both sockets of a move are gone" : "the reconnect URL is invalid", 0,
			!c->old_gone);
	else if (now + 3 * MOVE_RETRY < c->move_by)
		out_timer(p->out, i, TIMER_MOVE, now + MOVE_RETRY + (int64_t)(out_random(p->out) % (uint64_t)MOVE_RETRY));
}

/* Two sockets have no order: when one has its welcome, what was sent on the other before that may still be on its way. */
static void left_behind(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	tw_parted(p, i, false, now);
	c->parting = c->state == CONN_LIVE && !c->old_gone;
	c->lingers[0] = '\0';
	memcpy(c->part_from, c->move_from, sizeof(c->part_from));
	/* A shard is on since it was attached, just now. */
	if (p->conf.transport == TW_CONDUIT)
		clock_rfc3339(c->part_to, tw_time(c, now));
	else
		memcpy(c->part_to, c->last, sizeof(c->part_to));
}

void tw_parted(struct twitch *p, unsigned i, bool all, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (!c->parting)
		return;
	c->parting = false;
	if (!all)
		out_gap(p->out, i, "the old socket of a move broke off before all it had was read", c->part_from, c->part_to);
	tw_spot(p, i, !all, now);
}

void tw_move_done(struct twitch *p, unsigned i, const char *session, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	const char *gap = c->old_gone ? "the old socket of a move was lost before the new one had its welcome" :
		c->moved_on ? "the socket of a move was given up for another before it had its welcome" : NULL;
	char id[TW_ID], *then = c->then;

	snprintf(id, sizeof(id), "%s", session);
	c->then = NULL;
	left_behind(p, i, now);
	tw_move_end(p, i);
	memcpy(c->was, c->session, sizeof(c->was));
	memcpy(c->session, id, sizeof(id));
	out_switch(p->out, i);
	tw_watch(p, i, 0);
	if (c->state == CONN_LIVE) {
		if (gap)
			out_gap(p->out, i, gap, c->from, c->part_to);
		tw_spot(p, i, gap != NULL, now);
	}
	/* Whether it was in time for the session to take it along is not known: what exists is refused as a second one (409), which is a success. */
	if (p->conf.transport == TW_WEBSOCKET)
		tw_ask_again(p, i, c->move_at);
	if (then)
		begin(p, i, then, now);
	tw_pump(p, now);
}

/* Until it is time the old one is still there; then it is lost as any other. */
void tw_conn_next_failed(struct twitch *p, unsigned i)
{
	struct tw_conn *c = &p->conns[i];

	c->next[0] = '\0';
	c->next_up = false;
	out_close(p->out, i, 1, 1000, "not attached");
	if (c->old_gone)
		tw_lost(p, i, NEXT_RESUME, 1000, "both sockets of a move are gone", 0, false);
}

void tw_reconnect(struct twitch *p, unsigned i, unsigned sock, struct span session, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	char url[sizeof(((struct dial *)0)->url)], *copy;

	if (!session.p || scan_cstr(scan_member(session, "reconnect_url"), url, sizeof(url)) <= 0 || strncmp(url, "ws", 2) != 0 ||
	    !url_safe(url)) {
		/* Twitch will close the old socket with 4004, and all begins anew. */
		tw_say(p, LOG_ERROR, "connection %u: asked to move, without an URL that can be dialled", i);
		return;
	}
	if ((sock == 1 && !c->move) || (sock == 0 && c->move && c->next_up && strcmp(c->move, url) == 0))
		return;
	copy = strdup(url);
	if (!copy) {
		tw_say(p, LOG_ERROR, "connection %u: out of memory", i);
		return;
	}
	/* The session comes to the socket of a move with its welcome; only then it can go on. */
	if (sock == 1) {
		free(c->then);
		c->then = copy;
		return;
	}
	if (c->move && c->next_up) {
		/* Its welcome may be on its way, and with it the session. */
		out_close(p->out, i, 1, 1000, "moved elsewhere");
		c->next[0] = '\0';
		tw_missing_from(c);
		c->moved_on = true;
	}
	begin(p, i, copy, now);
}

void tw_move_due(struct twitch *p, unsigned i, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (c->move && now < c->move_by)
		start_next(p, i);
	else if (c->move)
		tw_lost(p, i, NEXT_RESUME, 1000, "the move was not finished within 30 s", 0, true);
}
