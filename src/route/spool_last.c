/* spool_last: the last file at start, which may end in the middle of a group: read as a whole, cut, put in order. */
#include "route/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "route/pieces.h"

#define LINE_LEAST 50u		/* no event is shorter */

/* What is cut off although it is no half-written group is kept aside: somebody may want to look at it. */
static int set_aside(const struct spool *s, int fd, const char *name, off_t from)
{
	char path[4096], block[65536];
	ssize_t got;
	int out, r = -1;

	snprintf(path, sizeof(path), "%s/damaged", s->dir);
	if (fd_mkdirs(path, 0700) < 0)
		goto say;
	snprintf(path, sizeof(path), "%s/damaged/%s.%lld", s->dir, name, (long long)from);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		goto say;
	while ((got = pread(fd, block, sizeof(block), from)) > 0 && fd_write_all(out, block, (size_t)got) == 0)
		from += got;
	r = got == 0 && fdatasync(out) == 0 ? 0 : -1;
	close(out);
say:
	if (r < 0)
		log_error("%s: %s", path, strerror(errno));
	return r;
}

/* Cuts off what stands behind the last good group. false: it stays, and the next group begins another file. */
static bool cut(struct spool *s, const struct seg *seg, int fd, const struct fault *f)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, seg->file);
	log_warn("%s/%s: %llu bytes behind the last good commit are cut off (%s)", s->dir, name, (unsigned long long)(f->end - f->off), f->why);
	if (!f->torn && set_aside(s, fd, name, f->off) < 0)
		return false;
	if (ftruncate(fd, f->off) == 0 && fsync(fd) == 0)
		return true;
	log_error("%s/%s: %s", s->dir, name, strerror(errno));
	return false;
}

static int remove_file(const struct spool *s, uint64_t file)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, file);
	if (unlinkat(s->dirfd, name, 0) == 0)
		return 0;
	log_error("%s/%s: %s", s->dir, name, strerror(errno));
	return -1;
}

/* How far its lines may have come cannot be told: its numbers are left out, as many as its size allows. */
static int lose_last(struct spool *s, struct seg *seg, const char *why)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, seg->file);
	log_error("%s/%s: %s", s->dir, name, why);
	seg->end = seg->first + seg->size / LINE_LEAST + 1;
	if (gaps_add(&s->gaps, seg->first, seg->end - 1, name, why, NULL))
		s->gaps_new = true;
	if (s->next < seg->end)
		s->next = seg->end;
	spool_put_aside(s, seg->file);
	s->nsegs--;
	return 1;
}

/* The scanned file: the tail is cut, seg says what is good, s->next what comes behind. false: it stays as it is behind that. */
static bool end_of_last(struct spool *s, struct seg *seg, int fd, const struct pieces *p)
{
	const struct piece *good = p->n ? &p->v[p->n - 1] : NULL;
	const struct fault *f = p->nfaults && p->faults[p->nfaults - 1].tail ? &p->faults[p->nfaults - 1] : NULL;
	char name[SEGMENT_NAME_MAX];
	bool clean = true;

	seg->size = good ? (uint64_t)good->end : 0;
	seg->end = good ? good->next : seg->first;
	seg->gen = good ? good->gen : 0;
	if (s->next < seg->end)
		s->next = seg->end;
	if (!f)
		return true;
	clean = cut(s, seg, fd, f);
	/* A whole commit line stands there, but what it closes is not as it was: these lines may have been acknowledged. */
	if (f->claim > seg->end) {
		segment_name(name, seg->file);
		s->gaps_new |= gaps_add(&s->gaps, seg->end, f->claim - 1, name, f->why, NULL);
		s->next = f->claim;
		clean = false;
	}
	return clean;
}

int spool_load_last(struct spool *s, uint64_t prev)
{
	struct seg *seg = spool_last_seg(s), *v;
	char name[SEGMENT_NAME_MAX];
	struct pieces p;
	int fd, n, r = -1;

	segment_name(name, seg->file);
	fd = openat(s->dirfd, name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return lose_last(s, seg, strerror(errno));
	if (pieces_scan(&p, fd, seg->file, UINT64_MAX) < 0) {
		log_error("%s/%s: %s", s->dir, name, strerror(errno));
		close(fd);
		return -1;
	}
	bool clean = end_of_last(s, seg, fd, &p), inner = p.nfaults && (p.nfaults > 1 || !p.faults[0].tail);
	if (spool_sync_seg(s, fd, name) < 0)
		goto done;
	if (p.head)
		seg->lines = p.lines;
	if (seg->end == seg->first) {
		/* Not one line. Something that is no half-written group was set aside above, or is now. */
		r = clean ? remove_file(s, seg->file) : spool_put_aside(s, seg->file);
		s->nsegs--;
		r = r < 0 && clean ? -1 : 1;
		goto done;
	}
	r = 0;
	if (inner) {
		size_t at = s->nsegs - 1;
		n = spool_sort_out(s, seg, prev, fd, NULL, true, &v);
		r = n < 0 ? -1 : spool_replace_seg(s, at, v, (size_t)n);
		free(v);
		seg = spool_last_seg(s);
		close(fd);
		segment_name(name, seg->file);
		fd = r < 0 ? -1 : openat(s->dirfd, name, O_RDWR | O_CLOEXEC);
	}
	s->fd = fd;
	s->roll |= !clean || fd < 0;
	fd = -1;
done:
	pieces_release(&p);
	if (fd >= 0)
		close(fd);
	return r;
}
