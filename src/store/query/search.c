/* search: the newest lines whose data.text has all the words of text; raw: text is a query in FTS5's own language. */
#include "store/query/query.h"
#include "store/words.h"

static const char sql[] =
	"SELECT event.seq, event.line FROM words CROSS JOIN event ON event.seq = words.rowid "
	"WHERE words MATCH ?1 AND words.rowid < ?2 AND (?3 = 0 OR conversation = ?3) AND (?4 = 0 OR type = ?4) "
	"ORDER BY words.rowid DESC";

static int fetch(struct history *h, const struct query *q, struct answer *a, const struct buf *match)
{
	struct db_stmt *s = h->statement(h, sql);
	int64_t key, type;
	int rc = answer_filter(a, h, q, &key, &type);

	if (rc <= 0)
		return rc;
	if (!s)
		return answer_db(a, h);
	a->backwards = true;
	db_text(s, 0, match->p, match->len);
	db_int(s, 1, q->before);
	db_int(s, 2, key);
	db_int(s, 3, type);
	rc = answer_rows(a, h, s, NULL, q);
	if (rc && q->raw && db_error(h->db)->fault == DB_SYNTAX)
		answer_fail(a, "text: %s (raw takes an FTS5 query: word, \"some words\", word*, AND, OR, NOT, NEAR)", db_error(h->db)->what);
	return rc;
}

static int run(struct history *h, const struct query *q, struct answer *a)
{
	struct buf match;
	int rc;

	buf_init(&match, 8 * QUERY_REQUEST);
	if (q->raw ? words_spread(&match, q->text.p, q->text.n) : words_query(&match, q->text.p, q->text.n))
		rc = answer_fail(a, "text: no memory");
	else
		rc = match.len ? fetch(h, q, a, &match) : 0;
	buf_release(&match);
	return rc;
}

const struct query_kind query_search = {
	.name = "search",
	.may = QM(KEY) | QM(N) | QM(BEFORE) | QM(TYPE) | QM(RAW),
	.must = QM(TEXT),
	.filled = true,
	.run = run,
};
