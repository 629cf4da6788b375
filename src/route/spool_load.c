/* spool_load: what files there are at start, which of them fit together, and what is wrong with the others. */
#include "route/spool_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "route/pieces.h"

#define JUMP (1ull << 27)	/* numbers left out where some may have been given out that nothing tells of any more */
#define NUMBER_MAX (1ull << 53)

/* What the first line of a file says. */
struct head { bool ok, told; uint64_t gen, prev, lines; };

static int by_first(const void *a, const void *b)
{
	const struct seg *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* What a kill left of putting a damaged file in order. */
static bool is_leftover(const char *name)
{
	char text[SEGMENT_NAME_MAX];
	size_t n = strlen(name);
	uint64_t first;

	if (n < 5 || n - 4 >= sizeof(text) || strcmp(name + n - 4, ".new") != 0)
		return false;
	memcpy(text, name, n - 4);
	text[n - 4] = '\0';
	return segment_name_parse(text, &first) == 0;
}

static int list_segs(struct spool *s)
{
	struct stat st;
	uint64_t first;
	DIR *d = opendir(s->dir);

	if (!d) {
		log_error("%s: %s", s->dir, strerror(errno));
		return -1;
	}
	for (const struct dirent *e; (e = readdir(d)); ) {
		if (is_leftover(e->d_name))
			unlinkat(s->dirfd, e->d_name, 0);
		if (segment_name_parse(e->d_name, &first) < 0)
			continue;
		struct seg *seg = spool_add_seg(s, first, 0);
		if (!seg || fstatat(s->dirfd, e->d_name, &st, 0) < 0) {
			log_error("%s/%s: %s", s->dir, e->d_name, seg ? strerror(errno) : "no memory");
			closedir(d);
			return -1;
		}
		seg->size = (uint64_t)st.st_size;
		seg->written = (int64_t)st.st_mtim.tv_sec * CLOCK_S + st.st_mtim.tv_nsec;
	}
	closedir(d);
	if (s->nsegs)
		qsort(s->segs, s->nsegs, sizeof(*s->segs), by_first);
	return 0;
}

/* What a killed process wrote and did not sync can be read, so that its repeats are acknowledged: it must be on disk. */
int spool_sync_seg(const struct spool *s, int fd, const char *name)
{
	if (s->o.sync == SPOOL_NEVER || fdatasync(fd) == 0)
		return 0;
	log_error("%s/%s: fdatasync: %s", s->dir, name, strerror(errno));
	return -1;
}

static void read_head(const struct spool *s, const struct seg *seg, struct head *h)
{
	char name[SEGMENT_NAME_MAX], text[SEGMENT_COMMIT_MAX];
	struct segment_scan scan = { 0, 0 };
	const char *why;
	struct commit c;
	size_t len;

	memset(h, 0, sizeof(*h));
	segment_name(name, seg->file);
	int fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
	if (fd >= 0)
		close(fd);
	if (got <= 0 || segment_next(text, (size_t)got, seg->first, &scan, &c, &len, &why) != SEGMENT_GROUP)
		return;
	*h = (struct head){ .ok = true, .told = c.head, .gen = c.gen, .prev = c.prev, .lines = c.lines };
	if (c.prev > seg->first)
		h->told = false;
}

/* The number behind the last line, as the commit line at its end says; 0: there is none. */
static uint64_t end_of(int fd, uint64_t size)
{
	char text[SEGMENT_COMMIT_MAX + 1];
	size_t want = size < sizeof(text) ? size : sizeof(text);
	const char *lf;
	struct commit c;

	if (want < 2 || pread(fd, text, want, (off_t)(size - want)) != (ssize_t)want || text[want - 1] != '\n')
		return 0;
	lf = memrchr(text, '\n', want - 1);
	const char *line = lf ? lf + 1 : text;
	return commit_parse(line, (size_t)(text + want - 1 - line), &c) == 0 ? c.seq + c.n : 0;
}

/*
 * A file that is not the last one: it is on disk, begins and ends as it should. What is between is checked when it is read. Adds it, or
 * its pieces, to s->segs. -1 with a message.
 */
static int load_one(struct spool *s, struct seg *seg, const struct head *h, uint64_t prev)
{
	char name[SEGMENT_NAME_MAX];
	struct seg *v = NULL;
	const char *why = NULL;
	uint64_t end = 0;
	int fd, n = 1;

	segment_name(name, seg->file);
	fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		why = strerror(errno);
		log_error("%s/%s: %s", s->dir, name, why);
	} else {
		end = end_of(fd, seg->size);
		if (spool_sync_seg(s, fd, name) < 0) {
			close(fd);
			return -1;
		}
	}
	seg->gen = h->gen;
	if (fd < 0 || !h->ok || end != seg->end)
		n = spool_sort_out(s, seg, prev, fd, why, true, &v);
	if (fd >= 0)
		close(fd);
	int r = n < 0 ? -1 : spool_replace_seg(s, s->nsegs, v ? v : seg, (size_t)n);
	free(v);
	return r;
}

