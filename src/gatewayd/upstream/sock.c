/* Sockets of a connection, its timers, the rule of liveness. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"
#include "gatewayd/wire/edge_client.h"

#define CONN_BYTES (4u << 20)		/* lines of one connection that the hub has not acknowledged; more, and it is not read */
#define PAUSED_LOOK (1 * CLOCK_S)
#define PARTING (4 * CLOCK_S)		/* from our close frame to the peer's */
#define KEPT (500 * CLOCK_MS)		/* what a socket that lingers brings last is with the hub then */

static void sock_free(struct sock *s)
{
	loop_timer_del(s->conn->out->u->loop, &s->watch);
	free(s);
}

/* ---- what happens to a socket ---- */

static void on_open(void *arg)
{
	struct sock *s = arg;
	struct conn *c = s->conn;
	struct out *o = c->out;
	unsigned n = s->n;

	if (n == 0)
		conn_event(c, LIFE_ON_OPENED);
	o->platform->opened(o->p, c->n, n, clock_mono());
}

static void on_data(void *arg, const char *p, size_t n, bool binary)
{
	struct sock *s = arg;
	struct conn *c = s->conn;

	c->out->platform->frame(c->out->p, c->n, s->n, p, n, binary, clock_mono());
}

/* The socket is no more; the platform is told and decides. */
static void end(struct sock *s, unsigned code, const char *reason)
{
	struct conn *c = s->conn;
	struct out *o = c->out;
	unsigned n = s->n;
	bool lingers = s->lingers;
	char why[REASON];

	/* reason may belong to what goes now. */
	if (reason[0] || !code)
		snprintf(why, sizeof(why), "%.*s", (int)sizeof(why) - 1, reason);
	else
		snprintf(why, sizeof(why), "closed by the peer with code %u", code);
	edge_client_close(s->c, 0, "");
	c->sock[n] = NULL;
	sock_free(s);
	c->gone_code = n < 2 ? code : 0;
	o->platform->gone(o->p, c->n, n, code, why, clock_mono());
	if (lingers)
		owe_lingered(c, gone_by_peer(code));
	if (n < 2 && !c->sock[0] && !c->sock[1] && c->state != LIFE_DRAINING)
		conn_lost(c, NEXT_RESUME, 0, why, 0);	/* nothing, if the platform said so itself */
	c->gone_code = 0;
}

static void on_gone(void *arg, unsigned code, const char *reason)
{
	end(arg, code, reason);
}

static const struct edge_client_handler events = {on_open, on_data, on_gone};

void sock_give_up(struct conn *c, const char *reason)
{
	if (c->sock[0])
		end(c->sock[0], 0, reason);
	else
		conn_lost(c, NEXT_RESUME, 0, reason, 0);
}

/* ---- liveness ---- */

static bool held_back(const struct conn *c)
{
	return c->paused || c->out->u->held || c->state == LIFE_DRAINING;
}

static void arm(struct sock *s, int64_t due)
{
	if (loop_timer_set(s->conn->out->u->loop, &s->watch, due))
		log_error("out of memory");
}

/* What the peer had written before it saw our close frame is still to come. */
static void bid_farewell(struct sock *s, const char *reason)
{
	s->parting = true;
	s->why = "it did not end in time";
	s->expect = clock_mono() + PARTING;
	arm(s, s->expect);
	edge_client_half_close(s->c, 1000, reason);
}

static void on_watch(void *arg)
{
	struct sock *s = arg;
	int64_t now = clock_mono();

	if (!s->expect)
		return;
	if (s->n == 2 && s->lingers && !s->parting) {
		bid_farewell(s, "handed over");
		return;
	}
	if (held_back(s->conn)) {
		/* Nothing is read: nothing can be missed. */
		s->expect += PAUSED_LOOK;
		if (s->expect < now + PAUSED_LOOK)
			s->expect = now + PAUSED_LOOK;
	}
	/* Each sign of life only moves `expect`: the timer follows when it fires. */
	if (s->expect > now)
		arm(s, s->expect);
	else
		end(s, 0, s->why);
}

void out_expect(struct out *o, unsigned conn, unsigned sock, int64_t within, const char *why)
{
	struct sock *s = conn < o->n && sock < 2 ? o->conn[conn]->sock[sock] : NULL;

	if (!s)
		return;
	if (!within) {
		s->expect = 0;
		return;
	}
	s->within = within;
	s->expect = clock_mono() + within;
	s->why = why;
	if (!s->watch.due || s->watch.due > s->expect)
		arm(s, s->expect);
}

/* ---- opening and closing ---- */

static bool should_pause(const struct conn *c)
{
	return c->out->u->held || c->bytes > CONN_BYTES || c->state == LIFE_DRAINING;
}

int sock_open(struct conn *c, unsigned n, const char *url, int64_t opening)
{
	struct sock *s = calloc(1, sizeof(*s));
	struct out *o = c->out;

	if (!s)
		return -1;
	s->conn = c;
	s->n = n;
	s->watch = (struct loop_timer){.fn = on_watch, .arg = s};
	s->c = edge_client_dial(o->u->wires, url, o->ca, opening, &events, s);
	if (!s->c) {
		free(s);
		return -1;
	}
	c->sock[n] = s;
	if (should_pause(c))
		edge_client_pause(s->c, true);
	return 0;
}

