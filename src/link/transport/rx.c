#include "link/transport/rx.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 4096u	/* first size of a buffer, and the least room to read into */
#define KEEP 16384u	/* larger ones go to the pool when they are empty */

void rx_pool_release(struct rx_pool *pool)
{
	for (int i = 0; i < RX_SPARE; i++) {
		free(pool->spare[i].p);
		pool->spare[i].p = NULL;
	}
}

static void give(struct rx *r)
{
	for (int i = 0; r->p && r->pool && r->cap > KEEP && i < RX_SPARE; i++) {
		if (!r->pool->spare[i].p) {
			r->pool->spare[i].p = r->p;
			r->pool->spare[i].cap = r->cap;
			r->p = NULL;
		}
	}
	free(r->p);
	r->p = NULL;
	r->cap = r->start = r->len = 0;
}

static bool take(struct rx *r)
{
	for (int i = 0; r->pool && i < RX_SPARE; i++) {
		if (r->pool->spare[i].p) {
			r->p = r->pool->spare[i].p;
			r->cap = r->pool->spare[i].cap;
			r->pool->spare[i].p = NULL;
			return true;
		}
	}
	r->p = malloc(FIRST);
	r->cap = r->p ? FIRST : 0;
	return r->p != NULL;
}

bool rx_room(struct rx *r)
{
	size_t have = r->len - r->start;
	char *p;

	if (!r->p && !take(r))
		return false;
	if (!r->held && have == 0)
		r->start = r->len = 0;
	if (r->cap - r->len >= FIRST)
		return true;
	if (r->held && !r->held_p) {
		size_t cap = have < FIRST ? 2 * FIRST : 2 * have;
		p = malloc(cap);
		if (!p)
			return false;
		memcpy(p, r->p + r->start, have);
		r->held_p = r->p;
		r->p = p;
		r->cap = cap;
	} else if (r->start >= have && r->start >= FIRST) {
		memcpy(r->p, r->p + r->start, have);
	} else {
		p = realloc(r->p, r->cap * 2);
		if (!p)
			return false;
		r->p = p;
		r->cap *= 2;
		return true;
	}
	r->start = 0;
	r->len = have;
	return true;
}

void rx_hold(struct rx *r)
{
	free(r->held_p);
	r->held_p = NULL;
	r->held = true;
}

void rx_release(struct rx *r)
{
	r->held = false;
	free(r->held_p);
	r->held_p = NULL;
	if (r->start == r->len) {
		r->start = r->len = 0;
		if (r->cap > KEEP && r->pool)
			give(r);
	}
}

void rx_forget(struct rx *r)
{
	r->len = r->start;
	if (!r->held)
		give(r);
}

void rx_free(struct rx *r)
{
	r->pool = NULL;
	rx_release(r);
	give(r);
}
