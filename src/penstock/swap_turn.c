/* Services of a swap up and down. The tree may be down: then only files change. */
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
	if (tree_supervise(t) <= 0)
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
	return tree_supervise(t) > 0 ? drain(t, service) : 0;
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
		if (!seen.found || tree_supervise(t) <= 0)
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

	if (there && tree_supervise(t) > 0 && drain(t, service) < 0)
		return -1;
	if (there && (remove_tree(gone) < 0 || rename(place, gone) < 0)) {
		log_error("%s: %s", place, strerror(errno));
		return -1;
	}
	if (tree_supervise(t) > 0 && wait_forgotten(t, service) < 0)
		return -1;
	unlink(metrics);
	return remove_tree(gone) < 0 || remove_tree(made) < 0 ? -1 : fd_sync_dir(place);
}