/* All but the last, which is done. */
static int load_others(struct spool *s, struct seg *all, size_t n, uint64_t next)
{
	uint64_t prev = n ? all[0].first : 0, lines = 0;
	struct head h, behind;

	if (n)
		read_head(s, &all[0], &h);
	if (n)
		s->before = h.told ? h.prev : all[0].first;
	for (size_t i = 0; i < n; i++) {
		struct seg *seg = &all[i];
		/* Where the file behind it was told this one ends. */
		if (i + 1 < n) {
			read_head(s, &all[i + 1], &behind);
			seg->end = behind.told ? behind.prev : all[i + 1].first;
		} else {
			seg->end = next;
		}
		if (seg->end < seg->first)
			seg->end = seg->first;
		seg->lines = h.told ? h.lines : lines;
		if (load_one(s, seg, &h, prev) < 0)
			return -1;
		prev = seg->end;
		lines = seg->lines + (seg->end - seg->first);
		h = behind;
	}
	return 0;
}

/* A run that did not sync each line ended without a word: numbers may have been given out that nobody knows of any more. */
static void jump(struct spool *s)
{
	const struct seg *last = spool_last_seg(s);
	uint64_t clock = (uint64_t)(clock_wall() / CLOCK_US), from = last ? last->end : s->next;

	s->next = clock > s->next + JUMP && clock < NUMBER_MAX ? clock : s->next + JUMP;
	s->roll = true;
	if (s->after_power_loss && gaps_add(&s->gaps, from, s->next - 1, "", "the machine stopped while lines were not on disk yet (-s interval or never)", NULL))
		s->gaps_new = true;
}

/* The last file may be several pieces now; the `nall` files before it are sorted out one by one and come in front. h: its head. */
static int load_in_front(struct spool *s, size_t nall, const struct head *h)
{
	size_t ntail = s->nsegs - nall;
	struct seg *all = malloc((nall + 1) * sizeof(*all)), *tail = malloc(ntail * sizeof(*tail));
	int r = -1;

	if (!all || !tail) {
		log_error("%s: no memory", s->dir);
		goto done;
	}
	memcpy(all, s->segs, nall * sizeof(*all));
	memcpy(tail, s->segs + nall, ntail * sizeof(*tail));
	s->nsegs = 0;
	s->before = h->told ? h->prev : tail[0].file;
	r = load_others(s, all, nall, s->before);
	if (r < 0)
		goto done;
	if (!h->told && nall)
		for (size_t i = 0; i < ntail; i++)
			tail[i].lines += all[nall - 1].lines + (all[nall - 1].end - all[nall - 1].first);
	r = spool_replace_seg(s, s->nsegs, tail, ntail);
done:
	free(all);
	free(tail);
	return r;
}

int spool_load(struct spool *s)
{
	struct head h = { .ok = false };
	size_t nall = 0;
	int r = 1;

	if (gaps_load(&s->gaps) < 0 || list_segs(s) < 0)
		return -1;
	s->gaps_new = s->gaps.n > 0;
	s->next = 0;
	while (r == 1 && s->nsegs) {
		nall = s->nsegs - 1;
		if (s->next < s->segs[nall].first)
			s->next = s->segs[nall].first;
		read_head(s, &s->segs[nall], &h);
		r = spool_load_last(s, h.told ? h.prev : s->segs[nall].first);
	}
	if (r < 0 || (r == 0 && load_in_front(s, nall, &h) < 0))
		return -1;
	const struct seg *last = spool_last_seg(s);
	if (last && s->next < last->end)
		s->next = last->end;
	/* A new spool begins at the clock, so that one that was deleted and made anew never uses numbers again. */
	if (s->next == 0)
		s->next = (uint64_t)(clock_wall() / CLOCK_US);
	else if (s->unclean)
		jump(s);
	s->roll |= !last || s->next != last->end;
	s->gen = last ? last->gen : 0;
	s->bytes = 0;
	for (size_t i = 0; i < s->nsegs; i++)
		s->bytes += s->segs[i].size - s->segs[i].off;
	return 0;
}
