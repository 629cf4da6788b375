#include "gatewayd/browser/bucket.h"

#include "base/clock.h"

void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst)
{
	*b = (struct bucket){.rate = rate, .burst = burst ? burst : 1};
}

int64_t bucket_take(struct bucket *b, int64_t now)
{
	int64_t token, room;

	if (b->rate == 0)
		return 0;
	token = CLOCK_S / (int64_t)b->rate;
	if (b->full_at < now)
		b->full_at = now;
	room = token * (int64_t)b->burst - (b->full_at - now);
	if (room < token)
		return token - room;
	b->full_at += token;
	return 0;
}
