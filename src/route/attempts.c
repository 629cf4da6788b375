#include "route/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define SIZE ((size_t)ATTEMPTS_PLACES * ATTEMPTS_ROW)
#define AT_ATTEMPTS 21u
#define AT_STRIKES 27u
#define AT_LENT 33u

static char *row(const struct attempts *a, uint32_t place)
{
	return a->map + (size_t)place * ATTEMPTS_ROW;
}

static void put(char *p, unsigned width, uint64_t v)
{
	while (width--) {
		p[width] = (char)('0' + v % 10);
		v /= 10;
	}
}

static bool get(const char *p, unsigned width, uint64_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < width; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*v = *v * 10 + (uint64_t)(p[i] - '0');
	}
	return true;
}

static void clear(char *r)
{
	/* The first byte decides: a kill in between leaves a row that is none. */
	memset(r, ' ', ATTEMPTS_ROW - 1);
	r[ATTEMPTS_ROW - 1] = '\n';
}

/* A row that says something sensible. */
static bool parse(const char *r, uint64_t *seq, uint64_t *attempts, uint64_t *strikes)
{
	return get(r, 20, seq) && r[20] == ' ' && get(r + AT_ATTEMPTS, 5, attempts) && get(r + AT_STRIKES, 5, strikes) &&
		(r[AT_LENT] == 'L' || r[AT_LENT] == '-') && *attempts <= UINT16_MAX && *strikes <= UINT16_MAX;
}

static int by_seq(const void *x, const void *y)
{
	const struct attempts_old *a = x, *b = y;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void read_rows(struct attempts *a, uint64_t low)
{
	uint64_t seq, attempts, strikes;

	for (uint32_t i = ATTEMPTS_PLACES; i--; ) {
		char *r = row(a, i);
		if (!parse(r, &seq, &attempts, &strikes) || seq < low) {
			clear(r);
			a->free[a->nfree++] = i;
			continue;
		}
		if (r[AT_LENT] == 'L') {
			put(r + AT_STRIKES, 5, strikes < UINT16_MAX ? strikes + 1 : strikes);
			r[AT_LENT] = '-';
		}
		a->old[a->nold++] = (struct attempts_old){ seq, i };
	}
	a->left = a->nold;
	qsort(a->old, a->nold, sizeof(*a->old), by_seq);
}

void attempts_open(struct attempts *a, const char *spool, const char *name, uint64_t low)
{
	char dir[4096];
	int fd = -1, err = 0;
	void *map = MAP_FAILED;

	memset(a, 0, sizeof(*a));
	snprintf(dir, sizeof(dir), "%s/attempts", spool);
	if (asprintf(&a->path, "%s/%s", dir, name) < 0)
		a->path = NULL;
	a->free = malloc(ATTEMPTS_PLACES * sizeof(*a->free));
	a->old = malloc(ATTEMPTS_PLACES * sizeof(*a->old));
	if (!a->path || !a->free || !a->old)
		err = ENOMEM;
	else if (fd_mkdirs(dir, 0755) < 0 || (fd = open(a->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		err = errno;
	/* All of it on disk: writing into a hole of a mapped file on a full disk would be SIGBUS. */
	else if (!(err = posix_fallocate(fd, 0, (off_t)SIZE)) &&
		 (map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err = errno;
	if (fd >= 0)
		close(fd);
	if (err) {
		log_warn("%s/%s: %s; attempts are counted anew after a kill", dir, name, strerror(err));
		return;
	}
	a->map = map;
	read_rows(a, low);
}

void attempts_close(struct attempts *a)
{
	if (a->map)
		munmap(a->map, SIZE);
	free(a->free);
	free(a->old);
	free(a->path);
	memset(a, 0, sizeof(*a));
}

void attempts_remove(struct attempts *a)
{
	if (a->path && unlink(a->path) < 0 && errno != ENOENT)
		log_error("%s: %s", a->path, strerror(errno));
	attempts_close(a);
}

void attempts_find(struct attempts *a, struct item *it)
{
	struct attempts_old want = { .seq = it->seq }, *old;
	uint64_t seq, attempts, strikes;

	if (a->left == 0)
		return;
	old = bsearch(&want, a->old, a->nold, sizeof(*a->old), by_seq);
	if (!old || old->place == UINT32_MAX || !parse(row(a, old->place), &seq, &attempts, &strikes))
		return;
	it->attempts = (uint16_t)attempts;
	it->strikes = (uint16_t)strikes;
	it->note = old->place + 1;
	old->place = UINT32_MAX;
	a->left--;
}

void attempts_note(struct attempts *a, struct item *it, bool lent)
{
	unsigned attempts = (unsigned)it->attempts - it->trials;

	if (!a->map)
		return;
	if (!lent && !attempts && !it->strikes) {
		attempts_drop(a, it);
		return;
	}
	if (!it->note) {
		if (a->nfree == 0)
			return;
		it->note = a->free[--a->nfree] + 1;
	}
	char *r = row(a, it->note - 1);
	put(r, 20, it->seq);
	put(r + AT_ATTEMPTS, 5, attempts);
	put(r + AT_STRIKES, 5, it->strikes);
	r[AT_LENT] = lent ? 'L' : '-';
}

void attempts_drop(struct attempts *a, struct item *it)
{
	if (!it->note || !a->map)
		return;
	/* Enough that it is no row any more. */
	memset(row(a, it->note - 1), ' ', 20);
	a->free[a->nfree++] = it->note - 1;
	it->note = 0;
}

void attempts_park(struct attempts *a, struct item *it)
{
	struct attempts_old new = { .seq = it->seq, .place = it->note - 1 };
	size_t i, n = 0;

	if (!it->note || !a->map)
		return;
	if (!it->attempts && !it->strikes) {
		attempts_drop(a, it);
		return;
	}
	/* Those that were asked for are no use any more; so there is room, because each of the others has a place of its own. */
	for (i = 0; i < a->nold; i++)
		if (a->old[i].place != UINT32_MAX)
			a->old[n++] = a->old[i];
	for (i = n; i && a->old[i - 1].seq > new.seq; i--)
		a->old[i] = a->old[i - 1];
	a->old[i] = new;
	a->nold = n + 1;
	a->left = a->nold;
	it->note = 0;
}
