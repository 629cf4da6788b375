/*
 * fill: lines from the spool into a destination's window, so that nobody's backlog keeps out the lines of others.
 *
 * Two readers. The first goes through the spool from end to end and stays close to its end, even with nobody connected. A line for which
 * there is room goes into the window; where its lane or tenant has its share already (lane.h) it is passed over, and a
 * row of cursor.behind says from where on that lane's or tenant's lines are still to be read. The second goes back to the lowest of these
 * rows when there is room again, reads the lines of those that have some, and follows until it meets the first; a row it comes to the end
 * with is dropped. skim.h tells it what it need not read.
 *
 * So a line waits for its own tenant's backlog only, however long others' are; memory is the window, 4096 rows (behind.h) and the
 * sketch. With all rows in use the first reader waits: then lines come oldest first, as long as that lasts.
 *
 * Order: lines of one lane enter the window in the order of their numbers, each once. For the first reader passes over all lines of
 * a lane or tenant that has a row; and the second gives a line only while it has given all before it since that row's beginning (live).
 *
 * After a start: lines that were in the window stand as holes among the cursor's ranges. They are read first, before both go on. Until the
 * first reader has come to the end, lines it did not meet yet wait for more than their own tenant's.
 */
#ifndef ROUTE_FILL_H
#define ROUTE_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "route/held.h"
#include "route/lane.h"
#include "route/skim.h"
#include "route/spool.h"

#define FILL_SLICE (CLOCK_MS)	/* how long one destination reads before others get their turn, about */

struct dest;

struct fill {
	struct spool_pos pos;		/* of the first reader */
	struct spool_pos begun;		/* where a reader stood before the piece it is reading */
	uint64_t next;			/* all lines of ours below are in the cursor or the window */
	struct spool_pos back;		/* of the second, */
	struct spool_pos stuck;		/* before the piece where it first passed over a line for want of room; seg 0: none */
	bool going_back;		/* while it is on its way */
	size_t live;			/* rows it went for */
	bool at_end;			/* the first reader has come to the end of the spool once */
	bool starting;			/* the holes are read first: below `next`, with `back`; */
	uint64_t hole;			/* all below are items, or none of ours */
	struct skim skim;
	struct held buried;		/* lines among the dead letters since before the start that were not met yet */
	uint64_t moved;			/* what changed since rows were looked at: lines taken, lines settled, new rows */
	int64_t looked;			/* mono ns: when that was */
	int64_t again;			/* mono ns: reading is to go on; 0: when something happens */
};

void fill_init(struct dest *d);		/* from its cursor */
void fill_release(struct dest *d);
void fill_restart(struct dest *d, uint64_t seq);	/* the cursor was set to this line */
void fill(struct dest *d);		/* reads what fits, for a while (fill.again) */

#endif
