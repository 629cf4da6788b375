/*
 * clock: wall clock and monotonic clock in nanoseconds, and RFC 3339 text.
 *
 * Durations everywhere in penstock are int64_t nanoseconds; the constants below convert.
 * clock_wall honours PENSTOCK_CLOCK_OFFSET (whole seconds, may be negative), so that a test can jump
 * the wall clock of one process; the monotonic clock is never moved.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S  INT64_C(1000000000)
#define CLOCK_RFC3339_MAX 36	/* bytes for clock_rfc3339, NUL included */

int64_t clock_mono(void);
int64_t clock_wall(void);

/* "2026-11-20T10:00:00.123Z" (UTC, milliseconds) into out; returns its length. */
size_t clock_rfc3339(char out[CLOCK_RFC3339_MAX], int64_t wall_ns);

/* RFC 3339 date-time with any offset and up to 9 fraction digits (more are cut); -1 if it is none.
 * A leap second (:60) counts as the first instant of the next minute. */
int clock_parse(const char *p, size_t n, int64_t *wall_ns);

#endif
