/* Services of a swap up and down, and what was begun brought to its end. The tree may be down: then only files change. */
#include "penstock/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define LOOK_MS 40
#define KILL_WAIT (10 * CLOCK_S)	/* for the end of what was killed, and for supervise to let a directory go */

struct swap_times swap_times = { .wait = 20 * CLOCK_S, .drain = 30 * CLOCK_S, .watch = 2 * CLOCK_S };

static bool supervised(const struct tree *t)
{
	return tree_supervise(t) > 0;
}

/* ---- waiting ---- */

int swap_wait_ready(const struct tree *t, const char *service)
{
	int64_t end = clock_mono() + swap_times.wait, before = -1;
	struct service_seen seen;

	for (;; poll(NULL, 0, LOOK_MS)) {
		if (service_see(t, service, &seen) < 0)
			return -1;
		if (seen.found && before < 0)
			before = seen.restarts;
		if (seen.found && seen.ready)
			return 0;
		if (seen.found && seen.fault[0]) {
			log_error("%s", seen.fault);
			return -1;
		}
		if (seen.found && (seen.looping || seen.restarts > before + 1)) {
			log_error("%s does not stay up: %s; what it said is in the tree's log", service, seen.end[0] ? seen.end : "it ended");
			return -1;
		}
		if (swap_interrupted()) {
			log_error("interrupted");
			return -1;
		}
		if (clock_mono() > end) {
			log_error("%s is not ready after the time given by --wait", service);
			return -1;
		}
	}
}

/* 0: no process is left; 1: the time is over; -1 with a message. */
static int wait_ended(const struct tree *t, const char *service, int64_t patience)
{
	int64_t end = clock_mono() + patience;
	struct service_seen seen;

	for (;; poll(NULL, 0, LOOK_MS)) {
		if (service_see(t, service, &seen) < 0)
			return -1;
		if (!seen.found || !seen.running)
			return 0;
		if (clock_mono() > end)
			return 1;
	}
}

/* TERM, and KILL when it takes too long: route gives what it had to another worker, and nothing is said twice. */
static int drain(const struct tree *t, const char *service)
{
	struct service_seen seen;
	int rc;

	if (service_see(t, service, &seen) < 0)
		return -1;
	if (!seen.found)
		return 0;
	if (service_letters(t, service, "d") < 0)
		return -1;
	rc = wait_ended(t, service, swap_times.drain);
	if (rc == 1) {
		log_warn("%s has not ended after the time given by --drain: killed", service);
		if (service_letters(t, service, "k") < 0)
			return -1;
		rc = wait_ended(t, service, KILL_WAIT);
	}
	if (rc == 1)
		log_error("%s: its process does not end even when killed", service);
	return rc == 0 ? 0 : -1;
}

/* ---- one service ---- */

