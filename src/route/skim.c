#include "route/skim.h"

#include <stdlib.h>
#include <string.h>

void skim_init(struct skim *s)
{
	memset(s, 0, sizeof(*s));
	s->lines = SKIM_LINES;
}

void skim_release(struct skim *s)
{
	free(s->v);
	skim_init(s);
}

void skim_clear(struct skim *s)
{
	s->n = 0;
	s->lines = SKIM_LINES;
}

void skim_bit(struct skim_bits *b, uint64_t tenant)
{
	tenant *= UINT64_C(0x9e3779b97f4a7c15);
	b->w[tenant >> 62] |= UINT64_C(1) << (tenant >> 56 & 63);
}

static bool meet(const struct skim_bits *a, const struct skim_bits *b)
{
	return (a->w[0] & b->w[0]) | (a->w[1] & b->w[1]) | (a->w[2] & b->w[2]) | (a->w[3] & b->w[3]);
}

static void halve(struct skim *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->n; i += 2, to++) {
		s->v[to] = s->v[i];
		for (int k = 0; k < 4 && i + 1 < s->n; k++)
			s->v[to].bits.w[k] |= s->v[i + 1].bits.w[k];
	}
	s->n = to;
	s->lines *= 2;
}

void skim_at(struct skim *s, const struct spool_pos *pos)
{
	if (s->n && pos->seq < s->v[s->n - 1].pos.seq + s->lines)
		return;
	if (s->n == SKIM_PIECES)
		halve(s);
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		struct skim_piece *v = realloc(s->v, cap * sizeof(*v));
		if (!v)
			return;		/* the last piece is longer, then */
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct skim_piece){ .pos = *pos };
}

void skim_add(struct skim *s, uint64_t tenant)
{
	if (s->n)
		skim_bit(&s->v[s->n - 1].bits, tenant);
}

void skim_add_all(struct skim *s)
{
	if (s->n)
		memset(&s->v[s->n - 1].bits, 0xff, sizeof(s->v[0].bits));
}

/* The piece that holds seq; -1: it is before the first. */
static ptrdiff_t find(const struct skim *s, uint64_t seq)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->v[mid].pos.seq <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ptrdiff_t)lo - 1;
}

void skim_forget(struct skim *s, uint64_t low)
{
	ptrdiff_t i = find(s, low);

	/* Not for each piece that goes: the rest is moved. */
	if (i <= 0 || (size_t)i < s->n / 4)
		return;
	s->n -= (size_t)i;
	memmove(s->v, s->v + i, s->n * sizeof(*s->v));
}

bool skim_seek(const struct skim *s, struct spool_pos *pos, uint64_t seq)
{
	ptrdiff_t i = find(s, seq);

	if (i >= 0 && s->v[i].pos.seq > pos->seq)
		*pos = s->v[i].pos;
	return i >= 0;
}

void skim_next(const struct skim *s, struct spool_pos *pos, const struct skim_bits *want, const struct spool_pos *end)
{
	ptrdiff_t i = find(s, pos->seq);

	if (i < 0)
		return;
	if (meet(&s->v[i].bits, want)) {
		/* The file is not known yet: that of the piece is. */
		if (pos->seg == 0)
			*pos = s->v[i].pos;
		return;
	}
	while ((size_t)++i < s->n && !meet(&s->v[i].bits, want))
		;
	*pos = (size_t)i < s->n ? s->v[i].pos : *end;
}
