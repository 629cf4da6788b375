/*
 * backoff: exponential back-off with full jitter. Pure: randomness comes as an argument.
 *
 * The n-th wait (n from 0) is drawn evenly from [base/2, base] * 2^n, at most max.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff { int64_t base, max; unsigned tries; };	/* nanoseconds */

int64_t backoff_next(struct backoff *b, uint64_t random);	/* how long to wait now; counts the try */
void backoff_reset(struct backoff *b);				/* after a success */

#endif
