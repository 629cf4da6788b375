/* last: the newest lines of a conversation, or of the tenant; before: the ones before that. */
#include "store/query/query.h"

static const char of_key[] = "SELECT seq, line FROM event WHERE conversation = ?1 AND seq < ?3 AND (?2 = 0 OR type = ?2) ORDER BY seq DESC";
static const char of_all[] = "SELECT seq, line FROM event WHERE ?1 = 0 AND seq < ?3 AND (?2 = 0 OR type = ?2) ORDER BY seq DESC";

static int run(struct history *h, const struct query *q, struct answer *a)
{
	struct db_stmt *s = h->statement(h, q->key.p ? of_key : of_all);
	int64_t key, type;
	int rc = answer_filter(a, h, q, &key, &type);

	if (rc <= 0)
		return rc;
	if (!s)
		return answer_db(a, h);
	a->backwards = true;
	db_int(s, 0, key);
	db_int(s, 1, type);
	db_int(s, 2, q->before);
	return answer_rows(a, h, s, NULL, q);
}

const struct query_kind query_last = {
	.name = "last",
	.may = QM(KEY) | QM(N) | QM(BEFORE) | QM(TYPE),
	.run = run,
};
