#include "link/batch.h"

#include <string.h>

#include "link/link.h"

const char *batch_next(const char **p, const char *end, size_t *n)
{
	const char *line = *p;

	if (line >= end)
		return NULL;
	const char *lf = memchr(line, '\n', (size_t)(end - line));
	*n = (size_t)((lf ? lf : end) - line);
	*p = lf ? lf + 1 : end;
	return line;
}

/* 16 bytes at a time, as vectors of the compiler's: on processors that have none it makes do without. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
#define ROUNDS 255u	/* as many as a byte can count */

static size_t count_lf(const char *p, size_t n)
{
	const bytes16 lf = { '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n' };
	size_t count = 0;

	while (n >= sizeof lf) {
		size_t rounds = n / sizeof lf < ROUNDS ? n / sizeof lf : ROUNDS;
		bytes16 sum = lf ^ lf;

		n -= rounds * sizeof lf;
		for (; rounds; rounds--, p += sizeof lf) {
			bytes16 v;

			memcpy(&v, p, sizeof v);
			sum -= (bytes16)(v == lf);
		}
		for (size_t i = 0; i < sizeof sum; i++)
			count += sum[i];
	}
	for (; n; n--)
		count += *p++ == '\n';
	return count;
}

int64_t batch_count(const char *p, size_t len)
{
	size_t n;

	if (len == 0)
		return 0;
	if (p[len - 1] != '\n')
		return -1;
	n = count_lf(p, len);
	return n > LINK_BATCH_LINES ? -1 : (int64_t)n;
}
