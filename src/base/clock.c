#include "base/clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * CLOCK_S + t.tv_nsec;
}

int64_t clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Read once. Two threads may do so at the same time: they write the same value. */
static int64_t offset(void)
{
	static int64_t value;
	static bool known;

	if (!__atomic_load_n(&known, __ATOMIC_ACQUIRE)) {
		const char *s = getenv("PENSTOCK_CLOCK_OFFSET");
		long long seconds = s ? strtoll(s, NULL, 10) : 0;

		if (seconds > 4000000000LL || seconds < -4000000000LL)
			seconds = 0;
		__atomic_store_n(&value, seconds * CLOCK_S, __ATOMIC_RELAXED);
		__atomic_store_n(&known, true, __ATOMIC_RELEASE);
	}
	return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME) + offset();
}

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar. The year is made to begin in March, so that
 * the leap day comes last; eras of 400 years all have 146097 days. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static char *put_digits(char *p, unsigned v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

size_t clock_rfc3339(char out[CLOCK_RFC3339_MAX], int64_t wall_ns)
{
	int64_t ms = wall_ns / CLOCK_MS - (wall_ns % CLOCK_MS < 0);
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	time_t t = (time_t)seconds;
	struct tm tm;
	char *p = out;

	gmtime_r(&t, &tm);
	p = put_digits(p, (unsigned)(tm.tm_year + 1900), 4);
	*p++ = '-';
	p = put_digits(p, (unsigned)(tm.tm_mon + 1), 2);
	*p++ = '-';
	p = put_digits(p, (unsigned)tm.tm_mday, 2);
	*p++ = 'T';
	p = put_digits(p, (unsigned)tm.tm_hour, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)tm.tm_min, 2);
	*p++ = ':';
	p = put_digits(p, (unsigned)tm.tm_sec, 2);
	*p++ = '.';
	p = put_digits(p, (unsigned)(ms - seconds * 1000), 3);
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - out);
}

struct cursor { const char *p, *end; };

/* Exactly n digits between lo and hi. */
static int digits(struct cursor *c, int n, int lo, int hi)
{
	int v = 0;

	if (c->end - c->p < n)
		return -1;
	for (int i = 0; i < n; i++, c->p++) {
		if (*c->p < '0' || *c->p > '9')
			return -1;
		v = v * 10 + (*c->p - '0');
	}
	return v < lo || v > hi ? -1 : v;
}

static bool one_of(struct cursor *c, const char *set)
{
	if (c->p == c->end)
		return false;
	for (; *set; set++) {
		if (*c->p == *set) {
			c->p++;
			return true;
		}
	}
	return false;
}

static int fraction(struct cursor *c, int64_t *ns)
{
	int64_t unit = CLOCK_S / 10;
	const char *start = c->p;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, unit /= 10)
		*ns += unit * (*c->p - '0');
	return c->p == start ? -1 : 0;
}

/* "Z" or "+hh:mm": seconds to subtract. */
static int zone(struct cursor *c, int64_t *seconds)
{
	bool minus = c->p < c->end && *c->p == '-';
	int h, m;

	*seconds = 0;
	if (one_of(c, "Zz"))
		return 0;
	if (!one_of(c, "+-") || (h = digits(c, 2, 0, 23)) < 0 || !one_of(c, ":") || (m = digits(c, 2, 0, 59)) < 0)
		return -1;
	*seconds = (h * 60 + m) * (minus ? -60 : 60);
	return 0;
}

static int month_days(int y, int m)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return m == 2 && ((y % 4 == 0 && y % 100) || y % 400 == 0) ? 29 : days[m - 1];
}

int clock_parse(const char *p, size_t n, int64_t *wall_ns)
{
	struct cursor c = {p, p + n};
	int y, mo, d, h, mi, s;
	int64_t ns = 0, off, seconds;

	if ((y = digits(&c, 4, 0, 9999)) < 0 || !one_of(&c, "-") || (mo = digits(&c, 2, 1, 12)) < 0 || !one_of(&c, "-") ||
	    (d = digits(&c, 2, 1, month_days(y, mo))) < 0 || !one_of(&c, "Tt") ||
	    (h = digits(&c, 2, 0, 23)) < 0 || !one_of(&c, ":") || (mi = digits(&c, 2, 0, 59)) < 0 || !one_of(&c, ":") ||
	    (s = digits(&c, 2, 0, 60)) < 0)
		return -1;
	if (one_of(&c, ".") && fraction(&c, &ns))
		return -1;
	if (zone(&c, &off) || c.p != c.end)
		return -1;
	if (s == 60)
		ns = 0;
	seconds = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - off;
	/* Years before 1678 and after 2262 do not fit into 64 bits of nanoseconds: the nearest instant stands for them. */
	if (seconds > INT64_MAX / CLOCK_S - 1)
		*wall_ns = INT64_MAX;
	else if (seconds < INT64_MIN / CLOCK_S + 1)
		*wall_ns = INT64_MIN;
	else
		*wall_ns = seconds * CLOCK_S + ns;
	return 0;
}
