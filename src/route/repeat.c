#include "route/repeat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_CAP 1024u
#define FAR_SHIFT 28	/* the highest bits of a word: how far behind its own place it stands, ... */
#define FAR_MAX 15u	/* ... or at least so far */
#define RING_AHEAD 8	/* keys, two cache lines */
#define MOVES 4u	/* keys moved to a new index for each key that is added: done long before the ring is full again */

void repeat_init(struct repeat *r, uint32_t window)
{
	memset(r, 0, sizeof(*r));
	r->window = window < REPEAT_MAX ? window : REPEAT_MAX;
}

void repeat_release(struct repeat *r)
{
	free(r->ring);
	free(r->index.words);
	free(r->old.words);
	r->ring = NULL;
	r->index.words = r->old.words = NULL;
	r->cap = r->n = r->head = 0;
}

/*
 * The word for key in ring place `at`, standing in index place i. The bits of the key in it save most looks at the ring, each of which is
 * a cache miss; so does, when something is taken out, how far behind its own place it stands.
 */
static uint32_t word(const struct repeat_index *x, struct hash128 key, uint32_t at, uint32_t i)
{
	uint32_t far = (i - (uint32_t)key.a) & x->mask;

	return ((uint32_t)key.b & x->bits) | (far < x->far ? far : x->far) << FAR_SHIFT | (at + 1);
}

static const struct hash128 *key_at(const struct repeat *r, const struct repeat_index *x, uint32_t i)
{
	return &r->ring[(x->words[i] & x->slots) - 1];
}

/* The place in x that holds key, or the empty one where it would go. */
static uint32_t place(const struct repeat *r, const struct repeat_index *x, struct hash128 key)
{
	uint32_t i = (uint32_t)key.a & x->mask, bits = (uint32_t)key.b & x->bits;

	for (; x->words[i]; i = (i + 1) & x->mask) {
		if ((x->words[i] & x->bits) != bits)
			continue;
		const struct hash128 *k = key_at(r, x, i);
		if (k->a == key.a && k->b == key.b)
			break;
	}
	return i;
}

static bool holds(const struct repeat *r, const struct repeat_index *x, struct hash128 key)
{
	return x->words && x->words[place(r, x, key)];
}

/* The place where the key of x->words[j] would stand if nothing had been in its way. */
static uint32_t home(const struct repeat *r, const struct repeat_index *x, uint32_t j)
{
	uint32_t far = x->words[j] >> FAR_SHIFT;

	return (far < x->far ? j - far : (uint32_t)key_at(r, x, j)->a) & x->mask;
}

/* Takes key out of x, if it is there, closing the gap so that searches still find what stands behind it. */
static void take_out(struct repeat *r, struct repeat_index *x, struct hash128 key)
{
	uint32_t i;

	if (!x->words || !x->words[i = place(r, x, key)])
		return;
	for (uint32_t j = (i + 1) & x->mask; x->words[j]; j = (j + 1) & x->mask) {
		uint32_t from = home(r, x, j), far = (i - from) & x->mask;
		if (((j - from) & x->mask) < ((j - i) & x->mask))
			continue;
		x->words[i] = x->words[j];
		if (x->far)
			x->words[i] = (x->words[i] & ~(~0u << FAR_SHIFT)) | (far < x->far ? far : x->far) << FAR_SHIFT;
		i = j;
	}
	x->words[i] = 0;
}

/* ---- growing ---- */

static void move(struct repeat *r, uint32_t keys)
{
	for (; keys && r->moved < r->unmoved; keys--, r->moved++) {
		uint32_t i = place(r, &r->index, r->ring[r->moved]);
		r->index.words[i] = word(&r->index, r->ring[r->moved], r->moved, i);
	}
	if (r->old.words && r->moved >= r->unmoved) {
		free(r->old.words);
		r->old.words = NULL;
	}
}

