/*
 * cursor: what one destination has done, as numbers. Pure; cursor_file.[ch] keeps it on disk.
 *
 * `low` is the lowest line not yet settled; ranges above it are settled already, because acknowledgements come out of order. A line is
 * settled when it was delivered, put among the dead letters, or is none of this destination's business. Ranges that hold no
 * acknowledged line are not worth writing down: reading the lines again comes to the same end.
 * Lines that were passed over to be read later (behind.h) stand in the ranges as if they were settled, and the rows of `behind` say which
 * they are; so the ranges are as many as there are lines in memory, not as there are lines passed over.
 *
 * The slot: one JSON object, blanks up to the size of the slot, LF as its last byte:
 *   {"turn":T,"low":SEQ,"done":[[a,b],...],"behind":[[SEQ,"tenant","lane"],...],"from":SEQ,"seen":SEQ,"pending":N,"delivered":N,"dead":N,"filtered":N,
 *    "shed":N,"again":N,"base":N,"cut":true,"gone":true,"mirror":true,"crc":"8 hex digits"}
 * tenant and lane are the hashes of decide.h as 16 hex digits, no lane: the whole tenant.
 * crc is CRC-32C of all bytes before `,"crc"`. Members not known are ignored by rule. A file holds two slots, written in turn;
 * the valid one with the higher turn counts.
 */
#ifndef ROUTE_CURSOR_H
#define ROUTE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/behind.h"

#define CURSOR_SLOT 4096u		/* the least size of a slot; others are multiples of it */
#define CURSOR_SLOT_MAX (1u << 20)	/* about 20,000 ranges; what does not fit is delivered again after a crash */

struct cursor_range { uint64_t a, b; bool acked; };	/* a..b, both in it */

struct cursor {
	uint64_t low;			/* of open and of passed over lines the lowest */
	uint64_t solid;			/* private: the lowest line that is in no range */
	struct cursor_range *r;		/* sorted, apart, all above solid */
	size_t at, n, cap;		/* r[at] to r[at + n - 1] are in use */
	struct behind behind;		/* after changing it: cursor_update */
	uint64_t turn;
	/* The books, as of the same moment. */
	uint64_t from;			/* first line that could have been this destination's */
	uint64_t seen;			/* lines below this one are in the counts */
	uint64_t pending;		/* lines of ours below `seen` that are not settled */
	uint64_t delivered, dead;
	uint64_t filtered;		/* lines that the rules did not send here */
	uint64_t shed;			/* lines of ours that were given up: skipped, or lost with the file that held them */
	uint64_t again;			/* lines that were settled and had to be delivered once more (the cursor was set back) */
	bool cut;			/* it was read from a slot that had no room for all ranges: some lines that are in `delivered` are open */
	bool gone;			/* some of `pending` went with a damaged file, perhaps; known when all is read */
	bool mirror;			/* its destination is one: it holds up nothing */
	uint64_t base;			/* lines that the spool had kept in its life before `from`; CURSOR_NO_BASE: not known */
};

#define CURSOR_NO_BASE UINT64_MAX
/* How many lines of ours are open was counted anew: those that the slot had no room for are accepted once more. */
static inline void cursor_recount(struct cursor *c, uint64_t open)
{
	if (c->cut && open > c->pending) {
		c->again += open - c->pending;
		c->pending = open;
	}
	c->cut = false;
}
/* The books balance when spool_lines(seen) - base + again is this. Numbers may wrap round. */
static inline uint64_t cursor_sum(const struct cursor *c)
{
	return c->delivered + c->filtered + c->dead + c->pending + c->shed;
}

void cursor_init(struct cursor *c, uint64_t low);
void cursor_release(struct cursor *c);

/* Settles a..b (those already settled do no harm); acked: at least one of them was acknowledged. Dies when there is no memory. */
void cursor_done(struct cursor *c, uint64_t a, uint64_t b, bool acked);
/* A line passed over is in memory now: it is open. */
void cursor_open(struct cursor *c, uint64_t seq);
void cursor_update(struct cursor *c);		/* low, after rows of behind changed */
uint64_t cursor_top(const struct cursor *c);	/* all from here on are open */
/* Settled, or of those passed over? */
bool cursor_is_passed(const struct cursor *c, uint64_t seq);
/* The lowest line from seq on that is in no range. */
uint64_t cursor_next_open(const struct cursor *c, uint64_t seq);
/* Settled? A line of this tenant and lane. */
bool cursor_is_done(const struct cursor *c, uint64_t seq, uint64_t tenant, uint64_t lane);

/* The size of slot that would hold all that is worth writing, a power of two times CURSOR_SLOT, at most CURSOR_SLOT_MAX. */
size_t cursor_slot_size(const struct cursor *c);
/* Writes the slot; ranges that do not fit are left out, the highest first. */
void cursor_write(const struct cursor *c, char *slot, size_t size);
int cursor_read(struct cursor *c, const char *slot, size_t size);	/* -1: not a valid slot, *c untouched */

#endif
