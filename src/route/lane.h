/*
 * lane: order within a key, and one batch in flight for each lane. Pure: time comes as an argument.
 *
 * One struct lanes belongs to one destination. A lane is all lines with one key (tenant + partitionkey); it exists while it has
 * lines. A lane is ready (has lines, may be taken from), busy (some of its lines are out in a batch) or waiting (its first line
 * was refused, until the back-off is over). Of all ready lanes the one with the oldest line gives it next: nothing that can go waits
 * longer than what came after it, and what is done stays close together, so that the cursor is short.
 *
 * Items belong to the lanes from lanes_add until lanes_settle gives them back; between lanes_take and lanes_settle or
 * lanes_return the caller has them on loan.
 */
#ifndef ROUTE_LANE_H
#define ROUTE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/due.h"

struct lane;

struct item {
	struct item *next;
	struct lane *lane;
	uint64_t seq;
	uint64_t batch;		/* the batch it is out in, or was in last; 0 = none yet */
	uint32_t len;		/* bytes of line, LF included */
	uint16_t attempts;	/* how often it was refused */
	char line[];
};

struct lanes {
	struct lane **table;	/* by key, chained */
	size_t places, lanes;
	struct lane **ready;	/* heap by the number of the first line */
	size_t nready, ready_cap;
	struct lane *spare;
	struct due_heap waiting;
	size_t items, bytes;	/* held here, those out in batches included */
	size_t takeable;	/* items in ready lanes */
};

int lanes_init(struct lanes *ls);	/* -1: no memory */
void lanes_release(struct lanes *ls);	/* frees all items, those on loan excepted */

int lanes_add(struct lanes *ls, uint64_t key, struct item *it);	/* takes it; -1: no memory, not taken */

/* Takes up to max items and max_bytes bytes (but at least one item) from ready lanes into out, which has room for max;
 * returns how many. Behind an item that was refused before nothing of its lane is taken. Their lanes are busy until every one of these items is settled or returned. */
size_t lanes_take(struct lanes *ls, struct item **out, size_t max, size_t max_bytes);

/* An item on loan is finished: the caller owns it again (and frees it). */
void lanes_settle(struct lanes *ls, struct item *it);
/* An item on loan goes back to the front of its lane. Items of one batch must be given back last one first, so that order holds. The
 * lane waits until `due` when that is not 0. */
void lanes_return(struct lanes *ls, struct item *it, int64_t due);

/* Ends the waiting of lanes due by now; returns the next due time, 0 when no lane waits. */
int64_t lanes_wake(struct lanes *ls, int64_t now);

/* Takes out of its lane (not on loan) the item with this number that was last in batch `batch`; NULL: not there.
 * For an acknowledgement that comes after the batch was taken back. Looks at every lane: slow, rare. */
struct item *lanes_find(struct lanes *ls, uint64_t seq, uint64_t batch);

#endif
