#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/metrics.h"
#include "gatewayd/upstream/debt.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"
#include "gatewayd/wire/edge_client.h"

#define BACKOFF_BASE (CLOCK_S / 2)
#define BACKOFF_MAX (60 * CLOCK_S)
#define STEADY (10 * CLOCK_S)		/* up for so long, the back-off begins anew */
#define OPENING_DEFAULT (10 * CLOCK_S)
#define GREETING_DEFAULT (15 * CLOCK_S)
#define DIAL_EVERY (2 * CLOCK_MS)	/* a thousand connections that are lost at the same moment, or begin with the process, are dialled over two seconds */
#define DIAL_BURST 100			/* but for so many */
#define DRAIN_ACKS (500 * CLOCK_MS)	/* what the hub has not acknowledged by then is asked for again by whoever goes on */

static void on_timer(void *arg);

struct conn *conn_new(struct out *o, unsigned n)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		log_error("out of memory");
		return NULL;
	}
	c->out = o;
	c->n = n;
	c->since = clock_wall();
	c->backoff = (struct backoff){.base = BACKOFF_BASE, .max = BACKOFF_MAX};
	c->timer = (struct loop_timer){.fn = on_timer, .arg = c};
	conn_timers_init(c->timers, o, n);
	state_init(c);
	sock_init(c);
	return c;
}

struct conn *conn_own(struct out *o)
{
	if (!o->own)
		o->own = conn_new(o, OUT_ACCOUNT);
	return o->own;
}

void conn_free(struct conn *c)
{
	loop_timer_del(c->out->u->loop, &c->save_timer);
	debt_leave(c->debt);
	free(c->dial);
	free(c->saved);
	free(c);
}

void conn_arm(struct conn *c, int64_t in)
{
	if (loop_timer_in(c->out->u->loop, &c->timer, in))
		log_error("out of memory");
}

/* Sockets and timers go; an identify that was not used is given back. */
static void quiet(struct conn *c, unsigned code, const char *reason)
{
	unsigned key = c->dial ? c->dial->budget_key : 0;

	sock_close(c, 0, code, reason);
	sock_close(c, 1, code, reason);
	conn_timers_stop(c->timers, c->out->u->loop);
	loop_timer_del(c->out->u->loop, &c->timer);
	loop_timer_del(c->out->u->loop, &c->no_next);
	free(c->dial);
	c->dial = NULL;
	c->turn = false;
	budget_back(c, key);
}

/* ---- what life.h wants done ---- */

static void do_lease(struct conn *c)
{
	if (c->leaving) {
		state_flush(c);
		conn_give_up(c);
	}
	if (lease_take(c->out->leases, c->n) > 0)
		conn_event(c, LIFE_ON_LEASED);
	else
		conn_say(c, LOG_INFO, "waits: another process holds it", "");
}

/* How long until this connection may be dialled; the next one waits behind it. */
static int64_t dial_turn(struct upstream *u)
{
	int64_t now = clock_mono(), at = u->dial_next > now ? u->dial_next : now;

	u->dial_next = at + DIAL_EVERY;
	return at - now > DIAL_BURST * DIAL_EVERY ? at - now - DIAL_BURST * DIAL_EVERY : 0;
}

static void do_dial(struct conn *c)
{
	struct out *o = c->out;
	const char *bad;
	int64_t wait;
	int rc;

	if (!c->holds_lease) {
		c->holds_lease = true;
		state_load(c);
		owe_look(o, 0);
	}
	wait = c->turn ? 0 : dial_turn(o->u);
	c->turn = wait > 0;
	if (c->turn) {
		conn_arm(c, wait);
		return;
	}
	c->wait = 0;
	c->tries++;
	c->dial = calloc(1, sizeof(*c->dial));
	if (!c->dial) {
		conn_lost(c, NEXT_RESUME, 0, "no memory", 0);
		return;
	}
	rc = o->platform->dial(o->p, c->n, c->saved, c->nsaved, c->dial, clock_mono());
	if (c->state != LIFE_DIALING)
		return;		/* the platform gave it up */
	if (rc) {
		conn_lost(c, NEXT_RESUME, 0, "the platform cannot dial now", 0);
		return;
	}
	bad = c->dial->url[0] ? edge_client_bad_url(c->dial->url) : NULL;
	if (bad) {
		conn_lost(c, NEXT_RESUME, 0, bad, 0);
		return;
	}
	if (!c->dial->opening)
		c->dial->opening = OPENING_DEFAULT;
	if (!c->dial->greeting)
		c->dial->greeting = GREETING_DEFAULT;
	conn_event(c, c->dial->costs_identify ? LIFE_ON_BUDGET : LIFE_ON_GO);
}

