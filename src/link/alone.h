/*
 * alone: a stage that is to stop does not wait for ever for a hub that is gone. What it took and could not report, the hub gives out again
 * when it is back, so that nothing is lost by not waiting.
 */
#ifndef LINK_ALONE_H
#define LINK_ALONE_H

#include "base/loop.h"

/* The caller's, zeroed but for these three. */
struct alone {
	bool (*connected)(void *arg);	/* are all sides of the stage? */
	void (*gone)(void *arg);	/* they were not for 3 seconds on end (a message was printed): end, with code 1 */
	void *arg;
	struct loop *loop;		/* the rest is private */
	struct loop_timer look;
	int64_t since;
};

void alone_watch(struct alone *a, struct loop *l);	/* once, when told to stop */
void alone_end(struct alone *a);			/* harmless if not watched */

#endif
