#include "route/deliver_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/num.h"

static uint64_t last_id;	/* of batches, over all destinations */
static uint32_t run;		/* of this process: ids of an earlier one mean nothing now */

void batch_name(char out[ACK_NAME_MAX + 1], uint64_t id)
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

struct out_batch *batch_unlink(struct dest *d, struct out_batch *b)
{
	struct out_batch **at = &d->out;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (!b->next)
		d->out_end = at;
	return b;
}

/* Where its lines come from. */
static struct lanes *lanes_of(struct dest *d, const struct worker *w)
{
	return w->in_split && d->split.copy ? &d->split.copies : &d->lanes;
}

static unsigned side_of(const struct dest *d, const struct worker *w)
{
	return w->in_split && !d->split.copy;
}

/* Every connection can have its part of what may be out, so that those that hang do not have all of it. */
static bool may_have(const struct dest *d, const struct worker *w, uint32_t *lines, size_t *bytes)
{
	size_t conns = d->nworkers ? d->nworkers : 1, fair = d->limits.window_lines / conns;

	*lines = fair < LANES_LEAST ? LANES_LEAST : fair < w->want ? (uint32_t)fair : w->want;
	if (*lines > w->want)
		*lines = w->want;
	fair = d->limits.window_bytes / conns;
	*bytes = fair < 65536 ? 65536 : fair < LINK_BATCH_BYTES ? fair : LINK_BATCH_BYTES;
	/* Those of workers that are gone meanwhile count, too. */
	return d->lanes.out < 2 * d->limits.window_lines + LANES_LEAST * conns;
}

