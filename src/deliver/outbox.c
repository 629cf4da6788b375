#include "deliver/outbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/db.h"
#include "base/log.h"
#include "base/loop.h"

#define CACHE (8u << 20)
#define BUSY_MS 100	/* who looks into it holds up the rest of us: better tried again a second later */

static const struct db_schema steps[] = {
	{1, "messages",
		"CREATE TABLE message (seq INTEGER PRIMARY KEY AUTOINCREMENT, line BLOB NOT NULL, taken INTEGER NOT NULL, begun INTEGER NOT NULL DEFAULT 0,"
		" start INTEGER NOT NULL DEFAULT 0, part INTEGER NOT NULL DEFAULT 0, ids BLOB, form INTEGER NOT NULL DEFAULT 0, outcome BLOB);"
		"CREATE TABLE done (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
		"CREATE INDEX done_at ON done (at);"
		"CREATE TABLE interaction (name TEXT PRIMARY KEY, state INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID"},
	{2, "ledger",
		"CREATE TABLE used (id INTEGER PRIMARY KEY, gate TEXT NOT NULL, n INTEGER NOT NULL, period INTEGER NOT NULL, at INTEGER NOT NULL);"
		"CREATE INDEX used_at ON used (at);"
		"CREATE TABLE closed (gate TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;"
		"ALTER TABLE message ADD COLUMN due INTEGER NOT NULL DEFAULT 0;"
		"CREATE TABLE refused (who TEXT NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (who, at)) WITHOUT ROWID"},
	{3, "stopped", "CREATE TABLE stopped (who TEXT PRIMARY KEY, print BLOB NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID"},
	{4, "spots", "CREATE TABLE spot (who TEXT NOT NULL, name TEXT NOT NULL, print BLOB NOT NULL, streak INTEGER NOT NULL, tries INTEGER NOT NULL,"
		" n INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, at INTEGER NOT NULL, code TEXT NOT NULL, why TEXT NOT NULL,"
		" PRIMARY KEY (who, name)) WITHOUT ROWID"},
};

#define COLUMNS "SELECT seq, line, taken, begun, start, part, ids, form, outcome, due FROM message"

static const char *const sql[Q_COUNT] = {
	[Q_ONE] = COLUMNS " WHERE seq = ?",
	[Q_KNOWN] = "SELECT 1 FROM done WHERE key = ?",
	[Q_TAKE] = "INSERT INTO message (line, taken) VALUES (?, ?) RETURNING seq",
	[Q_STATE] = "UPDATE message SET begun = ?, start = ?, part = ?, ids = ?, form = ?, due = ? WHERE seq = ?",
	[Q_OUTCOME] = "UPDATE message SET outcome = ? WHERE seq = ?",
	[Q_GONE] = "DELETE FROM message WHERE seq = ?",
	[Q_DONE] = "INSERT OR REPLACE INTO done VALUES (?, ?)",
	[Q_INTERACTION] = "INSERT OR REPLACE INTO interaction VALUES (?, ?, ?)",
	[Q_USED] = "INSERT INTO used (gate, n, period, at) VALUES (?, ?, ?, ?)",
	[Q_CLOSED] = "INSERT INTO closed VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
	[Q_STOPPED] = "INSERT OR REPLACE INTO stopped VALUES (?, ?, ?, ?)",
	[Q_NOT_STOPPED] = "DELETE FROM stopped WHERE who = ?",
	[Q_SPOT] = "INSERT OR REPLACE INTO spot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[Q_REFUSED] = "INSERT INTO refused VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
};

int outbox_fail(struct outbox *o)
{
	if (!o->told)
		log_error("outbox: %s", db_error(o->db)->text);
	o->told = true;
	return -1;
}

