#include "link/transport/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define READ_ROOM 65536u		/* least room to read into */
#define BUF_FIRST (256u << 10)
#define BUF_FIRST_MANY (2u << 20)	/* for who takes by the thousand: what one read brings is what a batch can be */
#define TAKE_MANY 1024u

static void drop_line(struct slice *s, const char *fault)
{
	s->drop(s->arg, ++s->number, fault);
}

static void too_long(struct slice *s)
{
	char fault[80];

	snprintf(fault, sizeof fault, "longer than %zu bytes", s->max_line);
	drop_line(s, fault);
}

/* Drops what belongs to a line that was too long. False: its end is not there yet. */
static bool skip(struct slice *s)
{
	const char *lf = memchr(s->buf + s->start, '\n', s->len - s->start);

	s->start = lf ? (size_t)(lf + 1 - s->buf) : s->len;
	s->skipping = !lf;
	return lf != NULL;
}

bool slice_next(struct slice *s)
{
	while (s->start < s->len && (!s->skipping || skip(s))) {
		const char *from = s->buf + s->start, *end = s->buf + s->len, *at = from, *lf = NULL;
		unsigned n = 0;

		for (size_t skip_to = s->scanned; n < s->take && at < end; n++, at = lf + 1, skip_to = 0) {
			lf = memchr(at + skip_to, '\n', (size_t)(end - at) - skip_to);
			if (!lf || (size_t)(lf - at) > s->max_line || (n && (size_t)(lf + 1 - from) > LINK_BATCH_BYTES))
				break;
		}
		s->scanned = 0;
		if (n > 0) {
			s->given = (size_t)(at - from);
			s->number += n;
			return true;
		}
		if (!lf && (size_t)(end - from) <= s->max_line) {
			s->scanned = (size_t)(end - from);
			return false;
		}
		too_long(s);
		s->skipping = true;
	}
	return false;
}

bool slice_taken(struct slice *s)
{
	s->start += s->given;
	s->given = 0;
	return s->start < s->len;
}

void slice_end(struct slice *s, const char *fault)
{
	if (s->start < s->len && !s->skipping)
		drop_line(s, fault);
}

size_t slice_room(struct slice *s)
{
	size_t have = s->len - s->start, cap;
	char *p;

	if (s->cap - s->len >= READ_ROOM)
		return s->cap - s->len;
	if (s->start > 0) {
		memmove(s->buf, s->buf + s->start, have);
		s->start = 0;
		s->len = have;
	}
	if (s->cap - s->len >= READ_ROOM)
		return s->cap - s->len;
	cap = s->cap ? s->cap * 2 : s->take >= TAKE_MANY ? BUF_FIRST_MANY : BUF_FIRST;
	p = realloc(s->buf, cap);
	if (!p)
		return 0;
	s->buf = p;
	s->cap = cap;
	return s->cap - s->len;
}

void slice_release(struct slice *s)
{
	free(s->buf);
	s->buf = NULL;
	s->cap = s->start = s->len = 0;
}
