/*
 * tenant: a database for each tenant, DIR/TENANT.db, opened when it is needed; the ones used longest ago are closed so that
 * thousands of tenants need a bounded number of descriptors (four each) and bytes (TENANT_CACHE shared by all).
 *
 * tenants_get gives a tenant that is open, or NULL and the reason. A pointer is valid until the next tenants_get (one that is held: until
 * it is not) or tenants_tidy. One whose database fails is closed and not tried again for a while; that is said once, and once when it works
 * again; other tenants do not notice.
 *
 * DIR is locked (DIR/.lock): two stores never share one. Other processes may read (export.h).
 */
#ifndef STORE_TENANT_H
#define STORE_TENANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/db.h"
#include "line/envelope.h"
#include "store/fresh.h"
#include "store/name.h"

#define TENANT_AGAIN (200 * CLOCK_MS)	/* doubled each time, up to TENANT_AGAIN_MOST */
#define TENANT_AGAIN_MOST (5 * CLOCK_S)
#define TENANT_BUSY 200		/* ms: a database that another process keeps locked must not keep up the others */
#define TENANT_CACHE (32u << 20)	/* page caches of all databases together, bytes */
#define TENANT_CACHE_EACH (8u << 20)	/* most for one */
#define TENANT_FRESH 4096		/* most events that wait for fill(); each tenant has its own number from half of it, so that not all are filled in one batch */
#define TENANT_SOUND 65536u	/* places for closed databases of which this process knows that all of them is on the disk */
#define TENANT_QUERIES 16		/* statements of queries kept for each */

struct tenant {
	char name[TENANT_MAX + 1];
	struct db *db;			/* NULL: it failed, see error */
	uint64_t salt[2];
	int64_t last;			/* highest seq, 0: none */
	int64_t indexed;		/* state.indexed */
	struct fresh fresh;
	size_t fill_at;			/* events in fresh at which ingest calls fill() */
	struct names names;
	struct db_stmt *insert, *seen, *line, *count;
	struct { const char *sql; struct db_stmt *s; } query[TENANT_QUERIES];
	int64_t used;			/* clock_mono of the last tenants_get */
	bool held;			/* tenants_get does not close it: committed, not synced */

	struct db_error error;
	int64_t again;			/* nothing is written before */
	unsigned fails;			/* in a row */
	bool unsure;			/* a sync failed: its log must be settled before anything is acknowledged */

	struct tenant *next;		/* same hash bucket */
	struct tenant *newer, *older;	/* by use */
};

#define TENANT_BUCKETS 1024

struct tenants {
	const char *dir;		/* borrowed */
	int lock;
	unsigned most, open;		/* databases open at a time */
	unsigned known;			/* structs: open and failed ones */
	struct tenant *bucket[TENANT_BUCKETS];
	struct tenant *newest, *oldest;
	uint64_t *sound, key[2];	/* hashes of their names, keyed; others are settled when they are opened (DB_SETTLE) */
	bool stuck;			/* a failure since the caller cleared it was not one tenant's: the disk is full, dir cannot be written */
};

int tenants_init(struct tenants *ts, const char *dir, unsigned most);	/* makes and locks dir; -1 with a message */
void tenants_release(struct tenants *ts);

/* write: the database is made if there is none; otherwise NULL with *why "" when there is none. *why is valid until the
 * next call with this tenant. */
struct tenant *tenants_get(struct tenants *ts, const char *name, bool write, const char **why);

/* The database of t failed, db_error says how: rolls back, closes it (on a full disk it stays open for questions), says so once. */
void tenants_fail(struct tenants *ts, struct tenant *t);
void tenants_works(struct tenant *t);		/* a transaction was committed */

/* The next open tenant that was not used for idle nanoseconds is closed tidily. The time until the next call makes sense, 0: never. */
int64_t tenants_tidy(struct tenants *ts, int64_t idle);
/* An open tenant that has events waiting for fill(), NULL: none. */
struct tenant *tenants_waiting(struct tenants *ts);

#endif
