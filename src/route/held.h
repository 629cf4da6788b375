/*
 * held: a set of line numbers: those that are held and not settled. Pure. A bit for each line between the first and the last, in pages that
 * go away when they are empty: a million held lines among four million take half a megabyte.
 */
#ifndef ROUTE_HELD_H
#define ROUTE_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held_page;

struct held {
	struct held_page **v;	/* by number; v[at] to v[at + n - 1] are in use */
	size_t at, n, cap;
	uint64_t lines;		/* how many are in the set */
};

void held_release(struct held *h);	/* zeroed: an empty set; so is it after this */
int held_add(struct held *h, uint64_t seq);	/* 1: it is new; 0: it was there; -1: no memory */
bool held_drop(struct held *h, uint64_t seq);	/* false: it was not there */
bool held_has(const struct held *h, uint64_t seq);
uint64_t held_low(const struct held *h, uint64_t otherwise);	/* the lowest */

#endif
