/*
 * books: do the counts of a destination add up? And how they change when somebody sets its cursor.
 *
 *   accepted = delivered + filtered + dead + pending + shed
 *
 * accepted is what the spool says, from the heads of its segments: lines it kept since the destination began, and those that the
 * destination was given once more because its cursor was set back. The rest is what the destination counted, in its cursor slot.
 */
#ifndef ROUTE_BOOKS_H
#define ROUTE_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "route/cursor.h"
#include "route/rules.h"
#include "route/spool.h"

struct book_row {
	uint64_t accepted, delivered, filtered, dead, pending, shed;
	bool counted;		/* pending was counted anew, line by line: */
	uint64_t found;
};

void books_row(const struct spool *s, const struct cursor *c, struct book_row *row);	/* c->seen is spool_end */
bool books_add_up(const struct book_row *row);
/* After lines from `seen` up to c->seen were read and counted: those of them that went with a damaged file, or before a mirror read them,
 * are nobody's any more. Nothing tells whose they were: they are given up. */
void books_lost(const struct spool *s, struct cursor *c, uint64_t seen);
/* {"name":...,"accepted":...,...,"adds_up":true} */
int books_json(struct buf *out, const char *name, const struct book_row *row);

/* One of those whose lines are looked at. */
struct book {
	struct cursor *cursor;
	unsigned place;		/* its bit in the book's masks */
	uint64_t found;		/* out: pending, counted */
};
/* Reads the spool: the counts come up to its end (seen), and pending is counted once more. -1 with a message. */
int books_read(struct spool *s, struct rules_book *rules, struct book *v, size_t n);

struct books_moved { uint64_t shed, again; };
/* The cursor of a destination goes to seq: lines that are skipped are shed, those that were settled are to be delivered again. c->seen is
 * spool_end. Reads all lines between: about a second for a million. -1 with a message. */
int books_move(struct spool *s, struct rules_book *rules, unsigned place, struct cursor *c, uint64_t seq, struct books_moved *m);

#endif