/* Messages and the tokens of interactions are nobody else's business: the file is made before SQLite makes it, for everybody. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		log_error("%s: cannot be opened: %s", path, strerror(errno));
	else
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int sync_over(struct outbox *o)
{
	o->syncing = false;
	if (db_sync_end(o->db) == 0) {
		o->told = false;
		return 0;
	}
	outbox_fail(o);
	return -2;
}

static void on_event(void *arg, unsigned events)
{
	struct outbox *o = arg;
	uint64_t n;

	(void)events;
	if (read(o->io.fd, &n, sizeof(n)) == (ssize_t)sizeof(n) && o->syncing)
		o->synced(o->arg, sync_over(o));
}

struct outbox *outbox_open(const char *path, struct loop *l, void (*synced)(void *arg, int rc), void *arg)
{
	struct outbox *o = calloc(1, sizeof(*o));
	struct db_error err;

	if (!o) {
		log_error("%s: no memory", path);
		return NULL;
	}
	*o = (struct outbox){.loop = l, .synced = synced, .arg = arg};
	o->io = (struct loop_io){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = on_event, .arg = o};
	if (o->io.fd < 0 || loop_io_add(l, &o->io, LOOP_IN)) {
		log_error("%s: no descriptor to wait with: %s", path, strerror(errno));
		goto fail;
	}
	if (make_file(path))
		goto fail;
	o->db = db_open(path, DB_WRITE | DB_CREATE | DB_GROUP | DB_SETTLE, steps, sizeof(steps) / sizeof(*steps), &err);
	if (!o->db) {
		log_error("outbox: %s", err.text);
		goto fail;
	}
	db_cache(o->db, CACHE);
	db_busy(o->db, BUSY_MS);
	for (int i = 0; i < Q_COUNT; i++)
		if (!(o->q[i] = db_prepare(o->db, sql[i]))) {
			outbox_fail(o);
			goto fail;
		}
	return o;
fail:
	outbox_close(o);
	return NULL;
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	if (o->syncing)
		sync_over(o);
	if (o->io.fd >= 0) {
		loop_io_del(o->loop, &o->io);
		close(o->io.fd);
	}
	db_close(o->db, true);
	free(o);
}

static int row(struct db_stmt *s, outbox_fn *fn, void *arg)
{
	struct entry e = {.seq = db_col_int(s, 0), .taken = db_col_int(s, 2), .begun = db_col_int(s, 3), .from = db_col_int(s, 4),
		.part = db_col_int(s, 5), .form = db_col_int(s, 7), .due = db_col_int(s, 9)};
	size_t n;
	const char *line = db_col(s, 1, &n);

	e.ids = db_col(s, 6, &e.nids);
	e.outcome = db_col(s, 8, &e.noutcome);
	return fn(arg, &e, line, n);
}

int outbox_load(struct outbox *o, outbox_fn *fn, void *arg)
{
	struct db_stmt *s = db_prepare(o->db, COLUMNS " ORDER BY seq");
	int rc = s ? 0 : -1;

	while (rc == 0 && (rc = db_step(s)) == 1) {
		rc = row(s, fn, arg);
		if (rc) {
			db_finish(s);
			return rc;
		}
	}
	if (rc < 0)
		outbox_fail(o);
	db_finish(s);
	return rc;
}

int outbox_one(struct outbox *o, int64_t seq, outbox_fn *fn, void *arg)
{
	struct db_stmt *s = o->q[Q_ONE];
	int rc;

	db_int(s, 0, seq);
	rc = db_step(s);
	if (rc < 0)
		outbox_fail(o);
	else if (rc == 1 && row(s, fn, arg))
		rc = -1;
	db_reset(s);
	return rc;
}

int outbox_load_interactions(struct outbox *o, int64_t since, int (*fn)(void *arg, const char *name, int state, int64_t at), void *arg)
{
	struct db_stmt *s = db_prepare(o->db, "SELECT name, state, at FROM interaction WHERE at >= ?");
	int rc = s ? 0 : -1;
	char name[1024];

	if (s)
		db_int(s, 0, since);
	while (rc == 0 && (rc = db_step(s)) == 1) {
		size_t n;
		const char *p = db_col(s, 0, &n);

		snprintf(name, sizeof(name), "%.*s", n < sizeof(name) ? (int)n : 0, p);
		rc = fn(arg, name, (int)db_col_int(s, 1), db_col_int(s, 2));
	}
	if (rc < 0)
		outbox_fail(o);
	db_finish(s);
	return rc;
}

int outbox_known(struct outbox *o, const unsigned char key[SAY_KEY])
{
	int rc;

	db_blob(o->q[Q_KNOWN], 0, key, SAY_KEY);
	rc = db_step(o->q[Q_KNOWN]);
	db_reset(o->q[Q_KNOWN]);
	return rc < 0 ? outbox_fail(o) : rc;
}

int outbox_begin(struct outbox *o)
{
	return db_begin(o->db) ? outbox_fail(o) : 0;
}

int outbox_run(struct outbox *o, enum sql q)
{
	return db_run(o->q[q]) ? outbox_fail(o) : 0;
}

int outbox_take(struct outbox *o, const struct say *s, int64_t taken, int64_t *seq)
{
	struct db_stmt *q = o->q[Q_TAKE];
	int rc;

	db_blob(q, 0, s->line, s->nline);
	db_int(q, 1, taken);
	rc = db_step(q);
	if (rc == 1)
		*seq = db_col_int(q, 0);
	if (rc == 1)
		rc = db_step(q);
	db_reset(q);
	return rc < 0 ? outbox_fail(o) : 0;
}

int outbox_state(struct outbox *o, const struct entry *e)
{
	struct db_stmt *q = o->q[Q_STATE];

	db_int(q, 0, e->begun);
	db_int(q, 1, e->from);
	db_int(q, 2, e->part);
	db_blob(q, 3, e->ids, e->nids);
	db_int(q, 4, e->form);
	db_int(q, 5, e->due);
	db_int(q, 6, e->seq);
	return outbox_run(o, Q_STATE);
}

int outbox_outcome(struct outbox *o, int64_t seq, const char *line, size_t n)
{
	db_blob(o->q[Q_OUTCOME], 0, line, n);
	db_int(o->q[Q_OUTCOME], 1, seq);
	return outbox_run(o, Q_OUTCOME);
}

int outbox_gone(struct outbox *o, int64_t seq, const unsigned char key[SAY_KEY], int64_t wall)
{
	db_int(o->q[Q_GONE], 0, seq);
	db_blob(o->q[Q_DONE], 0, key, SAY_KEY);
	db_int(o->q[Q_DONE], 1, wall);
	return outbox_run(o, Q_GONE) || outbox_run(o, Q_DONE) ? -1 : 0;
}

int outbox_interaction(struct outbox *o, const char *name, int state, int64_t at)
{
	db_text(o->q[Q_INTERACTION], 0, name, strlen(name));
	db_int(o->q[Q_INTERACTION], 1, state);
	db_int(o->q[Q_INTERACTION], 2, at);
	return outbox_run(o, Q_INTERACTION);
}

void outbox_rollback(struct outbox *o)
{
	db_rollback(o->db);
}

int outbox_commit(struct outbox *o, bool sync)
{
	int rc;

	if (db_commit(o->db))
		return outbox_fail(o);
	rc = sync ? db_sync_begin(o->db, o->io.fd) : 0;
	o->syncing = rc == 1;
	if (rc == 1)
		return 1;
	if (rc < 0 && db_sync(&o->db, 1)) {
		outbox_fail(o);
		return -2;
	}
	o->told = false;
	return 0;
}

int outbox_forget(struct outbox *o, int64_t wall)
{
	long long old = wall - OUTBOX_REMEMBER;
	char text[500];

	snprintf(text, sizeof(text), "DELETE FROM done WHERE at < %lld; DELETE FROM interaction WHERE at < %lld; DELETE FROM used WHERE at < %lld;"
		"DELETE FROM refused WHERE at < %lld; DELETE FROM closed WHERE until < %lld; DELETE FROM spot WHERE at < %lld", old, old,
		(long long)(wall - USED_REMEMBER), old, (long long)wall, (long long)(wall - SPOT_KEEP));
	return db_exec(o->db, text) ? outbox_fail(o) : 0;
}
