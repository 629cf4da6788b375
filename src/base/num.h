/*
 * num: numbers, sizes and durations from text, always with a range; numbers to text.
 *
 * All that read return 0, or -1 with a static English reason in *why ("not a number", "below 1", ...). The
 * whole text must be used up; no sign for unsigned ones, no leading blanks.
 *   size      digits and an optional k, m, g (1024)           "64m"
 *   duration  digits (optionally .digits) and ms, s, m, h, d  "200ms" "1.5s" "10m"; a bare number is seconds
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char **why);
int num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char **why);
int num_duration(const char *s, int64_t min_ns, int64_t max_ns, int64_t *out_ns, const char **why);

/* The digits of a number, fast, without NUL: how many. */
#define NUM_U64_DIGITS 20
static inline size_t num_put_u64(char out[NUM_U64_DIGITS], uint64_t v)
{
	char digits[NUM_U64_DIGITS];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	memcpy(out, digits + at, sizeof digits - at);
	return sizeof digits - at;
}

/* "1 line", "2 lines": the s. */
static inline const char *num_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
