#include "store/fill.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/row.h"
#include "store/tenant.h"
#include "store/words.h"

#define GROUP_ROWS 8192
#define GROUP_BYTES (1u << 20)	/* of user ids and names: a group is closed above it */
#define SPREAD_MAX (4u << 20)	/* a text of 1 MiB, each character of three bytes with two spaces */

struct pair { int64_t hash, seq; };
struct who { int64_t id; uint32_t at, uid, name; };	/* offset and lengths in bytes */

struct group {
	struct tenant *t;
	struct pair *seen, *cause;
	struct who *who;
	size_t nseen, ncause, nwho, rows;
	struct buf bytes, text, spread;
	struct db_stmt *add_words;
	int64_t last;
};

/* ---- gathering ---- */

static int gather_words(struct group *g, int64_t seq, struct span text)
{
	buf_clear(&g->text);
	buf_clear(&g->spread);
	if (scan_string(text, &g->text))
		return -1;
	if (g->text.len == 0)
		return 0;
	if (words_spread(&g->spread, g->text.p, g->text.len))
		return -1;
	db_int(g->add_words, 0, seq);
	db_text(g->add_words, 1, g->spread.p, g->spread.len);
	return db_run(g->add_words);
}

static int gather_person(struct group *g, int64_t id, struct span data)
{
	struct span user = scan_member(data, "user"), name;
	struct who *w = &g->who[g->nwho];
	size_t at = g->bytes.len;

	if (scan_string(scan_member(user, "id"), &g->bytes))
		return -1;
	*w = (struct who){ .id = id, .at = (uint32_t)at, .uid = (uint32_t)(g->bytes.len - at) };
	name = scan_member(user, "name");
	if (name.p && name.p[0] == '"' && scan_string(name, &g->bytes))
		return -1;
	w->name = (uint32_t)(g->bytes.len - at - w->uid);
	g->nwho++;
	return 0;
}

static int gather(struct group *g, int64_t seq, int64_t seen, int64_t person, const char *p, size_t n)
{
	struct envelope e;
	struct span data, text;
	int64_t from, to;

	g->last = seq;
	g->seen[g->nseen++] = (struct pair){ seen, seq };
	if (scan_lazy(p, n, &e))
		return 0;	/* never for a line of ours; a damaged one is found by --check */
	if (e.a[LA_CAUSATIONID].p) {
		buf_clear(&g->text);
		if (scan_string(e.a[LA_CAUSATIONID], &g->text))
			return -1;
		row_id_range(g->text.p, g->text.len, g->t->salt, &from, &to);
		g->cause[g->ncause++] = (struct pair){ from, seq };
	}
	data = e.a[LA_DATA];
	if (!data.p || data.p[0] != '{')
		return 0;
	if (person && gather_person(g, person, data))
		return -1;
	text = scan_member(data, "text");
	return text.p && text.p[0] == '"' ? gather_words(g, seq, text) : 0;
}

/* ---- writing, sorted ---- */

static int by_hash(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;

	return a->hash != b->hash ? (a->hash < b->hash ? -1 : 1) : (a->seq > b->seq) - (a->seq < b->seq);
}

/* Within a person the one gathered last comes last: its name stays. */
static int by_person(const void *x, const void *y)
{
	const struct who *a = x, *b = y;

	return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->at > b->at) - (a->at < b->at);
}

static int write_pairs(struct db *d, const char *sql, struct pair *p, size_t n)
{
	struct db_stmt *s;
	int rc = 0;

	if (n == 0)
		return 0;
	s = db_prepare(d, sql);
	if (!s)
		return -1;
	qsort(p, n, sizeof(*p), by_hash);
	for (size_t i = 0; i < n && rc == 0; i++) {
		db_int(s, 0, p[i].hash);
		db_int(s, 1, p[i].seq);
		rc = db_run(s);
	}
	db_finish(s);
	return rc;
}

static int write_people(struct group *g)
{
	struct db_stmt *s;
	int rc = 0;

	if (g->nwho == 0)
		return 0;
	s = db_prepare(g->t->db, "INSERT INTO person VALUES(?, ?, ?) ON CONFLICT(id) DO UPDATE SET name = excluded.name "
		"WHERE uid = excluded.uid AND name IS NOT excluded.name AND excluded.name <> ''");
	if (!s)
		return -1;
	qsort(g->who, g->nwho, sizeof(*g->who), by_person);
	for (size_t i = 0; i < g->nwho && rc == 0; i++) {
		const struct who *w = &g->who[i];

		if (i + 1 < g->nwho && g->who[i + 1].id == w->id && g->who[i + 1].name)
			continue;
		db_int(s, 0, w->id);
		db_text(s, 1, g->bytes.p + w->at, w->uid);
		db_text(s, 2, g->bytes.p + w->at + w->uid, w->name);
		rc = db_run(s);
	}
	db_finish(s);
	return rc;
}

