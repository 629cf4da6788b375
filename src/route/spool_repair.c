/* spool_repair: what becomes of a damaged file. Its good pieces become files of their own, it goes to damaged/, and what is missing is a gap. */
#include "route/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "route/pieces.h"

#define NEW ".new"

static int say(const struct spool *s, const char *what)
{
	log_error("%s/%s: %s", s->dir, what, strerror(errno));
	return -1;
}

/* damaged/NAME, damaged/NAME.1 ...: the first that is free. */
static int place_aside(const struct spool *s, const char *name, char out[SEGMENT_NAME_MAX + 16])
{
	struct stat st;

	snprintf(out, SEGMENT_NAME_MAX + 16, "damaged");
	if (mkdirat(s->dirfd, out, 0700) < 0 && errno != EEXIST)
		return say(s, out);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(out, SEGMENT_NAME_MAX + 16, i ? "damaged/%s.%u" : "damaged/%s", name, i);
		if (fstatat(s->dirfd, out, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : say(s, out);
	}
	errno = EEXIST;
	return say(s, out);
}

static int sync_folders(const struct spool *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/damaged/.", s->dir);
	return fsync(s->dirfd) == 0 && fd_sync_dir(path) == 0 ? 0 : say(s, "damaged");
}

int spool_put_aside(struct spool *s, uint64_t file)
{
	char name[SEGMENT_NAME_MAX], aside[SEGMENT_NAME_MAX + 16];

	segment_name(name, file);
	if (place_aside(s, name, aside) < 0)
		return -1;
	if (renameat(s->dirfd, name, s->dirfd, aside) < 0)
		return say(s, name);
	log_warn("%s/%s: moved to %s", s->dir, name, aside);
	return sync_folders(s);
}

static int copy(int from, off_t off, off_t end, int to)
{
	static char block[256 << 10];

	while (off < end) {
		ssize_t got = pread(from, block, end - off < (off_t)sizeof(block) ? (size_t)(end - off) : sizeof(block), off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0 || fd_write_all(to, block, (size_t)got) < 0)
			return -1;
		off += got;
	}
	return 0;
}

/* <first>.ndjson.new: a head if it has none, and the bytes of the piece, on disk. */
static int write_piece(const struct spool *s, int from, const struct piece *v, uint64_t prev, uint64_t lines)
{
	struct commit c = { .seq = v->first, .gen = v->gen, .head = true, .prev = prev, .lines = lines };
	char name[SEGMENT_NAME_MAX + 4], head[SEGMENT_COMMIT_MAX];
	size_t n = commit_write(head, &c);
	struct stat st;
	int fd, r = -1;

	segment_name(name, v->first);
	strcat(name, NEW);
	fd = openat(s->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return say(s, name);
	if ((v->off == 0 || fd_write_all(fd, head, n) == 0) && copy(from, v->off, v->end, fd) == 0 && fdatasync(fd) == 0) {
		r = 0;
		/* As old as the file it is from: how long it is kept goes by that. */
		if (fstat(from, &st) == 0)
			futimens(fd, (struct timespec[2]){ st.st_atim, st.st_mtim });
	} else {
		say(s, name);
	}
	close(fd);
	if (r < 0)
		unlinkat(s->dirfd, name, 0);
	return r;
}

static void drop_new(const struct spool *s, uint64_t first)
{
	char new[SEGMENT_NAME_MAX + 4];

	segment_name(new, first);
	strcat(new, NEW);
	unlinkat(s->dirfd, new, 0);
}

static int rename_new(const struct spool *s, uint64_t first)
{
	char name[SEGMENT_NAME_MAX], new[SEGMENT_NAME_MAX + 4];

	segment_name(name, first);
	snprintf(new, sizeof(new), "%s" NEW, name);
	return renameat(s->dirfd, new, s->dirfd, name) == 0 ? 0 : say(s, new);
}

/* The pieces that have lines below `end`. */
static bool counts(const struct piece *v, uint64_t end)
{
	return v->next > v->first && v->first < end;
}

/*
 * A kill between any two steps leaves the damaged file or what comes in its place: the later pieces get their names first, and what the
 * damaged file has of their lines does not count then (the next file begins there); its own name is taken over last.
 */
int spool_repair(struct spool *s, uint64_t file, const struct pieces *p, uint64_t prev, uint64_t lines, uint64_t end)
{
	char name[SEGMENT_NAME_MAX], aside[SEGMENT_NAME_MAX + 16];
	bool replaced = false;
	int fd, r = -1;

	segment_name(name, file);
	fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say(s, name);
	for (size_t i = 0; i < p->n; i++) {
		const struct piece *v = &p->v[i];
		if (!counts(v, end))
			continue;
		if (write_piece(s, fd, v, prev, lines + (v->first - file)) < 0)
			goto done;
		prev = v->next;
	}
	if (place_aside(s, name, aside) < 0)
		goto done;
	for (size_t i = p->n; i--; )
		if (counts(&p->v[i], end) && p->v[i].first != file && rename_new(s, p->v[i].first) < 0)
			goto done;
	if (fsync(s->dirfd) < 0) {
		say(s, "");
		goto done;
	}
	for (size_t i = 0; i < p->n; i++)
		replaced |= counts(&p->v[i], end) && p->v[i].first == file;
	if (replaced ? linkat(s->dirfd, name, s->dirfd, aside, 0) < 0 : renameat(s->dirfd, name, s->dirfd, aside) < 0) {
		say(s, aside);
		goto done;
	}
	if (replaced && rename_new(s, file) < 0)
		goto done;
	log_warn("%s/%s: as it was: %s", s->dir, name, aside);
	r = sync_folders(s);
done:
	for (size_t i = 0; r < 0 && i < p->n; i++)
		drop_new(s, p->v[i].first);
	close(fd);
	return r;
}

/* ---- a file as segs ---- */

static void reason_of(char out[GAP_REASON], const struct fault *f, off_t size)
{
	if (f->off == size)
		snprintf(out, GAP_REASON, "the file ends too early");
	else
		snprintf(out, GAP_REASON, "bytes %lld to %lld: %s", (long long)f->off, (long long)f->end - 1, f->why);
}

/* Numbers that seg should have and no piece has. True: there are some, *noted: all are noted. */
static bool find_gaps(struct spool *s, const struct seg *seg, const struct pieces *p, const char *why, bool *noted)
{
	char name[SEGMENT_NAME_MAX], reason[GAP_REASON];
	uint64_t at = seg->first;
	bool any = false;

	segment_name(name, seg->file);
	for (size_t i = 0; i <= p->n && at < seg->end; i++) {
		uint64_t to = i < p->n && p->v[i].first < seg->end ? p->v[i].first : seg->end;
		const struct fault *f = NULL;
		for (size_t k = 0; k < p->nfaults && !f; k++)
			if (p->faults[k].from >= at || i == p->n)
				f = &p->faults[k];
		if (f)
			reason_of(reason, f, p->size);
		else
			snprintf(reason, sizeof(reason), "%s", why ? why : "the file ends too early, or the one behind it is missing");
		if (to > at) {
			any = true;
			gaps_add(&s->gaps, at, to - 1, name, reason, noted);
		}
		if (i < p->n && p->v[i].next > at)
			at = p->v[i].next;
	}
	s->gaps_new |= any;
	return any;
}

int spool_sort_out(struct spool *s, const struct seg *seg, uint64_t prev, int fd, const char *why, bool put_in_order, struct seg **out)
{
	struct pieces p = { .v = NULL };
	bool noted = true, gap, repaired = false;
	struct seg *v;
	size_t n = 0;

	*out = NULL;
	if (fd >= 0 && pieces_scan(&p, fd, seg->file, seg->end) < 0) {
		log_error("%s: segment %" PRIu64 ": %s", s->dir, seg->file, strerror(errno));
		return -1;
	}
	v = calloc(p.n + 2, sizeof(*v));
	if (!v) {
		log_error("%s: no memory", s->dir);
		pieces_release(&p);
		return -1;
	}
	gap = find_gaps(s, seg, &p, why, &noted);
	if (put_in_order && noted && fd < 0 && gap)
		repaired = spool_put_aside(s, seg->file) == 0;
	else if (put_in_order && noted && p.nfaults)
		repaired = spool_repair(s, seg->file, &p, prev, seg->lines - (seg->first - seg->file), seg->end) == 0;
	for (size_t i = 0; i < p.n; i++) {
		const struct piece *one = &p.v[i];
		if (!counts(one, seg->end) || one->next <= seg->first)
			continue;
		struct seg *g = &v[n++];
		*g = (struct seg){ .file = repaired ? one->first : seg->file, .first = one->first, .gen = one->gen, .written = seg->written,
			.end = one->next < seg->end ? one->next : seg->end, .lines = seg->lines + (one->first - seg->first),
			.off = repaired ? 0 : (uint64_t)one->off, .size = (uint64_t)one->end };
		struct stat st;
		char name[SEGMENT_NAME_MAX];
		segment_name(name, g->file);
		if (repaired && fstatat(s->dirfd, name, &st, 0) == 0)
			g->size = (uint64_t)st.st_size;
	}
	pieces_release(&p);
	*out = v;
	return (int)n;
}

/* ---- while it runs ---- */

int spool_damaged(struct spool *s, const struct seg *seg)
{
	struct seg was = *seg, *v;
	size_t at = (size_t)(seg - s->segs);
	bool writing = spool_busy_with(s, seg);
	uint64_t prev = at ? s->segs[at - 1].end : was.first;
	char name[SEGMENT_NAME_MAX];
	const char *why = NULL;
	bool gone = false;
	int n, fd;

	segment_name(name, was.file);
	fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		why = strerror(errno);
		gone = errno == ENOENT;
		log_error("%s/%s: %s", s->dir, name, why);
		/* No descriptors or no memory says nothing of the file. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			return -1;
	}
	/* Of a file in pieces only this piece is looked at, and it stays in pieces. */
	bool whole = was.off == 0 && was.file == was.first && (at + 1 == s->nsegs || s->segs[at + 1].file != was.file);
	n = spool_sort_out(s, &was, prev, fd, why, whole && !writing && !gone, &v);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	if (n == 1 && v[0].first == was.first && v[0].end == was.end && v[0].file == was.file && v[0].off == was.off) {
		log_error("%s/%s: cannot be read and is not damaged; tried again later", s->dir, name);
		free(v);
		return -1;
	}
	if (writing) {
		/* The next group begins a new file; one that is on its way goes on behind what stands there. */
		s->roll = true;
		if (n == 0 || v[n - 1].end < was.end)
			v[n++] = (struct seg){ .file = was.file, .first = was.end, .end = was.end, .gen = was.gen, .written = was.written,
				.lines = was.lines + (was.end - was.first), .off = was.size, .size = was.size };
		else
			v[n - 1].size = was.size;
	}
	s->checked_len = 0;
	buf_clear(&s->chunk);
	s->epoch++;
	int r = spool_replace_seg(s, at, v, (size_t)n);
	free(v);
	return r;
}