void sock_close(struct conn *c, unsigned n, unsigned code, const char *reason)
{
	struct sock *s = c->sock[n];

	if (!s)
		return;
	c->sock[n] = NULL;
	if (s->lingers)
		owe_lingered(c, false);
	edge_client_close(s->c, code, reason);
	sock_free(s);
}

void sock_pause_all(struct conn *c)
{
	bool pause = should_pause(c);

	/* Begins again only when half of it is gone. */
	if (!pause && c->paused && c->bytes > CONN_BYTES / 2)
		return;
	if (c->paused == pause)
		return;
	c->paused = pause;
	for (unsigned i = 0; i < SOCKS; i++) {
		struct sock *s = c->sock[i];

		if (!s)
			continue;
		edge_client_pause(s->c, pause);
		/* The sign of life may stand behind all that has gathered meanwhile. */
		if (!pause && s->expect && i < 2)
			s->expect = clock_mono() + s->within;
	}
}

/* ---- timers ---- */

static void on_timer(void *arg)
{
	struct conn_timer *t = arg;

	t->out->platform->due(t->out->p, t->conn, t->n, clock_mono());
}

void conn_timers_init(struct conn_timer *t, struct out *o, unsigned conn)
{
	for (unsigned i = 0; i < CONN_TIMERS; i++)
		t[i] = (struct conn_timer){.out = o, .conn = conn, .n = i, .t = {.fn = on_timer, .arg = &t[i]}};
}

void conn_timers_stop(struct conn_timer *t, struct loop *l)
{
	for (unsigned i = 0; i < CONN_TIMERS; i++)
		loop_timer_del(l, &t[i].t);
}

/* ---- what platforms ask for ---- */

void out_timer(struct out *o, unsigned conn, unsigned timer, int64_t due)
{
	struct conn_timer *t;

	if (timer >= CONN_TIMERS || (conn != OUT_ACCOUNT && conn >= o->n))
		return;
	t = conn == OUT_ACCOUNT ? &o->timers[timer] : &o->conn[conn]->timers[timer];
	if (!due)
		loop_timer_del(o->u->loop, &t->t);
	else if (loop_timer_set(o->u->loop, &t->t, due))
		log_error("out of memory");
}

static struct sock *of(struct out *o, unsigned conn, unsigned sock)
{
	return conn < o->n && sock < 2 ? o->conn[conn]->sock[sock] : NULL;
}

void out_send(struct out *o, unsigned conn, unsigned sock, const char *p, size_t n)
{
	struct sock *s = of(o, conn, sock);

	if (!s)
		return;
	edge_client_send(s->c, p, n);
	budget_sent(s->conn);
}

void out_close(struct out *o, unsigned conn, unsigned sock, unsigned code, const char *reason)
{
	if (of(o, conn, sock))
		sock_close(o->conn[conn], sock, code, reason);
}

static void on_no_next(void *arg)
{
	struct conn *c = arg;

	if (!c->sock[1])
		c->out->platform->gone(c->out->p, c->n, 1, 0, "it cannot be dialled", clock_mono());
}

void sock_init(struct conn *c)
{
	c->no_next = (struct loop_timer){.fn = on_no_next, .arg = c};
}

void out_dial_next(struct out *o, unsigned conn, const char *url, int64_t opening)
{
	struct conn *c = conn < o->n ? o->conn[conn] : NULL;

	if (!c)
		return;
	sock_close(c, 1, 0, "");
	if (sock_open(c, 1, url, opening) == 0)
		return;
	log_error("%s: the socket to move to cannot be dialled: %s", account_file(o->account), strerror(errno));
	if (loop_timer_in(o->u->loop, &c->no_next, 0))
		log_error("out of memory");
}

static void part(struct sock *s)
{
	struct conn *c = s->conn;

	sock_close(c, 2, 1000, "");
	c->sock[0] = NULL;
	c->sock[2] = s;
	s->n = 2;
	bid_farewell(s, "");
}

void out_switch(struct out *o, unsigned conn)
{
	struct conn *c = conn < o->n ? o->conn[conn] : NULL;

	if (!c || !c->sock[1])
		return;
	if (c->sock[0])
		part(c->sock[0]);
	c->sock[0] = c->sock[1];
	c->sock[0]->n = 0;
	c->sock[1] = NULL;
}

bool out_linger(struct out *o, unsigned conn, int64_t within, int64_t least, const char *from, const char *to)
{
	struct conn *c = conn < o->n ? o->conn[conn] : NULL;
	struct sock *s = c ? c->sock[0] : NULL;

	int64_t left = o->u->draining ? o->u->end - clock_mono() - KEPT : within;

	if (!s || c->state != LIFE_DRAINING || !leases_wanted(o->leases) || left < least)
		return false;
	if (left < within)
		within = left;
	sock_close(c, 2, 1000, "");
	if (!owe_linger(c, from, to))
		return false;
	c->sock[0] = NULL;
	c->sock[2] = s;
	s->n = 2;
	s->lingers = true;
	s->expect = clock_mono() + within;
	arm(s, s->expect);
	edge_client_pause(s->c, o->u->held);
	return true;
}
