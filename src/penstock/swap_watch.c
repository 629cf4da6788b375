/*
 * A stage that takes another one's place gets its lines by steps, and is watched: the trial of a swap, and on the way back the one before. So one that
 * is still waking up, or does not do well, holds up few conversations.
 */
#include "penstock/swap.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"

#define LOOK_MS 40
#define BAD 10			/* as route judges a canary: more lines refused than this, and more than one in twenty */

struct watched {
	const struct tree *t;
	const struct swap *s;
	const char *service;
	bool in_set;			/* the split's share is its own; otherwise it has what is not in the share */
	bool seen;			/* restarts is how often it had been started again */
	int64_t restarts;
	struct swap_tally before, sum;	/* until this share began; all in all */
};

static void count(struct watched *w, const struct swap_split *split)
{
	struct swap_tally now = w->in_set ? split->set_has : split->others;

	/* What a shadow says of its copies has no consequence, nor that it says nothing. */
	if (w->s->how == SWAP_SHADOW)
		now.given = now.refused = 0;
	w->sum.given = w->before.given + now.given;
	w->sum.done = w->before.done + now.done;
	w->sum.refused = w->before.refused + now.refused;
}

/* ---- how it does ---- */

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
	struct swap_split split;

	if (swap_split_ask(w->t, w->s, &split) != 0)
		return 0;	/* route is being started again */
	if (w->in_set && !split.on) {
		log_error("%s: route took its lines back: %s", w->service, split.because[0] ? split.because : "it refused too many");
		return -1;
	}
	count(w, &split);
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

	w->before = w->sum;	/* a new share: the split's counts begin at 0 */
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

	/* Before it has lines: once it has any, no end of it goes unseen. */
	if (look_at_service(&w) < 0)
		return -1;
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

	if (look_at_service(&w) < 0)
		return -1;
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
		if (swap_split_share(t, s, swap_top(s), shares[i]) < 0 || watch(&w, swap_times.watch / 4, true) < 0)
			return -1;
	return swap_split_hold(t, s, swap_top(s)) < 0 ? -1 : watch(&w, swap_times.watch / 2, false);
}
