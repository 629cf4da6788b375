/*
 * A stage that takes another one's place gets its lines by steps, and is watched: the trial of a swap, and on the way back the one before. So one that
 * is still waking up, or does not do well, holds up few conversations.
 */
#include "penstock/swap.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

#define LOOK_MS 40
#define BAD 10			/* as route judges a canary: more lines refused than this, and more than one in twenty */

/* What a stage has done since a moment. */
struct tally { int64_t given, done, refused; };

struct watched {
	const struct tree *t;
	const struct swap *s;
	const char *service;
	bool in_set;			/* the split's share is its own; otherwise it has what is not in the share */
	bool seen;			/* restarts is how often it had been started again */
	int64_t restarts;
	struct tally base, before, sum;	/* of the destination when this share began; until then; all in all */
};

/* ---- what it did ---- */

struct search { char labels[160]; struct tally sum; };

static void on_metric(void *arg, const struct metric_view *row)
{
	struct search *f = arg;

	if (strcmp(row->labels, f->labels) != 0)
		return;
	if (strcmp(row->name, "route_delivered_total") == 0)
		f->sum.done = (int64_t)row->value;
	else if (strcmp(row->name, "route_refused_total") == 0)
		f->sum.refused = (int64_t)row->value;
}

static struct tally destination(const struct watched *w)
{
	struct search f = { .sum = { 0 } };

	snprintf(f.labels, sizeof f.labels, "dest=\"%s\"", w->s->dest);
	metric_read(tree_path(w->t, "run/metrics/route"), on_metric, &f);
	return f.sum;
}

/* all: of the destination, before split was asked, so that what the others did is not too much. */
static void count(struct watched *w, struct tally all, const struct swap_split *split)
{
	struct tally now = { split->given, split->done, split->refused };

	if (!w->in_set)
		now = (struct tally){ 0, all.done - split->done - w->base.done, all.refused - split->refused - w->base.refused };
	/* What a shadow says of its copies has no consequence, nor that it says nothing. */
	if (w->s->how == SWAP_SHADOW)
		now.given = now.refused = 0;
	w->sum.given = w->before.given + now.given;
	w->sum.done = w->before.done + (now.done > 0 ? now.done : 0);
	w->sum.refused = w->before.refused + (now.refused > 0 ? now.refused : 0);
}

/* ---- how it does ---- */

/* A new share: the split's counts begin at 0. */
static void begin(struct watched *w)
{
	struct swap_split split;

	w->before = w->sum;
	w->base = (struct tally){ 0 };
	if (w->in_set || swap_split_ask(w->t, w->s, &split) != 0)
		return;
	w->base = destination(w);
	w->base.done -= split.done;
	w->base.refused -= split.refused;
}

static int look_at_service(struct watched *w)
{
	struct service_seen seen;

	if (service_see(w->t, w->service, &seen) < 0)
		return -1;
	if (!w->seen)
		w->restarts = seen.restarts;
	w->seen = true;
	if (seen.found && seen.ready && seen.restarts == w->restarts)
		return 0;
	log_error("%s does not stay up: %s; what it said is in the tree's log", w->service, seen.found && seen.end[0] ? seen.end : "it ended");
	return -1;
}

static int refuses(const struct watched *w)
{
	log_error("%s: refused %lld lines, and did %lld", w->service, (long long)w->sum.refused, (long long)w->sum.done);
	return -1;
}

static int look_at_lines(struct watched *w)
{
	struct tally all = destination(w);
	struct swap_split split;

	if (swap_split_ask(w->t, w->s, &split) != 0)
		return 0;	/* route is being started again */
	if (w->in_set && !split.on) {
		log_error("%s: route took its lines back: %s", w->service, split.because[0] ? split.because : "it refused too many");
		return -1;
	}
	count(w, all, &split);
	if (w->sum.refused <= BAD || w->sum.refused * 20 <= w->sum.done + w->sum.refused)
		return 0;
	return refuses(w);
}

/* It has lines, and with this share it has said nothing of any. */
static bool is_mute(const struct watched *w)
{
	return w->sum.given > w->sum.done + w->sum.refused && w->sum.done == w->before.done && w->sum.refused == w->before.refused;
}

/* For at most `patience`, and then until it has said something of what it was given; until_done: only until it has done something. */
static int watch(struct watched *w, int64_t patience, bool until_done)
{
	int64_t end = clock_mono() + patience, last = end + swap_times.wait;

	begin(w);
	do {
		if (look_at_service(w) < 0 || look_at_lines(w) < 0)
			return -1;
		if (swap_interrupted()) {
			log_error("interrupted");
			return -1;
		}
		if (until_done && w->sum.done > w->before.done)
			return 0;
		poll(NULL, 0, LOOK_MS);
	} while (clock_mono() < end || (is_mute(w) && clock_mono() < last));
	if (w->sum.refused > w->sum.done)
		return refuses(w);
	if (!is_mute(w))
		return 0;
	log_error("%s: was given %lld lines, and %s in the time given by --wait", w->service, (long long)w->sum.given,
		w->sum.done ? "does no more" : "did none of them");
	return -1;
}

/* ---- a trial ---- */

int swap_watch(const struct tree *t, const struct swap *s)
{
	return watch(&(struct watched){ .t = t, .s = s, .service = s->trial, .in_set = true }, swap_times.watch, false);
}

int swap_pour(const struct tree *t, const struct swap *s)
{
	static const uint64_t shares[] = { 1, 10 };
	struct watched w = { .t = t, .s = s, .service = s->trial, .in_set = true };

	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		if (swap_split_share(t, s, s->trial, shares[i]) < 0 || watch(&w, swap_times.watch / 4, true) < 0)
			return -1;
	return swap_split_share(t, s, s->trial, 100) < 0 ? -1 : watch(&w, swap_times.watch / 2, false);
}

/* ---- the way back ---- */

int swap_pour_back(const struct tree *t, const struct swap *s)
{
	static const uint64_t shares[] = { 99, 90 };	/* of the one that goes */
	struct watched w = { .t = t, .s = s, .service = s->service[s->n - 2], .in_set = false };

	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		if (swap_split_share(t, s, swap_top(s), shares[i]) < 0 || watch(&w, swap_times.watch / 4, true) < 0)
			return -1;
	return swap_split_hold(t, s, swap_top(s)) < 0 ? -1 : watch(&w, swap_times.watch / 2, false);
}
