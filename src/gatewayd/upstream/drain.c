/*
 * Handing over: connections are given to a process that waits for them, one account's after the other and a few at a time, so that no more than these
 * are silent at once. Each is drained (life.h), its lease given up, and the next one begins when it is live with another process; then this process is
 * the one that waits, unless it ends: then what is not handed over in half of the time that it has is let go of all at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/lease.h"

#define AT_ONCE 8u
#define LOOK (5 * CLOCK_MS)
#define PATIENCE (2 * CLOCK_S)		/* for the other process to take one, and again to have it live */

struct handing { struct conn *c; int64_t since; bool live; };	/* live: it was, before */

struct drain_work {
	struct upstream *u;
	struct loop_timer timer;
	struct handing at[AT_ONCE];
	struct out *out;		/* being handed over; the next ones are marked hand_over */
	unsigned next;			/* its next connection */
};

/* Is the account still there? */
static bool known(const struct upstream *u, const struct out *o)
{
	for (const struct out *x = u->first; x; x = x->next)
		if (x == o)
			return !x->stopping;
	return false;
}

/* The next connection that is to be given away; NULL: none is left. */
static struct conn *next_conn(struct drain_work *d)
{
	for (;;) {
		if (d->out && known(d->u, d->out) && d->next < d->out->n)
			return d->out->conn[d->next++];
		d->out = NULL;
		for (struct out *o = d->u->first; o; o = o->next)
			if (o->hand_over && !o->stopping) {
				o->hand_over = false;
				d->out = o;
				d->next = 0;
				break;
			}
		if (!d->out)
			return NULL;
	}
}

/* Is this one with its new holder, or past waiting for? */
static bool settled(const struct handing *h)
{
	const struct conn *c = h->c;
	int64_t time = clock_mono() - h->since;

	if (c->out->stopping || !c->out->leases)
		return true;
	if (c->state != LIFE_HANDED || c->leaving)
		return time > 2 * PATIENCE;
	/* Who waited may have been told to stop in the meantime. */
	if (!lease_taken(c->out->leases, c->n))
		return time > PATIENCE || !leases_wanted(c->out->leases);
	return !h->live || lease_taken_live(c->out->leases, c->n) || time > 2 * PATIENCE;
}

/* From now on this process waits for it, in case the other one fails; it takes it back when nobody came for it. */
static void stand_by(struct conn *c)
{
	if (c->out->stopping || c->out->u->draining || c->state != LIFE_HANDED || c->n >= c->out->n)
		return;
	conn_event(c, LIFE_ON_CLOSE);
	conn_event(c, LIFE_ON_WANT);
}

static void on_timer(void *arg)
{
	struct drain_work *d = arg;
	struct upstream *u = d->u;
	bool busy = false;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct handing *h = &d->at[i];

		if (h->c && settled(h)) {
			stand_by(h->c);
			h->c = NULL;
		}
		while (!h->c && (h->c = next_conn(d))) {
			if (!h->c->holds_lease) {
				h->c = NULL;	/* is another's already */
				continue;
			}
			h->since = clock_mono();
			h->live = h->c->state == LIFE_LIVE;
			conn_event(h->c, LIFE_ON_DRAIN);
		}
		busy |= h->c != NULL;
	}
	if (busy) {
		if (loop_timer_in(u->loop, &d->timer, LOOK))
			log_error("out of memory");
		return;
	}
	log_info("handed over");
	u->drain = NULL;
	free(d);
}

static bool matches(const struct out *o, const char *tenant, const char *account)
{
	return !o->stopping && !o->hand_over && (!tenant || strcmp(tenant, account_tenant(o->account)) == 0) &&
		(!account || strcmp(account, account_name(o->account)) == 0);
}

static size_t holds(const struct out *o)
{
	size_t n = 0;

	for (unsigned i = 0; i < o->n; i++)
		n += o->conn[i]->holds_lease;
	return n;
}

static int work_begin(struct upstream *u)
{
	struct drain_work *d = u->drain ? u->drain : calloc(1, sizeof(*d));

	if (!d)
		return -1;
	if (d == u->drain)
		return 0;
	d->u = u;
	d->timer = (struct loop_timer){.fn = on_timer, .arg = d};
	if (loop_timer_in(u->loop, &d->timer, 0)) {
		free(d);
		return -1;
	}
	u->drain = d;
	return 0;
}

size_t upstream_hand_over(struct upstream *u, const char *tenant, const char *account, const char **why)
{
	size_t n = 0;

	*why = "there is no such account here";
	for (struct out *o = u->first; o; o = o->next) {
		if (!matches(o, tenant, account))
			continue;
		if (!holds(o)) {
			*why = "it holds no connection of it";
			continue;
		}
		if (!leases_wanted(o->leases)) {
			*why = "no other process waits for it";
			continue;
		}
		o->hand_over = true;
		n += holds(o);
	}
	if (n && work_begin(u)) {
		*why = "out of memory";
		return 0;
	}
	return n;
}

/* ---- the end of the process ---- */

/* Those that have been given away already do not mind. */
static void let_go(struct out *o)
{
	o->hand_over = false;
	for (unsigned i = 0; i < o->nall; i++)
		conn_event(o->conn[i], LIFE_ON_DRAIN);
}

static void on_late(void *arg)
{
	struct upstream *u = arg;

	for (struct out *o = u->first; o; o = o->next)
		let_go(o);
}

void upstream_drain(struct upstream *u)
{
	bool wanted = false;

	u->draining = true;
	u->end = clock_mono() + u->opts.drain_time;
	hooks_stop(u, NULL);
	for (struct out *o = u->first; o; o = o->next) {
		o->hand_over = !o->stopping && holds(o) && leases_wanted(o->leases);
		wanted |= o->hand_over;
		if (!o->hand_over)
			let_go(o);
		for (unsigned i = 0; o->hand_over && i < o->nall; i++)
			if (!o->conn[i]->holds_lease)
				conn_event(o->conn[i], LIFE_ON_DRAIN);
	}
	u->drain_late = (struct loop_timer){.fn = on_late, .arg = u};
	if (wanted && (work_begin(u) || loop_timer_in(u->loop, &u->drain_late, u->opts.drain_time / 2)))
		on_late(u);
}

void drain_forget(struct upstream *u, struct out *o)
{
	struct drain_work *d = u->drain;

	if (!d)
		return;
	if (d->out == o)
		d->out = NULL;
	for (unsigned i = 0; i < AT_ONCE; i++)
		if (d->at[i].c && d->at[i].c->out == o)
			d->at[i].c = NULL;
}

void drain_stop(struct upstream *u)
{
	loop_timer_del(u->loop, &u->drain_late);
	if (!u->drain)
		return;
	loop_timer_del(u->loop, &u->drain->timer);
	free(u->drain);
	u->drain = NULL;
}
