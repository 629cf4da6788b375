/* spool_tail: lines on disk that are still in memory, too. */
#include "route/spool_impl.h"

#include <stdlib.h>
#include <string.h>

#define TAIL_WHOLE (64u << 10)	/* bytes: smaller groups are copied */

static struct tail_group *tail_at(const struct spool *s, size_t i)
{
	return s->tail[s->tail_at + i];
}

static void tail_free(struct spool *s, struct tail_group *t)
{
	if (t->whole)
		spool_group_done(s, t->whole);
	free(t);
}

bool spool_tail_add(struct spool *s, struct group *g, uint64_t seg, off_t off, off_t end)
{
	size_t bytes = g->lines[g->n - 1].off + g->lines[g->n - 1].len;
	bool whole = bytes >= TAIL_WHOLE && bytes >= g->bytes.cap / 4;
	size_t head = sizeof(struct tail_group) + (whole ? 0 : g->n * sizeof(struct spool_line));
	size_t size = head + (whole ? g->bytes.cap + g->cap * sizeof(struct spool_line) : bytes);
	struct tail_group *t = NULL;

	/* A group that is larger than the whole tail, or finds no memory, is read from the file; so is then all before it. */
	while (s->tail_n && (s->tail_bytes + size > SPOOL_TAIL || size > SPOOL_TAIL)) {
		s->tail_bytes -= tail_at(s, 0)->size;
		tail_free(s, tail_at(s, 0));
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
		t = malloc(whole ? head : size);
	if (!t)
		goto empty;
	*t = (struct tail_group){ .first = g->first, .gen = g->gen, .seg = seg, .off = off, .end = end, .n = g->n, .size = size };
	if (whole) {
		t->whole = g;
		t->lines = g->lines;
		t->bytes = g->bytes.p;
	} else {
		t->lines = memcpy(t->copy, g->lines, g->n * sizeof(struct spool_line));
		t->bytes = memcpy((char *)(t->copy + g->n), g->bytes.p, bytes);
	}
	s->tail[s->tail_at + s->tail_n++] = t;
	s->tail_bytes += size;
	return whole;
empty:
	/* The tail must have no hole. */
	spool_tail_release(s);
	return false;
}

void spool_tail_release(struct spool *s)
{
	for (size_t i = 0; i < s->tail_n; i++)
		tail_free(s, tail_at(s, i));
	free(s->tail);
	s->tail = NULL;
	s->tail_at = s->tail_n = s->tail_cap = s->tail_bytes = 0;
}

const struct tail_group *spool_tail_find(const struct spool *s, uint64_t seq)
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

enum spool_read spool_tail_read(const struct spool *s, const struct tail_group *t, struct spool_pos *pos,
	bool (*fn)(void *arg, const struct spool_view *v), void *arg)
{
	uint32_t i = pos->seq > t->first ? (uint32_t)(pos->seq - t->first) : 0;
	enum spool_read r = SPOOL_MORE;

	for (; i < t->n; i++) {
		const struct spool_line *line = &t->lines[i];
		struct spool_view v = { .seq = t->first + i, .gen = t->gen, .p = t->bytes + line->off, .n = line->len,
			.known = line, .off = t->off, .place = t->off + line->off };
		if (!fn(arg, &v)) {
			r = SPOOL_STOPPED;
			break;
		}
	}
	pos->seq = t->first + i;
	pos->seg = t->seg;
	pos->at = i < t->n ? t->first : pos->seq;
	pos->off = i < t->n ? t->off : t->end;
	pos->in = i && i < t->n ? t->lines[i].off : 0;
	pos->epoch = s->epoch;
	return r;
}
