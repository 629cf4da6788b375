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

int64_t batch_count(const char *p, size_t len)
{
	const char *end = p + len;
	int64_t n = 0;

	if (len == 0)
		return 0;
	if (end[-1] != '\n')
		return -1;
	while (p < end) {
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
		if (++n > (int64_t)LINK_BATCH_LINES)
			return -1;
	}
	return n;
}
