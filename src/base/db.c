#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/db_impl.h"
#include "base/db_schema.h"
#include "base/sync.h"

#define LOG_KEEP_BYTES (8 << 20)	/* a log that grew longer behind a slow reader is cut back */
#define SYNC_AT_ONCE 64
#define DEADLINE_STEPS 4000		/* virtual machine steps between two looks at the clock: some 50 us */

/* ---- open, close ---- */

static int out_of_time(void *arg)
{
	struct db *d = arg;

	return d->due && clock_mono() >= d->due;
}

/* The answer is the mode in force: another one where the file system has no shared memory (some network ones). */
static int write_ahead(struct db *d)
{
	struct db_stmt *s = db_prepare(d, "PRAGMA journal_mode = WAL");
	int rc = s ? db_step(s) : -1;
	const char *mode = rc == 1 ? db_col(s, 0, NULL) : NULL;

	if (rc >= 0 && (!mode || strcmp(mode, "wal"))) {
		db_describe(&d->err, d->path, DB_IO, 0, "this file system cannot hold a write-ahead log");
		rc = -1;
	}
	db_finish(s);
	return rc < 0 ? -1 : 0;
}

static int pragmas(struct db *d, unsigned mode)
{
	static const char both[] = "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
	char sql[160];
	int off;

	sqlite3_extended_result_codes(d->h, 1);
	sqlite3_busy_timeout(d->h, DB_BUSY_MS);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_DEFENSIVE, 1, &off);
	sqlite3_limit(d->h, SQLITE_LIMIT_ATTACHED, 0);
	if (db_exec(d, both))
		return -1;
	if (mode & DB_READ)
		return db_exec(d, "PRAGMA query_only = ON");
	if (write_ahead(d))
		return -1;
	snprintf(sql, sizeof(sql), "PRAGMA synchronous = %s; PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = %d; "
		"PRAGMA journal_size_limit = %d", d->group ? "NORMAL" : "FULL", DB_LOG_PAGES, LOG_KEEP_BYTES);
	return db_exec(d, sql);
}

/* SQLite keeps the log's file for as long as the database is open. It takes no locks on it: a second descriptor does no harm. */
static int open_log(struct db *d)
{
	char *path = NULL;

	if (asprintf(&path, "%s-wal", d->path) < 0) {
		db_describe(&d->err, d->path, DB_IO, ENOMEM, "cannot be opened");
		return -1;
	}
	d->log = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (d->log < 0)
		db_describe(&d->err, path, db_fault_of(SQLITE_CANTOPEN, errno), errno, "cannot be opened");
	free(path);
	return d->log < 0 ? -1 : 0;
}

/* Its pages are those that were read, but taken for clean: written again they are not. */
static int write_again(int fd)
{
	char piece[64 << 10];
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, piece, sizeof(piece), at)) > 0; at += n) {
		for (ssize_t done = 0, k; done < n; done += k)
			if ((k = pwrite(fd, piece + done, (size_t)(n - done), at + done)) < 0)
				return -1;
	}
	return n < 0 || fdatasync(fd) ? -1 : 0;
}

