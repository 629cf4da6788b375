#include "route/behind.h"

#include <stdlib.h>
#include <string.h>

#define PLACES (BEHIND_MAX * 2)

void behind_init(struct behind *b)
{
	memset(b, 0, sizeof(*b));
	b->low = UINT64_MAX;
}

void behind_release(struct behind *b)
{
	free(b->v);
	free(b->table);
	behind_init(b);
}

void behind_clear(struct behind *b)
{
	if (b->table)
		memset(b->table, 0, PLACES * sizeof(*b->table));
	b->n = b->tenants = 0;
	b->low = UINT64_MAX;
}

static uint32_t *place(const struct behind *b, uint64_t tenant, uint64_t lane)
{
	uint64_t h = (tenant ^ lane ^ lane >> 31) * UINT64_C(0x9e3779b97f4a7c15);

	return &b->table[(h >> 32) & (PLACES - 1)];
}

struct behind_row *behind_find(const struct behind *b, uint64_t tenant, uint64_t lane)
{
	if (b->n == 0)
		return NULL;
	for (uint32_t i = *place(b, tenant, lane); i; i = b->v[i - 1].next)
		if (b->v[i - 1].tenant == tenant && b->v[i - 1].lane == lane)
			return &b->v[i - 1];
	return NULL;
}

bool behind_covers(const struct behind *b, uint64_t tenant, uint64_t lane, uint64_t seq)
{
	const struct behind_row *r;

	if (b->n == 0)
		return false;
	if ((r = behind_find(b, tenant, 0)) && r->from <= seq)
		return true;
	return b->n > b->tenants && (r = behind_find(b, tenant, lane)) && r->from <= seq;
}

static int grow(struct behind *b)
{
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct behind_row *v = realloc(b->v, cap * sizeof(*v));

	if (!v)
		return -1;
	b->v = v;
	b->cap = cap;
	if (!b->table)
		b->table = calloc(PLACES, sizeof(*b->table));
	return b->table ? 0 : -1;
}

struct behind_row *behind_add(struct behind *b, uint64_t tenant, uint64_t lane, uint64_t from)
{
	size_t most = lane ? BEHIND_MAX - BEHIND_MAX / 4 : BEHIND_MAX;

	if ((lane ? b->n - b->tenants : b->n) >= most || b->n >= BEHIND_MAX || ((b->n == b->cap || !b->table) && grow(b) < 0))
		return NULL;
	uint32_t *at = place(b, tenant, lane);
	b->v[b->n] = (struct behind_row){ .tenant = tenant, .lane = lane, .from = from, .next = *at };
	*at = (uint32_t)++b->n;
	b->tenants += lane == 0;
	if (b->low && from < b->low)
		b->low = from;
	return &b->v[b->n - 1];
}

/* The link that leads to the row in place i of v. */
static uint32_t *link_to(struct behind *b, uint32_t i)
{
	uint32_t *at = place(b, b->v[i].tenant, b->v[i].lane);

	while (*at != i + 1)
		at = &b->v[*at - 1].next;
	return at;
}

void behind_drop(struct behind *b, struct behind_row *r)
{
	uint32_t i = (uint32_t)(r - b->v), last = (uint32_t)b->n - 1;

	if (r->from == b->low)
		b->low = 0;
	b->tenants -= r->lane == 0;
	*link_to(b, i) = r->next;
	if (i != last) {
		*link_to(b, last) = i + 1;
		b->v[i] = b->v[last];
	}
	if (--b->n == 0)
		b->low = UINT64_MAX;
}

void behind_move(struct behind *b, struct behind_row *r, uint64_t from)
{
	if (r->from == b->low && from > r->from)
		b->low = 0;
	r->from = from;
	if (b->low && from < b->low)
		b->low = from;
}

uint64_t behind_low(struct behind *b)
{
	if (b->low == 0) {
		b->low = UINT64_MAX;
		for (size_t i = 0; i < b->n; i++)
			if (b->v[i].from < b->low)
				b->low = b->v[i].from;
	}
	return b->low;
}
