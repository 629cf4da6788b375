/*
 * shim: LD_PRELOAD in front of a program: a disk that fails, is slow, full or forgets, a kill in the middle of a write, a clock that jumps.
 *
 * TORTURE=STATE: the simulated disk of disk.h, made by `disk init`; its faults are armed with `disk arm`.
 *
 * For tests of one program, without STATE too, while these files are in the current folder: slow-sync, fdatasync of another thread than
 * the first waits; slow-log, that of a *.ndjson waits; fail-sync, it fails with EIO and nothing is synced; late-sync, it fails although all is synced; fail-trunc, ftruncate fails.
 * KILL_AT=N: SIGKILL instead of the Nth call that changes a file; a write is half done then.
 *
 * Not seen: what is mapped, and what is written through stdio or a descriptor that was duplicated. Nothing in src/ writes its lasting files so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

#define REAL(name) \
	static __typeof__(&name) real; \
	if (!real) \
		real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define FDS 65536
static int32_t node_of[FDS];	/* of a descriptor: index + 1 */
static int64_t errors_of[FDS];	/* of its file's failed syncs, those that it knows of */
static struct disk *disk;
static struct disk_class_state *me;
static char state[PATH_MAX];

/* ---- the real calls, for our own use ---- */

static long sys(long n, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[6];

	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)sys(SYS_openat, (long)AT_FDCWD, (long)path, (long)(flags | O_CLOEXEC), (long)mode);
}

/* A fault of the harness itself must be seen. */
static void broken(const char *what, const char *path)
{
	char text[PATH_MAX + 128];
	int n = snprintf(text, sizeof text, "torture shim: %s: %s: %s\n", what, path, strerror(errno));

	sys(SYS_write, 2L, (long)text, (long)n);
	abort();
}

__attribute__((constructor)) static void begin(void)
{
	static const char *const names[CLASS_N] = {
#define X(name) #name,
		CLASSES(X)
#undef X
	};
	const char *dir = getenv("TORTURE");
	char path[PATH_MAX + 8];
	int fd;

	if (!dir || !*dir)
		return;
	snprintf(state, sizeof state, "%s", dir);
	snprintf(path, sizeof path, "%s/ctl", state);
	fd = sys_open(path, O_RDWR, 0);
	if (fd < 0)
		broken("open", path);
	disk = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (disk == MAP_FAILED || disk->magic != DISK_MAGIC)
		broken("not the state of a disk", path);
	sys(SYS_close, (long)fd);
	me = &disk->of[CLASS_other];
	for (int i = 0; i < CLASS_N; i++)
		if (!strcmp(program_invocation_short_name, names[i]))
			me = &disk->of[i];
}

