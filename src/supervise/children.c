#include "supervise/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "PID (COMM) S PPID ...": COMM may hold anything, parentheses and blanks too, so the last ')' counts. */
int children_parse_stat(const char *p, size_t n, pid_t *parent, char *state)
{
	const char *end = memrchr(p, ')', n);
	long long v = 0;
	size_t left, i;

	if (!end)
		return -1;
	left = (size_t)(p + n - end);
	if (left < 5 || end[1] != ' ' || end[3] != ' ')
		return -1;
	*state = end[2];
	for (i = 4; i < left && end[i] >= '0' && end[i] <= '9' && v < INT32_MAX; i++)
		v = v * 10 + (end[i] - '0');
	if (i == 4 || i == left || end[i] != ' ' || v > INT32_MAX)
		return -1;
	*parent = (pid_t)v;
	return 0;
}

/* The fields are numbers but for COMM and the state; the state is the third. */
int children_parse_birth(const char *p, size_t n, int64_t *ticks)
{
	const char *at = memrchr(p, ')', n), *end = p + n;
	int64_t v = 0;

	for (int field = 2; at && field < 22; field++)
		if ((at = memchr(at, ' ', (size_t)(end - at))) != NULL)
			at++;
	if (!at || at == end || *at < '0' || *at > '9')
		return -1;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *at - '0', &v))
			return -1;
	if (at == end || *at != ' ')
		return -1;
	*ticks = v;
	return 0;
}

int children_birth(pid_t pid, int64_t *ticks)
{
	char path[64], text[1024], state;
	pid_t parent;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text);
	close(fd);
	if (n <= 0 || children_parse_stat(text, (size_t)n, &parent, &state) < 0 || state == 'Z' || state == 'X')
		return -1;
	return children_parse_birth(text, (size_t)n, ticks);
}

static int read_stat(int procfd, const char *pid, pid_t *parent, char *state)
{
	char path[300], text[1024];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%.255s/stat", pid);
	fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text);
	close(fd);
	return n <= 0 ? -1 : children_parse_stat(text, (size_t)n, parent, state);
}

int children_each(void (*fn)(void *arg, pid_t pid), void *arg)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t parent, self = getpid();
	char state;

	if (!d)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		if (read_stat(dirfd(d), e->d_name, &parent, &state) == 0 && parent == self && state != 'Z')
			fn(arg, (pid_t)strtol(e->d_name, NULL, 10));
	}
	closedir(d);
	return 0;
}
