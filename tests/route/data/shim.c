/*
 * shim: LD_PRELOAD for tests of what a disk and a kill can do to the hub.
 *
 * While these files are in the current folder: slow-sync, fdatasync of the sync thread waits; fail-sync, it fails with EIO and nothing is synced;
 * late-sync, it fails although all is synced; fail-trunc, ftruncate fails.
 * KILL_AT=N: SIGKILL instead of the Nth call that changes a file; a write is half done then.
 * POWER=DIR: DIR gets what the disk would have after a loss of power, in the strictest reading: the content of a file as of its
 * last sync in DIR/KEY, the names in a folder as of its last fsync in DIR/KEY, lines "d KEY NAME" and "f KEY NAME".
 * (disk.bash makes a tree of that.)
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Counts a call; true: this is the last one. */
static int is_last(void)
{
	static long left = -1;

	if (left < 0) {
		const char *at = getenv("KILL_AT");
		left = at ? atol(at) : 0;
	}
	return left > 0 && __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0;
}

static void step(void)
{
	if (is_last())
		raise(SIGKILL);
}

/* An inode number may be used again; together with the time of birth it is not. */
static void key_of(int dirfd, const char *name, char *key, size_t size, int *is_dir)
{
	struct statx x;

	if (statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &x) < 0)
		abort();
	snprintf(key, size, "%llu.%lld.%u", (unsigned long long)x.stx_ino, (long long)x.stx_btime.tv_sec, x.stx_btime.tv_nsec);
	*is_dir = S_ISDIR(x.stx_mode);
}

static void keep_names(int fd, FILE *out)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY), is_dir;
	DIR *d = fdopendir(copy);
	char key[64];

	for (const struct dirent *e; (e = readdir(d)); ) {
		if (e->d_name[0] == '.')
			continue;
		key_of(fd, e->d_name, key, sizeof(key), &is_dir);
		fprintf(out, "%c %s %s\n", is_dir ? 'd' : 'f', key, e->d_name);
	}
	closedir(d);
}

static void keep_bytes(int fd, FILE *out)
{
	char path[64], block[65536];
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FILE *in = fopen(path, "r");
	while (in && (n = fread(block, 1, sizeof(block), in)) > 0)
		fwrite(block, 1, n, out);
	if (in)
		fclose(in);
}

static void keep(int fd)
{
	const char *dir = getenv("POWER");
	char key[64], path[512], new[520];
	REAL(rename);
	int is_dir;

	if (!dir)
		return;
	key_of(fd, "", key, sizeof(key), &is_dir);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	snprintf(new, sizeof(new), "%s.new", path);
	FILE *out = fopen(new, "w");
	if (!out)
		abort();
	if (is_dir)
		keep_names(fd, out);
	else
		keep_bytes(fd, out);
	fclose(out);
	real(new, path);
}

static int sync_or_fail(int fd)
{
	step();
	while (gettid() != getpid() && there("slow-sync"))
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	if (!there("fail-sync"))
		keep(fd);
	if (there("fail-sync") || there("late-sync")) {
		errno = EIO;
		return -1;
	}
	step();
	return 0;
}

int fdatasync(int fd)
{
	return sync_or_fail(fd);
}

int fsync(int fd)
{
	return sync_or_fail(fd);
}

int ftruncate(int fd, off_t n)
{
	REAL(ftruncate);

	step();
	if (there("fail-trunc")) {
		errno = EIO;
		return -1;
	}
	return real(fd, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	REAL(pwrite);

	if (is_last()) {
		real(fd, p, n / 2, off);
		raise(SIGKILL);
	}
	return real(fd, p, n, off);
}

/* Always short, so that the rest of a group is another call. */
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t off)
{
	REAL(pwrite);
	size_t len = n ? v[0].iov_len : 0;

	if (len > 1)
		len = len / 2 + 1;
	if (is_last()) {
		real(fd, v[0].iov_base, len / 2, off);
		raise(SIGKILL);
	}
	return real(fd, v[0].iov_base, len, off);
}

int rename(const char *from, const char *to)
{
	REAL(rename);

	step();
	return real(from, to);
}

int unlink(const char *path)
{
	REAL(unlink);

	step();
	return real(path);
}

int unlinkat(int fd, const char *path, int flags)
{
	REAL(unlinkat);

	step();
	return real(fd, path, flags);
}
