#include "deliver/courier.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"

#define WRITE_AGAIN CLOCK_S
#define CHORES (30 * CLOCK_S)

/* ---- writing what was marked ---- */

static int write_message(struct courier *c, struct message *m)
{
	struct entry e = {.seq = m->seq, .begun = m->begun, .from = (int64_t)m->from, .part = m->part, .ids = m->ids.p, .nids = m->ids.len,
		.form = m->say.form, .due = m->not_before ? clock_wall() + m->not_before - clock_mono() : 0};

	if (m->marks & MARK_GONE)
		return outbox_gone(c->outbox, m->seq, m->say.key, clock_wall());
	if ((m->marks & MARK_TAKE) && outbox_take(c->outbox, &m->say, m->taken, &m->seq))
		return -1;
	e.seq = m->seq;
	if ((m->marks & MARK_STATE) && outbox_state(c->outbox, &e))
		return -1;
	if ((m->marks & MARK_SEND) && m->under_way && ledger_used(m))
		return -1;
	return m->marks & MARK_OUTCOME ? outbox_outcome(c->outbox, m->seq, m->outcome.p, m->outcome.len) : 0;
}

static int write_all(struct courier *c)
{
	unsigned marks = 0;

	if (outbox_begin(c->outbox))
		return -1;
	for (struct message *m = c->marked; m; m = m->marked) {
		marks |= m->marks;
		if (write_message(c, m))
			goto fail;
	}
	for (struct interaction *i = c->changed; i; i = i->changed)
		if (outbox_interaction(c->outbox, i->name, i->state, i->at))
			goto fail;
	return outbox_commit(c->outbox, marks & (MARK_TAKE | MARK_SEND | MARK_OUTCOME));
fail:
	outbox_rollback(c->outbox);
	return -1;
}

/* It waits in the outbox only. false: no memory for that, it waits as the others do. */
static bool leave_outside(struct message *m)
{
	m->spill = false;
	if (spill_add(&m->c->spill, m->say.tenant, m->say.key, m->seq)) {
		message_wait(m);
		return false;
	}
	message_free(m);
	return true;
}

/* What had to wait until the marks were written. */
static void follow(struct message *m)
{
	unsigned marks = m->syncing;

	m->syncing = 0;
	m->written = NULL;
	if (marks & MARK_TAKE) {
		struct intake *in = m->batch;

		m->batch = NULL;
		intake_kept(in);
		if (m->spill && leave_outside(m))
			return;
	}
	if (marks & MARK_GONE) {
		message_free(m);
	} else if (marks & MARK_OUTCOME) {
		m->parcel.lines = m->outcome.p;
		m->parcel.len = m->outcome.len;
		report_add(&m->c->report, &m->parcel);
	} else if ((marks & MARK_SEND) && m->under_way) {
		call_send(m);	/* unless it was cancelled meanwhile */
	}
}

static void again(void *arg)
{
	(void)arg; /* the round's end writes */
}

static void follow_all(struct courier *c)
{
	struct message *m = c->written, *next;

	c->written = NULL;
	for (; m; m = next) {
		next = m->written;
		follow(m);
	}
}

static void failed(struct courier *c, int rc)
{
	if (rc == -2) {
		c->failed = true;
		loop_stop(c->loop);
	}
}

void courier_synced(void *arg, int rc)
{
	struct courier *c = arg;

	c->syncing = false;
	if (rc)
		failed(c, rc);
	else
		follow_all(c);
}

/* What is marked from now on is of the next time. */
static void written(struct courier *c)
{
	while (c->changed) {
		c->changed->is_changed = false;
		c->changed = c->changed->changed;
	}
	c->written = c->marked;
	for (struct message *m = c->marked, *next; m; m = next) {
		next = m->marked;
		m->syncing = m->marks;
		m->written = next;
		m->marks = 0;
		m->marked = NULL;
	}
	c->marked = NULL;
	c->marked_last = &c->marked;
}

/* true: something was written. */
static bool commit(struct courier *c)
{
	int rc;

	if ((!c->marked && !c->changed) || c->again.due || c->syncing)
		return false;
	rc = write_all(c);
	if (rc < 0) {
		failed(c, rc);
		loop_timer_in(c->loop, &c->again, WRITE_AGAIN);
		return false;
	}
	written(c);
	c->syncing = rc == 1;
	if (!c->syncing)
		follow_all(c);
	return true;
}

/* ---- a round ---- */

static void tick(void *arg)
{
	(void)arg; /* a round, and its end */
}

