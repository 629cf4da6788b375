/*
 * hold: whose the outbox is. One process at a time works with it, the one that holds PATH.lock.
 *
 * Who comes later asks it (HOLD_SIGNAL, which a deliver that reads a pipe does not heed), and gets the outbox as soon as what is under way there has ended; the one that gave it away
 * stands by, and has it again when the other ends, in whatever way. So a replacement can be started while the old one works, and is taken back by
 * stopping it. Nobody is asked twice by the same process: two that were started for good do not take it from each other for ever.
 *
 * The file is locked in both families as base/fd.h does it, so that fd_lock_owner tells who has it. Who waits is told at once: giving it back
 * touches the file, the end of a process closes it, and both are seen by inotify; the kernel tells of a closed file a moment before it drops
 * the locks, so the file is looked at a few times then. Where inotify is not to be had, every HOLD_LOOK.
 */
#ifndef DELIVER_HOLD_H
#define DELIVER_HOLD_H

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/loop.h"

#define HOLD_SIGNAL SIGUSR1
#define HOLD_LOOK (1 * CLOCK_S)

/* The caller's, zeroed. */
struct hold {
	struct loop *loop;
	char *path;
	int fd, watch;
	bool held, asked;
	int64_t not_before;		/* clock_mono() of the next look, at the earliest */
	size_t looks;			/* since the last sign */
	struct loop_io io;
	struct loop_timer timer;
	void (*on_ours)(void *arg);
	void *arg;
};

/* on_ours: it is ours now, after hold_take has returned 0. -1 with a message; hold_close is right then, too. */
int hold_open(struct hold *h, struct loop *l, const char *outbox, void (*on_ours)(void *arg), void *arg);
void hold_close(struct hold *h);	/* gives it back */
int hold_take(struct hold *h);		/* 1 ours; 0 another's, on_ours will be called; -1 with a message */
int hold_take_now(struct hold *h);	/* the same, and nobody waits but for one that is just ending: 0 with a message */
void hold_ask(struct hold *h);		/* once, for all calls */
/* Gives it back, and waits for it again, without asking: on_ours will be called. Who asked for it has HOLD_LOOK to take it. */
void hold_yield(struct hold *h);
pid_t hold_owner(const struct hold *h);	/* of another process; 0 not known. Not while it is ours */

#endif
