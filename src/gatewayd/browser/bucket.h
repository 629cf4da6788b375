/*
 * bucket: a token bucket. Pure: time comes as an argument.
 *
 * A bucket holds up to `burst` tokens and gains `rate` a second. A rate of 0 means no limit.
 */
#ifndef GATEWAYD_BUCKET_H
#define GATEWAYD_BUCKET_H

#include <stdint.h>

struct bucket {
	uint64_t rate, burst;
	int64_t full_at;	/* private: when the bucket will be full again, nanoseconds */
};

void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst);

/* Takes one token: 0; or nothing is taken and the nanoseconds until there will be one are returned. */
int64_t bucket_take(struct bucket *b, int64_t now);

#endif
