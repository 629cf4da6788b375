/* shim: the calls that open, write and sync files. */
#include "shim.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* ---- opening ---- */

/* For reading: its file may have a node. */
static int open_reader(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd = (int)sys(SYS_openat, (long)dirfd, (long)path, (long)flags, (long)mode);

	if (disk && fd >= 0 && fd < FDS && !(flags & (O_PATH | O_DIRECTORY))) {
		const struct disk_node *n = node_at(fd, false, false);
		errors_of[fd] = n ? n->errors : 0;
	}
	return fd;
}

static int open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
	const char *name;
	char line[NAME_MAX + 8];
	bool fresh = false;
	int dir, fd;

	if (!disk || !writes || (flags & O_PATH) || (dir = folder_of(dirfd, path, &name)) < 0)
		return open_reader(dirfd, path, flags, mode);
	if (flags & O_CREAT)
		fresh = sys(SYS_faccessat, (long)dir, (long)name, (long)F_OK) < 0;
	if (fresh || (flags & O_TRUNC)) {
		step();
		if (fresh && is_full()) {
			sys(SYS_close, (long)dir);
			errno = ENOSPC;
			return -1;
		}
	}
	if (fresh) {
		snprintf(line, sizeof line, "C\t%s\n", name);
		note_names(dir, line);
	}
	fd = (int)sys(SYS_openat, (long)dirfd, (long)path, (long)(flags & ~O_TRUNC), (long)mode);
	int err = errno;
	sys(SYS_close, (long)dir);
	errno = err;
	if (fd < 0 || fd >= FDS)
		return fd;
	struct disk_node *n = node_at(fd, true, fresh);
	node_of[fd] = (int32_t)(n - disk->node) + 1;
	errors_of[fd] = n->errors;
	if (flags & O_TRUNC) {
		note_bytes(n, fd, 0, n->durable);
		drop_touch(n, 0, INT64_MAX, false);
		sys(SYS_ftruncate, (long)fd, 0L);
	}
	return fd;
}

static mode_t mode_arg(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

#define OPEN(name) \
	int name(const char *path, int flags, ...) \
	{ \
		va_list ap; \
		va_start(ap, flags); \
		mode_t mode = mode_arg(flags, ap); \
		va_end(ap); \
		return open_any(AT_FDCWD, path, flags, mode); \
	}
#define OPENAT(name) \
	int name(int dirfd, const char *path, int flags, ...) \
	{ \
		va_list ap; \
		va_start(ap, flags); \
		mode_t mode = mode_arg(flags, ap); \
		va_end(ap); \
		return open_any(dirfd, path, flags, mode); \
	}
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* What a fortified caller calls. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __openat_2(int dirfd, const char *path, int flags) { return open_any(dirfd, path, flags, 0); }
int __openat64_2(int dirfd, const char *path, int flags) { return open_any(dirfd, path, flags, 0); }

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		node_of[fd] = 0;
	return (int)sys(SYS_close, (long)fd);
}

/* ---- writing ---- */

/* The part of a write that is done before the end. */
static size_t part_of(size_t n)
{
	return me && me->part ? (size_t)((uint64_t)n * me->part >> 16) : n / 2;
}

/* Before a write: notes, counts, and ends the process in its middle. -1: refused. */
static int before_write(struct disk_node *n, int fd, const void *p, size_t len, int64_t off)
{
	struct stat st;

	if (n && me->full && fstat(fd, &st) == 0 && off + (int64_t)len > st.st_size && is_full())
		return -1;
	if (n) {
		note_bytes(n, fd, off, (int64_t)len);
		drop_touch(n, off, off + (int64_t)len, false);
	}
	if (is_last()) {
		sys(SYS_pwrite64, (long)fd, (long)p, (long)part_of(len), (long)off);
		end_here();
	}
	return 0;
}

static ssize_t pwrite_any(int fd, const void *p, size_t n, off_t off)
{
	if ((node_of_fd(fd) || !disk) && before_write(node_of_fd(fd), fd, p, n, off) < 0)
		return -1;
	return sys(SYS_pwrite64, (long)fd, (long)p, (long)n, (long)off);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off) { return pwrite_any(fd, p, n, off); }
ssize_t pwrite64(int fd, const void *p, size_t n, off_t off) { return pwrite_any(fd, p, n, off); }

/* Where a write without an offset goes. */
static int64_t place(int fd)
{
	struct stat st;

	if (fcntl(fd, F_GETFL) & O_APPEND)
		return fstat(fd, &st) == 0 ? st.st_size : 0;
	return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (node_of_fd(fd) && before_write(node_of_fd(fd), fd, p, n, place(fd)) < 0)
		return -1;
	return sys(SYS_write, (long)fd, (long)p, (long)n);
}

