#include "supervise/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define UTIME 14	/* numbers of fields in proc(5) */
#define STIME 15
#define RSS 24

int usage_parse(const char *p, size_t n, struct usage *out)
{
	const char *end = memrchr(p, ')', n), *stop = p + n;
	unsigned long long v[RSS + 1] = { 0 };
	const long tick = CLOCK_S / sysconf(_SC_CLK_TCK);	/* ns */
	unsigned field = 3;		/* behind ") " */

	if (!end || stop - end < 3)
		return -1;
	for (p = end + 2; p < stop && field <= RSS; field++) {
		for (; p < stop && *p >= '0' && *p <= '9'; p++)
			v[field] = v[field] * 10 + (unsigned)(*p - '0');
		while (p < stop && *p != ' ')
			p++;
		p++;
	}
	/* More time than there is: not the kernel's. */
	if (field <= RSS || v[UTIME] > (uint64_t)(INT64_MAX / 2 / tick) || v[STIME] > (uint64_t)(INT64_MAX / 2 / tick))
		return -1;
	out->memory = v[RSS] * (unsigned long)sysconf(_SC_PAGESIZE);
	out->cpu = (int64_t)(v[UTIME] + v[STIME]) * tick;
	return 0;
}

int usage_read(pid_t pid, struct usage *out)
{
	char path[40], text[1024];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text);
	close(fd);
	return n <= 0 ? -1 : usage_parse(text, (size_t)n, out);
}