static int write_group(struct group *g)
{
	struct db *d = g->t->db;

	return write_pairs(d, "INSERT INTO seen VALUES(?, ?)", g->seen, g->nseen) ||
	       write_pairs(d, "INSERT INTO cause VALUES(?, ?)", g->cause, g->ncause) || write_people(g) ? -1 : 0;
}

/* ---- a group ---- */

static int group_init(struct group *g, struct tenant *t, size_t rows)
{
	*g = (struct group){ .t = t, .rows = rows < GROUP_ROWS ? rows : GROUP_ROWS };
	rows = g->rows;
	buf_init(&g->bytes, GROUP_BYTES + 2 * LINE_MAX_BYTES);
	buf_init(&g->text, LINE_MAX_BYTES + 4);	/* scan_string wants four bytes of room */
	buf_init(&g->spread, SPREAD_MAX);
	g->seen = calloc(rows, sizeof(*g->seen));
	g->cause = calloc(rows, sizeof(*g->cause));
	g->who = calloc(rows, sizeof(*g->who));
	g->add_words = db_prepare(t->db, "INSERT INTO words(rowid, text) VALUES(?, ?)");
	return g->seen && g->cause && g->who && g->add_words ? 0 : -1;
}

static void group_release(struct group *g)
{
	db_finish(g->add_words);
	free(g->seen);
	free(g->cause);
	free(g->who);
	buf_release(&g->bytes);
	buf_release(&g->text);
	buf_release(&g->spread);
}

static int gather_row(struct group *g, struct db_stmt *s)
{
	size_t n;
	const char *p = db_col(s, 3, &n);

	return p ? gather(g, db_col_int(s, 0), db_col_int(s, 1), db_col_int(s, 2), p, n) : -1;
}

static bool group_full(const struct group *g)
{
	return g->nseen == g->rows || g->bytes.len >= GROUP_BYTES;
}

static int mark(struct tenant *t, int64_t indexed)
{
	struct db_stmt *s = db_prepare(t->db, "UPDATE state SET indexed = ?");
	int rc = -1;

	if (s) {
		db_int(s, 0, indexed);
		rc = db_run(s);
	}
	db_finish(s);
	return rc;
}

/* One group of the rows above *last: their number, -1. */
static int64_t fill_group(struct tenant *t, struct db_stmt *s, int64_t *last)
{
	struct group g;
	int rc = group_init(&g, t, t->fresh.n + 1);

	db_int(s, 0, *last);
	while (rc == 0 && !group_full(&g) && (rc = db_step(s)) == 1)
		rc = gather_row(&g, s);
	db_reset(s);
	if (rc == 0)
		rc = write_group(&g);
	if (g.nseen)
		*last = g.last;
	group_release(&g);
	return rc ? -1 : (int64_t)g.nseen;
}

int fill(struct tenant *t)
{
	struct db_stmt *s = db_prepare(t->db, "SELECT seq, seen, person, line FROM event WHERE seq > ? ORDER BY seq");
	int64_t last = t->indexed, n = s ? 1 : -1;

	while (n > 0)
		n = fill_group(t, s, &last);
	db_finish(s);
	if (n < 0 || (last > t->indexed && mark(t, last)))
		return -1;
	t->indexed = last;
	fresh_clear(&t->fresh);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int fill_late(struct tenant *t, int64_t *seq, size_t n)
{
	struct db_stmt *s = db_prepare(t->db, "SELECT seq, seen, person, line FROM event WHERE seq = ?");
	int rc = s ? 0 : -1;

	qsort(seq, n, sizeof(*seq), ascending);
	for (size_t i = 0; i < n && rc == 0;) {
		struct group g;

		rc = group_init(&g, t, n - i);
		for (; rc == 0 && i < n && !group_full(&g); i++) {
			db_int(s, 0, seq[i]);
			rc = db_step(s) == 1 ? gather_row(&g, s) : -1;
			db_reset(s);
		}
		if (rc == 0)
			rc = write_group(&g);
		group_release(&g);
	}
	db_finish(s);
	return rc;
}
