#include "supervise/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define GROW 64		/* rows */
#define BOOT_MAX 40

struct keep_head {
	char magic[8];
	uint32_t row_size, rows;	/* rows: once used */
	uint64_t pidns;
	char boot[BOOT_MAX];
};

static const char magic[8] = { 'P', 'E', 'N', 'S', 'T', 'K', 'K', '1' };

static size_t size_for(uint32_t rows)
{
	return sizeof(struct keep_head) + rows * sizeof(struct keep_row);
}

static int map(struct keep *k, uint32_t rows)
{
	size_t size = size_for(rows);
	unsigned char *claimed = realloc(k->claimed, rows);
	void *p;
	int e;

	if (!claimed)
		return -1;
	k->claimed = claimed;
	memset(claimed + k->rows, 0, rows - k->rows);
	/* Blocks are reserved first: a store into a hole of a full disk would be a SIGBUS. */
	if (k->fd >= 0 && (e = posix_fallocate(k->fd, 0, (off_t)size)) != 0) {
		errno = e;
		return -1;
	}
	p = k->head ? mremap(k->head, k->size, size, MREMAP_MAYMOVE) :
		mmap(NULL, size, PROT_READ | PROT_WRITE, k->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, k->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	k->head = p;
	k->row = (struct keep_row *)(k->head + 1);
	k->size = size;
	k->rows = rows;
	return 0;
}

/* What this boot and this process namespace are called. */
static void here(struct keep_head *h)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	struct stat st;

	memset(h, 0, sizeof *h);
	if (fd >= 0) {
		if (read(fd, h->boot, sizeof h->boot - 1) < 0)
			h->boot[0] = 0;
		close(fd);
	}
	if (stat("/proc/self/ns/pid", &st) == 0)
		h->pidns = st.st_ino;
	h->row_size = sizeof(struct keep_row);
	memcpy(h->magic, magic, sizeof magic);
}

/* Is what fd holds of use here? Then there is room for *rows in it. */
static bool left_here(int fd, const struct keep_head *now, uint32_t *rows)
{
	struct keep_head h;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
		return false;
	if (h.rows > KEEP_ROWS_MAX || (uint64_t)st.st_size < size_for(h.rows))
		return false;
	*rows = (uint32_t)(((uint64_t)st.st_size - sizeof h) / sizeof(struct keep_row));	/* a full disk gives no more */
	h.rows = now->rows;
	return memcmp(&h, now, sizeof h) == 0 && now->boot[0] && *rows <= KEEP_ROWS_MAX + GROW;
}

static int open_anew(struct keep *k)
{
	unlink(k->path);
	k->fd = open(k->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return k->fd < 0 ? -1 : 0;
}

int keep_open(struct keep *k, const char *path)
{
	struct keep_head now;
	uint32_t rows = 0;

	*k = (struct keep){ .path = path };
	here(&now);
	k->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (k->fd >= 0 && left_here(k->fd, &now, &rows)) {
		if (map(k, rows) == 0) {
			for (uint32_t i = 0; i < k->head->rows; i++)
				k->left += k->row[i].used != 0;
			return 0;
		}
	} else {
		if (k->fd >= 0)
			close(k->fd);
		if (open_anew(k) == 0 && map(k, GROW) == 0)
			goto made;
	}
	log_warn("%s: %s: if this supervise is killed, the next one will not know its processes", path, strerror(errno));
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	if (map(k, GROW) < 0) {
		log_error("no memory for the processes of the services");
		return -1;
	}
made:
	*k->head = now;
	return 0;
}

void keep_close(struct keep *k, bool done)
{
	if (done && k->fd >= 0)
		unlink(k->path);
	if (k->head)
		munmap(k->head, k->size);
	if (k->fd >= 0)
		close(k->fd);
	free(k->claimed);
	*k = (struct keep){ .fd = -1 };
}

static int find(struct keep *k, dev_t dev, ino_t ino)
{
	const uint32_t n = k->head->rows;

	for (uint32_t j = 0; k->left && j < n; j++) {
		uint32_t i = (k->hint + j) % n;		/* mostly they come in the same order again */

		if (k->row[i].used && !k->claimed[i] && k->row[i].dev == dev && k->row[i].ino == ino) {
			k->hint = i + 1;
			k->left--;
			return (int)i;
		}
	}
	return -1;
}

static int unused(struct keep *k, const char *name)
{
	uint32_t i = k->low;

	while (i < k->head->rows && k->row[i].used)
		i++;
	k->low = i;
	if (i < k->rows)
		return (int)i;
	if (i >= KEEP_ROWS_MAX) {
		log_error("%s: more than %d services", name, KEEP_ROWS_MAX);
		return -1;
	}
	if (map(k, k->rows + GROW) < 0) {
		log_error("%s: no room in %s: %s", name, k->path, strerror(errno));
		return -1;
	}
	return (int)i;
}

int keep_take(struct keep *k, dev_t dev, ino_t ino, const char *name)
{
	int i = find(k, dev, ino);
	struct keep_row *r;

	if (i < 0) {
		i = unused(k, name);
		if (i < 0)
			return -1;
		r = &k->row[i];
		memset(r, 0, sizeof *r);
		r->dev = dev;
		r->ino = ino;
		r->used = 1;
		if ((uint32_t)i >= k->head->rows)
			__atomic_store_n(&k->head->rows, (uint32_t)i + 1, __ATOMIC_RELEASE);
	}
	r = &k->row[i];
	strncpy(r->name, name, sizeof r->name - 1);
	k->claimed[i] = 1;
	return i;
}

void keep_give(struct keep *k, int row)
{
	k->row[row].used = 0;
	k->claimed[row] = 0;
	if ((uint32_t)row < k->low)
		k->low = (uint32_t)row;
}

static int64_t boot_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * CLOCK_S + t.tv_nsec;
}

/* Stores in this order, for one who reads after a kill. */
#define PUT(to, v) __atomic_store_n(&(to), (v), __ATOMIC_RELEASE)

uint32_t *keep_birth(struct keep_slot *s, bool finish)
{
	PUT(s->pid, 0);
	PUT(s->after, 0);
	PUT(s->finish, finish);
	PUT(s->before, boot_clock());
	return &s->pid;
}

void keep_born(struct keep_slot *s)
{
	PUT(s->after, boot_clock());
}

void keep_dead(struct keep_slot *s)
{
	PUT(s->pid, 0);
}

void keep_state(struct keep_slot *s, const struct state *st)
{
	uint32_t next = !(s->which & 1);

	s->st[next] = *st;
	PUT(s->which, next);
	PUT(s->noted, 1);
}

const struct state *keep_last(const struct keep_slot *s)
{
	return s->noted ? &s->st[s->which & 1] : NULL;
}

void keep_forget(struct keep_slot *s)
{
	PUT(s->pid, 0);
	PUT(s->noted, 0);
	s->notify = 0;
}

void keep_unclaimed(struct keep *k, void (*fn)(void *arg, int row), void *arg)
{
	for (uint32_t i = 0; i < k->head->rows; i++)
		if (k->row[i].used && !k->claimed[i])
			fn(arg, (int)i);
}
