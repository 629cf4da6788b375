/*
 * lease: who holds which connection of an account, among the processes of a host.
 *
 * A file for each account, DIR/leases; connection n is the 64 bytes from 64 n on, held by an open file description lock (fcntl(2)) that the kernel
 * gives back when its process ends in whatever way. The bytes are text for people: pid and time, or "free"; with "live" when the connection came up
 * since, which who gave it away waits for.
 * Who waits is told at once: a release touches the file, the end of a process closes it, and both are seen by inotify; the kernel tells of a
 * closed file a moment before it drops its locks, so a waiter looks again a few times. Where inotify is not to be had, a look every LEASE_LOOK.
 *
 * Who waits holds a shared lock on a byte far behind, so that a holder can tell whether there is anybody to hand over to.
 */
#ifndef GATEWAYD_LEASE_H
#define GATEWAYD_LEASE_H

#include <stdbool.h>

#include "base/clock.h"

struct loop;
struct leases;		/* of one account */
struct lease_watch;	/* one inotify for all */

#define LEASE_LOOK (1 * CLOCK_S)

struct lease_watch *lease_watch_open(struct loop *l);	/* NULL with a message */
void lease_watch_close(struct lease_watch *w);		/* after all leases */

/* dir: the account's folder of states. on_ours: a connection that was waited for is held now; never from inside another call. NULL with a message. */
struct leases *leases_open(struct lease_watch *w, const char *dir, void (*on_ours)(void *arg, unsigned conn), void *arg);
void leases_close(struct leases *l);			/* gives all back */

/* 1 it is ours; 0 another holds it and on_ours will come; -1 with a message: it cannot be had (tried again like 0). */
int lease_take(struct leases *l, unsigned conn);
void lease_give(struct leases *l, unsigned conn);	/* held or waited for */
void lease_live(struct leases *l, unsigned conn);	/* held, and the connection is up */
bool lease_held(const struct leases *l, unsigned conn);
bool leases_wanted(struct leases *l);			/* does another process wait for any of this account? */
bool lease_taken(struct leases *l, unsigned conn);	/* not ours: does another process hold it now? */
bool lease_taken_live(struct leases *l, unsigned conn);	/* ... and is it up there? */
long lease_holder(struct leases *l, unsigned conn);	/* its pid as the file says; 0: nobody */

#endif
