/*
 * db_impl: what the files of db share. Private to them; the one header that includes sqlite3.h.
 */
#ifndef BASE_DB_IMPL_H
#define BASE_DB_IMPL_H

#include <sqlite3.h>

#include "base/db.h"

struct db_stmt {
	struct db *db;
	sqlite3_stmt *s;
	int bad;		/* first failure while binding: the next step reports it */
	struct db_stmt *next;
};

struct db {
	sqlite3 *h;
	char *path;
	int64_t due;
	struct db_stmt *all;
	struct db_stmt *begin, *commit;
	bool group;		/* commits are synced by db_sync */
	int log;		/* DB_GROUP: the write-ahead log, for syncing; -1 */
	int64_t synced;		/* DB_GROUP: sqlite3_total_changes up to which it is; -1 not even what was found in the log */
	int64_t syncing;	/* the same, of a sync that was begun */
	struct db_error err;
};

/* The kind of fault of SQLite's result code and the system's error behind it (0: none). */
enum db_fault db_fault_of(int rc, int os);
/* FILE: what: what to do */
void db_describe(struct db_error *err, const char *path, enum db_fault f, int os, const char *what);
/* Describes a failure of SQLite in d; always -1. */
int db_fail(struct db *d, int rc);

#endif
