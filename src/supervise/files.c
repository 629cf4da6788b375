#include "supervise/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static int why_errno(char why[FILES_WHY_MAX], const char *path, const char *file)
{
	snprintf(why, FILES_WHY_MAX, "%.150s/%s: %s", path, file, strerror(errno));
	return -1;
}

/* The folder itself, or the target of a dangling link. */
static int make_folder(int dirfd)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (mkdirat(dirfd, "supervise", 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (fstatat(dirfd, "supervise", &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return -1;
	}
	if (errno != ENOENT)
		return -1;
	n = readlinkat(dirfd, "supervise", target, sizeof target - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	return mkdirat(dirfd, target, 0700);
}

static int take_lock(struct files *f, char why[FILES_WHY_MAX])
{
	char path[PATH_MAX];
	pid_t owner;

	if (snprintf(path, sizeof path, "%s/supervise/lock", f->path) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return why_errno(why, f->path, "supervise/lock");
	}
	f->lock = fd_lock(path);
	if (f->lock >= 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return why_errno(why, f->path, "supervise/lock");
	owner = fd_lock_owner(path);
	if (owner > 0)
		snprintf(why, FILES_WHY_MAX, "%.150s/supervise/lock: held by process %ld; stop that supervisor first",
			f->path, (long)owner);
	else
		snprintf(why, FILES_WHY_MAX, "%.150s/supervise/lock: held by another supervisor (runsv?); stop it first", f->path);
	return -1;
}

static int open_fifo(struct files *f, const char *file, int flags)
{
	struct stat st;
	int fd;

	if (mkfifoat(f->dirfd, file, 0600) < 0 && errno != EEXIST)
		return -1;
	fd = openat(f->dirfd, file, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	errno = EEXIST;		/* something that is no fifo is in its place */
	return -1;
}

int files_open(struct files *f, int dirfd, const char *path, char why[FILES_WHY_MAX])
{
	*f = (struct files){ .dirfd = dirfd, .path = path, .lock = -1, .control = -1, .ok = -1, .pid = -1 };
	if (make_folder(dirfd) < 0)
		return why_errno(why, path, "supervise");
	if (take_lock(f, why) < 0)
		return -1;
	f->control = open_fifo(f, "supervise/control", O_RDWR);
	if (f->control < 0) {
		why_errno(why, path, "supervise/control");
		files_close(f);
		return -1;
	}
	return 0;
}

int files_announce(struct files *f, char why[FILES_WHY_MAX])
{
	f->ok = open_fifo(f, "supervise/ok", O_RDONLY);
	return f->ok < 0 ? why_errno(why, f->path, "supervise/ok") : 0;
}

static int replace(struct files *f, const char *file, const char *file_new, const void *p, size_t n)
{
	int fd = openat(f->dirfd, file_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int e;

	if (fd < 0)
		return -1;
	if (fd_write_all(fd, p, n) == 0 && renameat(f->dirfd, file_new, f->dirfd, file) == 0) {
		close(fd);
		return 0;
	}
	e = errno;
	close(fd);
	unlinkat(f->dirfd, file_new, 0);
	errno = e;
	return -1;
}

/* On a full disk the 20 bytes still fit where the last 20 are. */
static int overwrite(struct files *f, const char *file, const void *p, size_t n)
{
	int e = errno;
	int fd = openat(f->dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t k;

	if (fd < 0) {
		errno = e;
		return -1;
	}
	k = pwrite(fd, p, n, 0);
	close(fd);
	if (k == (ssize_t)n)
		return 0;
	errno = e;
	return -1;
}

/* 0; 1 when it is written, but not replaced; -1. */
static int write_status(struct files *f, const struct state *s, uint32_t pid)
{
	unsigned char bytes[STATUS_BYTES];
	struct status st;

	status_of(&st, s, pid);
	status_pack(&st, bytes);
	if (replace(f, "supervise/status", "supervise/status.new", bytes, sizeof bytes) == 0)
		return 0;
	return overwrite(f, "supervise/status", bytes, sizeof bytes) < 0 ? -1 : 1;
}

static int write_pid(struct files *f, uint32_t pid)
{
	char text[16];
	int n = pid ? snprintf(text, sizeof text, "%u\n", pid) : 0;

	if (f->pid == (int64_t)pid)
		return 0;
	if (replace(f, "supervise/pid", "supervise/pid.new", text, (size_t)n) < 0)
		return -1;
	f->pid = pid;
	return 0;
}

static int write_stat(struct files *f, const struct state *s)
{
	char text[STATUS_TEXT_MAX];
	size_t n = status_text(s, text);

	if (strcmp(text, f->text) == 0)
		return 0;
	if (replace(f, "supervise/stat", "supervise/stat.new", text, n) < 0)
		return -1;
	memcpy(f->text, text, sizeof text);
	return 0;
}

void files_write(struct files *f, const struct state *s, uint32_t pid)
{
	int bad_pid = write_pid(f, pid) < 0, bad_stat = write_stat(f, s) < 0;
	int error = errno, status = write_status(f, s, pid);

	if (status < 0)
		error = errno;
	if (!bad_pid && !bad_stat && status == 0) {
		f->failing = false;
		return;
	}
	/* Some of it may work while the disk is full: the fault is over when all of it does. */
	if (!f->failing && (bad_pid || bad_stat || status < 0))
		log_warn("%s/supervise/%s: %s: it may show an old state of this service until there is room", f->path,
			status < 0 ? "status" : bad_pid ? "pid" : "stat", strerror(error));
	f->failing = true;
}

void files_close(struct files *f)
{
	int *const fd[] = { &f->ok, &f->control, &f->lock };

	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}
