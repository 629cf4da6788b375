/* spool_read: lines from memory and from the files. */
#include "route/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "route/walk.h"

/* ---- the tail in memory ---- */

static struct tail_group *tail_at(const struct spool *s, size_t i)
{
	return s->tail[s->tail_at + i];
}

void spool_tail_add(struct spool *s, const struct group *g, uint64_t seg, off_t off)
{
	size_t bytes = g->lines[g->n - 1].off + g->lines[g->n - 1].len;
	size_t size = sizeof(struct tail_group) + g->n * sizeof(struct spool_line) + bytes;
	struct tail_group *t = NULL;

	/* A group that is larger than the whole tail, or finds no memory, is read from the file; so is then all before it. */
	while (s->tail_n && (s->tail_bytes + size > SPOOL_TAIL || size > SPOOL_TAIL)) {
		s->tail_bytes -= tail_at(s, 0)->size;
		free(tail_at(s, 0));
		s->tail_at++;
		s->tail_n--;
	}
	if (s->tail_at + s->tail_n == s->tail_cap) {
		if (s->tail_at > s->tail_cap / 2) {
			memmove(s->tail, s->tail + s->tail_at, s->tail_n * sizeof(struct tail_group *));
		} else {
			size_t cap = s->tail_cap ? s->tail_cap * 2 : 64;
			struct tail_group **tail = malloc(cap * sizeof(struct tail_group *));
			if (!tail)
				goto empty;
			if (s->tail_n)
				memcpy(tail, s->tail + s->tail_at, s->tail_n * sizeof(struct tail_group *));
			free(s->tail);
			s->tail = tail;
			s->tail_cap = cap;
		}
		s->tail_at = 0;
	}
	if (size <= SPOOL_TAIL)
		t = malloc(size);
	if (!t)
		goto empty;
	*t = (struct tail_group){ .first = g->first, .gen = g->gen, .seg = seg, .off = off, .n = g->n, .size = size };
	memcpy(t->lines, g->lines, g->n * sizeof(struct spool_line));
	t->bytes = memcpy((char *)(t->lines + g->n), g->bytes.p, bytes);
	s->tail[s->tail_at + s->tail_n++] = t;
	s->tail_bytes += size;
	return;
empty:
	/* The tail must have no hole. */
	spool_tail_release(s);
}

void spool_tail_release(struct spool *s)
{
	for (size_t i = 0; i < s->tail_n; i++)
		free(tail_at(s, i));
	free(s->tail);
	s->tail = NULL;
	s->tail_at = s->tail_n = s->tail_cap = s->tail_bytes = 0;
}

/* The group that holds seq or the next higher line; NULL: seq is older than the tail (or newer than all). */
static const struct tail_group *tail_find(const struct spool *s, uint64_t seq)
{
	size_t lo = 0, hi = s->tail_n;

	if (hi == 0 || seq < tail_at(s, 0)->first)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (tail_at(s, mid)->first + tail_at(s, mid)->n <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->tail_n ? tail_at(s, lo) : NULL;
}

static enum spool_read read_tail(struct spool_pos *pos, const struct tail_group *t,
	bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	uint32_t i = pos->seq > t->first ? (uint32_t)(pos->seq - t->first) : 0;
	enum spool_read r = SPOOL_MORE;

	for (; i < t->n; i++) {
		const struct spool_line *line = &t->lines[i];
		struct spool_view v = { .seq = t->first + i, .gen = t->gen, .p = t->bytes + line->off, .n = line->len,
			.known = line, .off = t->off + line->off };
		if (!fn(arg, &v)) {
			r = SPOOL_STOPPED;
			break;
		}
	}
	pos->seq = pos->at = t->first + i;
	pos->seg = t->seg;
	pos->off = t->off + (i < t->n ? t->lines[i].off : t->lines[i - 1].off + t->lines[i - 1].len);
	return r;
}

/* ---- the files ---- */

void spool_seek(struct spool_pos *pos, uint64_t seq)
{
	memset(pos, 0, sizeof(*pos));
	pos->seq = seq;
}

/* Fills s->chunk from the file; at least one whole line unless the file ends (want grows with a long line). -1 with a message,
 * errno is ENOENT when the file is gone. */
static ssize_t read_chunk(struct spool *s, const struct seg *seg, off_t off, size_t want)
{
	char name[SEGMENT_NAME_MAX];
	ssize_t got = -1;
	int fd = -1;

	segment_name(name, seg->first);
	if ((uint64_t)off + want > seg->size)
		want = (size_t)(seg->size - (uint64_t)off);
	buf_clear(&s->chunk);
	if (buf_reserve(&s->chunk, want) == 0 && (fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC)) >= 0) {
		do {
			got = pread(fd, s->chunk.p, want, off);
		} while (got < 0 && errno == EINTR);
	}
	int err = errno;
	if (got < 0)
		log_error("%s/%s: %s", s->dir, name, strerror(err));
	if (fd >= 0)
		close(fd);
	if (got >= 0)
		s->chunk.len = (size_t)got;
	errno = err;
	return got;
}

