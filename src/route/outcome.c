/* outcome: what becomes of the lines of a batch. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "route/deliver_impl.h"

#define RETRY_FIRST (200 * CLOCK_MS)
#define RETRY_MOST (30 * CLOCK_S)

/* A report about a line that the batch does not have is believed in nothing: what it meant to refuse would count as done. */
static bool names_others(const struct take_request *r, uint32_t n)
{
	for (size_t k = 0; k < r->nrefused; k++)
		if (r->refused[k].n < 1 || r->refused[k].n > n)
			return true;
	return false;
}

/* What was said about each line of a batch of n: NULL it is done. */
static const struct refusal **by_line(const struct take_request *r, uint32_t n)
{
	static const struct refusal *why[LINK_BATCH_LINES];

	memset(why, 0, n * sizeof(*why));
	for (size_t k = 0; k < r->nrefused; k++)
		why[r->refused[k].n - 1] = &r->refused[k];
	return why;
}

static unsigned tries(const struct item *it)
{
	return (unsigned)it->attempts - it->trials + it->strikes;
}

/* Given to the workers of a share: what they refuse others may do. */
static bool on_trial(const struct dest *d, const struct out_batch *b)
{
	return b->of_split && d->split.on;
}

static bool is_dead(const struct dest *d, const struct out_batch *b, const struct item *it, const struct refusal *why)
{
	return why && (!why->retry || (!on_trial(d, b) && tries(it) + 1u >= d->limits.attempts));
}

static int64_t wait_for(unsigned tried)
{
	struct backoff b = { .base = RETRY_FIRST, .max = RETRY_MOST, .tries = tried };

	return backoff_next(&b, hash_random());
}

static int64_t retry_at(const struct item *it, const struct refusal *why)
{
	int64_t wait = wait_for(it->attempts), asked = (int64_t)why->retry_after * CLOCK_MS;

	/* Who is asked to wait shall not come back together with all the others. */
	return clock_mono() + (asked > wait ? asked + wait_for(0) / 2 : wait);
}

static int bury_one(struct dest *d, const struct item *it, const char *error, const char *detail)
{
	if (dead_add(&d->dead, it->seq, tries(it) + it->trials + 1u, error, detail, it->line, it->len - 1) == 0)
		return 0;
	buf_clear(&d->dead.letters);
	d->dead.collected = 0;
	return -1;
}

/* Writes the lines that are given up to the dead letters. false: that failed, they are tried again later. */
static bool bury(struct dest *d, const struct out_batch *b, const struct refusal **why)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (is_dead(d, b, b->v[i], why[i]) && bury_one(d, b->v[i], why[i]->error, why[i]->detail) < 0)
			return false;
	return dead_keep(&d->dead) == 0;
}

/* Copies have no consequence. The worker may have gone: then they are lost. */
static void end_copies(struct dest *d, struct out_batch *b, const struct refusal **why)
{
	for (uint32_t i = b->n; i--; ) {
		if (why)
			split_outcome(d, true, why[i] != NULL);
		lanes_settle(&d->split.copies, b->v[i]);
		free(b->v[i]);
	}
	if (!why) {
		d->split.shed += b->n;
		metric_add(d->metrics[D_SHED], b->n);
	}
}

/* Refused once more, and not dead. */
static void try_again(struct dest *d, const struct out_batch *b, struct item *it, const struct refusal *why)
{
	/* Refused by those who are asked no more: others may do it at once. */
	int64_t due = b->of_split && !split_gives(d) ? 0 : retry_at(it, why);

	if (it->attempts < UINT16_MAX) {
		it->attempts++;
		it->trials += on_trial(d, b);
	}
	if (on_trial(d, b))
		split_worn(d, it);
	attempts_note(&d->attempts, it, false);
	lanes_return(&d->lanes, it, due);
}

