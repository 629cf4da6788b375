/*
 * backoff: exponential back-off with jitter. Pure: randomness comes as an argument.
 *
 * The n-th wait (n from 0) is drawn evenly from [base/2, base] * 2^n, at most max; with full jitter, for many who fail at the same moment, from
 * [0, base] * 2^n.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff { int64_t base, max; unsigned tries; };	/* nanoseconds */

int64_t backoff_next(struct backoff *b, uint64_t random);	/* how long to wait now; counts the try */
int64_t backoff_full(struct backoff *b, uint64_t random);	/* the same with full jitter */
void backoff_reset(struct backoff *b);				/* after a success */

#endif
