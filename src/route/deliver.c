#include "route/deliver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define RETRY_FIRST (200 * CLOCK_MS)
#define RETRY_MOST (30 * CLOCK_S)

/* One connection. */
struct worker {
	struct worker *next;		/* of all */
	struct worker *next_waiting;
	struct dest *dest;
	struct link_peer *peer;
	uint32_t want;			/* lines asked for; 0: it does not wait */
	char as[ACK_NAME_MAX + 1];	/* its name, for messages */
};

struct out_batch {
	struct out_batch *next;
	uint64_t id;
	struct worker *owner;
	int64_t due;
	uint32_t n;
	struct item *v[];
};

static uint64_t last_id;	/* of batches, over all destinations */
static uint32_t run;		/* of this process: ids of an earlier one mean nothing now */

static void batch_name(char out[ACK_NAME_MAX + 1], uint64_t id)
{
	snprintf(out, ACK_NAME_MAX + 1, "%08" PRIx32 "-%" PRIu64, run, id);
}

/* ---- waiting workers ---- */

static void wait_for_lines(struct dest *d, struct worker *w, uint32_t want)
{
	w->want = want < LINK_BATCH_LINES ? want : LINK_BATCH_LINES;
	w->next_waiting = NULL;
	*d->end = w;
	d->end = &w->next_waiting;
}

static void wait_no_more(struct dest *d, struct worker *w)
{
	struct worker **at = &d->first;

	if (!w->want)
		return;
	while (*at != w)
		at = &(*at)->next_waiting;
	*at = w->next_waiting;
	if (!w->next_waiting)
		d->end = at;
	w->want = 0;
}

/* ---- batches ---- */

static struct out_batch *unlink_batch(struct dest *d, struct out_batch *b)
{
	struct out_batch **at = &d->out;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (!b->next)
		d->out_end = at;
	return b;
}

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

static void take_back(struct dest *d, struct out_batch *b)
{
	unlink_batch(d, b);
	remember(d, b);
	metric_add(d->metrics[D_TAKEN_BACK], b->n);
	for (uint32_t i = b->n; i--; )
		lanes_return(&d->lanes, b->v[i], 0);
	free(b);
}

/* Sends the worker what it asked for. false: nothing could be sent (no memory). */
static bool give(struct dest *d, struct worker *w)
{
	static struct item *items[LINK_BATCH_LINES];
	static uint64_t seqs[LINK_BATCH_LINES];
	static struct buf out = { .max = LINK_MESSAGE_BYTES };
	char name[ACK_NAME_MAX + 1];
	uint32_t n = (uint32_t)lanes_take(&d->lanes, 0, items, w->want, LINK_BATCH_BYTES);
	struct out_batch *b = malloc(sizeof(*b) + n * sizeof(struct item *));

	buf_clear(&out);
	if (!b)
		goto no_memory;
	*b = (struct out_batch){ .id = ++last_id, .owner = w, .due = clock_mono() + d->limits.deadline, .n = n };
	batch_name(name, b->id);
	for (uint32_t i = 0; i < n; i++) {
		b->v[i] = items[i];
		items[i]->batch = b->id;
		seqs[i] = items[i]->seq;
	}
	if (take_reply_write(&out, name, n, seqs) < 0)
		goto no_memory;
	for (uint32_t i = 0; i < n; i++)
		if (buf_add(&out, items[i]->line, items[i]->len) < 0)
			goto no_memory;
	*d->out_end = b;
	d->out_end = &b->next;
	d->fill.moved += n;
	wait_no_more(d, w);
	link_reply(w->peer, &(struct iovec){ out.p, out.len }, 1);
	return true;
no_memory:
	log_error("%s: no memory for a batch of %" PRIu32 " lines", d->name, n);
	while (n--)
		lanes_return(&d->lanes, items[n], clock_mono() + CLOCK_S);
	free(b);
	return false;
}

static void arm(struct dest *d, int64_t lane_due)
{
	int64_t due = lane_due;

	if (d->out && (!due || d->out->due < due))
		due = d->out->due;
	if (d->fill.again && (!due || d->fill.again < due))
		due = d->fill.again;
	if (d->save_at && (!due || d->save_at < due))
		due = d->save_at;
	if (due && !d->stopped)
		loop_timer_set(d->loop, &d->timer, due);
	else
		loop_timer_del(d->loop, &d->timer);
}

void deliver_serve(struct dest *d)
{
	int64_t now = clock_mono(), lane_due;

	while (d->out && d->out->due <= now) {
		log_warn("%s: batch of %" PRIu32 " lines taken back from %s (%s): not done in time", d->name, d->out->n,
			d->out->owner->as, link_peer_name(d->out->owner->peer));
		take_back(d, d->out);
	}
	lane_due = lanes_wake(&d->lanes, now);
	if (d->save_at && d->save_at <= now)
		dest_save(d);
	fill(d);
	while (!d->stopped && d->first && d->lanes.takeable[0]) {
		if (!give(d, d->first))
			break;
		if (d->lanes.takeable[0] == 0)
			fill(d);
	}
	arm(d, lane_due);
}

/* ---- outcomes ---- */

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

