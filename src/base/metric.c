#include "base/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define MAGIC "PENSTKM1"
#define LOCK_LOOKS 100
#define LOCK_LOOK (10 * CLOCK_MS)

struct row {
	char name[64], labels[64], help[96];
	uint32_t kind, pad;
	uint64_t value;
};

struct head {
	char magic[8];
	uint32_t row_size, rows;
	int64_t pid, started;
	char pad[32];
};

struct area {
	struct head head;
	struct row row[METRIC_ROWS];
};

#define AREA_BYTES ((sizeof(struct area) + 4095) / 4096 * 4096)

const char *metric_path;

static struct area *area;
static uint64_t spare;

static bool names_area(const struct area *a)
{
	return memcmp(a->head.magic, MAGIC, sizeof(a->head.magic)) == 0 && a->head.row_size == sizeof(struct row) &&
	       a->head.rows <= METRIC_ROWS;
}

/* A file is taken over only if it is ours or empty: -M with the wrong name must not destroy anything. */
static int check_file(int fd)
{
	static const char none[sizeof(((struct head *)0)->magic)];
	char magic[sizeof(none)];
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		return 0;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size != AREA_BYTES || pread(fd, magic, sizeof(magic), 0) != sizeof(magic) ||
	    (memcmp(magic, MAGIC, sizeof(magic)) != 0 && memcmp(magic, none, sizeof(magic)) != 0)) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* A writer that was killed a moment ago may not have given its lock back yet: it is waited for. No event tells when a lock is free. */
static int take(int fd)
{
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK || i == LOCK_LOOKS)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_LOOK }, NULL);
	}
	return 0;
}

/* The descriptor stays open: it holds the lock. */
static struct area *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	void *p;

	if (fd < 0) {
		log_error("metrics file %s: %m", path);
		return NULL;
	}
	if (take(fd)) {
		if (errno == EWOULDBLOCK)
			log_error("metrics file %s: another process writes it; give each its own with -M", path);
		else
			log_error("metrics file %s: cannot be locked: %m", path);
		goto fail;
	}
	if (check_file(fd)) {
		if (errno == EINVAL)
			log_error("metrics file %s: not a metrics file; name another with -M or remove it", path);
		else
			log_error("metrics file %s: %m", path);
		goto fail;
	}
	/* All blocks now: a full disk must show here and not as SIGBUS at some later count. */
	errno = posix_fallocate(fd, 0, (off_t)AREA_BYTES);
	if (errno) {
		log_error("metrics file %s: no room for %zu bytes: %m", path, AREA_BYTES);
		goto fail;
	}
	p = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		return p;
	log_error("metrics file %s: %m", path);
fail:
	close(fd);
	return NULL;
}

static void start_area(struct area *a)
{
	if (!names_area(a)) {
		memset(a, 0, sizeof(*a));
		a->head.row_size = sizeof(struct row);
		memcpy(a->head.magic, MAGIC, sizeof(a->head.magic));
	}
	a->head.pid = getpid();
	a->head.started = clock_wall();
	for (uint32_t i = 0; i < a->head.rows; i++)
		if (a->row[i].kind == METRIC_GAUGE)
			metric_set(&a->row[i].value, 0);
}

static struct area *private_area(void)
{
	struct area *a = calloc(1, AREA_BYTES);

	if (!a)
		die(1, "out of memory");
	start_area(a);
	return a;
}

int metric_open(const char *prog)
{
	struct area *a;

	(void)prog;
	if (!metric_path || area)
		return 0;
	a = map_file(metric_path);
	if (!a)
		return -1;
	start_area(a);
	area = a;
	return 0;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

/* The row of that name; *want gets the cells as they would be. */
static struct row *find(struct row *want, const char *name, const char *labels)
{
	if (!area)
		area = private_area();
	copy(want->name, sizeof(want->name), name);
	copy(want->labels, sizeof(want->labels), labels);
	for (uint32_t i = 0; i < area->head.rows; i++)
		if (strcmp(area->row[i].name, want->name) == 0 && strcmp(area->row[i].labels, want->labels) == 0)
			return &area->row[i];
	return NULL;
}

uint64_t *metric_find(const char *name, const char *labels)
{
	struct row want, *r = find(&want, name, labels);

	return r ? &r->value : NULL;
}

unsigned metric_room(void)
{
	return area ? METRIC_ROWS - area->head.rows : METRIC_ROWS;
}

uint64_t *metric_row(const char *name, const char *labels, enum metric_kind kind, const char *help)
{
	static bool warned;
	struct row want, *r = find(&want, name, labels);

	if (r)
		return &r->value;
	if (area->head.rows == METRIC_ROWS) {
		if (!warned)
			log_warn("more than %d metrics: %s{%s} and what comes later is not counted", METRIC_ROWS, name, labels);
		warned = true;
		return &spare;
	}
	r = &area->row[area->head.rows];
	memcpy(r->name, want.name, sizeof(r->name));
	memcpy(r->labels, want.labels, sizeof(r->labels));
	copy(r->help, sizeof(r->help), help);
	r->kind = kind;
	metric_set(&r->value, 0);
	__atomic_store_n(&area->head.rows, area->head.rows + 1, __ATOMIC_RELEASE);
	return &r->value;
}

int metric_read(const char *path, void (*fn)(void *arg, const struct metric_view *row), void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const struct area *a;
	uint32_t rows;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (size_t)st.st_size != AREA_BYTES) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	a = mmap(NULL, AREA_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (a == MAP_FAILED)
		return -1;
	rows = __atomic_load_n(&a->head.rows, __ATOMIC_ACQUIRE);
	if (!names_area(a) || rows > METRIC_ROWS) {
		munmap((void *)(uintptr_t)a, AREA_BYTES);
		errno = EINVAL;
		return -1;
	}
	for (uint32_t i = 0; i < rows; i++) {
		/* A copy with its own NULs: the file belongs to another process. */
		struct row r = a->row[i];

		r.name[sizeof(r.name) - 1] = r.labels[sizeof(r.labels) - 1] = r.help[sizeof(r.help) - 1] = '\0';
		fn(arg, &(struct metric_view){r.name, r.labels, r.help, (enum metric_kind)r.kind, metric_get(&a->row[i].value)});
	}
	munmap((void *)(uintptr_t)a, AREA_BYTES);
	return 0;
}
