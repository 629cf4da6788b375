/*
 * sqlite_insert FOLDER [BATCH [TENANTS]] < lines: the limit for store: bare SQLite inserts of the same rows into the same schema. Reads all of
 * stdin, takes the lines apart and hashes them before the clock starts; then every row of a line (event, seen, person,
 * words) in the order of the lines, one transaction for BATCH lines (256), synchronous=FULL, a check of its id against those there.
 * One database for all, or (TENANTS "many") one for each tenant, where a batch is a transaction in each it touches.
 * Prints "lines seconds lines/s p50_us p99_us" (the quantiles are of a batch).
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "line/scan.h"
#include "store/row.h"
#include "store/schema.h"
#include "store/words.h"

struct item { struct row row; int64_t seen, person; char *words, *uid, *name; uint32_t nwords, nuid, nname; };

struct base {
	char name[TENANT_MAX + 1];
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *look, *event, *seen, *person, *words, *find, *add, *count;
	int inside;
	struct base *next;
};

static const char *folder;
static struct base *bases;
static const uint64_t salt[2] = { 1, 2 };

static void must(struct base *b, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	fprintf(stderr, "sqlite_insert: %s\n", sqlite3_errmsg(b->db));
	exit(1);
}

static void prepare(struct base *b, sqlite3_stmt **s, const char *sql)
{
	must(b, sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL));
}

static struct base *open_base(const char *name)
{
	char path[4096];
	struct base *b;

	for (b = bases; b; b = b->next)
		if (strcmp(b->name, name) == 0)
			return b;
	b = calloc(1, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s.db", folder, name);
	b->next = bases;
	bases = b;
	must(b, sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
	must(b, sqlite3_exec(b->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST; "
		"PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -8192", NULL, NULL, NULL));
	for (size_t i = 0; i < schema_count; i++)
		must(b, sqlite3_exec(b->db, schema_steps[i].sql, NULL, NULL, NULL));
	prepare(b, &b->begin, "BEGIN IMMEDIATE");
	prepare(b, &b->commit, "COMMIT");
	prepare(b, &b->look, "SELECT seq FROM seen WHERE hash = ?");
	prepare(b, &b->event, "INSERT INTO event VALUES(?, ?, ?, ?, ?, ?, ?)");
	prepare(b, &b->seen, "INSERT INTO seen VALUES(?, ?)");
	prepare(b, &b->person, "INSERT INTO person VALUES(?, ?, ?) ON CONFLICT(id) DO NOTHING");
	prepare(b, &b->words, "INSERT INTO words(rowid, text) VALUES(?, ?)");
	prepare(b, &b->find, "SELECT id FROM name WHERE kind = ? AND text = ?");
	prepare(b, &b->add, "INSERT INTO name(kind, text) VALUES(?, ?) RETURNING id");
	prepare(b, &b->count, "UPDATE state SET events = events + ?, bytes = bytes + ?");
	return b;
}

static void run(struct base *b, sqlite3_stmt *s)
{
	must(b, sqlite3_step(s));
	must(b, sqlite3_reset(s));
}

static int64_t name_id(struct base *b, int kind, struct span raw)
{
	sqlite3_stmt *s = b->find;
	int64_t id = 0;

	for (int again = 0; again < 2 && !id; again++, s = b->add) {
		sqlite3_bind_int(s, 1, kind);
		sqlite3_bind_text(s, 2, raw.p + 1, (int)raw.n - 2, NULL);
		must(b, sqlite3_step(s));
		id = sqlite3_column_int64(s, 0);
		must(b, sqlite3_reset(s));
	}
	return id;
}

static void insert(struct base *b, const struct item *it, int64_t seq)
{
	sqlite3_bind_int64(b->look, 1, it->seen);
	run(b, b->look);
	sqlite3_bind_int64(b->event, 1, seq);
	sqlite3_bind_int64(b->event, 2, it->seen);
	sqlite3_bind_int64(b->event, 3, it->row.time);
	sqlite3_bind_int64(b->event, 4, name_id(b, 1, it->row.type));
	if (it->row.key.p)
		sqlite3_bind_int64(b->event, 5, name_id(b, 2, it->row.key));
	sqlite3_bind_int64(b->event, 6, it->person);
	sqlite3_bind_blob(b->event, 7, it->row.line.p, (int)it->row.line.n, NULL);
	run(b, b->event);
	sqlite3_bind_int64(b->seen, 1, it->seen);
	sqlite3_bind_int64(b->seen, 2, seq);
	run(b, b->seen);
	if (it->uid) {
		sqlite3_bind_int64(b->person, 1, it->person);
		sqlite3_bind_text(b->person, 2, it->uid, (int)it->nuid, NULL);
		sqlite3_bind_text(b->person, 3, it->name, (int)it->nname, NULL);
		run(b, b->person);
	}
	if (it->words) {
		sqlite3_bind_int64(b->words, 1, seq);
		sqlite3_bind_text(b->words, 2, it->words, (int)it->nwords, NULL);
		run(b, b->words);
	}
}

static void commit(long lines)
{
	for (struct base *b = bases; b; b = b->next) {
		if (!b->inside)
			continue;
		sqlite3_bind_int64(b->count, 1, lines);
		sqlite3_bind_int64(b->count, 2, lines);
		run(b, b->count);
		run(b, b->commit);
		b->inside = 0;
	}
}

static char *copy(struct buf *b, uint32_t *n)
{
	*n = (uint32_t)b->len;
	return memcpy(malloc(b->len + 1), b->p, b->len);
}

static void take_apart(struct item *it, const char *p, size_t n)
{
	struct span user, text;
	struct buf a, b;
	struct line_err err;
	struct envelope e;

	if (row_from(&it->row, p, n, &err) || scan_lazy(p, n, &e)) {
		fprintf(stderr, "sqlite_insert: %s\n", err.why);
		exit(1);
	}
	buf_init(&a, 4 << 20);
	buf_init(&b, 8 << 20);
	row_seen(&it->row, salt, &a, &it->seen);
	user = scan_member(e.a[LA_DATA], "user");
	text = scan_member(e.a[LA_DATA], "text");
	if (it->row.user.p) {
		buf_clear(&a);
		scan_string(it->row.user, &a);
		it->person = row_person(a.p, a.len, salt);
		it->uid = copy(&a, &it->nuid);
		buf_clear(&a);
		scan_string(scan_member(user, "name"), &a);
		it->name = copy(&a, &it->nname);
	}
	buf_clear(&a);
	if (text.p && scan_string(text, &a) == 0 && a.len && words_spread(&b, a.p, a.len) == 0)
		it->words = copy(&b, &it->nwords);
	buf_release(&a);
	buf_release(&b);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	long batch = argc > 2 ? atol(argv[2]) : 256, n = 0, batches = 0, cap = 1 << 16;
	int many = argc > 3 && strcmp(argv[3], "many") == 0;
	struct item *item = malloc((size_t)cap * sizeof(*item));
	int64_t *took, start, at;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (argc < 2 || batch < 1)
		return fprintf(stderr, "usage: sqlite_insert FOLDER [BATCH [one|many]] < lines\n"), 2;
	folder = argv[1];
	if (mkdir(folder, 0755) && errno != EEXIST)
		return fprintf(stderr, "sqlite_insert: %s: %s\n", folder, strerror(errno)), 1;
	while ((len = getline(&line, &size, stdin)) > 1) {
		if (n == cap)
			item = realloc(item, (size_t)(cap *= 2) * sizeof(*item));
		memset(&item[n], 0, sizeof(*item));
		take_apart(&item[n++], memcpy(malloc((size_t)len), line, (size_t)len), (size_t)len - 1);
	}
	took = calloc((size_t)(n / batch + 1), sizeof(*took));
	start = clock_mono();
	for (long i = 0; i < n; i += batch) {
		at = clock_mono();
		for (long k = i; k < i + batch && k < n; k++) {
			struct base *b = open_base(many ? item[k].row.tenant : "all");

			if (!b->inside)
				run(b, b->begin);
			b->inside = 1;
			insert(b, &item[k], k + 1);
		}
		commit(batch);
		took[batches++] = clock_mono() - at;
	}
	start = clock_mono() - start;
	qsort(took, (size_t)batches, sizeof(*took), by_value);
	printf("%ld %.3f %.0f %.0f %.0f\n", n, (double)start / 1e9, (double)n * 1e9 / (double)start,
		batches ? (double)took[batches / 2] / 1e3 : 0, batches ? (double)took[batches * 99 / 100] / 1e3 : 0);
	return 0;
}