/* Before SQLite looks at it. Nobody else writes to it: that is for the caller to see to. */
static int settle(const char *path, struct db_error *err)
{
	char *log = NULL;
	int fd, rc = -1;

	if (asprintf(&log, "%s-wal", path) < 0) {
		db_describe(err, path, DB_IO, ENOMEM, "cannot be opened");
		return -1;
	}
	fd = open(log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		rc = 0;
	else if (fd < 0)
		db_describe(err, log, db_fault_of(SQLITE_CANTOPEN, errno), errno, "cannot be opened");
	else if (write_again(fd))
		db_describe(err, log, db_fault_of(SQLITE_IOERR, errno), errno, "cannot be written to the disk once more");
	else
		rc = 0;
	if (fd >= 0)
		close(fd);
	free(log);
	return rc;
}

static struct db *new_db(const char *path)
{
	struct db *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->log = -1;
	d->synced = -1;
	d->path = strdup(path);
	if (!d->path) {
		free(d);
		return NULL;
	}
	return d;
}

static int set_up(struct db *d, unsigned mode, const struct db_schema *steps, size_t n)
{
	d->group = mode & DB_GROUP;
	if (mode & DB_SETTLE)
		d->synced = 0;
	if (pragmas(d, mode))
		return -1;
	sqlite3_progress_handler(d->h, DEADLINE_STEPS, out_of_time, d);
	if (db_upgrade(d, mode & DB_READ, steps, n) || (d->group && d->log < 0 && open_log(d)))
		return -1;
	if (mode & DB_READ)
		return 0;
	d->begin = db_prepare(d, "BEGIN IMMEDIATE");
	d->commit = db_prepare(d, "COMMIT");
	return d->begin && d->commit ? 0 : -1;
}

static struct db *open_name(const char *path, const char *name, int flags, unsigned mode, const struct db_schema *steps, size_t n,
	struct db_error *err)
{
	struct db *d = new_db(path);
	int rc;

	if (!d) {
		db_describe(err, path, DB_IO, ENOMEM, "cannot be opened");
		return NULL;
	}
	rc = sqlite3_open_v2(name, &d->h, flags, NULL);
	if (rc != SQLITE_OK)
		db_fail(d, rc);
	if (rc == SQLITE_OK && set_up(d, mode, steps, n) == 0)
		return d;
	*err = d->err;
	db_close(d, false);
	return NULL;
}

/* Where a reader may not write (a backup mounted read-only), a database without a log is read as a file that does not change. */
static struct db *open_unchanging(const char *path, unsigned mode, const struct db_schema *steps, size_t n, struct db_error *err)
{
	size_t len = strlen(path);
	char *name = malloc(3 * len + sizeof("file:?immutable=1-wal")), *at = name;
	struct db *d = NULL;

	if (!name)
		return NULL;
	snprintf(name, len + sizeof("-wal"), "%s-wal", path);
	if (access(name, F_OK) == 0)
		goto out;
	at += sprintf(at, "file:");
	for (const char *c = path; *c; c++)
		at += strchr("%?#", *c) ? sprintf(at, "%%%02x", *c) : sprintf(at, "%c", *c);
	sprintf(at, "?immutable=1");
	d = open_name(path, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, mode, steps, n, err);
out:
	free(name);
	return d;
}

struct db *db_open(const char *path, unsigned mode, const struct db_schema *steps, size_t n, struct db_error *err)
{
	/* A reader opens for writing too where it may: it takes part in the shared index of the log; query_only keeps it a reader. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode & DB_CREATE ? SQLITE_OPEN_CREATE : 0);
	struct db *d;

	if (mode & DB_SETTLE && settle(path, err))
		return NULL;
	d = open_name(path, path, flags, mode, steps, n, err);
	if (!d && mode & DB_READ && err->fault == DB_DENIED && access(path, R_OK) == 0)
		d = open_unchanging(path, mode, steps, n, err);
	return d;
}

void db_close(struct db *d, bool tidy)
{
	int on;

	if (!d)
		return;
	d->due = 0;
	if (db_inside(d))
		db_rollback(d);
	while (d->all)
		db_finish(d->all);
	if (!tidy)
		sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on);
	sqlite3_close(d->h);
	if (d->log >= 0)
		close(d->log);
	free(d->path);
	free(d);
}

void db_busy(struct db *d, int ms)
{
	sqlite3_busy_timeout(d->h, ms);
}

void db_cache(struct db *d, size_t bytes)
{
	char sql[64];

	/* Only a number in memory: it cannot fail in a way that matters. */
	snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%zu", bytes / 1024);
	sqlite3_exec(d->h, sql, NULL, NULL, NULL);
}

void db_deadline(struct db *d, int64_t due)
{
	d->due = due;
}

/* ---- transactions ---- */

int db_exec(struct db *d, const char *sql)
{
	int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(d, rc);
}

bool db_inside(const struct db *d)
{
	return d->h && !sqlite3_get_autocommit(d->h);
}

int db_begin(struct db *d)
{
	return d->begin ? db_run(d->begin) : db_exec(d, "BEGIN IMMEDIATE");
}

int db_commit(struct db *d)
{
	struct db_error kept;

	if ((d->commit ? db_run(d->commit) : db_exec(d, "COMMIT")) == 0)
		return 0;
	kept = d->err;
	db_rollback(d);
	d->err = kept;
	return -1;
}

void db_rollback(struct db *d)
{
	struct db_error kept = d->err;

	/* SQLite has rolled back by itself after some failures; one that cannot be rolled back now is at the next opening. */
	for (struct db_stmt *s = d->all; s; s = s->next)
		sqlite3_reset(s->s);
	if (db_inside(d))
		sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
	d->err = kept;
}

bool db_unsynced(const struct db *d)
{
	return d->group && d->synced != sqlite3_total_changes64(d->h);
}

/* At most SYNC_AT_ONCE of them. */
static size_t sync_some(struct db *const *d, size_t n)
{
	struct db *list[SYNC_AT_ONCE];
	int fd[SYNC_AT_ONCE] = { 0 }, err[SYNC_AT_ONCE] = { 0 };
	size_t k = 0, bad;

	for (size_t i = 0; i < n; i++)
		if (d[i] && db_unsynced(d[i])) {
			list[k] = d[i];
			fd[k++] = d[i]->log;
		}
	bad = sync_files(fd, err, k);
	for (size_t i = 0; i < k; i++) {
		if (err[i] == 0)
			list[i]->synced = sqlite3_total_changes64(list[i]->h);
		else
			db_describe(&list[i]->err, list[i]->path, db_fault_of(SQLITE_IOERR, err[i]), err[i], "its log cannot be synced");
	}
	return bad;
}

size_t db_sync(struct db *const *d, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i += SYNC_AT_ONCE)
		bad += sync_some(d + i, n - i < SYNC_AT_ONCE ? n - i : SYNC_AT_ONCE);
	return bad;
}

int db_sync_begin(struct db *d, int eventfd)
{
	if (!db_unsynced(d))
		return 0;
	d->syncing = sqlite3_total_changes64(d->h);
	return sync_begin(d->log, eventfd) ? -1 : 1;
}

int db_sync_end(struct db *d)
{
	int err = sync_end();

	/* A file system that has no such thing. */
	if (err == EINVAL || err == ENOSYS)
		err = fdatasync(d->log) ? errno : 0;
	if (err == 0) {
		d->synced = d->syncing;
		return 0;
	}
	db_describe(&d->err, d->path, db_fault_of(SQLITE_IOERR, err), err, "its log cannot be synced");
	return -1;
}

int db_check(struct db *d, void (*fn)(void *arg, const char *finding), void *arg)
{
	struct db_stmt *s = db_prepare(d, "PRAGMA integrity_check");
	int rc, found = 0;

	if (!s)
		return -1;
	while ((rc = db_step(s)) == 1) {
		const char *text = db_col(s, 0, NULL);

		if (text && strcmp(text, "ok") == 0)
			continue;
		fn(arg, text ? text : "?");
		found++;
	}
	db_finish(s);
	return rc < 0 ? -1 : found;
}
