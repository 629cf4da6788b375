#include "base/num.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"

/* Leading digits of *s; moves *s behind them. */
static int digits(const char **s, uint64_t *out, const char **why)
{
	const char *p = *s;
	uint64_t v = 0;

	if (*p < '0' || *p > '9') {
		*why = "not a number";
		return -1;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v)) {
			*why = "too large";
			return -1;
		}
	}
	*s = p;
	*out = v;
	return 0;
}

static int in_range(uint64_t v, uint64_t min, uint64_t max, uint64_t *out, const char **why)
{
	if (v < min) {
		*why = "too small";
		return -1;
	}
	if (v > max) {
		*why = "too large";
		return -1;
	}
	*out = v;
	return 0;
}

int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char **why)
{
	uint64_t v;

	if (digits(&s, &v, why))
		return -1;
	if (*s) {
		*why = "not a number";
		return -1;
	}
	return in_range(v, min, max, out, why);
}

int num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out, const char **why)
{
	static const char units[] = "kmg";
	unsigned shift = 0;
	uint64_t v;

	if (digits(&s, &v, why))
		return -1;
	if (*s) {
		const char *u = strchr(units, *s | 0x20);

		if (!u || s[1]) {
			*why = "not a size (digits, and k, m or g behind them)";
			return -1;
		}
		shift = 10u * (unsigned)(u - units + 1);
	}
	if (v > UINT64_MAX >> shift) {
		*why = "too large";
		return -1;
	}
	return in_range(v << shift, min, max, out, why);
}

int num_duration(const char *s, int64_t min_ns, int64_t max_ns, int64_t *out_ns, const char **why)
{
	static const struct { const char *word; int64_t ns; } units[] = {
		{"", CLOCK_S}, {"ms", CLOCK_MS}, {"s", CLOCK_S}, {"m", 60 * CLOCK_S}, {"h", 3600 * CLOCK_S},
		{"d", 86400 * CLOCK_S},
	};
	uint64_t whole, frac = 0, scale = 1;
	int64_t ns;

	if (digits(&s, &whole, why))
		return -1;
	if (*s == '.') {
		s++;
		if (*s < '0' || *s > '9') {
			*why = "not a number";
			return -1;
		}
		for (; *s >= '0' && *s <= '9'; s++) {
			if (scale < 1000000000) {
				frac = frac * 10 + (uint64_t)(*s - '0');
				scale *= 10;
			}
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(s, units[i].word) != 0)
			continue;
		if (whole > (uint64_t)(INT64_MAX / units[i].ns) - 1) {
			*why = "too large";
			return -1;
		}
		ns = (int64_t)whole * units[i].ns;
		/* In 128 bits: a day's fraction with nine digits does not fit into 64. */
		ns += (int64_t)((unsigned __int128)frac * (uint64_t)units[i].ns / scale);
		if (ns < min_ns || ns > max_ns) {
			*why = ns < min_ns ? "too small" : "too large";
			return -1;
		}
		*out_ns = ns;
		return 0;
	}
	*why = "not a time (digits, and ms, s, m, h or d behind them)";
	return -1;
}
