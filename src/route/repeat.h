/*
 * repeat: the window of ids seen. Pure.
 *
 * Remembers the last `window` keys in a ring, found through an open-addressing index of u32. It grows in steps: an idle
 * route holds a few KiB, a full window of 1,000,000 takes 24 MB. The index of a grown ring is filled a few keys at a time
 * while new ones come, so that no line waits for all of them (at 500,000 keys that was 10 ms).
 */
#ifndef ROUTE_REPEAT_H
#define ROUTE_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define REPEAT_WINDOW 1000000u	/* default */
#define REPEAT_MAX (1u << 28)	/* largest window */

struct repeat_index {
	uint32_t *words;	/* place in ring + 1, above that bits of the key, above those how far it was moved on; 0 = empty */
	uint32_t mask;		/* words - 1 */
	uint32_t slots;		/* mask of the part of a word that is the place */
	uint32_t bits;		/* mask of the part that is of the key */
	uint32_t far;		/* largest distance in the highest part; 0: there is no such part */
};

struct repeat {
	struct hash128 *ring;
	struct repeat_index index;
	struct repeat_index old;	/* while the ring has just grown: where the keys below `unmoved` are; words NULL else */
	uint32_t moved;		/* keys 0 to moved-1 of the ring are in index already ... */
	uint32_t unmoved;	/* ... and from here on again */
	uint32_t cap;		/* places in ring */
	uint32_t n;		/* keys remembered */
	uint32_t head;		/* place of the next key */
	uint32_t window;	/* cap never exceeds this */
};

void repeat_init(struct repeat *r, uint32_t window);	/* window 0: remembers nothing */
void repeat_release(struct repeat *r);
void repeat_ahead(const struct repeat *r, struct hash128 key);	/* this key will be asked for soon: fetches its memory */
int repeat_add(struct repeat *r, struct hash128 key);	/* 1 new and remembered, 0 seen before, -1 no memory */
void repeat_undo(struct repeat *r, uint32_t n);		/* forgets the n keys added last (what they pushed out stays forgotten) */

#endif
