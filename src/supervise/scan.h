/*
 * scan: the services of one directory, as entries come and go.
 *
 * Every entry of the current directory that is, after symbolic links, a directory and whose name does not begin with a dot is a
 * service. It is known by device and inode, not by name: a renamed link changes nothing, two names of one directory are one service, a
 * directory made anew is a new service, started when the old one of that name is gone.
 *
 * inotify tells of changes; they are looked at SCAN_SETTLE after the last one, so that a directory that is being filled is not started
 * half made. scan_now looks at once (SIGALRM). A service that cannot be taken (its lock is held, no memory) is tried again with back-off.
 * A service that was told to exit (sv exit) stays out until scan_now, or until its entry is removed and made again.
 */
#ifndef SUPERVISE_SCAN_H
#define SUPERVISE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/backoff.h"
#include "base/loop.h"
#include "supervise/service.h"

#define SCAN_SETTLE (300 * CLOCK_MS)
#define SCAN_RETRY_BASE (1 * CLOCK_S)
#define SCAN_RETRY_MAX (30 * CLOCK_S)
#define SCAN_MAX 10000		/* services */

struct scan {
	struct host *host;
	const char *dir;	/* for messages */
	struct service **v;
	size_t n, cap;
	size_t known;		/* those of them from before the present look */
	struct loop_io inotify;
	struct loop_timer settle, retry, closed_yet;
	struct backoff backoff;
	bool closed;		/* no new services: everything stops */
	bool looked;		/* once */
	bool retrying;		/* what was told of entries is not told again */
	bool waits_for_old;	/* an entry waits until the old service of its name is gone */
};

/* Watches the current directory; where that fails there is a warning, and only scan_now looks. host and dir are borrowed. */
void scan_init(struct scan *s, struct host *h, const char *dir);
void scan_release(struct scan *s);

/* Looks at the directory; again: services that exited or failed are tried too, those that
 * are about to exit as soon as they have. -1 with a message: it could not be read, nothing changed. */
int scan_now(struct scan *s, bool again);

/* At the end of a round: closes services that are over, and forgets those whose entry is gone. */
void scan_collect(struct scan *s);

/* Every service is as it should be: see service_settled. */
bool scan_settled(const struct scan *s);

#endif
