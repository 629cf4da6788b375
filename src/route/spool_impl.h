/* spool_impl: what the files spool*.c share. Nobody else includes it. */
#ifndef ROUTE_SPOOL_IMPL_H
#define ROUTE_SPOOL_IMPL_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/loop.h"
#include "route/gap.h"
#include "route/reserve.h"
#include "route/segment.h"
#include "route/spool.h"
#include "route/syncer.h"

/* A piece of a file that is whole: the file, unless it is damaged and could not be put in order. */
struct seg {
	uint64_t file;		/* number in its name */
	uint64_t first, end;	/* numbers: first line, one behind the last; whatever else the file has is none of ours */
	uint64_t gen;
	uint64_t lines;		/* how many the spool had kept before `first` */
	uint64_t off, size;	/* bytes that count: from, and up to here; the file may have more behind them */
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

/* Lines on disk that are still in memory: the group itself, or (where it has much more room than it uses) a copy behind this. */
struct tail_group {
	uint64_t first, gen, seg;
	off_t off, end;		/* of the group in the segment; of the next one */
	uint32_t n;
	size_t size;		/* of the memory */
	struct group *whole;	/* or NULL */
	const char *bytes;
	const struct spool_line *lines;
	struct spool_line copy[];
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
	uint64_t before;	/* at start: where the file before the oldest one ended, as far as is known */
	struct gaps gaps;
	bool gaps_new;		/* some are not said, or not settled in the books */
	bool unclean;		/* the last run did not sync each line, and did not end by itself */
	bool after_power_loss;	/* and the machine has been started since */
	bool marked;		/* this one has its mark: the file unsynced */
	uint64_t jumped;	/* numbers were left out up to here at start; 0: none */
	struct reserve reserve;
	bool short_of_room;	/* it is not whole, and nothing is accepted until it is */

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
	size_t last_bytes;	/* of the last group that went to the thread */
	struct loop_timer sync_timer, probe_timer;
	int refused;		/* errno: why nothing is accepted */
	bool probing;		/* the next group decides */
	struct backoff backoff;

	/* reading (spool_read.c, spool_tail.c) */
	struct tail_group **tail;	/* oldest first */
	size_t tail_at, tail_n, tail_cap;
	size_t tail_bytes;
	struct buf chunk;	/* bytes of a file, from a group on */
	uint64_t chunk_file, chunk_off;
	uint32_t epoch;		/* counts up when files change under the positions */
	struct segment_scan scan;	/* how far the group at offset `scanned` was looked at */
	uint64_t scanned;
	uint64_t checked;	/* offset of the group in it that was checked last; its length, 0: none */
	size_t checked_len;
	struct commit checked_commit;
};

/* ---- spool_load.c, spool_last.c ---- */
int spool_load(struct spool *s);	/* finds the files, puts in order what is damaged; -1 with a message */
/* Reads the whole last file; `prev` as in a head. 1: it held nothing that counts, and is gone; 0: it is the last seg, or its pieces are; -1
 * with a message. */
int spool_load_last(struct spool *s, uint64_t prev);
int spool_sync_seg(const struct spool *s, int fd, const char *name);	/* at start: what is read must be on disk; -1 with a message */

bool spool_busy_with(const struct spool *s, const struct seg *seg);	/* it is the file that is written to */

/* ---- spool_room.c ---- */
void spool_room_init(struct spool *s);
void spool_room_release(struct spool *s);
bool spool_wants_room(const struct spool *s);	/* something is not accepted for want of room, or was not when last tried */
void spool_has_room(struct spool *s);		/* the disk is asked again at once */
void spool_room_kept(struct spool *s);		/* a group is on the disk */
void spool_room_lost(struct spool *s);		/* one is not: s->refused says why; the disk is asked again after a while */

/* spool_repair.c: the good pieces of a damaged file become files of their own, the file itself goes to damaged/. 0, or -1 with a message: it stays
 * where it is. `prev` and `lines` as in a head; nothing of the file counts from number `end` on. */
struct pieces;
int spool_repair(struct spool *s, uint64_t file, const struct pieces *p, uint64_t prev, uint64_t lines, uint64_t end);
int spool_put_aside(struct spool *s, uint64_t file);	/* renames it; 0, or -1 with a message */
/* What is wrong with seg, whose reading failed; s->segs is right afterwards. 0; -1: it may pass, try again later. */
int spool_damaged(struct spool *s, const struct seg *seg);
/* Files of a segment as segs: one, or its pieces. `seg` has file, first, end (where the next one goes on), lines, written; fd -1: it cannot be
 * opened, `why`. `put_in_order`: the file may be changed. Fills out[]; how many, -1 with a message. Caller frees. */
int spool_sort_out(struct spool *s, const struct seg *seg, uint64_t prev, int fd, const char *why, bool put_in_order, struct seg **out);

/* ---- spool_tail.c ---- */
bool spool_tail_add(struct spool *s, struct group *g, uint64_t seg, off_t off, off_t end);	/* true: g is the tail's now */
/* The group that holds seq or the next higher line; NULL: seq is older than the tail (or newer than all). */
const struct tail_group *spool_tail_find(const struct spool *s, uint64_t seq);
enum spool_read spool_tail_read(const struct spool *s, const struct tail_group *t, struct spool_pos *pos,
	bool (*fn)(void *arg, const struct spool_view *v), void *arg);
void spool_tail_release(struct spool *s);

int spool_write_init(struct spool *s);
void spool_write_release(struct spool *s);
struct seg *spool_add_seg(struct spool *s, uint64_t first, uint64_t gen);	/* NULL: no memory */
int spool_replace_seg(struct spool *s, size_t at, const struct seg *v, size_t n);	/* -1: no memory */
struct seg *spool_last_seg(const struct spool *s);	/* NULL: none */
struct seg *spool_find_seg(const struct spool *s, uint64_t seq);	/* the one that holds seq or the next higher; NULL: none */
void spool_group_done(struct spool *s, struct group *g);	/* one is kept for the next time, with its memory; otherwise freed */

#endif
