/*
 * db: SQLite (no other module includes sqlite3.h): open, numbered schema steps, statements, transactions, what went wrong.
 *
 * A database is opened in WAL mode with synchronous=FULL: when db_commit has returned 0 the transaction is on the disk
 * (one fdatasync of the write-ahead log). With DB_GROUP (synchronous=NORMAL) it is there after db_sync, which syncs the logs of many
 * databases at once; a crash before that loses whole transactions from the end, never a part of one.
 * Temporary tables live in memory, secure_delete is FAST. One writer at a time: a
 * transaction is begun with BEGIN IMMEDIATE and waits up to DB_BUSY_MS for another process's. Readers of other processes (DB_READ) never
 * wait and never stop a writer. The log is copied into the database (checkpoint) inside the commit that finds it over DB_LOG_PAGES.
 *
 * Nothing here prints. A call that fails returns -1 or NULL and leaves in struct db_error the kind of fault and one
 * sentence with the file's name, what is wrong and what to do; the caller logs it once, or hands it on as a reason.
 * A failed statement inside a transaction leaves it to the caller to call db_rollback. One thread a database.
 */
#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_BUSY_MS 5000
#define DB_LOG_PAGES 2000	/* of 4 KiB */

enum db_fault {
	DB_OK,
	DB_FULL,	/* no space on the device, or a quota */
	DB_DENIED,	/* may not be read or written, read-only file system, no such folder */
	DB_LOCKED,	/* another process held it for longer than DB_BUSY_MS */
	DB_CORRUPT,	/* not a database, or a damaged one */
	DB_SCHEMA,	/* made by a newer program, or a step was changed */
	DB_TIMEOUT,	/* stopped by db_deadline */
	DB_SYNTAX,	/* SQL, or the text of a full-text query */
	DB_IO,		/* the device, descriptors, memory, anything else */
};
struct db_error {
	enum db_fault fault;
	char text[512];		/* FILE: what: what to do */
	char what[256];		/* what alone */
};

/*
 * One step of a schema. Steps are numbered 1, 2, 3 ... without a hole; those a database does not have yet are carried out
 * in one transaction and remembered with a checksum of their text. A database with an unknown step, or one whose remembered
 * checksum differs, is refused (DB_SCHEMA): a released step is never edited, a change is the next step.
 */
struct db_schema { unsigned n; const char *name; const char *sql; };

/* CREATE includes WRITE: the file is made, 0644 less umask. SETTLE: what the log holds is written to the disk once more before anything
 * else. After a sync that failed, of this process or of one that was killed, the log is read as it was written, and the disk may have holes in it,
 * which no later sync closes: what stands behind them would not be found after a loss of power. */
enum { DB_READ = 1, DB_WRITE = 2, DB_CREATE = 4, DB_GROUP = 8, DB_SETTLE = 16 };

struct db;
struct db *db_open(const char *path, unsigned mode, const struct db_schema *steps, size_t n, struct db_error *err);
/* Rolls back, ends all statements. tidy: copies the log into the database and removes it (slow, needs the disk); without it
 * the log stays for the next opening. NULL is fine. */
void db_close(struct db *d, bool tidy);
const struct db_error *db_error(const struct db *d);	/* of the last call that failed */
const char *db_path(const struct db *d);

void db_busy(struct db *d, int ms);			/* instead of DB_BUSY_MS */
void db_cache(struct db *d, size_t bytes);		/* ceiling of the page cache */
/* Statements fail with DB_TIMEOUT from then on (clock_mono() nanoseconds, 0 = never). */
void db_deadline(struct db *d, int64_t due);
int db_exec(struct db *d, const char *sql);		/* one or more statements without rows */
int db_begin(struct db *d);
int db_commit(struct db *d);				/* -1: rolled back, nothing of it is there */
void db_rollback(struct db *d);				/* harmless outside a transaction */
bool db_inside(const struct db *d);			/* a transaction is open */
/* DB_GROUP: what was committed is on the disk. So is what was found in the log when the database was opened: a repeat of a
 * transaction that an earlier process did not sync may be acknowledged after it. d[i] is left out when there is nothing to sync, and may be
 * NULL. Returns how many failed; db_unsynced tells which, db_error why: such a database must be closed and opened with DB_SETTLE.
 * So must one that another process wrote to last: it may have been killed in such a moment. */
size_t db_sync(struct db *const *d, size_t n);
bool db_unsynced(const struct db *d);
/* The same of one database without waiting: 1 eventfd becomes readable when it is over, and db_sync_end has to be called; 0 there is nothing to sync;
 * -1 it cannot be done so here, db_sync can. Transactions that are made meanwhile are not covered. One at a time in a process. */
int db_sync_begin(struct db *d, int eventfd);
int db_sync_end(struct db *d);				/* 0; -1 as db_sync */
/* PRAGMA integrity_check: fn for each finding; number of findings, -1 if it could not be done. */
int db_check(struct db *d, void (*fn)(void *arg, const char *finding), void *arg);

/*
 * Statements. Parameters and columns count from 0. Bound bytes are borrowed until db_reset or db_run; a parameter keeps its value
 * until bound again. Column bytes are valid until the next db_step or db_reset. db_finish ends a statement, db_close all.
 */
struct db_stmt;
struct db_stmt *db_prepare(struct db *d, const char *sql);
void db_finish(struct db_stmt *s);			/* NULL is fine */
void db_int(struct db_stmt *s, int i, int64_t v);
void db_text(struct db_stmt *s, int i, const char *p, size_t n);	/* p may be NULL when n is 0: the empty text, not NULL */
void db_blob(struct db_stmt *s, int i, const void *p, size_t n);
void db_null(struct db_stmt *s, int i);
int db_step(struct db_stmt *s);				/* 1 a row, 0 no more, -1 */
void db_reset(struct db_stmt *s);			/* every statement that gave a row is reset: it holds the log otherwise */
int db_run(struct db_stmt *s);				/* step to the end, reset: 0, -1 */
int64_t db_col_int(struct db_stmt *s, int i);
const char *db_col(struct db_stmt *s, int i, size_t *n);	/* text or blob; NULL for NULL */
bool db_col_null(struct db_stmt *s, int i);
int64_t db_changes(const struct db *d);			/* rows changed by the last db_run */

#endif
