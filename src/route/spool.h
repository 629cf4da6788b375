/*
 * spool: the lines on disk. Which files hold them is this module's secret (segment.h, walk.h).
 *
 * Writing: lines are added to the open group; at the end of a round of the loop the group goes to the sync thread (syncer.h), and the loop
 * collects the next one meanwhile: group commit. A waiter is told when the group it waits for is kept, or was not.
 * Numbers: each line has the number after the one before it; a number that was once readable is never used again. Gaps may occur
 * (after a disk error); a reader sees them as a jump.
 * Reading: any number of positions, each at its own pace; only kept lines are seen. The most recent ones come from memory
 * (SPOOL_TAIL bytes, shared), older ones from the files, SPOOL_CHUNK bytes at a time.
 *
 * What is read from a file was checked, group by group, in the moment it was read.
 *
 * A write that fails refuses the group and cuts the file back to the last good commit; after a failed fdatasync a new file is
 * begun besides, because nobody knows what the disk has. Then nothing is accepted until a probe succeeds (spool_refuses).
 *
 * One thread (the loop's), but for what syncer.h lends to its thread.
 */
#ifndef ROUTE_SPOOL_H
#define ROUTE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPOOL_GROUP (1u << 20)		/* bytes of a group, if not one line has more */
#define SPOOL_WAITING (4u << 20)	/* so much may wait for the disk */
#define SPOOL_MUCH (64u << 10)		/* worth a sync of its own, though more may come */
#define SPOOL_TAIL (8u << 20)
#define SPOOL_CHUNK (128u << 10)

struct loop;
struct spool;

enum spool_sync { SPOOL_ALWAYS, SPOOL_INTERVAL, SPOOL_NEVER };

struct spool_opts {
	const char *dir;
	int sync;			/* enum spool_sync */
	int64_t interval;		/* ns between syncs for SPOOL_INTERVAL */
	uint64_t segment_bytes;		/* a file that has this much is closed; a quarter of limit and an eighth of the disk at most */
	uint64_t limit;			/* all files together; 0 = only the disk's */
	int64_t keep;			/* ns; a file is kept so long after its last write */
	uint64_t keep_bytes;		/* so much is kept in any case */
	uint64_t window;		/* lines that are kept for the repeat window, while there is room ... */
	int64_t window_time;		/* ... if they are not older than this */
	uint64_t reserve;		/* bytes of the disk held back for what must be written when it is full (spool_give_room) */
};

/* What was decided about a line when it came. */
struct spool_line {
	uint64_t mask;			/* destinations */
	uint64_t lane;
	uint64_t tenant;		/* hash of its name */
	int64_t notbefore;		/* wall ns; 0 = none */
	bool again;			/* said again by the hub: on_lost does not count it */
	uint32_t off, len;		/* in the group; LF included */
};

/* Whoever waits for a group. The struct belongs to the caller and must live until told. */
struct spool_waiter {
	struct spool_waiter *next;
	void (*told)(struct spool_waiter *w, int err);	/* 0 kept; else errno: none of its lines is */
};

/* Called when lines are kept, when they became readable, and when a failed group's keys must be forgotten. */
struct spool_events {
	/* One group is kept; its waiters are told afterwards, and then: */
	void (*on_kept)(void *arg, uint64_t first, const struct spool_line *lines, uint32_t n);
	void (*on_lines)(void *arg, uint32_t n);	/* it is there to be read */
	/* All added and not kept are gone, `lines` of them not said again; the next will be `next`. */
	bool (*on_trim)(void *arg);	/* a file will be removed; false: not now (cursors that have passed it are not on disk) */
	void (*on_lost)(void *arg, uint64_t next, uint32_t lines);
	void (*on_short)(void *arg);	/* no room from now on: spool_trim may find some (the repeat window gives way) */
};

struct spool *spool_open(struct loop *l, const struct spool_opts *o, const struct spool_events *ev, void *arg);	/* NULL with a message */
/* Before lines are added: no number below this is given out (a cursor may be ahead of a spool that lost its end). */
void spool_at_least(struct spool *s, uint64_t seq);
void spool_generation(struct spool *s, uint64_t gen);	/* lines added from now on were decided by gen; begins a new file */
void spool_close(struct spool *s);			/* what is not kept yet is given up: wait for spool_idle first */

const char *spool_fails(const struct spool *s);		/* NULL, or what the disk says to writes */
const char *spool_refuses(const struct spool *s);	/* the same, or that the limit is reached: why nothing is accepted now */
/* The disk is full and n bytes must be written all the same: true when some room was made. No batch is taken in until it is held
 * back again. */
