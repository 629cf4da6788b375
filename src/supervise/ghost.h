/*
 * ghost: processes that an earlier supervise left and whose directory is gone, so that they are no service's any more. They are told to
 * end as a removed service is; a logger among them leaves by itself when its pipe has no writer. What has not ended after GHOST_PATIENCE
 * gets KILL. Until they are gone no new service takes their name.
 *
 * And the sessions of processes that were taken over: what these leave behind is not adopted by us but by init. What is in such
 * a session and was born before the process ended was its own; and while that lives, so is all else in the session, since the kernel
 * gives no number again that is a living process's session.
 */
#ifndef SUPERVISE_GHOST_H
#define SUPERVISE_GHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "supervise/slot.h"

#define GHOST_PATIENCE (20 * CLOCK_S)

/* The processes on record in this row of host->keep, whose directory is gone; the row is given back when they have ended. */
void ghost_add(struct host *h, int row);
bool ghost_named(const struct host *h, const char *name);
void ghost_kill(struct host *h);		/* patience is over */
void ghost_release(struct host *h);

/* A process that was taken over has ended. */
void ghost_session(struct host *h, pid_t pid);

/* Is this process, of that session and birth (clock ticks), one that such a process left behind? What was born after the end is known by
 * an older one of its session: it may take another round over all processes. To be asked only while all stops, round after round. */
bool ghost_left(struct host *h, pid_t session, int64_t birth);

#endif
