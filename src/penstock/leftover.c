/* Services that a killed supervise left running: they are in supervise/pid, and their current directory is in the tree. */
#include "penstock/penstock.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

/* A number from a file may have become another process': that one does not live in this tree. */
static bool lives_in(const struct tree *t, uint64_t pid)
{
	char link[64], cwd[PATH_MAX];
	size_t len = strlen(t->dir);
	ssize_t n;

	snprintf(link, sizeof link, "/proc/%llu/cwd", (unsigned long long)pid);
	n = readlink(link, cwd, sizeof cwd - 1);
	if (n <= 0)
		return false;
	cwd[n] = 0;
	return strncmp(cwd, t->dir, len) == 0 && (cwd[len] == 0 || cwd[len] == '/');
}

static uint64_t read_pid(const struct tree *t, const char *name)
{
	char path[PATH_MAX];
	const char *why, *text;
	uint64_t pid = 0;
	struct buf b;

	if (snprintf(path, sizeof path, "%s/service/%s/supervise/pid", t->dir, name) >= (int)sizeof path)
		return 0;
	buf_init(&b, 32);
	if (fd_read_file(path, &b) == 0 && b.len > 1 && b.p[b.len - 1] == '\n') {
		b.len--;
		text = buf_cstr(&b);
		if (!text || num_u64(text, 2, INT32_MAX, &pid, &why) < 0)
			pid = 0;
	}
	buf_release(&b);
	return pid;
}

int leftover_each(const struct tree *t, void (*fn)(void *arg, const char *name, int64_t pid, int pidfd), void *arg)
{
	char *dir = tree_path(t, "service");
	struct dirent *e;
	DIR *d = opendir(dir);
	uint64_t pid;
	int fd, n = 0;

	if (!d) {
		log_error("%s: %s", dir, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || (pid = read_pid(t, e->d_name)) == 0)
			continue;
		fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		if (fd < 0)
			continue;
		if (lives_in(t, pid)) {
			fn(arg, e->d_name, (int64_t)pid, fd);
			n++;
		}
		close(fd);
	}
	closedir(d);
	return n;
}
