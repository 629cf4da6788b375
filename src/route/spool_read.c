/* spool_read: lines from the files, and from memory where they are still there. */
#include "route/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"

void spool_seek(struct spool_pos *pos, uint64_t seq)
{
	memset(pos, 0, sizeof(*pos));
	pos->seq = seq;
}

/* Bytes of a file; how many, -1 with errno. */
static ssize_t read_at(const struct spool *s, const struct seg *seg, void *p, size_t n, off_t off)
{
	char name[SEGMENT_NAME_MAX];
	ssize_t got;
	int fd, e;

	segment_name(name, seg->file);
	fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	do {
		got = pread(fd, p, n, off);
	} while (got < 0 && errno == EINTR);
	e = errno;
	close(fd);
	errno = e;
	return got;
}

/* Reads `want` bytes more of the file behind what the chunk has. 0; -1 with a message: no memory; -2: it cannot be read. */
static int read_more(struct spool *s, const struct seg *seg, size_t want)
{
	uint64_t off = s->chunk_off + s->chunk.len;
	char name[SEGMENT_NAME_MAX];
	ssize_t got;

	if (off + want > seg->size)
		want = seg->size > off ? (size_t)(seg->size - off) : 0;
	if (want == 0)
		return -2;
	if (buf_reserve(&s->chunk, want) < 0) {
		log_error("%s: segment %llu: %s", s->dir, (unsigned long long)seg->file, strerror(errno));
		return -1;
	}
	got = read_at(s, seg, s->chunk.p + s->chunk.len, want, (off_t)off);
	if (got < 0) {
		segment_name(name, seg->file);
		log_error("%s/%s: %s", s->dir, name, strerror(errno));
	}
	if (got <= 0)
		return -2;
	s->chunk.len += (size_t)got;
	return 0;
}

/*
 * The group at `off` of seg, whose first line has number `seq`: checked, in the chunk. NULL: *bad tells whether it is damaged (else there was
 * no memory; or the chunk has not all of it, and `here` asks for no more). Whoever stops within a group and comes again finds it in the chunk,
 * checked already, if nobody else read meanwhile.
 */
static const char *group_at(struct spool *s, const struct seg *seg, uint64_t off, uint64_t seq, struct commit *c, size_t *len, bool here,
	bool *bad)
{
	const char *why;

	*bad = false;
	if (s->chunk_file != seg->file || off < s->chunk_off || off >= s->chunk_off + s->chunk.len) {
		buf_clear(&s->chunk);
		s->chunk_file = seg->file;
		s->chunk_off = off;
		s->checked_len = 0;
		s->scan = (struct segment_scan){ 0, 0 };
	}
	if (s->scanned != off)
		s->scan = (struct segment_scan){ 0, 0 };
	s->scanned = off;
	if (s->checked_len && s->checked == off && (s->checked_commit.seq == seq || seq == SEGMENT_ANY)) {
		*c = s->checked_commit;
		*len = s->checked_len;
		return s->chunk.p + (off - s->chunk_off);
	}
	for (;;) {
		size_t at = (size_t)(off - s->chunk_off);
		enum segment_result r = segment_next(s->chunk.p + at, s->chunk.len - at, seq, &s->scan, c, len, &why);
		if (r == SEGMENT_GROUP)
			break;
		if (r == SEGMENT_MORE && here)
			return NULL;
		if (r == SEGMENT_BAD) {
			s->scan = (struct segment_scan){ 0, 0 };
			log_error("%s: segment %llu, byte %llu: %s", s->dir, (unsigned long long)seg->file, (unsigned long long)off, why);
			*bad = true;
			return NULL;
		}
		buf_drop(&s->chunk, at);
		s->chunk_off = off;
		s->checked_len = 0;
		int e = read_more(s, seg, SPOOL_CHUNK);
		if (e < 0) {
			*bad = e == -2;
			return NULL;
		}
	}
	s->scan = (struct segment_scan){ 0, 0 };
	s->checked = off;
	s->checked_len = *len;
	s->checked_commit = *c;
	return s->chunk.p + (off - s->chunk_off);
}

/* Gives the lines of a group from pos on. false: fn stopped. */
static bool give_group(const struct seg *seg, struct spool_pos *pos, const struct commit *c, const char *lines,
	bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	const char *p = lines, *end = lines + c->bytes;
	uint64_t at = c->seq;

	if (pos->in && pos->in < c->bytes && pos->seq > at) {
		p += pos->in;
		at = pos->seq;
	}
	for (; p < end; at++) {
		const char *lf = rawmemchr(p, '\n');
		struct spool_view v = { .seq = at, .gen = seg->gen, .p = p, .n = (size_t)(lf + 1 - p), .off = pos->off,
			.place = pos->off + (p - lines) };
		/* Behind the end may stand what was refused and came back: a cut that a power loss undid. */
		if (at >= pos->seq && at < seg->end) {
			pos->in = (uint32_t)(p - lines);
			if (!fn(arg, &v))
				return false;
			pos->seq = at + 1;
		}
		p = lf + 1;
	}
	return true;
}

static enum spool_read damaged(struct spool *s, const struct seg *seg)
{
	return spool_damaged(s, seg) < 0 ? SPOOL_ERROR : SPOOL_MORE;
}