static bool is_dead(const struct dest *d, const struct item *it, const struct refusal *why)
{
	return why && (!why->retry || it->attempts + 1u >= d->limits.attempts);
}

static int64_t retry_at(const struct item *it)
{
	struct backoff b = { .base = RETRY_FIRST, .max = RETRY_MOST, .tries = it->attempts };

	return clock_mono() + backoff_next(&b, hash_random());
}

/* Writes the lines that are given up to the dead letters. false: that failed, they are tried again later. */
static bool bury(struct dest *d, const struct out_batch *b, const struct refusal **why)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct item *it = b->v[i];
		if (is_dead(d, it, why[i]) &&
		    dead_add(&d->dead, it->seq, it->attempts + 1u, why[i]->error, why[i]->detail, it->line, it->len - 1) < 0) {
			buf_clear(&d->dead.letters);
			return false;
		}
	}
	return dead_keep(&d->dead) == 0;
}

/* Settles or returns every line of the batch, the last one first: so those that go back keep their order. */
static void outcome(struct dest *d, struct out_batch *b, const struct take_request *r)
{
	const struct refusal **why = by_line(r, b->n);
	bool buried = r->nrefused == 0 || bury(d, b, why);

	for (uint32_t i = b->n; i--; ) {
		struct item *it = b->v[i];
		if (why[i])
			metric_add(d->metrics[D_REFUSED], 1);
		if (!why[i] || (buried && is_dead(d, it, why[i]))) {
			lanes_settle(&d->lanes, it);
			dest_settled(d, it, !why[i]);
		} else {
			int64_t due = retry_at(it);
			if (it->attempts < UINT16_MAX)
				it->attempts++;
			lanes_return(&d->lanes, it, due);
		}
	}
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

/* It is believed on any connection: the one that the batch was given on may be gone, or not be known to be gone yet.
 * false: it refuses a line that the batch does not have. */
static bool done(struct dest *d, const struct take_request *r)
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
		outcome(d, unlink_batch(d, b), r);
		free(b);
	} else {
		late(d, id, r);
	}
	dest_save(d);
	return true;
}

/* ---- the handler ---- */

static struct worker *worker_of(struct dest *d, struct link_peer *peer)
{
	struct worker *w = link_peer_get(peer);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->dest = d;
	w->peer = peer;
	w->next = d->workers;
	d->workers = w;
	link_peer_set(peer, w);
	metric_add(d->metrics[D_WORKERS], 1);
	return w;
}

static void reply_text(struct link_peer *peer, const char *text)
{
	struct iovec part = { (void *)(uintptr_t)text, strlen(text) };

	link_reply(peer, &part, 1);
}

static void reply_error(struct link_peer *peer, const char *why)
{
	struct buf out;

	buf_init(&out, 4096);
	if (buf_adds(&out, "{\"error\":") == 0 && buf_add_json(&out, why, strlen(why)) == 0 && buf_adds(&out, "}\n") == 0)
		link_reply(peer, &(struct iovec){ out.p, out.len }, 1);
	else
		link_drop(peer, why);
	buf_release(&out);
}

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct dest *d = arg;
	struct worker *w = worker_of(d, peer);
	struct take_request r;
	const char *why;

	if (!run)
		run = (uint32_t)hash_random() | 1;
	if (!w) {
		link_drop(peer, "no memory");
		return;
	}
	wait_no_more(d, w);
	if (take_request_parse(p, n, &r, &why) < 0) {
		reply_error(peer, why);
		return;
	}
	memcpy(w->as, r.as, sizeof(w->as));
	if (r.done[0] && !done(d, &r))
		reply_error(peer, "refused names a line that the batch does not have: the batch is not done");
	else if (r.take)
		wait_for_lines(d, w, r.take);
	else
		reply_text(peer, "{\"ok\":true}\n");
	take_request_release(&r);
	deliver_serve(d);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	struct dest *d = arg;
	struct worker *w = link_peer_get(peer), **at = &d->workers;

	if (!w)
		return;
	wait_no_more(d, w);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	/* The latest first, so that all of them stand in their lanes in the old order. */
	for (;;) {
		struct out_batch *last = NULL;
		for (struct out_batch *b = d->out; b; b = b->next)
			if (b->owner == w)
				last = b;
		if (!last)
			break;
		take_back(d, last);
	}
	free(w);
	metric_set(d->metrics[D_WORKERS], metric_get(d->metrics[D_WORKERS]) - 1);
	if (!d->stopped)
		deliver_serve(d);
}

const struct link_handler deliver_handler = { .on_request = on_request, .on_gone = on_gone, .newest_wins = true };

void deliver_stop(struct dest *d)
{
	d->stopped = true;
	loop_timer_del(d->loop, &d->timer);
}

bool deliver_busy(const struct dest *d)
{
	return d->out != NULL;
}

void deliver_release(struct dest *d)
{
	while (d->out) {
		struct out_batch *b = unlink_batch(d, d->out);
		for (uint32_t i = b->n; i--; )
			lanes_return(&d->lanes, b->v[i], 0);
		free(b);
	}
	for (size_t i = 0; i < DEST_LATE; i++)
		free(d->late[i].seqs);
}
