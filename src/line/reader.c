#include "line/reader.h"

#include <errno.h>
#include <string.h>

#include "line/why.h"

#define ROOM 65536u	/* bytes offered to one read: what a pipe holds */

void reader_init(struct reader *r, size_t max)
{
	memset(r, 0, sizeof *r);
	r->max = max;
	/* Half a line of at most max bytes is kept; behind it there is always room for the next read. */
	buf_init(&r->buf, max + 2 * (size_t)ROOM);
}

void reader_release(struct reader *r)
{
	buf_release(&r->buf);
	reader_init(r, r->max);
}

char *reader_space(struct reader *r, size_t *n)
{
	if (r->start) {
		buf_drop(&r->buf, r->start);
		r->start = 0;
	}
	if (r->buf.cap - r->buf.len < ROOM && buf_reserve(&r->buf, ROOM) != 0 && r->buf.cap == r->buf.len)
		return NULL;
	*n = r->buf.cap - r->buf.len;
	return r->buf.p + r->buf.len;
}

void reader_filled(struct reader *r, size_t n)
{
	r->buf.len += n;
}

/* Gives up n bytes from start on, of which the next line begins behind. */
static void consume(struct reader *r, size_t n)
{
	r->start += n;
	r->consumed += n;
	r->seen = 0;
}

/* The first bytes of a line over the cap, said once. */
static enum reader_result too_long(struct reader *r, struct span *line, struct line_err *err)
{
	*line = (struct span){ r->buf.p + r->start, r->max };
	err->at = r->max;
	err->why = WHY_TOO_LONG;
	return READER_BAD;
}

enum reader_result reader_next(struct reader *r, struct span *line, struct line_err *err)
{
	for (;;) {
		size_t have = r->buf.len - r->start, n;
		const char *p, *lf;

		if (have == r->seen)
			return READER_MORE;
		p = r->buf.p + r->start;
		lf = memchr(p + r->seen, '\n', have - r->seen);
		if (r->skipping) {
			consume(r, lf ? (size_t)(lf - p) + 1 : have);
			r->skipping = !lf;
			continue;
		}
		if (!lf && have <= r->max) {
			r->seen = have;
			return READER_MORE;
		}
		n = lf ? (size_t)(lf - p) : have;
		r->number++;
		r->offset = r->consumed;
		if (n > r->max) {
			enum reader_result bad = too_long(r, line, err);

			r->skipping = !lf;
			consume(r, lf ? n + 1 : n);
			return bad;
		}
		*line = (struct span){ p, n };
		consume(r, n + 1);
		return READER_LINE;
	}
}

enum reader_result reader_end(struct reader *r, struct span *line, struct line_err *err)
{
	size_t have = r->buf.len - r->start;

	r->skipping = false;
	if (have == 0)
		return READER_MORE;
	r->number++;
	r->offset = r->consumed;
	*line = (struct span){ r->buf.p + r->start, have };
	err->at = have;
	err->why = WHY_NO_LF;
	consume(r, have);
	return READER_BAD;
}
