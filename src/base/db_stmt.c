#include "base/db_impl.h"

#include <errno.h>
#include <stdlib.h>

struct db_stmt *db_prepare(struct db *d, const char *sql)
{
	struct db_stmt *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		db_describe(&d->err, d->path, DB_IO, ENOMEM, "statement");
		return NULL;
	}
	rc = sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, NULL);
	if (rc != SQLITE_OK) {
		db_fail(d, rc);
		free(s);
		return NULL;
	}
	s->db = d;
	s->next = d->all;
	d->all = s;
	return s;
}

static void bound(struct db_stmt *s, int rc)
{
	if (rc != SQLITE_OK && !s->bad)
		s->bad = rc;
}

void db_int(struct db_stmt *s, int i, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->s, i + 1, v));
}

void db_text(struct db_stmt *s, int i, const char *p, size_t n)
{
	bound(s, sqlite3_bind_text64(s->s, i + 1, p ? p : "", n, SQLITE_STATIC, SQLITE_UTF8));
}

void db_blob(struct db_stmt *s, int i, const void *p, size_t n)
{
	bound(s, sqlite3_bind_blob64(s->s, i + 1, p ? p : "", n, SQLITE_STATIC));
}

void db_null(struct db_stmt *s, int i)
{
	bound(s, sqlite3_bind_null(s->s, i + 1));
}

void db_finish(struct db_stmt *s)
{
	struct db_stmt **at;

	if (!s)
		return;
	for (at = &s->db->all; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	sqlite3_finalize(s->s);
	free(s);
}

int db_step(struct db_stmt *s)
{
	int rc = s->bad;

	s->bad = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s->s);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	db_fail(s->db, rc);
	sqlite3_reset(s->s);
	return -1;
}

void db_reset(struct db_stmt *s)
{
	sqlite3_reset(s->s);
}

int db_run(struct db_stmt *s)
{
	int rc;

	do
		rc = db_step(s);
	while (rc == 1);
	if (rc == 0)
		sqlite3_reset(s->s);
	return rc;
}

int64_t db_col_int(struct db_stmt *s, int i)
{
	return sqlite3_column_int64(s->s, i);
}

const char *db_col(struct db_stmt *s, int i, size_t *n)
{
	const char *p = sqlite3_column_blob(s->s, i);
	bool null = !p && sqlite3_column_type(s->s, i) == SQLITE_NULL;

	if (n)
		*n = (size_t)sqlite3_column_bytes(s->s, i);
	return null ? NULL : p ? p : "";
}

bool db_col_null(struct db_stmt *s, int i)
{
	return sqlite3_column_type(s->s, i) == SQLITE_NULL;
}

int64_t db_changes(const struct db *d)
{
	return sqlite3_changes64(d->h);
}
