#include "route/walk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256u << 10)

void walk_init(struct walk *w, int fd, uint64_t first)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->seq = first;
	buf_init(&w->buf, SEGMENT_GROUP_MAX + CHUNK * 2);
}

void walk_release(struct walk *w)
{
	buf_release(&w->buf);
}

void walk_again(struct walk *w)
{
	buf_clear(&w->buf);
	w->skip = 0;
	memset(&w->scan, 0, sizeof(w->scan));
}

size_t walk_left(const struct walk *w)
{
	return w->buf.len - w->skip;
}

/* 1: bytes came, 0: end of file, -1: errno. */
static int more(struct walk *w)
{
	ssize_t got;

	/* The buffer begins at w->off once the groups given out are dropped, which is left until bytes must move anyway. */
	if (w->skip) {
		buf_drop(&w->buf, w->skip);
		w->skip = 0;
	}
	if (buf_reserve(&w->buf, CHUNK) < 0)
		return -1;
	do {
		got = pread(w->fd, w->buf.p + w->buf.len, CHUNK, w->off + (off_t)w->buf.len);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	w->buf.len += (size_t)got;
	return 1;
}

enum walk_result walk_next(struct walk *w, struct commit *c, const char **lines, size_t *len)
{
	for (;;) {
		size_t bytes;
		enum segment_result r = segment_next(w->buf.p + w->skip, w->buf.len - w->skip, w->seq, &w->scan, c,
			&bytes, &w->why);

		if (r == SEGMENT_BAD)
			return WALK_BAD;
		if (r == SEGMENT_MORE) {
			int got = more(w);
			if (got < 0)
				return WALK_ERROR;
			if (got == 0)
				return WALK_END;
			continue;
		}
		*lines = w->buf.p + w->skip;
		*len = c->bytes;
		w->skip += bytes;
		w->start = w->off;
		w->off += (off_t)bytes;
		w->seq += c->n;
		memset(&w->scan, 0, sizeof(w->scan));
		return WALK_GROUP;
	}
}
