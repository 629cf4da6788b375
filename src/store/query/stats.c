/* stats: a line for each tenant: how much there is, the times of the first and the last event. Without a tenant: all, after the name `from`. */
#include "store/query/query.h"

static const char sql[] =
	"SELECT events, bytes, (SELECT min(seq) FROM event), (SELECT max(seq) FROM event), "
	"(SELECT time FROM event ORDER BY seq LIMIT 1), "
	"(SELECT time FROM event ORDER BY seq DESC LIMIT 1), "
	"(SELECT count(*) FROM name WHERE kind = 2), "
	"(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) FROM state";

static int time_member(struct buf *b, const char *name, struct db_stmt *s, int column)
{
	char text[CLOCK_RFC3339_MAX];

	if (db_col_null(s, column))
		return 0;
	clock_rfc3339(text, db_col_int(s, column) * CLOCK_MS);
	return buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static int line_of(struct buf *b, struct history *h, struct db_stmt *s)
{
	return buf_printf(b, "{\"tenant\":\"%s\",\"events\":%lld,\"bytes\":%lld,\"first\":%lld,\"last\":%lld", h->tenant,
			(long long)db_col_int(s, 0), (long long)db_col_int(s, 1), (long long)db_col_int(s, 2), (long long)db_col_int(s, 3)) ||
		time_member(b, "from", s, 4) || time_member(b, "to", s, 5) ||
		buf_printf(b, ",\"conversations\":%lld,\"file\":%lld}", (long long)db_col_int(s, 6), (long long)db_col_int(s, 7));
}

static int run(struct history *h, const struct query *q, struct answer *a)
{
	struct db_stmt *s = h->statement(h, sql);
	struct buf line;
	int rc;

	(void)q;
	if (!s)
		return answer_db(a, h);
	buf_init(&line, 4096);
	rc = db_step(s);
	if (rc < 0)
		answer_db(a, h);
	else if (rc == 1)
		rc = line_of(&line, h, s) ? answer_fail(a, "no memory") : answer_add(a, db_col_int(s, 3), line.p, line.len);
	db_reset(s);
	buf_release(&line);
	return rc < 0 ? -1 : 0;
}

const struct query_kind query_stats = {
	.name = "stats",
	.may = QM(N) | QM(FROM),
	.whole = true,
	.run = run,
};
