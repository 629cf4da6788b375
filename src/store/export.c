#include "store/export.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/db.h"
#include "base/fd.h"
#include "base/log.h"
#include "store/folder.h"
#include "store/row.h"
#include "store/schema.h"
#include "store/tenant.h"

#define CHUNK_LINES 4000
#define WRITE_BYTES (256u << 10)

static bool reader_gone;	/* standard output is a pipe that nobody reads any more */

/* ---- tenants of a folder ---- */

static struct db *open_tenant(const char *dir, const char *tenant)
{
	struct db_error err;
	char path[PATH_MAX];
	struct db *d;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.db", dir, tenant) >= sizeof(path)) {
		log_error("%s: %s", dir, strerror(ENAMETOOLONG));
		return NULL;
	}
	d = db_open(path, DB_READ, schema_steps, schema_count, &err);
	if (!d)
		log_error("%s", err.text);
	return d;
}

static int each_tenant(const char *dir, const char *tenant, int (*fn)(struct db *d, const char *tenant))
{
	struct folder f;
	int bad = 0;
	bool found = false;

	if (folder_read(&f, dir)) {
		log_error("%s: %s: name the folder of the history with -d", dir, strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < f.n && !reader_gone; i++) {
		struct db *d;

		if (tenant && strcmp(tenant, f.name[i]))
			continue;
		found = true;
		d = open_tenant(dir, f.name[i]);
		bad |= !d || fn(d, f.name[i]);
		db_close(d, true);
	}
	folder_release(&f);
	if (tenant && !found) {
		log_error("%s: tenant %s has no history here", dir, tenant);
		return 1;
	}
	return bad;
}

/* ---- lines ---- */

static int flush(struct buf *out)
{
	if (fd_write_all(STDOUT_FILENO, out->p, out->len)) {
		reader_gone = errno == EPIPE;
		if (!reader_gone)
			log_error("standard output: %s", strerror(errno));
		return -1;
	}
	buf_clear(out);
	return 0;
}

/* Up to CHUNK_LINES lines above *seq: their number, -1 after a message. */
static int export_chunk(struct db *d, struct db_stmt *s, struct buf *out, int64_t *seq)
{
	int n = 0, rc;

	db_int(s, 0, *seq);
	while ((rc = db_step(s)) == 1) {
		size_t len;
		const char *p = db_col(s, 1, &len);

		if (buf_add(out, p ? p : "", len) || buf_addc(out, '\n') || (out->len >= WRITE_BYTES && flush(out))) {
			db_reset(s);
			return -1;
		}
		*seq = db_col_int(s, 0);
		n++;
	}
	if (rc < 0)
		log_error("%s", db_error(d)->text);
	db_reset(s);
	return rc < 0 ? -1 : n;
}

static int export_tenant(struct db *d, const char *tenant)
{
	struct db_stmt *s = db_prepare(d, "SELECT seq, line FROM event WHERE seq > ? ORDER BY seq LIMIT 4000");
	int64_t seq = INT64_MIN;
	struct buf out;
	int n;

	(void)tenant;
	if (!s) {
		log_error("%s", db_error(d)->text);
		return 1;
	}
	buf_init(&out, WRITE_BYTES + LINE_MAX_BYTES + 1);
	while ((n = export_chunk(d, s, &out, &seq)) > 0)
		;
	if (out.len && flush(&out))
		n = -1;
	buf_release(&out);
	return n < 0;
}

int export_lines(const char *dir, const char *tenant)
{
	int bad = each_tenant(dir, tenant, export_tenant);

	return reader_gone ? EXPORT_NO_READER : bad;
}

/* ---- check ---- */

struct check { const char *tenant; bool bad; };

static void found(void *arg, const char *finding)
{
	struct check *c = arg;

	printf("%s: %s\n", c->tenant, finding);
	c->bad = true;
}

static int64_t one_number(struct db *d, const char *sql)
{
	struct db_stmt *s = db_prepare(d, sql);
	int64_t v = -1;

	if (s && db_step(s) == 1)
		v = db_col_int(s, 0);
	db_finish(s);
	return v;
}

static int64_t check_lines(struct db *d, struct check *c)
{
	struct db_stmt *s = db_prepare(d, "SELECT seq, line FROM event ORDER BY seq");
	struct line_err err;
	struct row row;
	int64_t n = 0;
	char text[200];
	int rc = -1;

	while (s && (rc = db_step(s)) == 1) {
		size_t len;
		const char *p = db_col(s, 1, &len);

		n++;
		if (p && row_from(&row, p, len, &err) == 0 && strcmp(row.tenant, c->tenant) == 0)
			continue;
		snprintf(text, sizeof(text), "event %lld is damaged", (long long)db_col_int(s, 0));
		found(c, text);
	}
	db_finish(s);
	if (rc < 0)
		found(c, db_error(d)->text);
	return n;
}

static int check_tenant(struct db *d, const char *tenant)
{
	struct check c = { .tenant = tenant };
	char text[200];
	int64_t n, counted;

	if (db_exec(d, "BEGIN") || db_check(d, found, &c) < 0) {
		found(&c, db_error(d)->text);
		return 1;
	}
	n = check_lines(d, &c);
	counted = one_number(d, "SELECT events FROM state");
	if (n != counted) {
		snprintf(text, sizeof(text), "%lld events are there, %lld were counted", (long long)n, (long long)counted);
		found(&c, text);
	}
	if (one_number(d, "SELECT (SELECT count(*) FROM seen) - (SELECT count(*) FROM event WHERE seq <= (SELECT indexed FROM state))"))
		found(&c, "the table seen does not agree with the events");
	db_rollback(d);
	if (!c.bad)
		printf("%s: ok, %lld events\n", tenant, (long long)n);
	return c.bad;
}

int export_check(const char *dir, const char *tenant)
{
	int bad = each_tenant(dir, tenant, check_tenant);

	if (fflush(stdout) || ferror(stdout)) {
		log_error("standard output: %s", strerror(errno));
		return 1;
	}
	return bad;
}
