/*
 * lane: order within a key, one batch in flight for each lane, and fair turns. Pure: time comes as an argument.
 *
 * One struct lanes belongs to one destination. A lane is all lines with one key (tenant + partitionkey); it exists while it has
 * lines. A lane is ready (has lines, may be taken from), busy (some of its lines are out in a batch) or waiting (its first line
 * was refused, until the back-off is over).
 *
 * Turns: tenants with ready lanes take turns by deficit round robin (Shreedhar and Varghese, 1996): a turn is LANES_QUANTUM bytes, what
 * a turn leaves unused is kept for the next as long as the tenant has something ready. Within a tenant its ready lanes take turns
 * of LANES_LANE_QUANTUM bytes. A batch has its lines in the order of their numbers.
 *
 * Room: lanes_room says whether one more line of a tenant and lane may be read into memory; nobody may fill it alone (lanes_share).
 * Lines on loan do not count: they are bounded by whoever lends them.
 *
 * Two sides: with lanes_split a fixed part of the lanes, by their key, is given to workers of side 1 only, the rest to side 0 only.
 *
 * Items belong to the lanes from lanes_add until lanes_settle, lanes_find or lanes_cut gives them back; between lanes_take and
 * lanes_settle or lanes_return the caller has them on loan.
 */
#ifndef ROUTE_LANE_H
#define ROUTE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/due.h"

#define LANES_QUANTUM 8192u		/* bytes of a tenant's turn */
#define LANES_LANE_QUANTUM 4096u	/* of a lane's, within it */
#define LANES_KEEP 2u			/* lines of a lane that stands still which stay in memory */
#define LANES_LEAST 16u			/* a tenant's share is never smaller, lines */
#define LANES_ALONE 4u			/* strikes after which a line makes a batch of its own */

struct lane;
struct tenant;

struct item {
	struct item *next;
	struct lane *lane;
	uint64_t seq;
	uint64_t batch;		/* the batch it is out in, or was in last; 0 = none yet */
	uint32_t len;		/* bytes of line, LF included */
	uint32_t note;		/* the owner's; not 0: it remembers attempts and strikes */
	uint16_t attempts;	/* how often it was refused */
	uint16_t strikes;	/* how often it was taken back from a worker that went or was too slow */
	uint16_t trials;	/* how many of these attempts do not count: workers of a share (split.h) made them */
	char line[];
};

struct tenant_ring { struct tenant *first, *last; };

struct lanes {
	struct lane **table;	/* by key, chained */
	struct tenant **tenant_table;
	size_t places, lanes, tenant_places, tenants;
	struct tenant_ring ring[2];	/* tenants with ready lanes, of each side */
	struct lane *spare;
	struct tenant *spare_tenant;
	struct due_heap waiting;
	unsigned percent;	/* of the lanes that are on side 1 */
	size_t max_items, max_bytes;	/* of what waits here; the owner sets them */
	size_t others;		/* tenants that have lines to come besides; the owner sets it */
	size_t items, bytes;	/* held here, those out in batches included */
	size_t out, out_bytes;	/* those on loan */
	size_t takeable[2];	/* items in ready lanes of each side */
};

int lanes_init(struct lanes *ls);	/* -1: no memory */
void lanes_release(struct lanes *ls);	/* frees all items, those on loan excepted */

/* All lanes anew: those whose key says so (percent of them) are on side 1. One that changes sides waits no longer: the other side's workers may
 * do what was refused. */
void lanes_split(struct lanes *ls, unsigned percent);

enum lanes_room {
	LANES_ROOM,
	LANES_LANE_FULL,	/* the lane has its share: others of its tenant may still come */
	LANES_TENANT_FULL,	/* the tenant has */
	LANES_FULL,		/* nothing more, of nobody */
};
enum lanes_room lanes_room(const struct lanes *ls, uint64_t tenant, uint64_t key);
size_t lanes_share(const struct lanes *ls);	/* lines of one tenant, now */
/* Would lanes_room find room for more than a few lines? key 0: for the tenant as a whole. */
bool lanes_wants(const struct lanes *ls, uint64_t tenant, uint64_t key);
bool lanes_hungry(const struct lanes *ls);	/* less than a quarter of what may wait here can be taken */
bool lanes_starves(const struct lanes *ls, uint64_t tenant);	/* nothing of the tenant waits here */
/* Has the tenant a good part of its share, and nothing of it can be taken? Then lanes that stand still fill it. */
bool lanes_clogged(const struct lanes *ls, uint64_t tenant);

/* Takes it, whatever lanes_room says; -1: no memory, not taken. Lines of a lane come in the order of their numbers. */
int lanes_add(struct lanes *ls, uint64_t tenant, uint64_t key, struct item *it);

/* Takes up to max items and max_bytes bytes (but at least one item) from ready lanes of a side into out, which has room for max;
 * returns how many. Behind an item that was refused before nothing of its lane is taken, and one with two strikes or more makes the batch small
 * (64, 8, then 1): so the line that kills a worker is found. Their lanes are busy until every one of these items is settled or returned. */
size_t lanes_take(struct lanes *ls, unsigned side, struct item **out, size_t max, size_t max_bytes);

/* An item on loan is finished: the caller owns it again (and frees it). */
void lanes_settle(struct lanes *ls, struct item *it);
void lanes_settled(struct lanes *ls, uint64_t key, uint64_t seq);	/* a line of the lane that never came in here is finished */
/* An item on loan goes back to the front of its lane. Items of one batch must be given back last one first, so that order holds. The
 * lane waits until `due` when that is not 0. */
void lanes_return(struct lanes *ls, struct item *it, int64_t due);

/* Ends the waiting of lanes due by now; returns the next due time, 0 when no lane waits. */
int64_t lanes_wake(struct lanes *ls, int64_t now);

/* Takes out of its lane (not on loan) the item with this number that was last in batch `batch`; NULL: not there.
 * For an acknowledgement that comes after the batch was taken back. Looks at every lane: slow, rare. */
struct item *lanes_find(struct lanes *ls, uint64_t seq, uint64_t batch);

/*
 * Lines that wait behind a lane that stands still are given back, to be read again when it goes on: what waits behind its first LANES_KEEP
 * lines, behind the last one with attempts or strikes that has no note (the owner's memory of them), and behind all of its lines that are
 * settled: who reads all of the lane again from the first one given back must not meet these. Returns them linked by `next`, in order;
 * NULL: nothing. Until a line of the lane is settled its share is only that. */
struct item *lanes_cut(struct lanes *ls, struct lane *l);
uint64_t lane_key(const struct lane *l);
uint64_t lane_tenant(const struct lane *l);
bool lane_stands(const struct lane *l);		/* waiting, or busy */
size_t lane_queued(const struct lane *l);	/* lines that wait in it */
/* Calls fn for each lane of a tenant; fn may cut it. */
void lanes_each(struct lanes *ls, uint64_t tenant, void (*fn)(void *arg, struct lane *l), void *arg);

#endif
