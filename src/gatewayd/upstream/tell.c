/* What is told of a connection: in the log, in lines, and what its platform tells of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/account.h"
#include "base/log.h"
#include "base/utf8.h"
#include "gatewayd/metrics.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"

const char *conn_name(const struct conn *c, char out[128])
{
	const char *platform = c->out->platform->name, *account = account_name(c->out->account);

	if (c->n == OUT_ACCOUNT)
		snprintf(out, 128, "%s:%s", platform, account);
	else
		snprintf(out, 128, "%s:%s/%u", platform, account, c->n);
	return out;
}

void conn_say(const struct conn *c, enum log_level level, const char *what, const char *reason)
{
	struct log_ctx ctx = {.tenant = account_tenant(c->out->account)};
	char who[128];

	log_about(level, &ctx, "%s %s%s%s", conn_name(c, who), what, reason[0] ? ": " : "", reason);
}

void conn_up(struct conn *c)
{
	char from[CLOCK_RFC3339_MAX] = "", to[CLOCK_RFC3339_MAX];
	int64_t now = clock_wall(), whole = state_time(c);

	loop_timer_del(c->out->u->loop, &c->timer);
	free(c->dial);
	c->dial = NULL;
	c->tries = 0;
	c->live_at = clock_mono();
	if (!c->resumed || !c->session_at)
		c->session_at = now;
	metric_add(metrics[M_UPSTREAMS], 1);
	if (c->resumed) {
		conn_say(c, LOG_INFO, "resumed", "");
		line_gateway(c, "gateway.resumed", NULL, 0, NULL, NULL);
	} else {
		conn_say(c, LOG_INFO, "up", "");
		if (c->had && !c->gap_said) {
			if (whole)
				clock_rfc3339(from, whole);
			clock_rfc3339(to, now);
			line_gateway(c, "gateway.gap", c->lost[0] ? c->lost : "a new session", 0, from, to);
		}
		line_gateway(c, "gateway.up", NULL, 0, NULL, NULL);
	}
	c->had = true;
	c->gap_said = false;
	state_live(c);
	lease_live(c->out->leases, c->n);
}

/* It was up. */
void conn_tell_down(struct conn *c, const char *reason, unsigned code)
{
	metric_add(metrics[M_UPSTREAMS], -(uint64_t)1);
	line_gateway(c, "gateway.down", reason, code, NULL, NULL);
}

/* ---- what platforms say ---- */

void conn_lost(struct conn *c, enum next next, unsigned code, const char *reason, int64_t wait)
{
	char from[CLOCK_RFC3339_MAX] = "", to[CLOCK_RFC3339_MAX];
	bool behind = c->state > LIFE_LEASE && c->state < LIFE_WAIT, live = c->state == LIFE_LIVE;
	int64_t whole;

	if (!behind && c->state != LIFE_DRAINING)
		return;
	snprintf(c->lost, sizeof(c->lost), "%s", reason[0] ? reason : "lost");
	utf8_cut(c->lost);
	c->lost_code = c->gone_code;
	c->lost_at = clock_wall();
	/* What was told while it was up is of another thing. */
	if (live && next != NEXT_FRESH)
		c->gap_said = false;
	conn_say(c, next == NEXT_STOP ? LOG_ERROR : LOG_WARN, next == NEXT_STOP ? "stopped; somebody has to change something" : "lost", c->lost);
	c->wait = wait;
	sock_close(c, 0, code, reason);
	sock_close(c, 1, code, reason);
	if (next == NEXT_FRESH)
		c->session_at = 0;
	if (next == NEXT_FRESH && c->had && !c->gap_said) {
		whole = live ? clock_wall() : state_time(c);
		if (whole)
			clock_rfc3339(from, whole);
		if (!live)
			clock_rfc3339(to, clock_wall());
		c->gap_said = true;
		conn_event(c, LIFE_ON_LOST);
		line_gateway(c, "gateway.gap", c->lost, c->lost_code, from, to);
		return;
	}
	conn_event(c, next == NEXT_STOP ? LIFE_ON_STOP : LIFE_ON_LOST);
}

/* NULL: the platform names one that it did not ask for. */
static struct conn *of(struct out *o, unsigned conn)
{
	return conn < o->n ? o->conn[conn] : NULL;
}

void out_live(struct out *o, unsigned conn, bool resumed)
{
	struct conn *c = of(o, conn);

	if (!c)
		return;
	c->resumed = resumed;
	conn_event(c, LIFE_ON_LIVE);
}

void out_lost(struct out *o, unsigned conn, enum next next, unsigned code, const char *reason, int64_t wait)
{
	struct conn *c = of(o, conn);

	if (c)
		conn_lost(c, next, code, reason, wait);
}

void out_gap(struct out *o, unsigned conn, const char *reason, const char *from, const char *to)
{
	struct conn *c = of(o, conn);

	if (!c)
		return;
	c->gap_said = true;
	conn_say(c, LOG_WARN, "gap", reason);
	line_gateway(c, "gateway.gap", reason, 0, from, to);
}
