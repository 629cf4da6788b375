#include "route/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void cursor_init(struct cursor *c, uint64_t low)
{
	memset(c, 0, sizeof(*c));
	c->low = c->solid = c->from = c->seen = low;
	c->base = CURSOR_NO_BASE;
	behind_init(&c->behind);
}

void cursor_release(struct cursor *c)
{
	free(c->r);
	c->r = NULL;
	c->at = c->n = c->cap = 0;
	behind_release(&c->behind);
}

/* The first range that ends at or behind seq - 1, so that seq touches it or lies before it; n if there is none. */
static size_t find(const struct cursor *c, uint64_t seq)
{
	size_t lo = 0, hi = c->n;

	if (hi == 0)
		return 0;
	const struct cursor_range *r = c->r + c->at;
	/* Acknowledgements and passed lines mostly touch the last range. */
	if (r[hi - 1].b + 1 < seq)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (r[mid].b + 1 < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void make_room(struct cursor *c)
{
	if (c->at + c->n < c->cap)
		return;
	if (c->at > c->cap / 2) {
		memmove(c->r, c->r + c->at, c->n * sizeof(*c->r));
		c->at = 0;
		return;
	}
	size_t cap = c->cap ? c->cap * 2 : 64;
	struct cursor_range *r = realloc(c->r, cap * sizeof(*r));
	if (!r)
		die(1, "no memory for the cursor's %zu ranges", cap);
	c->r = r;
	c->cap = cap;
}

/* What is shorter moves: what stands before i, or what stands behind it. */
static void insert(struct cursor *c, size_t i, struct cursor_range range)
{
	struct cursor_range *r;

	if (c->at && i < c->n / 2) {
		r = c->r + --c->at;
		memmove(r, r + 1, i * sizeof(*r));
	} else {
		make_room(c);
		r = c->r + c->at;
		memmove(r + i + 1, r + i, (c->n - i) * sizeof(*r));
	}
	r[i] = range;
	c->n++;
}

static void take_out(struct cursor *c, size_t i, size_t k)
{
	struct cursor_range *r = c->r + c->at;

	if (i < (c->n - k) / 2) {
		memmove(r + k, r, i * sizeof(*r));
		c->at += k;
	} else {
		memmove(r + i, r + i + k, (c->n - i - k) * sizeof(*r));
	}
	c->n -= k;
}

void cursor_update(struct cursor *c)
{
	uint64_t low = c->behind.n ? behind_low(&c->behind) : UINT64_MAX;

	c->low = low < c->solid ? low : c->solid;
}

/* Takes up into solid what now begins at or below it. */
static void advance(struct cursor *c)
{
	while (c->n && c->r[c->at].a <= c->solid) {
		if (c->r[c->at].b + 1 > c->solid)
			c->solid = c->r[c->at].b + 1;
		c->at++;
		c->n--;
	}
	if (c->n == 0)
		c->at = 0;
	cursor_update(c);
}

void cursor_done(struct cursor *c, uint64_t a, uint64_t b, bool acked)
{
	if (b < c->solid || b < a)
		return;
	if (a <= c->solid) {
		c->solid = b + 1;
		advance(c);
		return;
	}
	size_t i = find(c, a);
	if (i == c->n || c->r[c->at + i].a > b + 1) {
		insert(c, i, (struct cursor_range){ a, b, acked });
		return;
	}
	struct cursor_range *r = c->r + c->at;
	/* Range i is touched: widen it, then swallow those behind that it reaches now. */
	if (a < r[i].a)
		r[i].a = a;
	if (b > r[i].b)
		r[i].b = b;
	r[i].acked |= acked;
	size_t j = i + 1;
	for (; j < c->n && r[j].a <= r[i].b + 1; j++) {
		if (r[j].b > r[i].b)
			r[i].b = r[j].b;
		r[i].acked |= r[j].acked;
	}
	if (j > i + 1)
		take_out(c, i + 1, j - i - 1);
}

void cursor_open(struct cursor *c, uint64_t seq)
{
	if (seq < c->solid) {
		uint64_t b = c->solid - 1;
		c->solid = seq;
		if (seq < b)
			insert(c, 0, (struct cursor_range){ seq + 1, b, true });
		cursor_update(c);
		return;
	}
	for (size_t i = find(c, seq); i < c->n && c->r[c->at + i].a <= seq; i++) {
		struct cursor_range *r = &c->r[c->at + i], was = *r;
		if (seq > was.b)
			continue;
		if (seq > was.a && seq < was.b) {
			r->b = seq - 1;
			insert(c, i + 1, (struct cursor_range){ seq + 1, was.b, was.acked });
		} else if (was.a == was.b) {
			take_out(c, i, 1);
		} else if (seq == was.a) {
			r->a++;
		} else {
			r->b--;
		}
		return;
	}
}

uint64_t cursor_top(const struct cursor *c)
{
	return c->n ? c->r[c->at + c->n - 1].b + 1 : c->solid;
}

bool cursor_is_done(const struct cursor *c, uint64_t seq, uint64_t tenant, uint64_t lane)
{
	return seq < c->low || (cursor_is_passed(c, seq) && !behind_covers(&c->behind, tenant, lane, seq));
}

bool cursor_is_passed(const struct cursor *c, uint64_t seq)
{
	if (seq < c->solid)
		return true;
	for (size_t i = find(c, seq); i < c->n && c->r[c->at + i].a <= seq; i++)
		if (seq <= c->r[c->at + i].b)
			return true;
	return false;
}

uint64_t cursor_next_open(const struct cursor *c, uint64_t seq)
{
	if (seq < c->solid)
		seq = c->solid;
	for (size_t i = find(c, seq); i < c->n && c->r[c->at + i].a <= seq; i++)
		if (seq <= c->r[c->at + i].b)
			seq = c->r[c->at + i].b + 1;
	return seq;
}
