/* id: the event with this id; several, when sources share it and none is named. */
#include "store/query/query.h"

/* Numbers are sorted, not lines; the limit keeps SQLite from dropping the inner order. */
static const char sql[] =
	"SELECT event.seq, event.line FROM (SELECT seq FROM seen WHERE hash BETWEEN ?1 AND ?2 ORDER BY seq LIMIT -1) AS found "
	"CROSS JOIN event ON event.seq = found.seq";

static bool keep(const struct query *q, const char *p, size_t n)
{
	struct envelope e;

	return scan_lazy(p, n, &e) == 0 && text_is(e.a[LA_ID], q->id) && (!q->source.p || text_is(e.a[LA_SOURCE], q->source));
}

static int run(struct history *h, const struct query *q, struct answer *a)
{
	struct db_stmt *s = h->statement(h, sql);
	int64_t from, to;

	if (!s)
		return answer_db(a, h);
	h->range(h, q->id, &from, &to);
	db_int(s, 0, from);
	db_int(s, 1, to);
	return answer_rows(a, h, s, keep, q);
}

const struct query_kind query_id = {
	.name = "id",
	.may = QM(SOURCE) | QM(N),
	.must = QM(ID),
	.filled = true,
	.run = run,
};