/* On our disk always short, so that the rest is another call. */
static ssize_t short_vector(int fd, const struct iovec *v, int n, off_t off, bool at)
{
	size_t len = n ? v[0].iov_len : 0;

	if (len > 1)
		len = len / 2 + 1;
	if (before_write(node_of_fd(fd), fd, n ? v[0].iov_base : NULL, len, at ? off : place(fd)) < 0)
		return -1;
	return at ? sys(SYS_pwrite64, (long)fd, (long)v[0].iov_base, (long)len, (long)off) :
		sys(SYS_write, (long)fd, (long)v[0].iov_base, (long)len);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t off) { return short_vector(fd, v, n, off, true); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t off) { return short_vector(fd, v, n, off, true); }

ssize_t writev(int fd, const struct iovec *v, int n)
{
	return node_of_fd(fd) ? short_vector(fd, v, n, 0, false) : sys(SYS_writev, (long)fd, (long)v, (long)n);
}

static int truncate_any(int fd, off_t size)
{
	struct disk_node *n = node_of_fd(fd);

	if (n || !disk)
		step();
	if (there("fail-trunc")) {
		errno = EIO;
		return -1;
	}
	if (n) {
		note_bytes(n, fd, size, n->durable - size);
		drop_touch(n, size, INT64_MAX, false);
	}
	return (int)sys(SYS_ftruncate, (long)fd, (long)size);
}

int ftruncate(int fd, off_t size) { return truncate_any(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_any(fd, size); }

/* ---- syncing ---- */

/* drop: no, the dirty pages of the file never get there. */
static void now_durable(int fd, bool drop)
{
	uint64_t ino;
	int64_t born, size;
	bool is_dir;
	char path[PATH_MAX];
	struct disk_node *n;

	if (!disk)
		return;
	identify(fd, &ino, &born, &size, &is_dir);
	if (is_dir) {
		path_of_fd(fd, path);
		if (is_inside(path) && !drop)
			folder_synced(fd);
	} else if ((n = node_at(fd, false, false))) {
		if (drop) {
			drop_dirty(n, fd, size);
		} else {
			drop_touch(n, 0, 0, true);
			node_synced(n, size);
		}
	}
}

static bool is_log(int fd)
{
	char path[PATH_MAX];
	size_t n;

	path_of_fd(fd, path);
	n = strlen(path);
	return n > 7 && strcmp(path + n - 7, ".ndjson") == 0;
}

/* Has a sync of its file failed that this descriptor does not know of? It knows now. failed: this is one. */
static bool failed_before(int fd, bool failed)
{
	uint64_t ino;
	int64_t born, size, now;
	bool is_dir;
	struct disk_node *n;

	if (!disk || fd < 0 || fd >= FDS)
		return false;
	identify(fd, &ino, &born, &size, &is_dir);
	if (is_dir || !(n = node_at(fd, false, false)))
		return false;
	now = failed ? __atomic_add_fetch(&n->errors, 1, __ATOMIC_SEQ_CST) : __atomic_load_n(&n->errors, __ATOMIC_SEQ_CST);
	if (now == errors_of[fd])
		return false;
	errors_of[fd] = now;
	return true;
}

static int sync_any(int fd)
{
	bool fails = false, late = false, drop = false;

	step();
	if (me) {
		__atomic_add_fetch(&me->syncs, 1, __ATOMIC_RELAXED);
		if (use_one(&me->slow_syncs)) {
			__atomic_add_fetch(&me->hit_slow, 1, __ATOMIC_RELAXED);
			nanosleep(&(struct timespec){ me->slow_ms / 1000, me->slow_ms % 1000 * 1000000l }, NULL);
		}
		if (!use_one(&me->good_syncs) && use_one(&me->fail_syncs)) {
			__atomic_add_fetch(&me->hit_fail, 1, __ATOMIC_RELAXED);
			if (me->fail_mode == FAIL_LATE)
				late = true;
			else
				fails = true;
			drop = me->fail_mode == FAIL_DROP;
		}
	}
	while ((gettid() != getpid() && there("slow-sync")) || (there("slow-log") && is_log(fd)))
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	fails = fails || there("fail-sync");
	late = late || there("late-sync");
	late = failed_before(fd, fails || late) || late;
	if (!fails || drop)
		now_durable(fd, drop);
	if (fails || late) {
		errno = EIO;
		return -1;
	}
	step();
	return 0;
}

int fdatasync(int fd) { return sync_any(fd); }
int fsync(int fd) { return sync_any(fd); }

/* Linux AIO, which the store uses for syncs of many files at once: done at once, one after the other. */
static struct io_event finished[256];
static int nfinished;

long syscall(long n, ...)
{
	va_list ap;
	long a[6];

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_io_submit && disk) {
		struct iocb **list = (struct iocb **)a[2];
		long taken = 0;
		for (; taken < a[1] && nfinished < 256; taken++) {
			int rc = sync_any((int)list[taken]->aio_fildes);
			finished[nfinished++] = (struct io_event){ .data = list[taken]->aio_data, .res = rc < 0 ? -errno : 0 };
		}
		return taken;
	}
	if (n == SYS_io_getevents && disk) {
		long got = nfinished < a[2] ? nfinished : a[2];
		memcpy((void *)a[3], finished, (size_t)got * sizeof *finished);
		nfinished -= (int)got;
		memmove(finished, finished + got, (size_t)nfinished * sizeof *finished);
		return got;
	}
	return sys(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
