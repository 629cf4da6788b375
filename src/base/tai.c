#include "base/tai.h"

#include <stdio.h>

#include "base/clock.h"

#define BASE ((UINT64_C(1) << 62) + 10)

void tai_label(char out[TAI_LABEL + 1], int64_t wall)
{
	snprintf(out, TAI_LABEL + 1, "@%016llx%08llx", (unsigned long long)(BASE + (uint64_t)(wall / CLOCK_S)),
		(unsigned long long)(wall % CLOCK_S));
}

/* n hexadecimal digits in lower case, as they are written; -1. */
static int hex(const char *p, int n, uint64_t *out)
{
	uint64_t v = 0;

	for (; n > 0; n--, p++) {
		unsigned d = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10 : 16;

		if (d == 16)
			return -1;
		v = v << 4 | d;
	}
	*out = v;
	return 0;
}

int tai_parse(const char *p, size_t n, int64_t *wall)
{
	uint64_t s, ns;

	if (n < TAI_LABEL || p[0] != '@' || hex(p + 1, 16, &s) < 0 || hex(p + 17, 8, &ns) < 0)
		return -1;
	if (s < BASE || s - BASE > INT64_MAX / CLOCK_S - 1 || ns >= (uint64_t)CLOCK_S)
		return -1;
	*wall = (int64_t)(s - BASE) * CLOCK_S + (int64_t)ns;
	return 0;
}
