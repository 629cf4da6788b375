/* loop_impl: what loop.c (descriptors, timers, signals) and loop_turn.c (rounds) share. Private to the two. */
#ifndef BASE_LOOP_IMPL_H
#define BASE_LOOP_IMPL_H

#include <signal.h>
#include <stddef.h>

#include "base/loop.h"
#include "base/timer.h"

#define HOOKS 16

/* A place for an io. epoll carries (generation, index): an event of an io that was removed meanwhile
 * does not match its slot any more. Index 0 is never given out, so that a zeroed loop_io is one not added. */
struct slot {
	struct loop_io *io;
	uint32_t gen;
	uint32_t next_free;
	unsigned told;		/* what epoll was told; it may be more than io->want by LOOP_IN, see loop_io_want */
	bool regular;		/* a file that epoll refuses: always ready */
};

struct loop {
	int epoll, clockfd;	/* clockfd: timerfd for loop_fd, -1 until asked for */
	int64_t now, clock_due;
	bool stop, no_pwait2, fresh_hook;
	struct slot *slots;
	uint32_t nslots, free_slot;
	size_t nregular;
	struct timer_heap timers;
	struct { void (*fn)(void *arg); void *arg; } hooks[HOOKS];
	size_t nhooks;
	struct loop_io sigio;
	sigset_t sigmask;
	struct { void (*fn)(void *arg, int signo); void *arg; } signals[NSIG];
};

#define CLOCK_SLOT 0	/* epoll data of clockfd */

/* Tells epoll what is wanted of io, if it does not know. -1 errno. */
int loop_tell(struct loop *l, const struct loop_io *io, unsigned want);
/* When the loop must run next, though no descriptor says so; 0: never. */
int64_t loop_due(const struct loop *l);
/* Sets the timerfd, when there is one, to that. */
void loop_clock_arm(struct loop *l);

#endif
