/*
 * breaker: when to leave an upstream alone. Pure.
 *
 * BREAKER_AFTER failures in a row (no connection, no answer, 5xx) open it for a while, which doubles up to BREAKER_MAX; then one request
 * is let through: its success closes the breaker, its failure opens it again. What was under way when it opened says nothing new: its failures
 * do not count.
 *
 * refusals: answers 401, 403 and 429 of the last ten minutes. Discord bans an address after 10,000 of them; at REFUSALS_MAX, a tenth, as
 * other programs behind the same address make some, too, nothing is sent until the oldest are forgotten. An account that makes a quarter of
 * these waits by itself, so that it does not use up what all have.
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
#define REFUSALS_ONE (REFUSALS_MAX / 4)	/* of one account */
#define REFUSALS_SLOT (10 * CLOCK_S)
#define REFUSALS_SLOTS 61u		/* ten minutes, and the slot that runs */
#define REFUSALS_TIME (REFUSALS_SLOTS * REFUSALS_SLOT)

struct breaker { unsigned failures, opened; int64_t since; };	/* zeroed: closed */

/* Of a request that began then. 0: nothing changes; else how long to wait, with jitter: afterwards one request may go (breaker_probing). */
int64_t breaker_failed(struct breaker *b, int64_t began, int64_t now, uint64_t random);
void breaker_worked(struct breaker *b);
static inline bool breaker_probing(const struct breaker *b)
{
	return b->opened > 0;
}

struct refusals { uint32_t slot[REFUSALS_SLOTS]; int64_t at; uint32_t sum; };	/* zeroed: none */

/* One more. 0: go on; else how long to wait until there are clearly fewer than max. */
int64_t refusals_add(struct refusals *r, uint32_t max, int64_t now);
int64_t refusals_wait(struct refusals *r, uint32_t max, int64_t now);	/* the same without one more */
void refusals_put(struct refusals *r, uint32_t n, int64_t age, int64_t now);	/* n more, of so long ago */

#endif
