/*
 * behind: what a destination has passed over in the spool, to read it later. Pure.
 *
 * A destination reads the spool once from end to end. Where a tenant (or a lane) has its share of the memory already, its lines are
 * passed over: a row says from which number on. All lines of that tenant (or lane) from there on are still to be read, wherever in the
 * spool they stand, until somebody reads the spool again from there (fill.h) and comes up with the first reader. A lane's row
 * may stand beside its tenant's: then the lane's lines are to be read from the lower of the two.
 *
 * So any backlog of any tenants takes at most BEHIND_MAX rows. Rows of lanes take at most three quarters, so that a tenant always finds one.
 */
#ifndef ROUTE_BEHIND_H
#define ROUTE_BEHIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BEHIND_MAX 4096u

struct behind_row {
	uint64_t tenant, lane;	/* lane 0: the whole tenant */
	uint64_t from;
	uint32_t next;		/* private */
	bool live;		/* the reader has given all its lines from `from` up to where it stands */
};

struct behind {
	struct behind_row *v;
	size_t n, cap;
	size_t tenants;		/* rows of whole tenants */
	uint32_t *table;	/* private: by key, place in v + 1 */
	uint64_t low;		/* private: lowest `from`; 0 = not known */
};

void behind_init(struct behind *b);
void behind_release(struct behind *b);
void behind_clear(struct behind *b);

struct behind_row *behind_find(const struct behind *b, uint64_t tenant, uint64_t lane);	/* NULL: none; valid until the next add or drop */
bool behind_covers(const struct behind *b, uint64_t tenant, uint64_t lane, uint64_t seq);	/* is this line still to be read? */
/* A row that is not there yet, not live. NULL: there is no room, or no memory. */
struct behind_row *behind_add(struct behind *b, uint64_t tenant, uint64_t lane, uint64_t from);
void behind_drop(struct behind *b, struct behind_row *r);	/* the last row takes its place in v */
void behind_move(struct behind *b, struct behind_row *r, uint64_t from);
uint64_t behind_low(struct behind *b);		/* the lowest line still to be read; UINT64_MAX: none */

#endif
