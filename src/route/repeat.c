#include "route/repeat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 1024u

void repeat_init(struct repeat *r, uint32_t window)
{
	memset(r, 0, sizeof(*r));
	r->window = window < REPEAT_MAX ? window : REPEAT_MAX;
}

void repeat_release(struct repeat *r)
{
	free(r->ring);
	free(r->index);
	r->ring = NULL;
	r->index = NULL;
	r->cap = r->n = r->head = 0;
}

/* The word for key in ring place `at`. The bits of the key in it save most looks at the ring, each of which is a cache miss. */
static uint32_t word(const struct repeat *r, struct hash128 key, uint32_t at)
{
	return ((uint32_t)key.b & ~r->slots) | (at + 1);
}

static const struct hash128 *key_at(const struct repeat *r, uint32_t i)
{
	return &r->ring[(r->index[i] & r->slots) - 1];
}

/* The index place that holds key, or the empty one where it would go. */
static uint32_t place(const struct repeat *r, struct hash128 key)
{
	uint32_t i = (uint32_t)key.a & r->mask, bits = (uint32_t)key.b & ~r->slots;

	for (; r->index[i]; i = (i + 1) & r->mask) {
		if ((r->index[i] & ~r->slots) != bits)
			continue;
		const struct hash128 *k = key_at(r, i);
		if (k->a == key.a && k->b == key.b)
			break;
	}
	return i;
}

/* Takes the entry at index place i out, closing the gap so that searches still find what stands behind it. */
static void take_out(struct repeat *r, uint32_t i)
{
	for (uint32_t j = (i + 1) & r->mask; r->index[j]; j = (j + 1) & r->mask) {
		uint32_t home = (uint32_t)key_at(r, j)->a & r->mask;
		if (((j - home) & r->mask) >= ((j - i) & r->mask)) {
			r->index[i] = r->index[j];
			i = j;
		}
	}
	r->index[i] = 0;
}

static int grow(struct repeat *r)
{
	uint32_t cap = r->cap ? r->cap * 2 : FIRST_CAP, places = 2048;
	struct hash128 *ring;
	uint32_t *index;

	if (cap > r->window)
		cap = r->window;
	while (places < cap * 2 && places < 1u << 31)
		places *= 2;
	/* 1,000,000 keys in 2^21 places: never more than half full. */
	index = calloc(places, sizeof(*index));
	ring = index ? realloc(r->ring, (size_t)cap * sizeof(*ring)) : NULL;
	if (!ring) {
		free(index);
		return -1;
	}
	/* Growing happens when the ring is full and has never wrapped, so it stands in order from 0. */
	r->ring = ring;
	r->cap = cap;
	r->head = r->n;
	r->mask = places - 1;
	for (r->slots = 1; r->slots < cap; )
		r->slots = r->slots << 1 | 1;
	free(r->index);
	r->index = index;
	for (uint32_t i = 0; i < r->n; i++)
		r->index[place(r, r->ring[i])] = word(r, r->ring[i], i);
	return 0;
}

void repeat_ahead(const struct repeat *r, struct hash128 key)
{
	if (r->cap)
		__builtin_prefetch(&r->index[(uint32_t)key.a & r->mask]);
}

int repeat_add(struct repeat *r, struct hash128 key)
{
	uint32_t i = 0;

	if (r->window == 0)
		return 1;
	if (r->cap && r->index[i = place(r, key)])
		return 0;
	if (r->n == r->cap && r->cap < r->window) {
		if (grow(r) < 0)
			return -1;
		i = place(r, key);
	}
	if (r->head == r->cap)
		r->head = 0;
	if (r->n == r->cap) {
		take_out(r, place(r, r->ring[r->head]));
		i = place(r, key);
	} else {
		r->n++;
	}
	r->ring[r->head] = key;
	r->index[i] = word(r, key, r->head++);
	return 1;
}

void repeat_undo(struct repeat *r, uint32_t n)
{
	for (; n && r->n; n--, r->n--) {
		r->head = (r->head ? r->head : r->cap) - 1;
		take_out(r, place(r, r->ring[r->head]));
	}
}