/* Gives the lines of the chunk; *used is how far it got (whole lines). */
static bool give_chunk(const struct spool *s, const struct seg *seg, struct spool_pos *pos, size_t *used,
	bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	const char *p = s->chunk.p, *end = p + s->chunk.len, *lf;

	for (; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		struct spool_view v = { .seq = pos->at, .gen = seg->gen, .p = p, .n = (size_t)(lf + 1 - p),
			.off = pos->off + (p - s->chunk.p) };
		/* Behind the end may stand what was refused and came back: a cut that a power loss undid. */
		if (pos->at < seg->end && !segment_is_commit(p, (size_t)(lf - p))) {
			if (pos->at >= pos->seq) {
				if (!fn(arg, &v))
					break;
				pos->seq = pos->at + 1;
			}
			pos->at++;
		}
	}
	*used = (size_t)(p - s->chunk.p);
	return lf == NULL;
}

static enum spool_read read_file(struct spool *s, struct spool_pos *pos, bool (*fn)(void *arg, const struct spool_view *v),
	void *arg)
{
	const struct seg *seg = pos->seg ? spool_find_seg(s, pos->seg) : NULL;
	size_t want = SPOOL_CHUNK, used;

	if (!seg || seg->first != pos->seg || (uint64_t)pos->off >= seg->size) {
		/* The file is done or gone, or the place was never looked up: find the file of the next line wanted. */
		if (seg && seg->first == pos->seg && pos->at < seg->end)
			log_error("%s: segment %llu has lines only up to %llu", s->dir, (unsigned long long)seg->first,
				(unsigned long long)pos->at);
		if (seg && seg->first == pos->seg && pos->seq < seg->end)
			pos->seq = seg->end;
		seg = spool_find_seg(s, pos->seq);
		if (!seg)
			return SPOOL_AT_END;
		pos->seg = pos->at = seg->first;
		pos->off = 0;
	}
	for (;;) {
		ssize_t got = read_chunk(s, seg, pos->off, want);
		if (got < 0 && errno == ENOENT) {
			/* Somebody removed it: its lines are lost, and nothing is won by waiting for them. */
			pos->off = (off_t)seg->size;
			return SPOOL_MORE;
		}
		if (got < 0)
			return SPOOL_ERROR;
		bool all = give_chunk(s, seg, pos, &used, fn, arg);
		pos->off += (off_t)used;
		if (!all)
			return SPOOL_STOPPED;
		if (used)
			return SPOOL_MORE;
		/* Not one whole line: a long one, or the end of a file that is shorter than it was. */
		if ((size_t)got < want || want > SEGMENT_GROUP_MAX) {
			pos->off = (off_t)seg->size;
			return SPOOL_MORE;
		}
		want *= 2;
	}
}

enum spool_read spool_read(struct spool *s, struct spool_pos *pos, bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	const struct tail_group *t = tail_find(s, pos->seq);

	if (t)
		return read_tail(pos, t, fn, arg);
	if (pos->seq >= spool_end(s))
		return SPOOL_AT_END;
	return read_file(s, pos, fn, arg);
}

int spool_fetch(struct spool *s, uint64_t seq, off_t off, struct buf *line)
{
	const struct seg *seg = spool_find_seg(s, seq);
	const char *lf = NULL;

	if (!seg || seg->first > seq || (uint64_t)off >= seg->size) {
		log_error("%s: line %llu is gone", s->dir, (unsigned long long)seq);
		return -1;
	}
	for (size_t want = 4096; !lf && want <= SEGMENT_GROUP_MAX; want *= 4) {
		ssize_t got = read_chunk(s, seg, off, want);
		if (got < 0)
			return -1;
		lf = memchr(s->chunk.p, '\n', (size_t)got);
		if (!lf && (size_t)got < want)
			break;
	}
	buf_clear(line);
	if (!lf || buf_add(line, s->chunk.p, (size_t)(lf + 1 - s->chunk.p)) < 0) {
		log_error("%s: line %llu cannot be read", s->dir, (unsigned long long)seq);
		return -1;
	}
	return 0;
}

/* ---- the walk at start ---- */

static void give_group(const struct commit *c, const char *p, off_t off, uint64_t from, uint64_t end,
	void (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	const char *start = p;

	for (uint32_t i = 0; i < c->n; i++) {
		const char *lf = rawmemchr(p, '\n');
		struct spool_view v = { .seq = c->seq + i, .gen = c->gen, .p = p, .n = (size_t)(lf + 1 - p), .off = off + (p - start) };
		if (v.seq >= from && v.seq < end)
			fn(arg, &v);
		p = lf + 1;
	}
}

int spool_walk(struct spool *s, uint64_t seq, void (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	char name[SEGMENT_NAME_MAX];

	for (size_t i = 0; i < s->nsegs; i++) {
		const struct seg *seg = &s->segs[i];
		struct walk w;
		struct commit c;
		const char *p;
		size_t n;
		int fd;

		if (seg->end <= seq)
			continue;
		segment_name(name, seg->first);
		fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			log_error("%s/%s: %s", s->dir, name, strerror(errno));
			return -1;
		}
		walk_init(&w, fd, seg->first);
		enum walk_result r;
		while ((r = walk_next(&w, &c, &p, &n)) == WALK_GROUP)
			give_group(&c, p, w.start, seq, seg->end, fn, arg);
		if (r != WALK_END || walk_left(&w))
			log_error("%s/%s: from byte %lld on: %s", s->dir, name, (long long)w.off,
				r == WALK_ERROR ? strerror(errno) : r == WALK_BAD ? w.why : "no commit line");
		walk_release(&w);
		close(fd);
	}
	return 0;
}
