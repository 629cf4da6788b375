/* base/db and base/sync: steps of a schema, transactions, faults, many logs synced together. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/clock.h"
#include "base/db.h"
#include "base/sync.h"

#define STEP1 { 1, "001-init", "CREATE TABLE t(id INTEGER PRIMARY KEY, v)" }
static const struct db_schema one[] = { STEP1 };
static const struct db_schema two[] = { STEP1, { 2, "002-more", "CREATE TABLE u(x); INSERT INTO u VALUES(7);" } };
static const struct db_schema edited[] = { { 1, "001-init", "CREATE TABLE t(id INTEGER PRIMARY KEY, w)" } };
static const struct db_schema hole[] = { STEP1, { 3, "003-x", "SELECT 1" } };
static const struct db_schema broken[] = { STEP1, { 2, "002-bad", "CREATE TABLE v(x); CREATE TABEL w(x)" } };

static struct db_error err;

static int64_t number(struct db *d, const char *sql)
{
	struct db_stmt *s = db_prepare(d, sql);
	int64_t v = s && db_step(s) == 1 ? db_col_int(s, 0) : -1;

	db_finish(s);
	return v;
}

static void check_schema(void)
{
	struct db *d;

	CHECK(!db_open("none.db", DB_WRITE, one, 1, &err) && err.fault == DB_DENIED, "no file: %s", err.text);
	CHECK(!db_open("no/dir.db", DB_CREATE, one, 1, &err) && err.fault == DB_DENIED, "no folder: %s", err.text);
	d = db_open("a.db", DB_CREATE, one, 1, &err);
	CHECK(d, "made: %s", d ? "" : err.text);
	CHECK(db_exec(d, "INSERT INTO t(v) VALUES(1)") == 0, "written");
	db_close(d, true);
	CHECK(access("a.db-wal", F_OK) != 0, "tidy leaves no log");
	CHECK(!db_open("a.db", DB_READ, two, 2, &err) && err.fault == DB_SCHEMA && strstr(err.text, "1 of 2"), "a reader does not upgrade: %s", err.text);
	CHECK(!db_open("a.db", DB_WRITE, broken, 2, &err) && err.fault == DB_SYNTAX, "a bad step: %s", err.text);
	d = db_open("a.db", DB_WRITE, two, 2, &err);
	CHECK(d && number(d, "SELECT x FROM u") == 7 && number(d, "SELECT v FROM t") == 1, "upgraded, nothing of the bad step was left");
	CHECK(number(d, "SELECT count(*) FROM sqlite_master WHERE name = 'v'") == 0, "a failed step is rolled back whole");
	db_close(d, true);
	CHECK(!db_open("a.db", DB_WRITE, one, 1, &err) && strstr(err.text, "newer"), "made by a newer program: %s", err.text);
	CHECK(!db_open("a.db", DB_WRITE, edited, 1, &err) && strstr(err.text, "001-init was changed"), "edited: %s", err.text);
	CHECK(!db_open("b.db", DB_CREATE, hole, 2, &err) && strstr(err.text, "step 2 is missing"), "a hole: %s", err.text);
}

static void check_faults(void)
{
	struct db *d = db_open("a.db", DB_WRITE, two, 2, &err);
	struct db_stmt *s;
	struct db *other;
	int fd;

	CHECK(db_exec(d, "SELEKT") == -1 && db_error(d)->fault == DB_SYNTAX && strstr(db_error(d)->text, "a.db: near"), "%s", db_error(d)->text);
	db_deadline(d, clock_mono() + 50 * CLOCK_MS);
	CHECK(db_exec(d, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c") == -1 &&
		db_error(d)->fault == DB_TIMEOUT, "the deadline stops a statement: %s", db_error(d)->text);
	db_deadline(d, 0);
	CHECK(db_begin(d) == 0 && db_inside(d) && db_exec(d, "INSERT INTO t(v) VALUES(2)") == 0, "begun");
	other = db_open("a.db", DB_WRITE, two, 2, &err);
	CHECK(other, "a second writer opens");
	db_busy(other, 10);
	CHECK(db_begin(other) == -1 && db_error(other)->fault == DB_LOCKED, "and waits in vain: %s", db_error(other)->text);
	db_close(other, false);
	other = db_open("a.db", DB_READ, two, 2, &err);
	CHECK(other && number(other, "SELECT count(*) FROM t") == 1, "a reader does not wait and does not see it yet");
	CHECK(db_exec(other, "DELETE FROM t") == -1, "nor can it write");
	db_rollback(d);
	CHECK(!db_inside(d) && number(d, "SELECT count(*) FROM t") == 1, "rolled back");
	s = db_prepare(d, "SELECT length(?), typeof(?), ?");
	db_text(s, 0, NULL, 0);
	db_blob(s, 1, NULL, 0);
	db_null(s, 2);
	CHECK(db_step(s) == 1 && db_col_int(s, 0) == 0 && strncmp(db_col(s, 1, NULL), "blob", 4) == 0 && db_col_null(s, 2),
		"an empty text is empty, not NULL");
	db_reset(s);
	db_int(s, 7, 1);
	CHECK(db_step(s) == -1, "a parameter that is not there is told at the next step: %s", db_error(d)->text);
	db_close(other, true);
	db_close(d, true);
	fd = open("c.db", O_WRONLY | O_CREAT, 0644);
	CHECK(write(fd, "this is no database, but it is as long as a header would be, and a bit more than that, to be sure of it all...........", 110) == 110, "c.db");
	close(fd);
	CHECK(!db_open("c.db", DB_WRITE, one, 1, &err) && err.fault == DB_CORRUPT && strstr(err.text, ".recover"), "%s", err.text);
}

static void check_sync(void)
{
	struct db *d[200];
	char name[32];
	int fd[3], e[3], bad = 0;

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "s%d.db", i);
		d[i] = db_open(name, DB_CREATE | DB_GROUP, one, 1, &err);
		bad += !d[i] || !db_unsynced(d[i]);
	}
	CHECK(bad == 0, "what an opening finds counts as not synced");
	CHECK(db_sync(d, 200) == 0, "200 logs");
	for (int i = 0; i < 200; i++)
		bad += db_unsynced(d[i]);
	CHECK(bad == 0, "all are synced");
	CHECK(db_begin(d[5]) == 0 && db_exec(d[5], "INSERT INTO t(v) VALUES(1)") == 0 && db_commit(d[5]) == 0, "one more");
	CHECK(db_unsynced(d[5]) && !db_unsynced(d[6]), "is not");
	CHECK(db_sync((struct db *[]){ NULL, d[5], d[6] }, 3) == 0 && !db_unsynced(d[5]), "until it is");
	CHECK(db_begin(d[5]) == 0 && db_commit(d[5]) == 0 && !db_unsynced(d[5]), "a transaction without a change needs none");
	for (int i = 0; i < 200; i++)
		db_close(d[i], i % 2);
	d[0] = db_open("s0.db", DB_WRITE | DB_GROUP | DB_SETTLE, one, 1, &err);
	CHECK(d[0], "opened with its log settled: %s", d[0] ? "" : err.text);
	db_close(d[0], true);

	fd[0] = open("x", O_RDWR | O_CREAT, 0644);
	fd[1] = open("/dev/null", O_RDONLY);
	fd[2] = -1;
	CHECK(write(fd[0], "x", 1) == 1, "x");
	CHECK(sync_files(fd, e, 3) == 2 && e[0] == 0 && e[1] == EINVAL && e[2] == EBADF, "each file has its own answer: %d %d %d", e[0], e[1], e[2]);
	CHECK(sync_files(fd, e, 1) == 0 && sync_files(fd, e, 0) == 0, "one, none");
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	char dir[SCRATCH];

	scratch_make(dir);
	CHECK(chdir(dir) == 0, "a folder");
	check_schema();
	check_faults();
	check_sync();
	return check_done();
}