/* Settles or returns every line of the batch, the last one first: so those that go back keep their order. */
static void outcome(struct dest *d, struct out_batch *b, const struct take_request *r)
{
	const struct refusal **why = by_line(r, b->n);
	bool buried;

	if (b->copy) {
		end_copies(d, b, why);
		return;
	}
	buried = r->nrefused == 0 || bury(d, b, why);
	for (uint32_t i = b->n; i--; ) {
		struct item *it = b->v[i];
		if (why[i])
			metric_add(d->metrics[D_REFUSED], 1);
		if (d->split.on)
			split_outcome(d, b->of_split, why[i] != NULL);
		if (!why[i] || (buried && is_dead(d, b, it, why[i]))) {
			lanes_settle(&d->lanes, it);
			dest_settled(d, it, !why[i]);
		} else {
			try_again(d, b, it, why[i]);
		}
	}
}

/* ---- batches that come back ---- */

/* Remembers which lines a batch had, for an acknowledgement that may still come. */
static void remember(struct dest *d, const struct out_batch *b)
{
	struct late_batch *l = &d->late[d->late_at++ % DEST_LATE];

	free(l->seqs);
	*l = (struct late_batch){ .id = b->id, .n = b->n, .seqs = malloc(b->n * sizeof(*l->seqs)) };
	if (!l->seqs)
		l->n = 0;
	for (uint32_t i = 0; i < l->n; i++)
		l->seqs[i] = b->v[i]->seq;
}

/* A line that had a batch of its own so often that nothing else can be the cause. */
static bool bury_killer(struct dest *d, struct out_batch *b)
{
	struct item *it = b->v[0];

	if (b->n != 1 || tries(it) + 1u < d->limits.attempts)
		return false;
	if (bury_one(d, it, "the worker that had it went away, or was too slow, each time", NULL) < 0 || dead_keep(&d->dead) < 0)
		return false;
	lanes_settle(&d->lanes, it);
	dest_settled(d, it, false);
	dest_save(d);
	return true;
}

void batch_take_back(struct dest *d, struct out_batch *b)
{
	int64_t now = clock_mono();

	batch_unlink(d, b);
	metric_add(d->metrics[D_TAKEN_BACK], b->n);
	if (b->copy) {
		end_copies(d, b, NULL);
	} else if (!bury_killer(d, b)) {
		remember(d, b);
		for (uint32_t i = b->n; i--; ) {
			struct item *it = b->v[i];
			/* Alone with it a worker died before: not at once again. */
			int64_t due = it->strikes >= LANES_ALONE ? now + wait_for(it->strikes - LANES_ALONE) : 0;
			if (it->strikes < UINT16_MAX)
				it->strikes++;
			attempts_note(&d->attempts, it, false);
			lanes_return(&d->lanes, it, due);
		}
	}
	free(b);
}

void batch_recall(struct dest *d, struct out_batch *b)
{
	batch_unlink(d, b);
	metric_add(d->metrics[D_TAKEN_BACK], b->n);
	remember(d, b);
	for (uint32_t i = b->n; i--; ) {
		attempts_note(&d->attempts, b->v[i], false);
		lanes_return(&d->lanes, b->v[i], 0);
	}
	free(b);
}

static void late(struct dest *d, uint64_t id, const struct take_request *r)
{
	struct late_batch *l = d->late;
	const struct refusal **why;
	struct item *it;

	while (l < d->late + DEST_LATE && (l->id != id || !l->n))
		l++;
	if (l == d->late + DEST_LATE || names_others(r, l->n))
		return;
	why = by_line(r, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		if (!why[i] && (it = lanes_find(&d->lanes, l->seqs[i], id)))
			dest_settled(d, it, true);
	l->n = 0;
}

bool batch_report(struct dest *d, const struct take_request *r)
{
	char name[ACK_NAME_MAX + 1];
	struct out_batch *b = d->out;
	uint64_t id;

	if (sscanf(r->done, "%*8[0-9a-f]-%" SCNu64, &id) != 1)
		return true;
	batch_name(name, id);
	if (strcmp(name, r->done) != 0)
		return true;
	while (b && b->id != id)
		b = b->next;
	if (b && names_others(r, b->n))
		return false;
	if (b) {
		outcome(d, batch_unlink(d, b), r);
		free(b);
	} else {
		late(d, id, r);
	}
	dest_save(d);
	return true;
}