static void lock(void)
{
	if (pthread_mutex_lock(&disk->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&disk->lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&disk->lock);
}

/* ---- faults ---- */

static bool there(const char *path)
{
	return sys(SYS_faccessat, (long)AT_FDCWD, (long)path, (long)F_OK) == 0;
}

/* Uses one up; true: there was one. */
static bool use(int32_t *left)
{
	int32_t n = __atomic_load_n(left, __ATOMIC_RELAXED);

	while (n > 0)
		if (__atomic_compare_exchange_n(left, &n, n - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
	return false;
}

static _Noreturn void end(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Counts a call that changes the disk; true: it is this process' last one. */
static bool is_last(void)
{
	static long left = -1;

	if (left < 0) {
		const char *at = getenv("KILL_AT");
		left = at ? atol(at) : 0;
	}
	if (left > 0 && __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0)
		return true;
	if (!me)
		return false;
	__atomic_add_fetch(&me->changes, 1, __ATOMIC_RELAXED);
	if (!use(&me->kill_at) || __atomic_load_n(&me->kill_at, __ATOMIC_SEQ_CST) != 0)
		return false;
	__atomic_add_fetch(&me->hit_kill, 1, __ATOMIC_RELAXED);
	return true;
}

static void step(void)
{
	if (is_last())
		end();
}

static bool is_full(void)
{
	if (!me || !__atomic_load_n(&me->full, __ATOMIC_RELAXED))
		return false;
	__atomic_add_fetch(&me->hit_full, 1, __ATOMIC_RELAXED);
	errno = ENOSPC;
	return true;
}

/* ---- nodes ---- */

static void identify(int fd, uint64_t *ino, int64_t *born, int64_t *size, bool *is_dir)
{
	struct statx x;

	if (sys(SYS_statx, (long)fd, (long)"", (long)AT_EMPTY_PATH, (long)(STATX_BASIC_STATS | STATX_BTIME), (long)&x) < 0)
		broken("statx", "");
	*ino = x.stx_ino;
	*born = x.stx_btime.tv_sec * 1000000000ll + x.stx_btime.tv_nsec;
	*size = (int64_t)x.stx_size;
	if (is_dir)
		*is_dir = S_ISDIR(x.stx_mode);
}

/* The node of an open file; made with `durable` bytes if there is none and make is set. NULL: none. */
static struct disk_node *node_at(int fd, bool make, bool fresh)
{
	struct disk_node *n, *found = NULL;
	uint64_t ino;
	int64_t born, size;

	identify(fd, &ino, &born, &size, NULL);
	lock();
	for (uint32_t i = 0, at = (uint32_t)(ino * 2654435761u) % NODES; i < NODES && !found; i++, at = (at + 1) % NODES) {
		n = &disk->node[at];
		if (n->ino == ino && n->born == born) {
			found = n;
		} else if (!n->ino) {
			if (!make)
				break;
			if (++disk->nnodes > NODES - NODES / 8)
				broken("too many files", disk->root);
			n->born = born;
			n->durable = fresh ? 0 : size;
			n->undo = n->dropped = n->errors = 0;
			n->ino = ino;
			found = n;
		}
	}
	unlock();
	return found;
}

static void undo_path(const struct disk_node *n, char path[PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/undo/%u", state, (unsigned)(n - disk->node));
}

/* Notes what stands at off..off+len now, as far as the disk has it. */
static void note_bytes(struct disk_node *n, int fd, int64_t off, int64_t len)
{
	char path[PATH_MAX + 32], self[64];
	struct undo u = { .off = off };
	int in, out;
	char *copy;

	if (off + len > n->durable)
		len = n->durable - off;
	if (len <= 0)
		return;
	/* The descriptor may be for writing only. */
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	in = sys_open(self, O_RDONLY, 0);
	copy = malloc((size_t)len + sizeof u);
	if (in < 0 || !copy)
		broken("note", self);
	u.len = sys(SYS_pread64, (long)in, (long)(copy + sizeof u), (long)len, (long)off);
	sys(SYS_close, (long)in);
	if (u.len > 0) {
		undo_path(n, path);
		memcpy(copy, &u, sizeof u);
		out = sys_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (out < 0 || sys(SYS_write, (long)out, (long)copy, (long)(u.len + (int64_t)sizeof u)) != u.len + (int64_t)sizeof u)
			broken("write", path);
		sys(SYS_close, (long)out);
		__atomic_add_fetch(&n->undo, u.len + (int64_t)sizeof u, __ATOMIC_SEQ_CST);
	}
	free(copy);
}

/* ---- pages that a failed sync dropped ---- */

static int drop_open(const struct disk_node *n)
{
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof path, "%s/drop/%u", state, (unsigned)(n - disk->node));
	fd = sys_open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		broken("open", path);
	return fd;
}

/* Bytes from..to of the file are written again; or (synced) all that were are on the disk now. */
static void drop_touch(struct disk_node *n, int64_t from, int64_t to, bool synced)
{
	struct dropped d;
	int fd;

	if (!n->dropped)
		return;
	fd = drop_open(n);
	for (int64_t at = 0; sys(SYS_pread64, (long)fd, (long)&d, (long)sizeof d, (long)at) == (long)sizeof d; at += (int64_t)sizeof d) {
		if (d.page < 0 || (synced ? !d.written : d.page * DROP_PAGE >= to || (d.page + 1) * DROP_PAGE <= from))
			continue;
		if (synced)
			d.page = -1;
		else
			d.written = 1;
		sys(SYS_pwrite64, (long)fd, (long)&d, (long)sizeof d, (long)at);
	}
	sys(SYS_close, (long)fd);
}

/* What the disk has of page `page`, from the page cache and the notes (all of STATE/undo/NODE). */
static void drop_image(const struct disk_node *n, int in, const char *notes, size_t len, struct dropped *d)
{
	struct { size_t at; struct undo u; } *list = malloc((len / sizeof(struct undo) + 1) * sizeof *list);
	int64_t begin = d->page * DROP_PAGE, end = begin + DROP_PAGE;
	size_t count = 0;

	memset(d->bytes, 0, sizeof d->bytes);
	sys(SYS_pread64, (long)in, (long)d->bytes, (long)DROP_PAGE, (long)begin);
	for (size_t at = 0; at + sizeof(struct undo) <= len; at += sizeof(struct undo) + (size_t)list[count - 1].u.len) {
		memcpy(&list[count].u, notes + at, sizeof(struct undo));
		list[count++].at = at + sizeof(struct undo);
	}
	while (count--) {
		const struct undo *u = &list[count].u;
		int64_t from = u->off > begin ? u->off : begin, to = u->off + u->len < end ? u->off + u->len : end;
		if (from < to)
			memcpy(d->bytes + (from - begin), notes + list[count].at + (from - u->off), (size_t)(to - from));
	}
	free(list);
	d->len = (int32_t)(n->durable <= begin ? 0 : n->durable < end ? n->durable - begin : DROP_PAGE);
}

/* Which pages are dropped already. That they were written again was of no use. */
static void drop_known(int fd, char *known, int64_t pages)
{
	struct dropped d;

	for (int64_t at = 0; sys(SYS_pread64, (long)fd, (long)&d, (long)sizeof d, (long)at) == (long)sizeof d; at += (int64_t)sizeof d) {
		if (d.page < 0)
			continue;
		if (d.page < pages)
			known[d.page] = 1;
		d.written = 0;
		sys(SYS_pwrite64, (long)fd, (long)&d, (long)sizeof d, (long)at);
	}
}

static void drop_page(struct disk_node *n, int out, int in, int64_t page, char *known, const char *notes, size_t len)
{
	struct dropped d = { .page = page };
	off_t end = lseek(out, 0, SEEK_END);

	if (known[page])
		return;
	known[page] = 1;
	drop_image(n, in, notes, len, &d);
	if (sys(SYS_pwrite64, (long)out, (long)&d, (long)sizeof d, (long)end) != (long)sizeof d)
		broken("write", "drop");
	n->dropped++;
}

static void node_synced(struct disk_node *n, int64_t size);

/* A sync failed, and the kernel takes the dirty pages for clean. */
static void drop_dirty(struct disk_node *n, int fd, int64_t size)
{
	char path[PATH_MAX + 32], *notes = NULL;
	int64_t pages = (size > n->durable ? size : n->durable) / DROP_PAGE + 1;
	char *known = calloc(1, (size_t)pages);
	size_t len = 0;
	struct stat st;
	int in, undo, out = drop_open(n);

	if (!known)
		broken("memory", "drop");
	drop_known(out, known, pages);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	in = sys_open(path, O_RDONLY, 0);
	undo_path(n, path);
	undo = sys_open(path, O_RDONLY, 0);
	if (in < 0)
		broken("open", path);
	if (undo >= 0 && fstat(undo, &st) == 0 && st.st_size > 0 && (notes = malloc((size_t)st.st_size)))
		len = (size_t)sys(SYS_read, (long)undo, (long)notes, (long)st.st_size);
	for (size_t at = 0; at + sizeof(struct undo) <= len; ) {
		struct undo u;
		memcpy(&u, notes + at, sizeof u);
		for (int64_t page = u.off / DROP_PAGE; page < pages && page * DROP_PAGE < u.off + u.len; page++)
			drop_page(n, out, in, page, known, notes, len);
		at += sizeof u + (size_t)u.len;
	}
	for (int64_t page = n->durable / DROP_PAGE; page * DROP_PAGE < size; page++)
		drop_page(n, out, in, page, known, notes, len);
	free(known);
	sys(SYS_close, (long)in);
	sys(SYS_close, (long)out);
	if (undo >= 0)
		sys(SYS_close, (long)undo);
	free(notes);
	/* As for the rest, it is as if it had been synced. */
	node_synced(n, size);
}

static void node_synced(struct disk_node *n, int64_t size)
{
	char path[PATH_MAX + 32];

	if (__atomic_load_n(&n->undo, __ATOMIC_SEQ_CST)) {
		undo_path(n, path);
		sys(SYS_truncate, (long)path, 0L);
		n->undo = 0;
	}
	n->durable = size;
}

static struct disk_node *node_of_fd(int fd)
{
	return disk && fd >= 0 && fd < FDS && node_of[fd] ? &disk->node[node_of[fd] - 1] : NULL;
}

/* ---- names ---- */

/* Is this folder of the simulated disk? Not sockets and counters, not logs, not ours. */
static bool is_inside(const char *path)
{
	size_t n = strlen(disk->root);
	static const char *const out[] = { "/run", "/log", "/service", "/.grave" };

	if (strncmp(path, disk->root, n) != 0 || (path[n] && path[n] != '/'))
		return false;
	for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
		size_t k = strlen(out[i]);
		if (!strncmp(path + n, out[i], k) && (!path[n + k] || path[n + k] == '/'))
			return false;
	}
	return true;
}

static bool forgettable(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && !strcmp(name + n - 4, "-shm")) || (n >= 4 && !strcmp(name + n - 4, "lock"));
}

static void path_of_fd(int fd, char path[PATH_MAX])
{
	char self[64];
	long n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = sys(SYS_readlinkat, (long)AT_FDCWD, (long)self, (long)path, (long)PATH_MAX - 1);
	path[n > 0 ? n : 0] = 0;
}

/* The folder of a name, opened; -1: none of ours. */
static int folder_of(int dirfd, const char *path, const char **name)
{
	char dir[PATH_MAX], real[PATH_MAX];
	const char *slash;
	int fd;

	if (!disk)
		return -1;
	slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (forgettable(*name) || (slash && slash - path >= PATH_MAX))
		return -1;
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
	fd = (int)sys(SYS_openat, (long)dirfd, (long)dir, (long)(O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return -1;
	path_of_fd(fd, real);
	if (is_inside(real))
		return fd;
	sys(SYS_close, (long)fd);
	return -1;
}

static void journal_path(int dir, char path[PATH_MAX + 32])
{
	uint64_t ino;
	int64_t born, size;

	identify(dir, &ino, &born, &size, NULL);
	snprintf(path, PATH_MAX + 32, "%s/dir/%llu", state, (unsigned long long)ino);
}

static void note_names(int dir, const char *line)
{
	char path[PATH_MAX + 32];
	int fd;

	journal_path(dir, path);
	fd = sys_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || sys(SYS_write, (long)fd, (long)line, (long)strlen(line)) < 0)
		broken("write", path);
	sys(SYS_close, (long)fd);
}

/* A second name for what is about to lose its own; grave "-": there is nothing, or it is forgettable. */
static void bury(int dir, const char *name, char grave[32])
{
	char path[PATH_MAX + 64];
	uint64_t number;

	lock();
	number = ++disk->grave;
	unlock();
	snprintf(grave, 32, "%llu", (unsigned long long)number);
	snprintf(path, sizeof path, "%s/.grave/%s", disk->root, grave);
	if (sys(SYS_linkat, (long)dir, (long)name, (long)AT_FDCWD, (long)path, 0L) < 0)
		strcpy(grave, "-");
}

/* Graves of a folder's journal are not needed any more. */
static void folder_synced(int dir)
{
	char path[PATH_MAX + 32], grave[PATH_MAX + 64], *text, *save = NULL;
	struct stat st;
	int fd;

	journal_path(dir, path);
	fd = sys_open(path, O_RDWR, 0);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (text = malloc((size_t)st.st_size + 1))) {
		text[sys(SYS_read, (long)fd, (long)text, (long)st.st_size)] = 0;
		sys(SYS_ftruncate, (long)fd, 0L);
		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			char *last = strrchr(line, '\t');
			if ((*line == 'U' || *line == 'R') && last && strcmp(last + 1, "-") != 0) {
				snprintf(grave, sizeof grave, "%s/.grave/%s", disk->root, last + 1);
				sys(SYS_unlinkat, (long)AT_FDCWD, (long)grave, 0L);
			}
		}
		free(text);
	}
	sys(SYS_close, (long)fd);
}

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
		end();
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
		if (use(&me->slow_syncs)) {
			__atomic_add_fetch(&me->hit_slow, 1, __ATOMIC_RELAXED);
			nanosleep(&(struct timespec){ me->slow_ms / 1000, me->slow_ms % 1000 * 1000000l }, NULL);
		}
		if (!use(&me->good_syncs) && use(&me->fail_syncs)) {
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

/* ---- changing names ---- */

static int rename_any(int fromdir, const char *from, int todir, const char *to)
{
	const char *fname, *tname;
	char grave[32], line[2 * NAME_MAX + 64];
	int dir = folder_of(fromdir, from, &fname), other;

	if (dir < 0 && disk)
		return (int)sys(SYS_renameat2, (long)fromdir, (long)from, (long)todir, (long)to, 0L);
	step();
	if (dir >= 0) {
		other = folder_of(todir, to, &tname);
		if (other >= 0) {
			bury(other, tname, grave);
			/* One folder: all that is done here. */
			snprintf(line, sizeof line, "R\t%s\t%s\t%s\n", fname, tname, grave);
			note_names(dir, line);
			sys(SYS_close, (long)other);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_renameat2, (long)fromdir, (long)from, (long)todir, (long)to, 0L);
}

int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int fd, const char *from, int td, const char *to) { return rename_any(fd, from, td, to); }

static int unlink_any(int dirfd, const char *path, int flags)
{
	const char *name;
	char grave[32], line[NAME_MAX + 64];
	int dir = flags & AT_REMOVEDIR ? -1 : folder_of(dirfd, path, &name);

	if (dir >= 0 || !disk)
		step();
	if (dir >= 0) {
		bury(dir, name, grave);
		if (strcmp(grave, "-") != 0) {
			snprintf(line, sizeof line, "U\t%s\t%s\n", name, grave);
			note_names(dir, line);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_unlinkat, (long)dirfd, (long)path, (long)flags);
}

int unlink(const char *path) { return unlink_any(AT_FDCWD, path, 0); }
int unlinkat(int fd, const char *path, int flags) { return unlink_any(fd, path, flags); }

static int mkdir_any(int dirfd, const char *path, mode_t mode)
{
	const char *name;
	char line[NAME_MAX + 8];
	int dir = folder_of(dirfd, path, &name);

	if (dir >= 0) {
		if (sys(SYS_faccessat, (long)dir, (long)name, (long)F_OK) < 0) {
			step();
			snprintf(line, sizeof line, "M\t%s\n", name);
			note_names(dir, line);
		}
		sys(SYS_close, (long)dir);
	}
	return (int)sys(SYS_mkdirat, (long)dirfd, (long)path, (long)mode);
}

int mkdir(const char *path, mode_t mode) { return mkdir_any(AT_FDCWD, path, mode); }
int mkdirat(int fd, const char *path, mode_t mode) { return mkdir_any(fd, path, mode); }

/* ---- the wall clock ---- */

int clock_gettime(clockid_t id, struct timespec *t)
{
	REAL(clock_gettime);
	int rc = real(id, t);

	if (rc == 0 && me && me->clock && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
		int64_t ns = t->tv_sec * 1000000000ll + t->tv_nsec + me->clock;
		t->tv_sec = ns / 1000000000;
		t->tv_nsec = ns % 1000000000;
	}
	return rc;
}

time_t time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}
