/* What went wrong, as a kind of fault and a sentence that says what to do. */
#include "base/db_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/db_schema.h"

enum db_fault db_fault_of(int rc, int os)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return DB_FULL;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_SHMSIZE)	/* the page of the shared index got no block */
			return DB_FULL;
		return os == ENOSPC || os == EDQUOT ? DB_FULL : rc == SQLITE_IOERR_CORRUPTFS ? DB_CORRUPT : DB_IO;
	case SQLITE_CANTOPEN:
		return os == EMFILE || os == ENFILE || os == ENOMEM ? DB_IO : os == ENOSPC || os == EDQUOT ? DB_FULL : DB_DENIED;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return DB_DENIED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DB_LOCKED;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DB_CORRUPT;
	case SQLITE_INTERRUPT:
		return DB_TIMEOUT;
	case SQLITE_ERROR:
		return DB_SYNTAX;
	default:
		return DB_IO;
	}
}

static const char *remedy(enum db_fault f, int os)
{
	switch (f) {
	case DB_FULL:
		return "free space on its device; nothing of it was lost, it goes on by itself";
	case DB_DENIED:
		return "check that folder and file exist and that this user may write them";
	case DB_LOCKED:
		return "another process keeps it locked; stop that one";
	case DB_CORRUPT:
		return "move it away with its -wal and -shm files, then repair the copy (sqlite3 FILE .recover) or restore a backup";
	case DB_SCHEMA:
		return "use the program it was made with, or a newer one";
	case DB_TIMEOUT:
		return "ask for less";
	case DB_SYNTAX:
		return "correct the query";
	default:
		return os == EMFILE || os == ENFILE ? "raise the limit of open files (ulimit -n)" : "check the device and the system's log";
	}
}

void db_describe(struct db_error *err, const char *path, enum db_fault f, int os, const char *what)
{
	err->fault = f;
	snprintf(err->what, sizeof(err->what), "%s%s%s", what, os ? ": " : "", os ? strerror(os) : "");
	snprintf(err->text, sizeof(err->text), "%s: %s: %s", path, err->what, remedy(f, os));
}

int db_fail(struct db *d, int rc)
{
	int os = sqlite3_system_errno(d->h);
	enum db_fault f;

	if ((rc & 0xff) != SQLITE_IOERR && (rc & 0xff) != SQLITE_CANTOPEN)
		os = 0;	/* left from an earlier call */
	f = db_fault_of(rc, os);
	if (f == DB_FULL)
		db_describe(&d->err, d->path, f, 0, "the disk is full");
	else
		db_describe(&d->err, d->path, f, os, f == DB_TIMEOUT ? "it took too long" : sqlite3_errmsg(d->h));
	return -1;
}

int db_refuse(struct db *d, enum db_fault fault, const char *what)
{
	db_describe(&d->err, d->path, fault, 0, what);
	return -1;
}

const struct db_error *db_error(const struct db *d)
{
	return &d->err;
}

const char *db_path(const struct db *d)
{
	return d->path;
}
