#include "supervise/takeover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/children.h"

#define SLACK (5 * CLOCK_S)	/* from `before` to a birth whose `after` was never noted: the disk may have been slow */
#define STAMP_SLACK (2 * CLOCK_S)

/* From linux/pidfd.h of 6.15; Debian 12's has it not. */
struct pidfd_info_0 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define INFO_EXIT (1u << 3)
#define GET_INFO _IOWR(0xff, 11, struct pidfd_info_0)

int64_t takeover_ticks(int64_t ns)
{
	int64_t hz = sysconf(_SC_CLK_TCK);

	return ns / CLOCK_S * hz + ns % CLOCK_S * hz / CLOCK_S;
}

static bool ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int takeover_process(const struct keep_slot *s, char why[FILES_WHY_MAX])
{
	int64_t ticks, latest = s->after ? s->after : s->before + SLACK;
	pid_t pid = (pid_t)s->pid;
	int fd;

	if (pid <= 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		if (errno == ESRCH || errno == EINVAL)	/* EINVAL: a thread has the number */
			return -1;
		snprintf(why, FILES_WHY_MAX, "process %ld may be it: no pidfd: %s", (long)pid, strerror(errno));
		return -2;
	}
	/* What /proc says of the number is of this process if the process has not ended behind it. */
	if (children_birth(pid, &ticks) < 0 && !ended(fd)) {
		snprintf(why, FILES_WHY_MAX, "process %ld may be it: /proc does not tell when it was born", (long)pid);
		close(fd);
		return -2;
	}
	if (ended(fd) || ticks < takeover_ticks(s->before) || ticks > takeover_ticks(latest)) {
		close(fd);
		return -1;
	}
	return fd;
}

int takeover_status(int pidfd, int *status)
{
	struct pidfd_info_0 info = { .mask = INFO_EXIT };

	if (ioctl(pidfd, GET_INFO, &info) < 0)
		return errno == ESRCH || errno == EAGAIN ? 1 : -1;
	if (!(info.mask & INFO_EXIT))
		return 1;
	*status = info.exit_code;
	return 0;
}

/* ---- pipes ---- */

uint64_t takeover_pipe_inode(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? st.st_ino : 0;
}

/* The file system that pipes are in, so that a fifo on a disk with the same number is none. */
static dev_t pipes_dev(void)
{
	static dev_t dev;
	struct stat st;
	int p[2];

	if (dev || pipe2(p, O_CLOEXEC) < 0)
		return dev;
	if (fstat(p[0], &st) == 0)
		dev = st.st_dev;
	close(p[0]);
	close(p[1]);
	return dev;
}

static bool is_pipe(const struct stat *st, uint64_t ino)
{
	return S_ISFIFO(st->st_mode) && st->st_ino == ino && st->st_dev == pipes_dev();
}

/* Looked at first: opening what is no pipe may do something. */
static int open_same(int dirfd, const char *name, uint64_t ino, int flags)
{
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, 0) < 0)
		return -1;
	errno = ENOENT;
	if (!is_pipe(&st, ino))
		return -1;
	fd = openat(dirfd, name, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && is_pipe(&st, ino) && fcntl(fd, F_SETFL, flags) == 0)
		return fd;
	close(fd);
	errno = ENOENT;
	return -1;
}

int takeover_pipe(pid_t pid, int likely, uint64_t ino, int flags)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	int fd, err;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (!d)
		return -1;
	snprintf(path, sizeof path, "%d", likely);
	fd = open_same(dirfd(d), path, ino, flags);
	while (fd < 0 && (errno == ENOENT) && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			fd = open_same(dirfd(d), e->d_name, ino, flags);
	err = errno;
	closedir(d);
	errno = err;
	return fd;
}

/* ---- without a record ---- */

/* After the clock was set, times tell nothing; a run that is where it was started is it all the same. */
static bool is_in(pid_t pid, int dirfd)
{
	struct stat dir, cwd;
	char path[64];

	snprintf(path, sizeof path, "/proc/%ld/cwd", (long)pid);
	return stat(path, &cwd) == 0 && fstat(dirfd, &dir) == 0 && cwd.st_dev == dir.st_dev && cwd.st_ino == dir.st_ino;
}

pid_t takeover_suspect(int dirfd)
{
	unsigned char bytes[STATUS_BYTES];
	struct timespec now;
	struct status s;
	struct stat st;
	int64_t ticks, born, boot;
	ssize_t n;
	int fd = openat(dirfd, "supervise/status", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return 0;
	n = fstat(fd, &st) < 0 ? -1 : read(fd, bytes, sizeof bytes);
	close(fd);
	if (n < 0 || status_unpack(bytes, (size_t)n, &s) < 0 || s.pid < 2 || s.at == 0 || children_birth((pid_t)s.pid, &ticks) < 0)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &now);
	boot = now.tv_sec * CLOCK_S + now.tv_nsec;
	born = clock_wall() - (boot - ticks * (CLOCK_S / sysconf(_SC_CLK_TCK)));
	if ((born < s.since - STAMP_SLACK || born > st.st_mtim.tv_sec * CLOCK_S + STAMP_SLACK) && !is_in((pid_t)s.pid, dirfd))
		return 0;
	return (pid_t)s.pid;
}
