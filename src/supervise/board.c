#include "supervise/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define GROW 16		/* rows */

static const char magic[8] = { 'P', 'E', 'N', 'S', 'T', 'K', 'B', '1' };

static struct board_row *row_at(const struct board *b, int row)
{
	return (struct board_row *)((char *)b->head + BOARD_HEAD) + row;
}

static size_t size_for(uint32_t rows)
{
	return BOARD_HEAD + rows * sizeof(struct board_row);
}

static int map(struct board *b, uint32_t rows)
{
	size_t size = size_for(rows);
	void *p;
	int e;

	/* Blocks are reserved first: a store into a hole of a full disk would be a SIGBUS. */
	if (b->fd >= 0 && (e = posix_fallocate(b->fd, 0, (off_t)size)) != 0) {
		errno = e;
		return -1;
	}
	if (b->head)
		p = mremap(b->head, b->size, size, MREMAP_MAYMOVE);
	else
		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			b->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, b->fd, 0);
	if (p == MAP_FAILED)
		return -1;
	b->head = p;
	b->size = size;
	b->rows = rows;
	return 0;
}

static void ignore(void *arg, const struct board_row *row, bool torn)
{
	(void)arg;
	(void)row;
	(void)torn;
}

/* The rows of the run before, for what goes on over a restart; those that were given back at its end, too. Where it was killed while it
 * wrote a count may be wrong. Without memory or a file there are none. */
static void read_old(struct board *b, const char *path)
{
	struct board_head head;
	const char *why;
	struct buf text;

	buf_init(&text, size_for(BOARD_ROWS_MAX));
	if (fd_read_file(path, &text) == 0 && board_each(text.p, text.len, &head, ignore, NULL, &why) == 0 && head.rows > 0)
		b->old = malloc(head.rows * sizeof *b->old);
	for (uint32_t i = 0; b->old && i < head.rows; i++) {
		memcpy(&b->old[b->nold], text.p + size_for(i), sizeof *b->old);
		b->nold += memchr(b->old[b->nold].name, 0, sizeof b->old->name) != NULL;
	}
	buf_release(&text);
}

/* Mostly they come in the same order again. */
static void past_of(struct board *b, struct board_row *r)
{
	for (uint32_t j = 0; j < b->nold; j++) {
		uint32_t i = (b->hint + j) % b->nold;

		if (strcmp(b->old[i].name, r->name) == 0) {
			r->past = b->old[i].past;
			b->hint = i + 1;
			return;
		}
	}
}

void board_settled(struct board *b)
{
	free(b->old);
	b->old = NULL;
	b->nold = 0;
}

static uint64_t pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

bool board_is_of(const struct board_head *head, pid_t owner)
{
	return head->pid == (uint32_t)owner || head->pidns == 0 || head->pidns != pidns();
}

int board_open(struct board *b, const char *path)
{
	*b = (struct board){ .fd = -1 };
	read_old(b, path);
	unlink(path);	/* a reader of the last run keeps its own */
	b->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (b->fd < 0 || map(b, GROW) < 0) {
		log_warn("%s: %s: supervise -s will know nothing of this run", path, strerror(errno));
		if (b->fd >= 0)
			close(b->fd);
		b->fd = -1;
		if (map(b, GROW) < 0) {
			log_error("no memory for the state of the services");
			return -1;
		}
	}
	b->head->row_size = sizeof(struct board_row);
	b->head->pid = (uint32_t)getpid();
	b->head->pidns = pidns();
	b->head->started = clock_wall();
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(b->head->magic, magic, sizeof magic);
	return 0;
}

void board_close(struct board *b)
{
	if (b->head)
		munmap(b->head, b->size);
	if (b->fd >= 0)
		close(b->fd);
	board_settled(b);
	*b = (struct board){ .fd = -1 };
}

struct board_row *board_begin(struct board *b, int row)
{
	struct board_row *r = row_at(b, row);

	__atomic_store_n(&r->seq, r->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return r;
}

void board_end(struct board *b, int row)
{
	struct board_row *r = row_at(b, row);

	__atomic_store_n(&r->seq, r->seq + 1, __ATOMIC_RELEASE);
}

int board_take(struct board *b, const char *name)
{
	struct board_row *r;
	uint32_t i = b->head->rows;

	if (b->free > 0) {
		for (i = 0; row_at(b, (int)i)->used; i++)
			;
		b->free--;
	}
	if (i == b->rows) {
		if (i >= BOARD_ROWS_MAX) {
			log_error("%s: more than %d services", name, BOARD_ROWS_MAX);
			return -1;
		}
		if (map(b, b->rows + GROW + b->rows / 4) < 0) {
			log_error("%s: no room in .supervise/state: %s", name, strerror(errno));
			return -1;
		}
	}
	r = board_begin(b, (int)i);
	memset((char *)r + sizeof r->seq, 0, sizeof *r - sizeof r->seq);
	strncpy(r->name, name, sizeof r->name - 1);
	past_of(b, r);
	r->used = 1;
	board_end(b, (int)i);
	if (i == b->head->rows)
		__atomic_store_n(&b->head->rows, i + 1, __ATOMIC_RELEASE);
	return (int)i;
}

void board_give(struct board *b, int row)
{
	struct board_row *r = board_begin(b, row);

	r->used = 0;
	board_end(b, row);
	b->free++;
}

static bool slot_fits(const struct board_slot *s)
{
	return s->at < SV_STATES && s->want <= WANT_EXIT;
}

bool board_row_sound(const struct board_row *r)
{
	return memchr(r->name, 0, sizeof r->name) && memchr(r->fault, 0, sizeof r->fault) && slot_fits(&r->main) && slot_fits(&r->log);
}

int board_each(const void *p, size_t n, struct board_head *head,
	void (*fn)(void *arg, const struct board_row *row, bool torn), void *arg, const char **why)
{
	struct board_row r;

	if (n < BOARD_HEAD) {
		*why = "too short";
		return -1;
	}
	memcpy(head, p, sizeof *head);
	if (memcmp(head->magic, magic, sizeof magic) != 0 || head->row_size != sizeof r) {
		*why = "written by another version, or no state file";
		return -1;
	}
	if (head->rows > BOARD_ROWS_MAX || n < size_for(head->rows)) {
		*why = "shorter than it says";
		return -1;
	}
	for (uint32_t i = 0; i < head->rows; i++) {
		memcpy(&r, (const char *)p + size_for(i), sizeof r);
		if (!r.used)
			continue;
		fn(arg, &r, r.seq % 2 != 0 || !board_row_sound(&r));
	}
	return 0;
}
