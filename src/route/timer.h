/*
 * timer: lines with `notbefore` in the future. Such a line stands in the spool as a held one (again.h) and goes to no destination; when it
 * is due the hub says it again, and that line, with a number of its own, goes where the rules of that moment send it. So nobody else
 * knows of held lines: they hold up no conversation and no cursor.
 *
 * The timer reads the whole spool, as a destination does, and has a cursor of its own, spool/cursor/.timer, which says no more than where the
 * oldest held line stands. After a start it reads from there: held lines, and the lines that say which of them are settled. Nothing is said
 * before that is read to the end: so a line is said once, whenever the hub was killed.
 *
 * Memory: a bit for each held line (held.h), and number, place and time of the TIMER_LINES that are due first. When those are said and there
 * are others, the spool is read once more for the next ones.
 *
 * A held line keeps its segment and all after it. When held lines are no more than a quarter of all that is so kept, those of the
 * oldest segment are carried forward: said again, still held.
 *
 * The wall clock is looked at once a second at least: when it is set forward, lines are due at once; set back, they wait the longer.
 */
#ifndef ROUTE_TIMER_H
#define ROUTE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "route/cursor_file.h"
#include "route/due.h"
#include "route/held.h"
#include "route/spool.h"

#define TIMER_LINES 262144u		/* known by time, 32 bytes each */
#define TIMER_BATCH 512u		/* said together */
#define TIMER_BATCH_BYTES (1u << 20)

struct hub;

struct timer {
	struct hub *hub;			/* NULL: not open */
	struct cursor cursor;			/* low, seen and the counts; no ranges */
	struct cursor_file file;
	struct held held;			/* held lines below pos that are not settled */
	uint64_t bytes;				/* of their text */
	struct due_heap due;			/* the first of them; some may be settled already */
	bool beyond;				/* those from `horizon` on (time, then number) are not in `due` */
	struct due horizon;
	struct spool_pos pos;			/* read up to here */
	uint64_t known;				/* lines below were read before: what is held of them is in `held` */
	uint64_t saved;				/* cursor.low, in the file */
	bool unsaved;				/* lines were said since */
	bool reading;				/* nothing is said before the end was reached */
	bool looked;				/* for lines that could not be read, once more */
	struct spool_pos carry;			/* lines below carry_end are being carried forward */
	uint64_t carry_end;

	/* What is on its way to the disk. */
	struct spool_waiter waiter;
	struct timer_said { struct due line; uint32_t len; bool due; } said[TIMER_BATCH];
	unsigned nsaid;
	size_t said_bytes;
	uint64_t said_end;			/* the number after the last one */
	struct loop_timer again;
};

int timer_open(struct timer *t, struct hub *h);	/* after the spool; -1 with a message */
void timer_read(struct timer *t);		/* there are new lines */
uint64_t timer_low(const struct timer *t);	/* the lowest line it still needs */
void timer_carry(struct timer *t);		/* carries forward what keeps old segments, if that is worth it */
void timer_close(struct timer *t);		/* harmless when it is not open */

#endif
