/*
 * fresh: the events of a tenant that are not in the table seen yet: hash of source and id -> seq. Pure.
 *
 * A set in memory of 16 bytes an event, at most some thousands of them (fill.h says when they go to the table). Two
 * events may have the same hash. seq is never 0.
 */
#ifndef STORE_FRESH_H
#define STORE_FRESH_H

#include <stddef.h>
#include <stdint.h>

struct fresh {
	struct fresh_slot { int64_t hash, seq; } *slot;
	size_t cap;	/* a power of 2, or 0 */
	size_t n;
};

void fresh_init(struct fresh *f);
void fresh_release(struct fresh *f);
void fresh_clear(struct fresh *f);
int fresh_add(struct fresh *f, int64_t hash, int64_t seq);	/* -1: no memory */

/* The seq of the next event with this hash, 0 when there is no other; *at holds the place, 0 to begin. */
int64_t fresh_next(const struct fresh *f, int64_t hash, size_t *at);

#endif
