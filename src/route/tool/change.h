/*
 * change: what is changed about dead letters: by the hub when one runs on the spool, else in the files, under the spool's lock.
 */
#ifndef ROUTE_TOOL_CHANGE_H
#define ROUTE_TOOL_CHANGE_H

#include "route/tool/pick.h"

#define CHANGE_MOST 256u	/* letters in one order */

struct change {
	const char *spool, *run_dir;	/* run_dir may be NULL when no hub runs */
	int lock;			/* held: no hub runs; -1: one does */
};

int change_open(struct change *c);	/* -1 with a message */
void change_close(struct change *c);

/* rest: of so many at the end nothing was done: they are to be said again. bad: numbers of those whose event would be refused. */
struct change_result { uint64_t done, missing, rest; uint64_t bad[CHANGE_MOST]; size_t nbad; };
/* At most CHANGE_MOST letters of one destination. *r adds nothing up: it is of this call. Bad letters are named. -1 with a message. */
int change_drop(struct change *c, const char *dest, const struct dead_ref *refs, size_t n, struct change_result *r);
int change_retry(struct change *c, const char *dest, const struct dead_ref *refs, size_t n, struct change_result *r);
/* Another event (no LF) for a letter. done 0: it is not there any more. */
int change_edit(struct change *c, const char *dest, const struct dead_ref *ref, const char *line, size_t n, struct change_result *r);

#endif
