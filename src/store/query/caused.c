/* caused: what an event caused: the lines whose causationid is this id, oldest first. */
#include "store/query/query.h"

static const char sql[] =
	"SELECT event.seq, event.line FROM cause CROSS JOIN event ON event.seq = cause.seq "
	"WHERE hash = ?1 AND (?2 = 0 OR type = ?2) ORDER BY cause.seq";

static bool keep(const struct query *q, const char *p, size_t n)
{
	struct envelope e;

	return scan_lazy(p, n, &e) == 0 && text_is(e.a[LA_CAUSATIONID], q->id);
}

static int run(struct history *h, const struct query *q, struct answer *a)
{
	struct db_stmt *s = h->statement(h, sql);
	int64_t from, to, key, type;
	int rc = answer_filter(a, h, q, &key, &type);

	if (rc <= 0)
		return rc;
	if (!s)
		return answer_db(a, h);
	h->range(h, q->id, &from, &to);
	db_int(s, 0, from);
	db_int(s, 1, type);
	return answer_rows(a, h, s, keep, q);
}

const struct query_kind query_caused = {
	.name = "caused",
	.may = QM(TYPE) | QM(N),
	.must = QM(ID),
	.filled = true,
	.run = run,
};
