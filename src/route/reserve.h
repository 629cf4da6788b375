/*
 * reserve: room on the disk that is held back, spool/reserve, for what must be written although the disk is full: dead letters, cursors
 * that grow, notes. While part of it is in use no batch is taken in; it is filled up again first when there is room.
 */
#ifndef ROUTE_RESERVE_H
#define ROUTE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

struct reserve {
	const char *dir;	/* the spool's; borrowed */
	uint64_t size;		/* as it should be; 0: none is held */
	uint64_t held;
};

bool reserve_fill(struct reserve *r);			/* true: it is whole. false: errno; nothing is printed */
/* Gives n bytes of it back to the disk; false: there is nothing left to give. */
bool reserve_give(struct reserve *r, uint64_t n);
static inline bool reserve_whole(const struct reserve *r) { return r->held >= r->size; }

#endif
