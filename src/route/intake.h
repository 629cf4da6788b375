/*
 * intake: puts. Every line of a batch is checked; what is no event is refused for good with the place, a repeat is acknowledged and
 * not kept again, the rest goes to the spool, and the answer goes out when it is kept there.
 */
#ifndef ROUTE_INTAKE_H
#define ROUTE_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "link/link.h"
#include "route/repeat.h"
#include "route/rules.h"
#include "route/spool.h"

#define INTAKE_LISTENERS 16u

struct put;

struct intake {
	struct loop *loop;
	struct spool *spool;			/* borrowed */
	const struct rules_book *book;		/* borrowed */
	const struct link_opts *link;		/* borrowed */
	struct repeat repeat;
	uint64_t key[2];			/* of the ids' hash: nobody can aim at a collision */
	struct link_server *servers[INTAKE_LISTENERS];
	unsigned nservers;
	struct link_take *pipe;			/* stdin, or NULL */
	bool paused, stopped;
	struct put *waiting;			/* a batch of stdin that the spool could not take yet */
	struct loop_timer again;
	void (*on_pipe_end)(void *arg);
	void *arg;
};

void intake_init(struct intake *in, struct loop *l, struct spool *s, const struct rules_book *book, const struct link_opts *link,
	uint32_t window);
void intake_release(struct intake *in);
int intake_listen(struct intake *in, const char *url);		/* "-": stdin; -1 with a message */
void intake_seen(struct intake *in, const struct spool_view *v);	/* at start: a line of the spool, for the window */
void intake_lost(struct intake *in, uint32_t lines);		/* the last lines added were not kept */
void intake_flow(struct intake *in);				/* stops or starts reading as the spool has room */
void intake_stop(struct intake *in);				/* reads nothing any more; answers still go out */

#endif
