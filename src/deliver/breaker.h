/*
 * breaker: when to leave an upstream alone. Pure.
 *
 * BREAKER_AFTER failures in a row (no connection, no answer, 5xx) open it for a while, which doubles up to BREAKER_MAX; then one request
 * is let through: its success closes the breaker, its failure opens it again.
 *
 * refusals: answers 401, 403 and 429 of the last ten minutes. Discord bans an address after 10,000 of them; at REFUSALS_MAX, a tenth, which
 * other programs behind the same address may use, too, nothing is sent until the oldest are forgotten.
 */
#ifndef DELIVER_BREAKER_H
#define DELIVER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define BREAKER_AFTER 5u
#define BREAKER_FIRST (2 * CLOCK_S)
#define BREAKER_MAX (60 * CLOCK_S)
#define REFUSALS_MAX 1000u
#define REFUSALS_SLOT (10 * CLOCK_S)
#define REFUSALS_SLOTS 61u		/* ten minutes, and the slot that runs */

struct breaker { unsigned failures, opened; };	/* zeroed: closed */

/* 0: closed; else how long to wait, with jitter: afterwards one request may go (breaker_probing). */
int64_t breaker_failed(struct breaker *b, uint64_t random);
void breaker_worked(struct breaker *b);
static inline bool breaker_probing(const struct breaker *b)
{
	return b->opened > 0;
}

struct refusals { uint32_t slot[REFUSALS_SLOTS]; int64_t at; uint32_t sum; };	/* zeroed: none */

/* One more. 0: go on; else how long to wait. */
int64_t refusals_add(struct refusals *r, int64_t now);

#endif
