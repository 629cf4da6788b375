/* How a socket ends: close codes, what may be missing then. Source: dev.twitch.tv "Getting Events Using WebSockets". */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "gatewayd/platform/twitch_impl.h"

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

/* Of a conduit: may the loss of this shard have cost anything? Twitch gives the events of a shard that is off to one other
 * shard, and drops them when that is off too; which one is said nowhere, so all others have to be there, and known to be. What it had
 * sent to a socket before anybody noticed that it was dead is lost as well. */
static bool shard_gap(struct twitch *p, unsigned i, bool told)
{
	bool gap = !told || !tw_shard_covered(p, i);

	for (unsigned k = 0; k < p->nconns; k++) {
		struct tw_conn *other = &p->conns[k];

		if (k == i || !other->off)
			continue;
		/* For that one it is the same. */
		other->gap = other->gap || other->resumable;
		other->resumable = false;
	}
	return gap;
}

/* What is missing since an earlier process, or of a move, already has its beginning. During a move the old socket may tell the time, and events
 * go to the new one, whose welcome was lost. */
void tw_missing_from(struct tw_conn *c)
{
	if (!c->gap && !c->resumable && !c->old_gone && !c->moved_on) {
		memcpy(c->from, c->move ? c->move_from : c->last, sizeof(c->from));
		if (c->parting)
			memcpy(c->from, c->part_from, sizeof(c->from));
		if (*c->missed)
			memcpy(c->from, c->missed, sizeof(c->from));
	}
}

static const char *earlier(const char *a, const char *b)
{
	int64_t x, y;

	if (clock_parse(a, strlen(a), &x))
		return a;
	return clock_parse(b, strlen(b), &y) || y <= x ? b : a;
}

const char *tw_sure(const struct tw_conn *c, const char *time)
{
	if (c->move)
		time = earlier(time, c->move_from);
	if (c->parting)
		time = earlier(time, c->part_from);
	if (c->unread)
		time = earlier(time, c->unread_from);
	if (*c->missed)
		time = earlier(time, c->missed);
	return c->hole ? earlier(time, c->hole_from) : time;
}

static void mark_loss(struct twitch *p, unsigned i, const char *why, bool told)
{
	struct tw_conn *c = &p->conns[i];
	bool conduit = p->conf.transport == TW_CONDUIT, missing;

	/* It may have been attached to this session, and had events. */
	if (c->state == CONN_READY && c->asked && c->resumable) {
		c->gap = true;
		c->resumable = false;
	}
	if (c->state != CONN_LIVE)
		return;
	missing = !conduit || shard_gap(p, i, told);
	if (!c->gap) {
		snprintf(c->why, sizeof(c->why), "%s", why);
		tw_missing_from(c);
	}
	/* From its welcome on, which may have been lost, all goes to the socket of a move; what is left of another may not have come. */
	c->gap = c->gap || c->move || c->parting || missing;
	c->resumable = !c->gap;
	c->off = conduit;
}

void tw_lost(struct twitch *p, unsigned i, enum next next, unsigned code, const char *why, int64_t wait, bool told)
{
	struct tw_conn *c = &p->conns[i];

	tw_unread_tell(p, i, "");
	mark_loss(p, i, why, told);
	c->parting = false;
	c->missed[0] = '\0';
	tw_move_end(p, i);
	out_timer(p->out, i, TIMER_SETTLE, 0);
	if (*c->session)
		memcpy(c->old, c->session, sizeof(c->old));
	c->session[0] = c->was[0] = '\0';
	c->state = CONN_IDLE;
	c->attach = c->attaching = false;
	if (p->conf.transport == TW_WEBSOCKET)
		tw_missing(p, i);
	/* Whether anything is missing is told when it is live again: then the range is known. */
	out_lost(p->out, i, next, code, why, wait);
}

void tw_conn_lost(struct twitch *p, unsigned i, enum next next, unsigned code, const char *why, int64_t wait)
{
	tw_lost(p, i, next, code, why, wait, false);
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
		tw_next_gone(p, i, code, reason, now);
		return;
	}
	if (sock == 2) {
		tw_parted(p, i, gone_by_peer(code), now);
		c->lingers[0] = '\0';
		return;
	}
	/* The session may still live on with the socket that is on its way, or the shard with the one that is there already. What came
	 * in between may not have come. */
	if (c->move && c->next_up && (code != 4004 || *c->next)) {
		tw_say(p, LOG_WARN, "connection %u: the old socket of a move is gone: %u %s", i, code, reason);
		tw_missing_from(c);
		c->old_gone = true;
		return;
	}
	if (row)
		snprintf(why, sizeof(why), "%u %s", code, row->what);
	else if (code)
		snprintf(why, sizeof(why), "%u %.100s", code, reason && *reason ? reason : "closed");
	else
		snprintf(why, sizeof(why), "%.120s", reason && *reason ? reason : "the connection broke off");
	utf8_cut(why);
	if (row && row->level <= LOG_WARN)
		tw_say(p, row->level, "connection %u: closed by Twitch: %s", i, why);
	tw_lost(p, i, NEXT_RESUME, 0, why, row ? row->wait : 0, gone_by_peer(code));
}

/* ---- holes ---- */

void tw_hole(struct twitch *p, unsigned i, const char *why, const char *from)
{
	struct tw_conn *c = i < p->nconns ? &p->conns[i] : NULL;

	if (!c || !c->held)
		return;
	if (!c->hole)
		snprintf(c->hole_why, sizeof(c->hole_why), "%s", why);
	else if (earlier(c->hole_from, from) == c->hole_from)
		return;
	c->hole = true;
	snprintf(c->hole_from, sizeof(c->hole_from), "%s", from);
	/* A new process begins with it, if this one comes to an end before it is told. */
	if (!tw_sockets(p))
		tw_callback_save(p);
	else if (*c->safe && (*c->session || *c->old))
		tw_save(p, i, "open", c->safe);
}

void tw_hole_tell(struct twitch *p, unsigned i)
{
	struct tw_conn *c = i < p->nconns ? &p->conns[i] : NULL;
	char to[CLOCK_RFC3339_MAX];
	size_t enabled;

	if (!c || !c->hole || c->state != CONN_LIVE || c->off || !tw_settled(p, i, &enabled) || (p->conf.transport == TW_CONDUIT && !tw_sockets(p) && !p->hooked))
		return;
	c->hole = false;
	clock_rfc3339(to, out_wall(p->out));
	out_gap(p->out, i, c->hole_why, c->hole_from, strcmp(c->made, c->hole_from) > 0 ? c->made : to);
	if (p->stale_gone && *p->stale && !tw_sockets(p))
		tw_callback_save(p);
}
