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
#include "shim.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

int32_t node_of[FDS];
int64_t errors_of[FDS];
struct disk *disk;
struct disk_class_state *me;
char state[PATH_MAX];

/* ---- the real calls, for our own use ---- */

long sys(long n, ...)
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

int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)sys(SYS_openat, (long)AT_FDCWD, (long)path, (long)(flags | O_CLOEXEC), (long)mode);
}

/* A fault of the harness itself must be seen. */
void broken(const char *what, const char *path)
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

void disk_lock(void)
{
	if (pthread_mutex_lock(&disk->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&disk->lock);
}

void disk_unlock(void)
{
	pthread_mutex_unlock(&disk->lock);
}

/* ---- faults ---- */

bool there(const char *path)
{
	return sys(SYS_faccessat, (long)AT_FDCWD, (long)path, (long)F_OK) == 0;
}

/* Uses one up; true: there was one. */
bool use_one(int32_t *left)
{
	int32_t n = __atomic_load_n(left, __ATOMIC_RELAXED);

	while (n > 0)
		if (__atomic_compare_exchange_n(left, &n, n - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
	return false;
}

_Noreturn void end_here(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Counts a call that changes the disk; true: it is this process' last one. */
bool is_last(void)
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
	if (!use_one(&me->kill_at) || __atomic_load_n(&me->kill_at, __ATOMIC_SEQ_CST) != 0)
		return false;
	__atomic_add_fetch(&me->hit_kill, 1, __ATOMIC_RELAXED);
	return true;
}

void step(void)
{
	if (is_last())
		end_here();
}

bool is_full(void)
{
	if (!me || !__atomic_load_n(&me->full, __ATOMIC_RELAXED))
		return false;
	__atomic_add_fetch(&me->hit_full, 1, __ATOMIC_RELAXED);
	errno = ENOSPC;
	return true;
}

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
