/*
 * lock: a lock in both families (fd_lock_wait) of a file that another supervisor may hold.
 *
 * A supervisor that is killed in the moment in which it makes a child leaves its locks to that child until its exec, and one that has
 * not been collected to what is left of its threads: a lock whose owner has died is waited for.
 */
#ifndef SUPERVISE_LOCK_H
#define SUPERVISE_LOCK_H

#include <sys/types.h>

#include "base/clock.h"

/* runsv, which knows flock alone, looks like nobody, as does one that is just dying: so a lock that nobody seems to hold is waited for in
 * the first second of this process only. */
#define LOCK_NOBODY CLOCK_S

/* The descriptor; -1 with errno. EWOULDBLOCK: it is held, by *owner, 0 when that is not known (runsv). */
int lock_take(int dirfd, const char *path, pid_t *owner);

#endif
