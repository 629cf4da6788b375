#include "route/held.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u	/* numbers in a page */

struct held_page { uint64_t key; uint32_t lines; uint64_t bits[PAGE / 64]; };

void held_release(struct held *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[h->at + i]);
	free(h->v);
	memset(h, 0, sizeof(*h));
}

/* The place of the page, or of the first one behind it. */
static size_t place(const struct held *h, uint64_t key)
{
	size_t lo = 0, hi = h->n;

	/* Lines are held in the order they come: most of the time it is the last one. */
	if (hi && h->v[h->at + hi - 1]->key < key)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (h->v[h->at + mid]->key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct held_page *find(const struct held *h, uint64_t seq, size_t *i)
{
	*i = place(h, seq / PAGE);
	return *i < h->n && h->v[h->at + *i]->key == seq / PAGE ? h->v[h->at + *i] : NULL;
}

/* Room for one more behind the last. */
static int reserve(struct held *h)
{
	if (h->at + h->n < h->cap)
		return 0;
	if (h->at > h->cap / 2) {
		memmove(h->v, h->v + h->at, h->n * sizeof(struct held_page *));
	} else {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct held_page **v = malloc(cap * sizeof(struct held_page *));
		if (!v)
			return -1;
		if (h->n)
			memcpy(v, h->v + h->at, h->n * sizeof(struct held_page *));
		free(h->v);
		h->v = v;
		h->cap = cap;
	}
	h->at = 0;
	return 0;
}

int held_add(struct held *h, uint64_t seq)
{
	uint64_t bit = UINT64_C(1) << seq % 64;
	size_t i;
	struct held_page *p = find(h, seq, &i);

	if (!p) {
		if (reserve(h) < 0 || !(p = calloc(1, sizeof(*p))))
			return -1;
		p->key = seq / PAGE;
		memmove(h->v + h->at + i + 1, h->v + h->at + i, (h->n - i) * sizeof(struct held_page *));
		h->v[h->at + i] = p;
		h->n++;
	}
	if (p->bits[seq % PAGE / 64] & bit)
		return 0;
	p->bits[seq % PAGE / 64] |= bit;
	p->lines++;
	h->lines++;
	return 1;
}

bool held_drop(struct held *h, uint64_t seq)
{
	uint64_t bit = UINT64_C(1) << seq % 64;
	size_t i;
	struct held_page *p = find(h, seq, &i);

	if (!p || !(p->bits[seq % PAGE / 64] & bit))
		return false;
	p->bits[seq % PAGE / 64] &= ~bit;
	h->lines--;
	if (--p->lines == 0) {
		free(p);
		h->n--;
		if (i == 0)
			h->at++;
		else
			memmove(h->v + h->at + i, h->v + h->at + i + 1, (h->n - i) * sizeof(struct held_page *));
	}
	return true;
}

bool held_has(const struct held *h, uint64_t seq)
{
	size_t i;
	const struct held_page *p = find(h, seq, &i);

	return p && p->bits[seq % PAGE / 64] >> seq % 64 & 1;
}

uint64_t held_low(const struct held *h, uint64_t otherwise)
{
	const struct held_page *p;
	unsigned i = 0;

	if (h->n == 0)
		return otherwise;
	p = h->v[h->at];
	while (!p->bits[i])
		i++;
	return p->key * PAGE + i * 64 + (unsigned)__builtin_ctzll(p->bits[i]);
}
