#include "supervise/lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/tai.h"

#define MARK "supervise: "

struct line lines_bare(const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n < CLOCK_RFC3339_MAX ? n : CLOCK_RFC3339_MAX);
	size_t stamp = blank ? (size_t)(blank - p) : 0;
	int64_t wall;

	if (stamp && ((stamp == TAI_LABEL && tai_parse(p, stamp, &wall) == 0) || clock_parse(p, stamp, &wall) == 0))
		return (struct line){ blank + 1, n - stamp - 1 };
	return (struct line){ p, n };
}

static bool is_mark(struct line l)
{
	return l.n > sizeof MARK - 1 && memcmp(l.p, MARK, sizeof MARK - 1) == 0;
}

/* The line that ends before *end (not counting its line feed); *end moves to its begin. False: there is none. */
static bool line_back(const char *p, const char **end, struct line *out)
{
	const char *to = *end, *lf;

	if (to == p)
		return false;
	if (to[-1] == '\n')
		to--;
	lf = memrchr(p, '\n', (size_t)(to - p));
	*end = lf ? lf + 1 : p;
	*out = lines_bare(*end, (size_t)(to - *end));
	return true;
}

unsigned lines_before(const char *p, size_t n, uint32_t pid, struct line out[LINES_KEPT])
{
	const char *end = p + n;
	struct line found[LINES_KEPT], l;
	char want[32];
	size_t len = (size_t)snprintf(want, sizeof want, ": process %u ", pid);
	unsigned count = 0;
	bool in = false;

	while (count < LINES_KEPT && line_back(p, &end, &l)) {
		bool mark = is_mark(l);

		if (mark && in)
			break;
		if (mark)
			in = memmem(l.p, l.n, want, len) != NULL;
		else if (in)
			found[count++] = l;
	}
	for (unsigned i = 0; i < count; i++)
		out[i] = found[count - 1 - i];
	return count;
}