/* The message: its head, then the lines. -1: no memory. */
static int write_batch(struct buf *out, uint64_t id, struct item *const *v, uint32_t n)
{
	static uint64_t seqs[LINK_BATCH_LINES];
	char name[ACK_NAME_MAX + 1];

	batch_name(name, id);
	for (uint32_t i = 0; i < n; i++)
		seqs[i] = v[i]->seq;
	buf_clear(out);
	if (take_reply_write(out, name, n, seqs) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (buf_add(out, v[i]->line, v[i]->len) < 0)
			return -1;
	return 0;
}

/* The batch is about to go out. */
static void book(struct dest *d, struct out_batch *b)
{
	for (uint32_t i = 0; i < b->n && !b->copy; i++) {
		if (d->split.on && d->split.copy && !b->v[i]->batch)
			split_copy(d, b->v[i]);
		attempts_note(&d->attempts, b->v[i], true);
	}
	for (uint32_t i = 0; i < b->n; i++)
		b->v[i]->batch = b->id;
	if (b->of_split)
		d->split.given += b->n;
	else
		d->split.others_given += b->n;
	*d->out_end = b;
	d->out_end = &b->next;
	d->fill.moved += b->n;
}

/* Sends the worker what it asked for. false: nothing could be sent. */
static bool give(struct dest *d, struct worker *w)
{
	static struct item *items[LINK_BATCH_LINES];
	static struct buf out = { .max = LINK_MESSAGE_BYTES };
	struct lanes *from = lanes_of(d, w);
	uint32_t n;
	size_t bytes;

	if (!may_have(d, w, &n, &bytes))
		return false;
	n = (uint32_t)lanes_take(from, side_of(d, w), items, n, bytes);
	struct out_batch *b = malloc(sizeof(*b) + n * sizeof(struct item *));
	if (b)
		*b = (struct out_batch){ .id = ++last_id, .owner = w, .due = clock_mono() + d->limits.deadline, .n = n,
			.of_split = w->in_split, .copy = from != &d->lanes };
	if (!b || write_batch(&out, b->id, items, n) < 0) {
		log_error("%s: no memory for a batch of %" PRIu32 " line%s", d->name, n, num_s(n));
		while (n--)
			lanes_return(from, items[n], clock_mono() + CLOCK_S);
		free(b);
		return false;
	}
	memcpy(b->v, items, n * sizeof(struct item *));
	book(d, b);
	wait_no_more(d, w);
	link_reply(w->peer, &(struct iovec){ out.p, out.len }, 1);
	return true;
}

/* Serves those that wait, in the order they came. false: there was nothing for any of them. */
static bool serve_waiting(struct dest *d)
{
	bool any = false;

	for (struct worker *w = d->first, *next; w; w = next) {
		next = w->next_waiting;
		if (lanes_of(d, w)->takeable[side_of(d, w)] && give(d, w))
			any = true;
	}
	return any;
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
	int64_t now = clock_mono(), lane_due, split;

	while (d->out && d->out->due <= now) {
		log_warn("%s: batch of %" PRIu32 " line%s taken back from %s (%s): not done in time", d->name, d->out->n,
			num_s(d->out->n), d->out->owner->as, link_peer_name(d->out->owner->peer));
		if (d->out->of_split && !d->out->copy)
			split_late(d, d->out->n, d->out->due - d->limits.deadline);
		batch_take_back(d, d->out);
	}
	split = split_due(d, now);
	lane_due = lanes_wake(&d->lanes, now);
	if (d->save_at && d->save_at <= now)
		dest_save(d);
	fill(d);
	while (!d->stopped && d->first && serve_waiting(d))
		if (d->first && d->lanes.takeable[0] + d->lanes.takeable[1] == 0)
			fill(d);
	if (split && (!lane_due || split < lane_due))
		lane_due = split;
	arm(d, lane_due);
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
	d->nworkers++;
	link_peer_set(peer, w);
	metric_add(d->metrics[D_WORKERS], 1);
	return w;
}

/* Does it belong to the split's set, now? */
static void deliver_split(struct dest *d, struct worker *w)
{
	bool is = split_has(d, w->set);

	if (is == w->in_split)
		return;
	w->in_split = is;
	split_workers(d, is ? 1 : -1);
}

unsigned deliver_connected(struct dest *d, const char *set)
{
	unsigned n = 0;

	for (struct worker *w = d->workers; w; w = w->next) {
		w->in_split = strcmp(w->set, set) == 0 && split_has(d, set);
		n += w->in_split;
	}
	return n;
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
	memcpy(w->set, r.set, sizeof(w->set));
	deliver_split(d, w);
	if (r.done[0] && !batch_report(d, &r))
		reply_error(peer, "refused names a line that the batch does not have: the batch is not done");
	else if (r.take)
		wait_for_lines(d, w, r.take);
	else
		reply_text(peer, "{\"ok\":true}\n");
	take_request_release(&r);
	deliver_serve(d);
}

/* Of a worker's batches (NULL: of those that the split's workers have of its share) the latest; NULL: none. Taken back in this order, all of them stand
 * in their lanes as they stood. */
static struct out_batch *last_of(const struct dest *d, const struct worker *w)
{
	struct out_batch *last = NULL;

	for (struct out_batch *b = d->out; b; b = b->next)
		if (w ? b->owner == w : b->of_split && !b->copy)
			last = b;
	return last;
}

void deliver_recall(struct dest *d)
{
	struct out_batch *last;

	while ((last = last_of(d, NULL)))
		batch_recall(d, last);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	struct dest *d = arg;
	struct worker *w = link_peer_get(peer), **at = &d->workers;
	struct out_batch *last;

	if (!w)
		return;
	wait_no_more(d, w);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	d->nworkers--;
	if (w->in_split)
		split_workers(d, -1);
	while ((last = last_of(d, w)))
		batch_take_back(d, last);
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
		struct out_batch *b = batch_unlink(d, d->out);
		for (uint32_t i = b->n; i--; ) {
			if (!b->copy)
				attempts_note(&d->attempts, b->v[i], false);
			lanes_return(b->copy ? &d->split.copies : &d->lanes, b->v[i], 0);
		}
		free(b);
	}
	for (size_t i = 0; i < DEST_LATE; i++)
		free(d->late[i].seqs);
}
