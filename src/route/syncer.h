/*
 * syncer: the thread that writes and syncs, one job at a time, so that the loop can collect the next group meanwhile.
 *
 * Thread rules: between syncer_submit and on_done the job and all it points to belong to the thread; the loop may look at nothing of it.
 * At all other times they belong to the loop. The thread touches nothing else. on_done is called by the loop (an eventfd wakes it), or
 * from within syncer_collect.
 */
#ifndef ROUTE_SYNCER_H
#define ROUTE_SYNCER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "route/segment.h"

enum sync_step { SYNC_ALL_DONE, SYNC_OPEN, SYNC_WRITE, SYNC_SYNC };	/* the step that failed */

struct sync_job {
	int fd;				/* the segment; -1: make file `name` in dirfd, fd is set then */
	int old_fd;			/* with a new file: the one before it, synced first when old_dirty; -1: none */
	bool old_dirty;
	int dirfd;
	char name[SEGMENT_NAME_MAX];
	const char *head; size_t nhead;	/* written at off, one behind the other */
	char *body; size_t nbody;	/* lines of a group, with room for a commit line, which is put behind them; NULL: none */
	struct commit commit;		/* all but the checksum */
	off_t off;
	bool sync;			/* fdatasync behind it */
	enum sync_step failed;		/* out */
	int err;			/* out: errno of the step that failed */
};

struct loop;
struct syncer;
struct syncer *syncer_new(struct loop *l, void (*on_done)(void *arg, struct sync_job *job), void *arg);	/* NULL with errno */
void syncer_free(struct syncer *s);	/* waits for the job under way; its on_done is not called */
void syncer_submit(struct syncer *s, struct sync_job *job);	/* only when no job is under way */
void syncer_collect(struct syncer *s);	/* on_done now, if the job is done */

#endif
