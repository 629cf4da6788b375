#include "base/backoff.h"

static int64_t next_top(struct backoff *b)
{
	int64_t top = b->base;

	for (unsigned i = 0; i < b->tries && top < b->max; i++)
		top = top > b->max / 2 ? b->max : top * 2;
	if (top > b->max)
		top = b->max;
	if (b->tries < 1000)
		b->tries++;
	return top;
}

int64_t backoff_next(struct backoff *b, uint64_t random)
{
	int64_t top = next_top(b);

	return top - (int64_t)(random % ((uint64_t)top / 2 + 1));
}

int64_t backoff_full(struct backoff *b, uint64_t random)
{
	return (int64_t)(random % ((uint64_t)next_top(b) + 1));
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}
