/* spool_impl: what spool.c, spool_write.c and spool_read.c share. Nobody else includes it. */
#ifndef ROUTE_SPOOL_IMPL_H
#define ROUTE_SPOOL_IMPL_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/loop.h"
#include "route/segment.h"
#include "route/spool.h"
#include "route/syncer.h"

struct seg {
	uint64_t first, end;	/* numbers: first line, one behind the last; whatever else the file has is none of ours */
	uint64_t gen;
	uint64_t size;		/* bytes that count; the file may have more behind them */
	int64_t written;	/* wall ns of the last write */
};

/* Lines on their way to the disk. */
struct group {
	struct group *next;
	struct buf bytes;
	struct spool_line *lines;
	uint32_t n, cap;
	uint64_t first, gen;
	struct spool_waiter *waiters, **waiters_end;
};

/* Lines on disk that are still in memory; one allocation: this, the lines, the bytes. */
struct tail_group {
	uint64_t first, gen, seg;
	off_t off;		/* of its first line in the segment */
	uint32_t n;
	size_t size;		/* of the allocation */
	const char *bytes;
	struct spool_line lines[];
};

struct spool {
	struct spool_opts o;
	struct spool_events ev;
	void *arg;
	struct loop *loop;
	int lock, dirfd;
	char *dir;

	struct seg *segs;	/* oldest first */
	size_t nsegs, segs_cap;
	uint64_t bytes;		/* of all segs */

	/* writing (spool_write.c) */
	struct syncer *syncer;
	struct sync_job job;
	char head[SEGMENT_COMMIT_MAX];
	bool busy;		/* job is with the thread */
	int fd;			/* the last segment, for writing; -1: none open */
	bool roll;		/* the next group begins a new segment */
	bool uncut;		/* it has bytes of a failed group behind those that count */
	bool sync_wanted;	/* the next job syncs */
	bool dirty;		/* SPOOL_INTERVAL, SPOOL_NEVER: written and not synced */
	uint64_t next;		/* number of the next line */
	uint64_t gen;		/* of the lines being added */
	struct group *first, **end;	/* groups not kept yet; the first is with the thread when busy and it is not `open` */
	struct group *open;	/* collects; the last of the list, or NULL */
	struct group *spare;
	struct loop_timer sync_timer, probe_timer;
	int refused;		/* errno: why nothing is accepted */
	bool probing;		/* the next group decides */
	struct backoff backoff;

	/* reading (spool_read.c) */
	struct tail_group **tail;	/* oldest first */
	size_t tail_at, tail_n, tail_cap;
	size_t tail_bytes;
	struct buf chunk;
};

int spool_write_init(struct spool *s);
void spool_write_release(struct spool *s);
struct seg *spool_add_seg(struct spool *s, uint64_t first, uint64_t gen);	/* NULL: no memory */
struct seg *spool_last_seg(const struct spool *s);	/* NULL: none */
struct seg *spool_find_seg(const struct spool *s, uint64_t seq);	/* the one that holds seq or the next higher; NULL: none */
void spool_tail_add(struct spool *s, const struct group *g, uint64_t seg, off_t off);
void spool_tail_release(struct spool *s);

#endif
