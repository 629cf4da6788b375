/*
 * lock: a lock in both families (fd_lock) of a file that another supervisor may hold.
 *
 * A supervisor that is killed in the moment in which it makes a child leaves its locks to that child until its exec, and one that has
 * not been collected to what is left of its threads: a lock whose owner has died is waited for, at most LOCK_PATIENCE.
 */
#ifndef SUPERVISE_LOCK_H
#define SUPERVISE_LOCK_H

#include <sys/types.h>

#include "base/clock.h"

#define LOCK_PATIENCE (3 * CLOCK_S)
/* A process that dies gives back its fcntl locks first, those of flock a moment later: then nobody seems to hold a lock that is not free.
 * runsv, which knows flock alone, looks the same: so this is waited for in the first second of this process only. */
#define LOCK_NOBODY CLOCK_S

/* The descriptor; -1 with errno. EWOULDBLOCK: it is held, by *owner, 0 when that is not known (runsv). */
int lock_take(int dirfd, const char *path, pid_t *owner);

#endif
