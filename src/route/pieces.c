#include "route/pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "route/walk.h"

#define CHUNK (256u << 10)
#define SKIP_LEAST 4096		/* bytes passed over where reading fails; doubled while it goes on failing */
#define SKIP_MOST (1 << 20)

static const char BEGIN[] = "{\"_commit\":{\"seq\":";

static ssize_t read_at(int fd, void *p, size_t n, off_t off)
{
	ssize_t got;

	do {
		got = pread(fd, p, n, off);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* ---- the next good group ---- */

struct search {
	int fd;
	off_t from, size;	/* no group begins before `from` */
	uint64_t seq, limit;	/* numbers it may have */
	struct buf text, group;
	struct commit c;	/* found */
	off_t at;
	uint64_t claim;
};

/* 1: a good group ends with the commit line c, n bytes at `off`; 0: it does not; -1: no memory. */
static int is_group(struct search *s, const struct commit *c, off_t off, size_t n)
{
	struct segment_scan scan = { 0, 0 };
	off_t at = off - (off_t)c->bytes;
	const char *why;
	size_t len;

	if (c->n == 0 || c->bytes > SEGMENT_GROUP_MAX || at < s->from || c->seq < s->seq || c->seq >= s->limit)
		return 0;
	buf_clear(&s->group);
	if (buf_reserve(&s->group, c->bytes + n) < 0)
		return -1;
	if (read_at(s->fd, s->group.p, c->bytes + n, at) != (ssize_t)(c->bytes + n) ||
	    segment_next(s->group.p, c->bytes + n, c->seq, &scan, &s->c, &len, &why) != SEGMENT_GROUP || len != c->bytes + n)
		return 0;
	s->at = at;
	return 1;
}

/* Looks at what reads like a commit line at p, `off` in the file. As is_group. */
static int look(struct search *s, const char *p, size_t n, off_t off)
{
	const char *lf = memchr(p, '\n', n < SEGMENT_COMMIT_MAX ? n : SEGMENT_COMMIT_MAX);
	struct commit c;

	if (!lf || commit_parse(p, (size_t)(lf - p), &c) < 0)
		return 0;
	/* Only what could stand there: a number takes a byte at least. */
	if (c.seq >= s->seq && c.seq + c.n > s->claim && c.seq + c.n - s->seq <= (uint64_t)(s->size - s->from))
		s->claim = c.seq + c.n;
	return is_group(s, &c, off, (size_t)(lf + 1 - p));
}

/* Looks at the commit lines that begin before `last` in s->text, which stands at `off` in the file. As is_group. */
static int look_at_all(struct search *s, off_t off, const char *last)
{
	const char *p = s->text.p, *end = p + s->text.len, *hit = p;
	int found = 0;

	while (!found && hit < last && (hit = memmem(hit, (size_t)(end - hit), BEGIN, sizeof(BEGIN) - 1)) && hit < last) {
		/* A commit line is the first thing there, or stands behind a line feed. */
		if (hit > p ? hit[-1] == '\n' : off == s->from)
			found = look(s, hit, (size_t)(end - hit), off + (hit - p));
		hit++;
	}
	return found;
}

/* As is_group. */
static int find_group(struct search *s)
{
	off_t skip = SKIP_LEAST, off = s->from;	/* of s->text */
	int found = 0;

	while (!found && off < s->size) {
		if (buf_reserve(&s->text, CHUNK) < 0)
			return -1;
		ssize_t got = read_at(s->fd, s->text.p + s->text.len, CHUNK, off + (off_t)s->text.len);
		s->text.len += got > 0 ? (size_t)got : 0;
		const char *end = s->text.p + s->text.len;
		if (got <= 0) {
			found = look_at_all(s, off, end);
			if (got == 0)
				break;
			off += (off_t)s->text.len + skip;
			skip = skip < SKIP_MOST ? skip * 2 : SKIP_MOST;
			buf_clear(&s->text);
			continue;
		}
		skip = SKIP_LEAST;
		if (s->text.len < SEGMENT_COMMIT_MAX + 1)
			continue;
		/* A line that may not be whole yet waits for more, with the byte before it. */
		found = look_at_all(s, off, end - SEGMENT_COMMIT_MAX);
		off += (off_t)(s->text.len - SEGMENT_COMMIT_MAX - 1);
		buf_drop(&s->text, s->text.len - SEGMENT_COMMIT_MAX - 1);
	}
	return found;
}

/* ---- the whole file ---- */

static void *more(void *v, size_t n, size_t *cap, size_t each)
{
	if (n < *cap)
		return v;
	size_t want = *cap ? *cap * 2 : 8;
	void *p = realloc(v, want * each);
	if (p)
		*cap = want;
	return p;
}

static struct piece *add_piece(struct pieces *p, off_t off, uint64_t first, uint64_t gen)
{
	struct piece *v = more(p->v, p->n, &p->cap, sizeof(*v));

	if (!v)
		return NULL;
	p->v = v;
	v[p->n] = (struct piece){ .off = off, .end = off, .first = first, .next = first, .gen = gen };
	return &v[p->n++];
}

static struct fault *add_fault(struct pieces *p, const struct fault *f)
{
	struct fault *v = more(p->faults, p->nfaults, &p->faults_cap, sizeof(*v));

	if (!v)
		return NULL;
	p->faults = v;
	v[p->nfaults] = *f;
	return &v[p->nfaults++];
}

/* What is wrong at w, and where it goes on. 1: w stands there now; 0: nowhere; -1: no memory. */
static int pass_fault(struct pieces *p, struct walk *w, enum walk_result r, uint64_t limit)
{
	struct fault f = { .off = w->off, .end = p->size, .from = w->seq, .next = w->seq, .tail = true, .torn = r == WALK_END,
		.claim = w->seq, .why = r == WALK_END ? "a write that did not end" : r == WALK_ERROR ? strerror(errno) : w->why };
	struct search s = { .fd = w->fd, .from = w->off, .size = p->size, .seq = w->seq, .limit = limit, .claim = w->seq };
	int found = 0, fd = w->fd;

	buf_init(&s.text, CHUNK * 4);
	buf_init(&s.group, SEGMENT_GROUP_MAX + SEGMENT_COMMIT_MAX);
	if (r != WALK_END)
		found = find_group(&s);
	buf_release(&s.text);
	buf_release(&s.group);
	f.claim = s.claim;
	if (found > 0) {
		f.end = s.at;
		f.next = s.c.seq;
		f.tail = false;
	}
	if (found < 0 || !add_fault(p, &f)) {
		errno = ENOMEM;
		return -1;
	}
	if (found) {
		walk_release(w);
		walk_init(w, fd, s.c.seq);
		w->off = s.at;
	}
	return found;
}

int pieces_scan(struct pieces *p, int fd, uint64_t first, uint64_t limit)
{
	struct piece *now = NULL;
	enum walk_result r;
	struct commit c;
	struct stat st;
	struct walk w;
	const char *lines;
	size_t n;
	int ret = -1;

	memset(p, 0, sizeof(*p));
	if (fstat(fd, &st) < 0)
		return -1;
	p->size = st.st_size;
	walk_init(&w, fd, first);
	for (;;) {
		r = walk_next(&w, &c, &lines, &n);
		if (r == WALK_GROUP) {
			if (w.start == 0 && c.head) {
				p->head = true;
				p->prev = c.prev;
				p->lines = c.lines;
			}
			if (!now && !(now = add_piece(p, w.start, c.seq, c.gen))) {
				errno = ENOMEM;
				break;
			}
			now->end = w.off;
			now->next = w.seq;
			continue;
		}
		ret = 0;
		if (r == WALK_END && walk_left(&w) == 0)
			break;
		ret = pass_fault(p, &w, r, limit);
		if (ret <= 0)
			break;
		now = NULL;
	}
	int err = errno;
	walk_release(&w);
	if (ret < 0)
		pieces_release(p);
	errno = err;
	return ret;
}

int pieces_next(int fd, off_t from, uint64_t seq, uint64_t limit, off_t *at, uint64_t *first)
{
	struct search s = { .fd = fd, .from = from, .seq = seq, .limit = limit, .claim = seq };
	struct stat st;
	int found;

	if (fstat(fd, &st) < 0)
		return -1;
	s.size = st.st_size;
	buf_init(&s.text, CHUNK * 4);
	buf_init(&s.group, SEGMENT_GROUP_MAX + SEGMENT_COMMIT_MAX);
	found = find_group(&s);
	buf_release(&s.text);
	buf_release(&s.group);
	*at = s.at;
	*first = s.c.seq;
	return found;
}

void pieces_release(struct pieces *p)
{
	free(p->v);
	free(p->faults);
	memset(p, 0, sizeof(*p));
}
