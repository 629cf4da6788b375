#include "deliver/breaker.h"

#include <string.h>

#include "base/backoff.h"

int64_t breaker_failed(struct breaker *b, int64_t began, int64_t now, uint64_t random)
{
	struct backoff wait = {.base = BREAKER_FIRST, .max = BREAKER_MAX};

	if (b->opened && began <= b->since)
		return 0;
	if (++b->failures < BREAKER_AFTER && !b->opened)
		return 0;
	b->since = now;
	wait.tries = b->opened;
	if (b->opened < 16)
		b->opened++;
	b->failures = 0;
	return backoff_next(&wait, random);
}

void breaker_worked(struct breaker *b)
{
	*b = (struct breaker){0};
}

/* Forgets the slots that are too old. */
static void forget(struct refusals *r, int64_t slot)
{
	int64_t from = r->at + 1;

	if (slot - r->at >= REFUSALS_SLOTS) {
		memset(r->slot, 0, sizeof(r->slot));
		r->sum = 0;
		from = slot;
	}
	for (; from <= slot; from++) {
		r->sum -= r->slot[from % REFUSALS_SLOTS];
		r->slot[from % REFUSALS_SLOTS] = 0;
	}
	if (slot > r->at)
		r->at = slot;
}

int64_t refusals_wait(struct refusals *r, uint32_t max, int64_t now)
{
	uint32_t left;

	forget(r, now / REFUSALS_SLOT);
	if (r->sum < max)
		return 0;
	/* Until so many are forgotten that a tenth is free. */
	left = r->sum;
	for (int64_t age = REFUSALS_SLOTS - 1; age >= 0; age--) {
		int64_t slot = r->at - age;

		left -= r->slot[(slot + 2 * REFUSALS_SLOTS) % REFUSALS_SLOTS];
		if (left < max - max / 10)
			return (slot + REFUSALS_SLOTS) * REFUSALS_SLOT - now;
	}
	return REFUSALS_SLOT;
}

void refusals_put(struct refusals *r, uint32_t n, int64_t age, int64_t now)
{
	int64_t slots = age < 0 ? 0 : age / REFUSALS_SLOT;

	forget(r, now / REFUSALS_SLOT);
	if (slots >= REFUSALS_SLOTS)
		return;
	r->slot[(r->at - slots + 2 * REFUSALS_SLOTS) % REFUSALS_SLOTS] += n;
	r->sum += n;
}

int64_t refusals_add(struct refusals *r, uint32_t max, int64_t now)
{
	refusals_put(r, 1, 0, now);
	return refusals_wait(r, max, now);
}
