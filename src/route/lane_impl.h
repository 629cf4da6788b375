/* lane_impl: what lane.c, lane_take.c and lane_room.c share. Nobody else includes it. */
#ifndef ROUTE_LANE_IMPL_H
#define ROUTE_LANE_IMPL_H

#include "route/lane.h"

/* A tenant's ready lanes on one side, and its place in the ring of that side. */
struct turn {
	struct tenant *next, *prev;
	struct lane *first, *last;	/* ready lanes, in the order of their turns */
	size_t deficit;			/* bytes it may still take in this turn */
	bool begun;			/* its turn: it got its quantum */
};

struct tenant {
	struct tenant *next;		/* in its place of the table, or among the spare ones */
	uint64_t key;
	struct lane *lanes;		/* all of them */
	size_t nlanes;
	size_t queued, bytes;		/* lines that wait here */
	size_t takeable;
	struct turn turn[2];
};

struct lane {
	struct lane *next;		/* in its place of the table, or among the spare ones */
	uint64_t key;
	struct tenant *tenant;
	struct lane *sister, **at;	/* of its tenant */
	struct item *first, **end;	/* lines that wait here */
	size_t n;
	size_t out;			/* items on loan */
	uint64_t settled;		/* the highest number of its lines that is */
	int64_t due;			/* of the back-off asked for while items were on loan */
	struct lane *ready_next, *ready_prev;
	size_t used;			/* bytes of its turn */
	uint8_t side;
	bool ready;
	bool waiting;			/* in the heap of waiting ones */
	bool cut;			/* its share is small until it moves */
};

/* Ready lanes of its tenant from now on, at the end, or no longer. Counts what is takeable. */
void lane_push_ready(struct lanes *ls, struct lane *l);
void lane_leave_ready(struct lanes *ls, struct lane *l);

struct lane *lanes_lookup(const struct lanes *ls, uint64_t key);
struct tenant *lanes_lookup_tenant(const struct lanes *ls, uint64_t key);
/* Decides what a lane is after its items or its state changed: gone, busy, waiting or ready. */
void lane_settle_state(struct lanes *ls, struct lane *l);

#endif