bool spool_give_room(struct spool *s, uint64_t n);
bool spool_full(const struct spool *s);			/* groups are waiting for the disk: stop reading requests for now */
/* Adds one line (LF included). Returns its number, 0 when there is no memory. line->off and len are set here. */
uint64_t spool_add(struct spool *s, const char *p, size_t n, const struct spool_line *line);
void spool_kick(struct spool *s);			/* end of a round: what was added goes to the disk */
/* In a round, between batches: the same if it is much, so that the disk has something to do while the others are looked at. Waiters may
 * be told from within. */
void spool_push(struct spool *s);
/* Tells w when everything added so far is kept. false: it is already, w is not called. */
bool spool_wait(struct spool *s, struct spool_waiter *w);
bool spool_idle(const struct spool *s);			/* nothing added is unkept */
uint64_t spool_next(const struct spool *s);		/* number the next added line will have */
uint64_t spool_end(const struct spool *s);		/* first number that is not readable yet */
uint64_t spool_oldest(const struct spool *s);		/* number of the oldest line there is, or spool_end */
uint64_t spool_oldest_gen(const struct spool *s);	/* 0: no file */
uint64_t spool_bytes(const struct spool *s);
/* How many lines below seq the spool has kept in its life, those that are removed, lost or on their way to the disk counted. Not for numbers
 * below the oldest. */
uint64_t spool_lines(const struct spool *s, uint64_t seq);
uint64_t spool_back(const struct spool *s, uint64_t lines);	/* the number from which on there are so many lines, or the oldest */
/* How many files a line keeps, itself and all behind it: their bytes, and the number behind the last line of the first of them. */
unsigned spool_from(const struct spool *s, uint64_t seq, uint64_t *bytes, uint64_t *end);

/* ---- reading ---- */
struct spool_pos { uint64_t seq; uint64_t seg; uint64_t at; off_t off; uint32_t in, epoch; };	/* seq is the next line wanted; the rest is private */
struct spool_view {
	uint64_t seq, gen;
	const char *p; size_t n;		/* the line, LF included; borrowed until fn returns */
	const struct spool_line *known;		/* what was decided, or NULL: decide again by gen */
	off_t off;				/* for spool_fetch: of the group it stands in */
	off_t place;				/* for spool_glance: its own */
};
void spool_seek(struct spool_pos *pos, uint64_t seq);
enum spool_read { SPOOL_ERROR = -1, SPOOL_AT_END, SPOOL_MORE, SPOOL_STOPPED };
/* Calls fn for lines from pos on, in order, a limited number of them; fn returns false to stop before a line. pos moves behind the last
 * line that fn took. SPOOL_MORE: call again; SPOOL_ERROR: a message was printed, try later. */
enum spool_read spool_read(struct spool *s, struct spool_pos *pos, bool (*fn)(void *arg, const struct spool_view *v), void *arg);
struct buf;
int spool_fetch(struct spool *s, uint64_t seq, off_t off, struct buf *line);	/* one line again, by seq and view.off */
/* The same by view.place, without its group: n bytes with this CRC-32C. -1 without a message: they are not there (the file was put in order
 * since, or is damaged): spool_fetch says more. */
int spool_glance(struct spool *s, uint64_t seq, off_t place, size_t n, uint32_t crc, struct buf *line);
/* Walks over all kept lines from seq on with their checksums checked; at start. fn as above but cannot stop. -1 with a message. */
int spool_walk(struct spool *s, uint64_t seq, void (*fn)(void *arg, const struct spool_view *v), void *arg);

/* ---- lines that are gone ----
 * A damaged file is put in order when that is found (at start or when it is read): what is good in it stays, what is not goes to damaged/, and the
 * range is a gap until somebody has said so (gap.h). */
struct gap;
bool spool_gap_to_say(const struct spool *s);			/* cheap: is there perhaps one? */
const struct gap *spool_gap(struct spool *s);			/* one that is not said; NULL: there is none */
void spool_gap_said(struct spool *s, uint64_t from);		/* the gap that begins there is */
void spool_gap_found(struct spool *s, uint64_t from, uint64_t to, const char *file, const char *reason);	/* both in it */
/* At start: somebody needs the lines from low on. Are those there that came before the oldest file? */
void spool_needs(struct spool *s, uint64_t low);
bool spool_is_gone(const struct spool *s, uint64_t from, uint64_t to);	/* is a line of from..to-1 in a gap? */

/* The number behind the last file whose lines are all below seq (the last file never counts); the oldest number if there is none. */
uint64_t spool_boundary(const struct spool *s, uint64_t seq);
int spool_remove(struct spool *s, uint64_t seq, uint64_t *files);	/* those below such a number, now. -1 with a message: not all */
/* Removes the files that nobody needs: all lines below `low`, and keep and window run out. Returns the ns after which it is worth calling
 * again, 0 = there is nothing to remove before a new file is begun. */
int64_t spool_trim(struct spool *s, uint64_t low);
void spool_keep(struct spool *s, int64_t keep);	/* changes opts.keep: for the next trim */

#endif
