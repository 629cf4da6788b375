#include "logd/frame.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/tai.h"

size_t frame_stamp(struct buf *b, enum stamp kind, int64_t wall)
{
	char text[CLOCK_RFC3339_MAX + 1];
	size_t n = 0;

	if (kind == STAMP_TAI) {
		tai_label(text, wall);
		n = TAI_LABEL;
	} else if (kind == STAMP_ISO) {
		n = clock_rfc3339(text, wall);
	}
	if (n)
		text[n++] = ' ';
	if (b)
		buf_add(b, text, n);
	return n;
}

/* The place of a record of supervise's in p, or n. */
static size_t find_mark(const char *p, size_t n)
{
	const char *at = p;

	while ((at = memchr(at, FRAME_MARK[0], n - (size_t)(at - p))) != NULL) {
		if (n - (size_t)(at - p) >= sizeof FRAME_MARK - 1 && memcmp(at, FRAME_MARK, sizeof FRAME_MARK - 1) == 0)
			return (size_t)(at - p);
		at++;
	}
	return n;
}

size_t frame_piece(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	size_t len = lf ? (size_t)(lf - p) + 1 : n;

	return find_mark(p, len);
}

bool frame_is_mark(const char *p, size_t n)
{
	return n >= sizeof FRAME_MARK - 1 && memcmp(p, FRAME_MARK, sizeof FRAME_MARK - 1) == 0;
}