static void do_open(struct conn *c)
{
	if (!c->dial->url[0]) {
		conn_event(c, LIFE_ON_OPENED);
		c->out->platform->opened(c->out->p, c->n, 0, clock_mono());
		return;
	}
	budget_dial(c);
	if (sock_open(c, 0, c->dial->url, c->dial->opening)) {
		conn_lost(c, NEXT_RESUME, 0, errno == EINVAL ? "it cannot be dialled with these certificates" : strerror(errno), 0);
		return;
	}
	metric_add(metrics[M_DIALS], 1);
	/* The socket's own limit tells better what was slow. */
	conn_arm(c, c->dial->opening + CLOCK_S / 4);
}

static void back_off(struct conn *c)
{
	int64_t in;

	if (c->live_at && clock_mono() - c->live_at >= STEADY)
		backoff_reset(&c->backoff);
	c->live_at = 0;
	in = backoff_full(&c->backoff, hash_random());
	if (in < c->wait)
		in = c->wait;
	quiet(c, 0, "");
	conn_arm(c, in);
}

static void do_drain(struct conn *c)
{
	sock_pause_all(c);
	conn_arm(c, DRAIN_ACKS);
	/* The platform is to hear of what is kept before. */
	if (!c->first && !c->ack_due)
		conn_drained(c);
}

/* The platform is told from the loop: perhaps it is the one that has just said so. */
static void do_leave(struct conn *c)
{
	quiet(c, 0, "");
	conn_arm(c, c->first ? DRAIN_ACKS : 0);
}

void conn_drained(struct conn *c)
{
	struct out *o = c->out;

	o->platform->drain(o->p, c->n, clock_mono());
	if (c->state == LIFE_DRAINING)
		conn_event(c, LIFE_ON_DRAINED);
}

void conn_give_up(struct conn *c)
{
	c->holds_lease = c->leaving = false;
	free(c->saved);
	c->saved = NULL;
	c->nsaved = 0;
	lease_give(c->out->leases, c->n);
}

/* The connection is not this process's any more. What is not saved yet is, with all others of this round, and then the lease is given up. */
static void leave(struct conn *c, const char *reason)
{
	if (c->live_at)
		conn_tell_down(c, reason, 0);
	c->live_at = 0;
	sock_pause_all(c);	/* what is still to come on a socket that goes is read */
	quiet(c, 0, "");
	if (c->holds_lease && c->save != SAVED)
		state_leave(c);
	else
		conn_give_up(c);
}

static void act(struct conn *c, enum life_act a)
{
	switch (a) {
	case LIFE_DO_LEASE:
		do_lease(c);
		break;
	case LIFE_DO_DIAL:
		do_dial(c);
		break;
	case LIFE_DO_BUDGET:
		budget_ask(c);
		break;
	case LIFE_DO_OPEN:
		do_open(c);
		break;
	case LIFE_DO_GREET:
		conn_arm(c, c->dial->greeting);
		break;
	case LIFE_DO_UP:
		conn_up(c);
		break;
	case LIFE_DO_DOWN:
		conn_tell_down(c, c->lost, c->lost_code);
		back_off(c);
		break;
	case LIFE_DO_FAIL:
		back_off(c);
		break;
	case LIFE_DO_PARK_DOWN:
		c->live_at = 0;
		conn_tell_down(c, c->lost, c->lost_code);
		quiet(c, 0, "");
		break;
	case LIFE_DO_PARK:
		line_gateway(c, "gateway.down", c->lost, c->lost_code, NULL, NULL);
		quiet(c, 0, "");
		break;
	case LIFE_DO_DRAIN:
		do_drain(c);
		break;
	case LIFE_DO_LEAVE:
		do_leave(c);
		break;
	case LIFE_DO_RELEASE:
		leave(c, "drained");
		break;
	case LIFE_DO_CLOSE:
		sock_close(c, 0, 1000, "");
		sock_close(c, 1, 1000, "");
		leave(c, "the account was closed");
		break;
	case LIFE_BAD:
	case LIFE_NONE:
		break;
	}
}

void conn_event(struct conn *c, enum life_event e)
{
	struct life_step s = life_step(c->state, e);

	if (s.act == LIFE_BAD) {
		char who[128];

		log_debug("%s: %s means nothing while it is %s", conn_name(c, who), life_event_name(e), life_state_name(c->state));
		return;
	}
	if (s.to != c->state) {
		c->state = s.to;
		c->since = clock_wall();
	}
	act(c, s.act);
}

void conn_on_lease(void *arg, unsigned n)
{
	struct out *o = arg;

	conn_event(o->conn[n], LIFE_ON_LEASED);
}

static void on_timer(void *arg)
{
	struct conn *c = arg;
	struct out *o = c->out;

	switch (c->state) {
	case LIFE_DIALING:
	case LIFE_WAIT:
	case LIFE_BUDGET:
		conn_event(c, LIFE_ON_TIME);
		break;
	case LIFE_OPENING:
	case LIFE_GREETING:
		sock_give_up(c, c->state == LIFE_OPENING ? "timeout: it did not open" : "timeout: no greeting");
		break;
	case LIFE_DRAINING:
		conn_drained(c);
		break;
	default:
		log_debug("%s/%u: a timer of nothing", account_name(o->account), c->n);
	}
}