void courier_round(void *arg)
{
	struct courier *c = arg;
	int64_t now = clock_mono(), due, late;
	struct item *i;
	bool wrote;

	message_late(c);
	intake_more(c);
	if (!c->draining)
		fetch_some(c);
	/* First answers to interactions find room, also where slow platforms have it all. */
	while (!c->closing && c->queue.under_way < 2 * COURIER_UNDER_WAY && (i = queue_next(&c->queue, c->draining || c->queue.under_way >= COURIER_UNDER_WAY, now)))
		call_begin((struct message *)i);
	wrote = commit(c);
	report_flush(&c->report);
	metric_set(c->metric[M_UNDER_WAY], c->queue.under_way);
	metric_set(c->metric[M_OUTSIDE], c->spill.n);
	metric_set(c->metric[M_WAITING], c->queue.waiting + c->queue.under_way + c->spill.n);
	due = c->closing || c->queue.under_way >= 2 * COURIER_UNDER_WAY ? QUEUE_NEVER :
		queue_due(&c->queue, c->draining || c->queue.under_way >= COURIER_UNDER_WAY);
	late = message_due(c);
	if (late < due)
		due = late;
	/* What followed from writing may have marked something, and batches may have found room. */
	if (((c->marked || c->changed) && !c->again.due && !c->syncing) || (wrote && c->batches))
		due = 1;
	if (due == QUEUE_NEVER)
		loop_timer_del(c->loop, &c->tick);
	else
		loop_timer_set(c->loop, &c->tick, due);
}

bool courier_idle(const struct courier *c)
{
	return !c->queue.under_way && !c->marked && !c->changed && !c->syncing && !c->report.pending && !c->batches;
}

bool courier_empty(const struct courier *c)
{
	return courier_idle(c) && !c->n;
}

static void chores(void *arg)
{
	struct courier *c = arg;
	int64_t wall = clock_wall();

	if (c->outbox)
		outbox_forget(c->outbox, wall);
	interactions_sweep(&c->interactions, wall);
	stop_count(c);	/* a new token may have opened one */
	shun_sweep(c);
	loop_timer_in(c->loop, &c->chores, CHORES);
}

/* ---- the beginning and the end ---- */

void courier_begin(struct courier *c)
{
	const uint64_t key[2] = {hash_random(), hash_random()};

	c->tick = (struct loop_timer){.fn = tick, .arg = c};
	c->again = (struct loop_timer){.fn = again, .arg = c};
	c->chores = (struct loop_timer){.fn = chores, .arg = c};
	c->marked_last = &c->marked;
	c->batches_last = &c->batches;
	c->interactions = (struct interactions){.key = {key[0], key[1]}};
	c->spill = (struct spill){.key = {key[0], key[1]}};
	queue_init(&c->queue, key, call_needs, c);
	c->draining = c->closing = false;
	loop_timer_in(c->loop, &c->chores, 0);
}

void courier_told(struct courier *c)
{
	stop_count(c);
	shun_count(c);
	metric_set(c->metric[M_ACCOUNTS], c->places.n);
	metric_set(c->metric[M_BAD_ACCOUNTS], c->places.bad);
	if (c->places.bad)
		log_warn("%s: %zu accounts are in force, %u are wrong and left out", c->places.dir, c->places.n, c->places.bad);
	else
		log_info("%s: %zu accounts are in force", c->places.dir, c->places.n);
}

void courier_reload(struct courier *c)
{
	if (places_read(&c->places))
		return;
	stop_load(c);
	stop_try(c);
	shun_soon(c);
	courier_told(c);
}

void courier_cancel(struct courier *c, bool all)
{
	for (struct message *m = c->first; m; m = m->next)
		if (m->under_way && (all || call_repeatable(m)))
			call_cancel(m);
}

void courier_end(struct courier *c)
{
	if (!c->marked_last)
		return;
	loop_timer_del(c->loop, &c->tick);
	loop_timer_del(c->loop, &c->again);
	loop_timer_del(c->loop, &c->chores);
	for (size_t k = 0; k < INTERACTION_TABLE; k++)
		for (struct interaction *i = c->interactions.v[k]; i; i = i->chain)
			loop_timer_del(c->loop, &i->defer);
	intake_free(c);
	for (size_t i = 0; i < sizeof(c->in) / sizeof(*c->in); i++)
		if (c->in[i].take) {
			c->failed |= link_take_dropped(c->in[i].take) > 0;
			link_take_close(c->in[i].take);
			c->in[i].take = NULL;
		}
	queue_release(&c->queue);
	while (c->first)
		message_free(c->first);
	spill_release(&c->spill);
	free(c->table);
	c->table = NULL;
	c->captable = 0;
	c->marked = c->written = NULL;
	c->marked_last = NULL;
	c->syncing = false;
	c->changed = NULL;
	metric_set(c->metric[M_OUTSIDE], 0);
	metric_set(c->metric[M_WAITING], 0);
	metric_set(c->metric[M_UNDER_WAY], 0);
	interactions_release(&c->interactions);
	outbox_close(c->outbox);
	c->outbox = NULL;
}