/*
 * Places of the index are looked up all over it: on pages of 4 KiB each look is a miss of the address cache besides. Where the kernel has
 * none of its large pages, nothing is lost but time.
 */
#define LARGE (2u << 20)

static void spread(void *p, size_t n)
{
	uintptr_t from = ((uintptr_t)p + LARGE - 1) & ~(uintptr_t)(LARGE - 1), to = ((uintptr_t)p + n) & ~(uintptr_t)(LARGE - 1);

	if (from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

/* Twice as much, or all of the window if hardly more would be left for the next time. */
static uint32_t next_cap(const struct repeat *r)
{
	uint64_t cap = r->cap ? (uint64_t)r->cap * 2 : FIRST_CAP;

	return cap + cap / 2 > r->window ? r->window : (uint32_t)cap;
}

static int grow(struct repeat *r)
{
	uint32_t cap = next_cap(r), places = 2048;
	struct hash128 *ring;
	uint32_t *words;

	move(r, UINT32_MAX);
	while (places < (uint64_t)cap * 2 && places < 1u << 31)
		places *= 2;
	/* 1,000,000 keys in 2^21 places: never more than half full. */
	words = calloc(places, sizeof(*words));
	ring = words ? realloc(r->ring, (size_t)cap * sizeof(*ring)) : NULL;
	if (!ring) {
		free(words);
		return -1;
	}
	spread(words, places * sizeof(*words));
	spread(ring, (size_t)cap * sizeof(*ring));
	/* Growing happens when the ring is full and has never wrapped, so it stands in order from 0. */
	r->ring = ring;
	r->cap = cap;
	r->head = r->n;
	r->old = r->index;
	r->moved = 0;
	r->unmoved = r->n;
	r->index = (struct repeat_index){ .words = words, .mask = places - 1, .slots = 1 };
	while (r->index.slots < cap)
		r->index.slots = r->index.slots << 1 | 1;
	/* A window so large that few bits are left goes without. */
	r->index.far = r->index.slots >> (FAR_SHIFT - 8) ? 0 : FAR_MAX;
	r->index.bits = ~r->index.slots & (r->index.far ? ~(~0u << FAR_SHIFT) : ~0u);
	return 0;
}

/* ---- use ---- */

static void fetch(const struct repeat_index *x, struct hash128 key)
{
	__builtin_prefetch(&x->words[(uint32_t)key.a & x->mask], 1);
}

void repeat_ahead(const struct repeat *r, struct hash128 key)
{
	if (!r->index.words)
		return;
	fetch(&r->index, key);
	/* In a full ring each key pushes one out. This one's turn is next but one; it must have come itself by then. */
	if (r->n == r->window && r->head + 1 < r->cap) {
		__builtin_prefetch(&r->ring[r->head] + RING_AHEAD, 1);
		fetch(&r->index, r->ring[r->head + 1]);
	}
}

int repeat_add(struct repeat *r, struct hash128 key)
{
	uint32_t i;

	if (r->window == 0)
		return 1;
	if (holds(r, &r->index, key) || holds(r, &r->old, key))
		return 0;
	if (r->n == r->cap && r->cap < r->window && grow(r) < 0)
		return -1;
	move(r, MOVES);
	if (r->head == r->cap)
		r->head = 0;
	if (r->n == r->cap)
		take_out(r, &r->index, r->ring[r->head]);
	else
		r->n++;
	r->ring[r->head] = key;
	i = place(r, &r->index, key);
	r->index.words[i] = word(&r->index, key, r->head, i);
	r->head++;
	return 1;
}

void repeat_undo(struct repeat *r, uint32_t n)
{
	for (; n && r->n; n--, r->n--) {
		r->head = (r->head ? r->head : r->cap) - 1;
		take_out(r, &r->index, r->ring[r->head]);
		take_out(r, &r->old, r->ring[r->head]);
	}
	if (r->unmoved > r->n)
		r->unmoved = r->n;
}
