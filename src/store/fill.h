/*
 * fill: puts events into the tables seen, cause, person and words of their tenant, many at a time and sorted by key, which costs
 * less than half of putting each there when it comes (pages are touched once, full-text segments are large).
 */
#ifndef STORE_FILL_H
#define STORE_FILL_H

#include <stddef.h>
#include <stdint.h>

struct tenant;

/* All events above t->indexed; inside a transaction. 0, or -1 with db_error of the tenant's database (or errno ENOMEM and DB_OK). */
int fill(struct tenant *t);

/* The n events with these seqs, which are not above t->indexed: they came late, with an older number. Sorts seq. Inside a transaction. */
int fill_late(struct tenant *t, int64_t *seq, size_t n);

#endif
