#include "supervise/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number and the blank behind it; at the next field then. */
static int number(const char **at, const char *end, int64_t *out)
{
	const char *p = *at;
	int64_t v = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return -1;
	if (p == *at || p == end || *p != ' ')
		return -1;
	*at = p + 1;
	*out = v;
	return 0;
}

/* "PID (COMM) S PPID PGRP SESSION ... STARTTIME ...", 22 fields to there: COMM may hold anything, parentheses and blanks too, so the last ')'
 * counts. */
int children_parse(const char *p, size_t n, struct child_stat *out)
{
	const char *at = memrchr(p, ')', n), *end = p + n;
	int64_t parent, group, session;

	if (!at || end - at < 5 || at[1] != ' ' || at[3] != ' ')
		return -1;
	out->state = at[2];
	at += 4;
	if (number(&at, end, &parent) < 0 || number(&at, end, &group) < 0 || number(&at, end, &session) < 0 ||
	    parent > INT32_MAX || session > INT32_MAX)
		return -1;
	for (int field = 7; field < 22; field++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return -1;
		at++;
	}
	out->parent = (pid_t)parent;
	out->session = (pid_t)session;
	return number(&at, end, &out->birth);
}

/* A /proc of another process namespace speaks of other processes. */
static int open_proc(void)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char self[32];
	ssize_t n;

	if (fd < 0)
		return -1;
	n = readlinkat(fd, "self", self, sizeof self - 1);
	if (n > 0) {
		self[n] = 0;
		if (strtol(self, NULL, 10) == getpid())
			return fd;
	}
	close(fd);
	errno = ENOENT;
	return -1;
}

static int read_stat(int procfd, const char *pid, struct child_stat *out)
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
	return n <= 0 ? -1 : children_parse(text, (size_t)n, out);
}

static int stat_of(pid_t pid, struct child_stat *st)
{
	char name[32];
	int fd = open_proc(), rc;

	if (fd < 0)
		return -1;
	snprintf(name, sizeof name, "%ld", (long)pid);
	rc = read_stat(fd, name, st);
	close(fd);
	return rc;
}

static bool has_ended(const struct child_stat *st)
{
	return st->state == 'Z' || st->state == 'X';
}

int children_birth(pid_t pid, int64_t *ticks)
{
	struct child_stat st;

	if (stat_of(pid, &st) < 0 || has_ended(&st))
		return -1;
	*ticks = st.birth;
	return 0;
}

int children_each(bool (*want)(void *arg, const struct child_stat *st), void (*fn)(void *arg, pid_t pid, const struct child_stat *st), void *arg)
{
	struct child_stat st;
	struct dirent *e;
	int fd = open_proc();
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		if (read_stat(fd, e->d_name, &st) == 0 && st.state != 'Z' && want(arg, &st))
			fn(arg, (pid_t)strtol(e->d_name, NULL, 10), &st);
	}
	closedir(d);
	return 0;
}
