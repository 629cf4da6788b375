/*
 * life: from start to end, and whose turn it is. A process waits for the outbox (hold.h), works with it, gives it to another process that asks
 * for it, and waits again; told to stop, it ends what is under way first.
 *
 * One that reads a pipe does not wait: where another process has the outbox it passes lines on, and fails at the first one that has to be said.
 *
 * While it works, everything that the hub has is its work: with a set (--set) it takes as a worker of that set and as one of none, as the process that
 * gave the outbox away takes nothing.
 */
#ifndef DELIVER_LIFE_H
#define DELIVER_LIFE_H

#include <stdint.h>

#include "link/work.h"

struct life_opts {
	struct work link;
	const char *accounts, *outbox, *ca;
	unsigned conns;			/* requests to one host at a time */
	int64_t give_up;		/* ns */
};

int life_run(const struct life_opts *o);	/* the exit code */

#endif
