/*
 * due: a heap of things with a time, soonest first, of the same time the one with the lower number. Pure. Elements are copied in and out.
 */
#ifndef ROUTE_DUE_H
#define ROUTE_DUE_H

#include <stddef.h>
#include <stdint.h>

struct due {
	int64_t at;		/* nanoseconds of whichever clock the owner uses */
	uint64_t seq, off;	/* a held line: its number and place in its segment */
	union {
		void *p;	/* a waiting lane */
		struct { uint32_t len, crc; };	/* a held line: its bytes, and their CRC-32C */
	};
};

struct due_heap { struct due *v; size_t n, cap; };

void due_release(struct due_heap *h);
int due_add(struct due_heap *h, const struct due *d);	/* -1: no memory */
const struct due *due_first(const struct due_heap *h);	/* NULL: empty; valid until the next change */
void due_drop(struct due_heap *h);			/* removes the first */

#endif
