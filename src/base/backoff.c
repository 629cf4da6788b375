#include "base/backoff.h"

int64_t backoff_next(struct backoff *b, uint64_t random)
{
	int64_t top = b->base;

	for (unsigned i = 0; i < b->tries && top < b->max; i++)
		top = top > b->max / 2 ? b->max : top * 2;
	if (top > b->max)
		top = b->max;
	if (b->tries < 1000)
		b->tries++;
	return top - (int64_t)(random % ((uint64_t)top / 2 + 1));
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}
