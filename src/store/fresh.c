#include "store/fresh.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

void fresh_init(struct fresh *f)
{
	memset(f, 0, sizeof(*f));
}

void fresh_release(struct fresh *f)
{
	free(f->slot);
	fresh_init(f);
}

void fresh_clear(struct fresh *f)
{
	if (f->n)
		memset(f->slot, 0, f->cap * sizeof(*f->slot));
	f->n = 0;
}

/* The hash is random (keyed): its upper bits choose the place. */
static size_t place(const struct fresh *f, int64_t hash)
{
	return (size_t)((uint64_t)hash >> 20) & (f->cap - 1);
}

static void put(struct fresh *f, int64_t hash, int64_t seq)
{
	size_t i = place(f, hash);

	while (f->slot[i].seq)
		i = (i + 1) & (f->cap - 1);
	f->slot[i] = (struct fresh_slot){ hash, seq };
	f->n++;
}

static int grow(struct fresh *f)
{
	struct fresh new = { .cap = f->cap ? f->cap * 2 : FIRST_CAP };

	new.slot = calloc(new.cap, sizeof(*new.slot));
	if (!new.slot)
		return -1;
	for (size_t i = 0; i < f->cap; i++)
		if (f->slot[i].seq)
			put(&new, f->slot[i].hash, f->slot[i].seq);
	free(f->slot);
	*f = new;
	return 0;
}

int fresh_add(struct fresh *f, int64_t hash, int64_t seq)
{
	if (f->n * 4 >= f->cap * 3 && grow(f))
		return -1;
	put(f, hash, seq);
	return 0;
}

int64_t fresh_next(const struct fresh *f, int64_t hash, size_t *at)
{
	/* *at counts the slots looked at, so that 0 begins. */
	while (*at < f->cap) {
		const struct fresh_slot *s = &f->slot[(place(f, hash) + *at) & (f->cap - 1)];

		if (!s->seq)
			return 0;
		++*at;
		if (s->hash == hash)
			return s->seq;
	}
	return 0;
}
