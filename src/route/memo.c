#include "route/memo.h"

#include <stdlib.h>

#include "route/spool.h"

bool memo_get(const struct memo *m, uint64_t seq, struct spool_line *out)
{
	const struct memo_line *l = m->v ? &m->v[seq % MEMO_LINES] : NULL;

	/* No line has number 0. */
	if (!l || l->seq != seq)
		return false;
	*out = (struct spool_line){ .mask = l->mask, .lane = l->lane, .tenant = l->tenant };
	return true;
}

void memo_put(struct memo *m, uint64_t seq, const struct spool_line *line)
{
	if (!m->v)
		m->v = calloc(MEMO_LINES, sizeof(*m->v));
	if (m->v)
		m->v[seq % MEMO_LINES] = (struct memo_line){ seq, line->mask, line->lane, line->tenant };
}

void memo_release(struct memo *m)
{
	free(m->v);
	m->v = NULL;
}
