#include "base/db_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

__attribute__((format(printf, 2, 3))) static int refuse(struct db *d, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return db_refuse(d, DB_SCHEMA, what);
}

static const char step_table[] =
	"CREATE TABLE IF NOT EXISTS schema_step(n INTEGER PRIMARY KEY, name TEXT NOT NULL, crc INTEGER NOT NULL)";

static int64_t checksum(const struct db_schema *s)
{
	return hash_crc32c(0, s->sql, strlen(s->sql));
}

/* Compares the steps the database has with ours; *have = how many. */
static int compare_steps(struct db *d, const struct db_schema *steps, size_t n, size_t *have)
{
	struct db_stmt *s = db_prepare(d, "SELECT n, crc FROM schema_step ORDER BY n");
	int rc;

	*have = 0;
	if (!s)
		return -1;
	while ((rc = db_step(s)) == 1) {
		int64_t number = db_col_int(s, 0), crc = db_col_int(s, 1);

		if (*have >= n)
			return refuse(d, "it has schema step %lld, this program knows %zu: it was made by a newer one",
				(long long)number, n);
		if (number != (int64_t)*have + 1)
			return refuse(d, "schema step %zu is missing, it is damaged or not ours", *have + 1);
		if (crc != checksum(&steps[*have]))
			return refuse(d, "schema step %s was changed since it was made", steps[*have].name);
		++*have;
	}
	db_finish(s);
	return rc;
}

static int apply_step(struct db *d, const struct db_schema *step)
{
	struct db_stmt *s;
	int rc;

	if (db_exec(d, step->sql))
		return -1;
	s = db_prepare(d, "INSERT INTO schema_step VALUES(?, ?, ?)");
	if (!s)
		return -1;
	db_int(s, 0, step->n);
	db_text(s, 1, step->name, strlen(step->name));
	db_int(s, 2, checksum(step));
	rc = db_run(s);
	db_finish(s);
	return rc;
}

/* All that are missing, in one transaction: a database is as it was or up to date. */
static int apply_steps(struct db *d, const struct db_schema *steps, size_t n, size_t have)
{
	if (db_begin(d))
		return -1;
	if (db_exec(d, step_table))
		goto fail;
	for (size_t i = have; i < n; i++)
		if (apply_step(d, &steps[i]))
			goto fail;
	return db_commit(d);
fail:
	db_rollback(d);
	return -1;
}

/* 1 yes, 0 no, -1. */
static int has_step_table(struct db *d)
{
	struct db_stmt *s = db_prepare(d, "SELECT 1 FROM sqlite_master WHERE name = 'schema_step'");
	int has = s ? db_step(s) : -1;

	db_finish(s);
	return has;
}

int db_upgrade(struct db *d, bool reader, const struct db_schema *steps, size_t n)
{
	size_t have = 0;
	int has;

	for (size_t i = 0; i < n; i++)
		if (steps[i].n != i + 1)
			return refuse(d, "schema step %zu is missing in this program", i + 1);
	has = has_step_table(d);
	if (has < 0 || (has && compare_steps(d, steps, n, &have)))
		return -1;
	if (have == n)
		return 0;
	if (reader)
		return refuse(d, "it has %zu of %zu schema steps; open it once for writing", have, n);
	return apply_steps(d, steps, n, have);
}