int swap_up(const struct tree *t, const char *service)
{
	char *path = text_of("%s/service/%s/down", t->dir, service);

	if ((unlink(path) < 0 && errno != ENOENT) || fd_sync_dir(path) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (!supervised(t))
		return 0;
	return service_letters(t, service, "u") < 0 ? -1 : swap_wait_ready(t, service);
}

int swap_down(const struct tree *t, const char *service)
{
	char *path = text_of("%s/service/%s/down", t->dir, service);

	if (fd_replace(path, "", 0, 0644) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	return supervised(t) ? drain(t, service) : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_tree(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return 0;
	log_error("%s: %s", path, strerror(errno));
	return -1;
}

/* Until supervise does not know it any more: it looks a moment after the directory went away. */
static int wait_forgotten(const struct tree *t, const char *service)
{
	int64_t end = clock_mono() + KILL_WAIT;
	struct service_seen seen;

	for (;; poll(NULL, 0, LOOK_MS)) {
		if (service_see(t, service, &seen) < 0)
			return -1;
		if (!seen.found || !supervised(t))
			return 0;
		if (clock_mono() > end) {
			log_error("%s: supervise does not let it go", service);
			return -1;
		}
	}
}

int swap_remove(const struct tree *t, const char *service)
{
	char *place = text_of("%s/service/%s", t->dir, service), *gone = text_of("%s/service/.swap/%s.gone", t->dir, service);
	char *made = text_of("%s/service/.swap/%s.new", t->dir, service), *metrics = text_of("%s/run/metrics/%s", t->dir, service);
	bool there = access(place, F_OK) == 0;

	if (there && supervised(t) && drain(t, service) < 0)
		return -1;
	if (there && (remove_tree(gone) < 0 || rename(place, gone) < 0)) {
		log_error("%s: %s", place, strerror(errno));
		return -1;
	}
	if (supervised(t) && wait_forgotten(t, service) < 0)
		return -1;
	unlink(metrics);
	return remove_tree(gone) < 0 || remove_tree(made) < 0 ? -1 : fd_sync_dir(place);
}

/* ---- a trial ---- */

/* For at most `patience`; until_done: only until it has done something. */
static int watch(const struct tree *t, const struct swap *s, int64_t patience, bool until_done)
{
	int64_t end = clock_mono() + patience, before = -1;
	struct service_seen seen;
	struct swap_split split;
	bool known;

	do {
		if (service_see(t, s->trial, &seen) < 0)
			return -1;
		if (before < 0)
			before = seen.restarts;
		if (!seen.found || !seen.ready || seen.restarts > before) {
			log_error("%s does not stay up: %s; what it said is in the tree's log", s->trial,
				seen.found && seen.end[0] ? seen.end : "it ended");
			return -1;
		}
		if (swap_interrupted()) {
			log_error("interrupted");
			return -1;
		}
		known = swap_split_ask(t, s, &split) == 0;
		if (known && !split.on) {
			log_error("%s: route took its lines back: %s", s->trial, split.because[0] ? split.because : "it refused too many");
			return -1;
		}
		if (known && until_done && split.done > 0)
			return 0;
		poll(NULL, 0, LOOK_MS);
	} while (clock_mono() < end);
	return 0;
}

int swap_watch(const struct tree *t, const struct swap *s)
{
	return watch(t, s, swap_times.watch, false);
}

int swap_pour(const struct tree *t, const struct swap *s)
{
	static const uint64_t steps[] = { 1, 10 };

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (swap_split_set(t, s, SWAP_WHOLE, steps[i]) < 0 || watch(t, s, swap_times.watch / 4, true) < 0)
			return -1;
	return swap_split_set(t, s, SWAP_WHOLE, 100) < 0 ? -1 : watch(t, s, swap_times.watch / 2, false);
}

/* The split outlives the stage: without one its workers would be like all others, and what a shadow says goes nowhere. */
static int forget_trial(const struct tree *t, struct swap *s)
{
	if (supervised(t) && swap_split_hold(t, s) == -1)
		return -1;
	if (swap_remove(t, s->trial) < 0 || swap_split_off(t, s) < 0)
		return -1;
	if (s->how == SWAP_SHADOW && swap_shadow_clear(t, s->name) < 0)
		return -1;
	s->trial = s->trial_about = NULL;
	s->how = SWAP_WHOLE;
	memset(&s->program, 0, sizeof s->program);
	return swap_step(t, s, SWAP_REST);
}

static int finish_turn(const struct tree *t, struct swap *s)
{
	if (swap_down(t, swap_top(s)) < 0 || swap_split_off(t, s) < 0)
		return -1;
	s->service[s->n] = s->trial;
	s->about[s->n++] = s->trial_about;
	s->trial = s->trial_about = NULL;
	s->how = SWAP_WHOLE;
	memset(&s->program, 0, sizeof s->program);
	return swap_step(t, s, SWAP_REST);
}

static int finish_back(const struct tree *t, struct swap *s)
{
	/* Its place was ready when this was decided; it may have been down since. */
	if (swap_up(t, s->service[s->n - 2]) < 0 || swap_remove(t, swap_top(s)) < 0)
		return -1;
	s->n--;
	return swap_step(t, s, SWAP_REST);
}

int swap_settle(const struct tree *t, struct swap *s)
{
	switch (s->phase) {
	case SWAP_REST:
		return 0;
	case SWAP_TRY:
		return s->trial ? forget_trial(t, s) : swap_step(t, s, SWAP_REST);
	case SWAP_TURN:
		return finish_turn(t, s);
	case SWAP_REACH:
		return swap_down(t, s->service[s->n - 2]) < 0 ? -1 : swap_step(t, s, SWAP_REST);
	case SWAP_BACK:
		return finish_back(t, s);
	}
	return -1;
}
