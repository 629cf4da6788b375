#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LOCK_LOOK (5 * CLOCK_MS)

int fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int fd_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static void close_keep_errno(int fd)
{
	int e = errno;

	close(fd);
	errno = e;
}

int fd_read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -1;
	for (;;) {
		/* At the ceiling one more byte tells a file of exactly that size from a longer one. */
		char beyond;
		size_t room = out->max - out->len;

		if (room == 0) {
			n = read(fd, &beyond, 1);
			if (n > 0) {
				errno = EMSGSIZE;
				n = -1;
			}
		} else {
			if (buf_reserve(out, room < 65536 ? room : 65536))
				goto fail;
			n = read(fd, out->p + out->len, out->cap - out->len);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		if (n == 0)
			break;
		out->len += (size_t)n;
	}
	close(fd);
	return 0;
fail:
	close_keep_errno(fd);
	return -1;
}

int fd_sync_dir(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int fd;

	if (n >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!slash) {
		memcpy(dir, ".", 2);
	} else if (n == 0) {
		memcpy(dir, "/", 2);
	} else {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* EINVAL: a file system that has no sync of folders; there is nothing more to do on it. */
	if (fsync(fd) && errno != EINVAL) {
		close_keep_errno(fd);
		return -1;
	}
	close(fd);
	return 0;
}

int fd_replace(const char *path, const void *p, size_t n, mode_t mode)
{
	char new[PATH_MAX];
	int fd, e;

	if ((size_t)snprintf(new, sizeof(new), "%s.new", path) >= sizeof(new)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -1;
	/* A .new left by a crash keeps the mode it was made with. */
	if (fchmod(fd, mode) || fd_write_all(fd, p, n) || fdatasync(fd)) {
		close_keep_errno(fd);
		goto fail;
	}
	if (close(fd) || rename(new, path))
		goto fail;
	return fd_sync_dir(path);
fail:
	e = errno;
	unlink(new);
	errno = e;
	return -1;
}

int fd_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (n == 0 || n >= sizeof(part)) {
		errno = n ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) && errno != EEXIST) {
			/* An existing folder may answer EROFS or EACCES where it may not be made. */
			int e = errno;

			if (stat(part, &st) || !S_ISDIR(st.st_mode)) {
				errno = e;
				return -1;
			}
		}
		if (i < n)
			part[i] = '/';
	}
	if (stat(path, &st))
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	return 0;
}

int fd_lock_at(int dirfd, const char *path)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB))
		goto fail;
	if (fcntl(fd, F_SETLK, &whole)) {
		if (errno == EACCES)	/* POSIX allows either */
			errno = EWOULDBLOCK;
		goto fail;
	}
	return fd;
fail:
	close_keep_errno(fd);
	return -1;
}

/* Who holds the fcntl lock: 1 and *owner; 0 nobody, -1 errno. */
static int owner_at(int dirfd, const char *path, pid_t *owner)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dirfd, path, O_RDWR | O_CLOEXEC);

	*owner = 0;
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_GETLK, &whole)) {
		close_keep_errno(fd);
		return -1;
	}
	close(fd);
	if (whole.l_type == F_UNLCK)
		return 0;
	*owner = whole.l_pid;
	return 1;
}

pid_t fd_lock_owner(const char *path)
{
	pid_t owner;

	return owner_at(AT_FDCWD, path, &owner) < 0 ? -1 : owner;
}

int fd_lock_signal(const char *path, int sig)
{
	pid_t pid = fd_lock_owner(path);
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return -1;
	if (fd_lock_owner(path) == pid && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0)
		return fd;
	close_keep_errno(fd);
	return -1;
}

/* "PID (COMM) S ...", and COMM may hold parentheses. A /proc of another process namespace has other processes. */
static bool is_zombie(pid_t pid)
{
	char path[32], text[256];
	const char *at;
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);
	int fd;

	text[n > 0 ? n : 0] = '\0';
	if (strtol(text, NULL, 10) != getpid())
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	return at && at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X');
}

/* In a process namespace one that has ended is 0, as is one of another namespace. -1: a lock of an open file, not of a process. */
static bool has_ended(pid_t pid)
{
	return pid == 0 || (pid > 0 && ((kill(pid, 0) < 0 && errno == ESRCH) || is_zombie(pid)));
}

int fd_lock_wait(int dirfd, const char *path, int64_t dead, int64_t nobody, pid_t *owner)
{
	int64_t begun = clock_mono(), waited, patience;

	for (;;) {
		int fd = fd_lock_at(dirfd, path);

		*owner = 0;
		if (fd >= 0 || errno != EWOULDBLOCK)
			return fd;
		waited = clock_mono() - begun;
		patience = owner_at(dirfd, path, owner) != 1 ? nobody : has_ended(*owner) ? dead : 0;
		if (waited >= patience) {
			errno = EWOULDBLOCK;
			return -1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_LOOK }, NULL);
	}
}

int fd_lock(const char *path)
{
	pid_t owner;

	return fd_lock_wait(AT_FDCWD, path, FD_LOCK_PATIENCE, FD_LOCK_PATIENCE, &owner);
}