static enum spool_read read_file(struct spool *s, struct spool_pos *pos, bool (*fn)(void *arg, const struct spool_view *v),
	void *arg)
{
	const struct seg *seg = pos->seg && pos->epoch == s->epoch ? spool_find_seg(s, pos->seg) : NULL;
	struct commit c;
	const char *p;
	bool bad, here = false;
	size_t len;

	if (seg && seg->first == pos->seg && (uint64_t)pos->off >= seg->size && pos->at < seg->end)
		return damaged(s, seg);
	if (!seg || seg->first != pos->seg || (uint64_t)pos->off >= seg->size || pos->at >= seg->end) {
		/* The file is done or gone, or the place was never looked up: find the file of the next line wanted. */
		seg = spool_find_seg(s, pos->seq);
		if (!seg)
			return SPOOL_AT_END;
		pos->seg = pos->at = seg->first;
		pos->off = (off_t)seg->off;
		pos->in = 0;
		pos->epoch = s->epoch;
		if (pos->seq < seg->first)
			pos->seq = seg->first;
	}
	do {
		p = group_at(s, seg, (uint64_t)pos->off, pos->at, &c, &len, here, &bad);
		if (!p && here && !bad)
			break;
		if (!p)
			return bad ? damaged(s, seg) : SPOOL_ERROR;
		if (!give_group(seg, pos, &c, p, fn, arg))
			return SPOOL_STOPPED;
		pos->off += (off_t)len;
		pos->at = c.seq + c.n;
		pos->in = 0;
		/* The next group too, if no more has to be read for it. */
		here = true;
	} while ((uint64_t)pos->off < s->chunk_off + s->chunk.len && pos->at < seg->end);
	if (s->chunk.cap > 2 * SPOOL_GROUP)
		buf_release(&s->chunk);
	return SPOOL_MORE;
}

enum spool_read spool_read(struct spool *s, struct spool_pos *pos, bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	const struct tail_group *t = spool_tail_find(s, pos->seq);

	if (t)
		return spool_tail_read(s, t, pos, fn, arg);
	if (pos->seq >= spool_end(s))
		return SPOOL_AT_END;
	return read_file(s, pos, fn, arg);
}

/* The line seq of the group at p; NULL: it is not in it. */
static const char *line_in(const struct commit *c, const char *p, uint64_t seq, size_t *n)
{
	const char *lf;

	if (seq < c->seq || seq >= c->seq + c->n)
		return NULL;
	for (uint64_t at = c->seq; ; at++, p = lf + 1) {
		lf = rawmemchr(p, '\n');
		if (at == seq)
			break;
	}
	*n = (size_t)(lf + 1 - p);
	return p;
}

int spool_fetch(struct spool *s, uint64_t seq, off_t off, struct buf *line)
{
	const struct seg *seg = spool_find_seg(s, seq);
	const char *p = NULL;
	struct commit c;
	bool bad = false;
	size_t len, n;

	buf_clear(line);
	if (seg && seg->first <= seq && (uint64_t)off >= seg->off && (uint64_t)off < seg->size)
		p = group_at(s, seg, (uint64_t)off, SEGMENT_ANY, &c, &len, false, &bad);
	p = p ? line_in(&c, p, seq, &n) : NULL;
	/* The file was put in order since, and the group stands elsewhere. */
	if (!p && seg && seg->first <= seq) {
		uint64_t at = seg->off;
		for (uint64_t first = seg->first; !p && at < seg->size; at += len, first += c.n) {
			const char *g = group_at(s, seg, at, first, &c, &len, false, &bad);
			if (!g)
				break;
			p = line_in(&c, g, seq, &n);
		}
		if (!p && bad)
			spool_damaged(s, seg);
	}
	if (!p || buf_add(line, p, n) < 0) {
		log_error("%s: line %llu is gone", s->dir, (unsigned long long)seq);
		return -1;
	}
	return 0;
}

int spool_glance(struct spool *s, uint64_t seq, off_t place, size_t n, uint32_t crc, struct buf *line)
{
	const struct seg *seg = spool_find_seg(s, seq);

	buf_clear(line);
	if (!seg || seg->first > seq || (uint64_t)place + n > seg->size || buf_reserve(line, n) < 0)
		return -1;
	if (read_at(s, seg, line->p, n, place) != (ssize_t)n || hash_crc32c(0, line->p, n) != crc)
		return -1;
	line->len = n;
	return 0;
}

/* ---- the walk at start ---- */

struct walker { void (*fn)(void *arg, const struct spool_view *v); void *arg; };

static bool each(void *arg, const struct spool_view *v)
{
	const struct walker *w = arg;

	w->fn(w->arg, v);
	return true;
}

int spool_walk(struct spool *s, uint64_t seq, void (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	struct walker w = { fn, arg };
	struct spool_pos pos;
	enum spool_read r;

	spool_seek(&pos, seq);
	do {
		r = pos.seq >= spool_end(s) ? SPOOL_AT_END : read_file(s, &pos, each, &w);
	} while (r == SPOOL_MORE);
	return r == SPOOL_AT_END ? 0 : -1;
}
