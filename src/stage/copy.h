/*
 * copy: one running program. Private to copy.c, copy_end.c and copies.c.
 */
#ifndef STAGE_COPY_H
#define STAGE_COPY_H

#include "stage/stage.h"

struct copy {
	struct run *run;
	struct child *child;
	struct said said;
	char who[80];			/* "jq[123]", for the log */
	struct load *q[WINDOW];		/* what is in it, oldest first */
	unsigned n;
	unsigned feeding;		/* q[feeding] is being written; n: all are written */
	int64_t began;			/* the oldest one is the oldest since then, or (line) its last answer came then */
	int64_t heard;			/* last line from it */
	int64_t written;		/* it last read something */
	struct loop_timer watch, again;
	struct backoff wait;
	bool moved;			/* it finished something since its start */
	bool stopping, renew;
	bool flushing;			/* its input was closed so that it says what it holds back */
	int64_t flushed;		/* when */
	bool sure;			/* it was seen waiting for input then */
	unsigned slow;			/* times that it was not holding back but at work */
	bool terminal;			/* its standard output is one */
	char killed[160];		/* why we killed it; "" we did not */
	bool misfit;			/* and that was: it broke the rule of mode line */
};

void copy_init(struct copy *c, struct run *r);
bool copy_has_room(const struct copy *c, const struct load *l);
void copy_watch(struct copy *c);		/* the clock runs for it */
void copy_ended(void *arg, int status);		/* copy_end.c */
void copy_start(struct copy *c);
void copy_later(struct copy *c, bool soon);	/* starts it, or lets it be started, after a while; soon: a short one */
void copy_kill(struct copy *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void copy_pop(struct copy *c);			/* the oldest load is out of it */

#endif
