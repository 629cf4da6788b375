#include "store/tenant.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/schema.h"

/* ---- the set ---- */

int tenants_init(struct tenants *ts, const char *dir, unsigned most)
{
	char path[PATH_MAX];

	*ts = (struct tenants){ .dir = dir, .most = most, .lock = -1, .key = { hash_random(), hash_random() } };
	ts->sound = calloc(TENANT_SOUND, sizeof(*ts->sound));
	if (!ts->sound) {
		log_error("no memory");
		return -1;
	}
	if (fd_mkdirs(dir, 0750)) {
		log_error("%s: %s: the folder of the history cannot be made", dir, strerror(errno));
		return -1;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/.lock", dir) >= sizeof(path)) {
		log_error("%s: %s", dir, strerror(ENAMETOOLONG));
		return -1;
	}
	ts->lock = fd_lock(path);
	if (ts->lock < 0 && errno == EWOULDBLOCK) {
		log_error("%s: process %ld stores here already; stop it, or use another folder", dir, (long)fd_lock_owner(path));
		return -1;
	}
	if (ts->lock < 0) {
		log_error("%s: %s: check that this user may write here", path, strerror(errno));
		return -1;
	}
	return 0;
}

static struct tenant **bucket_of(struct tenants *ts, const char *name)
{
	return &ts->bucket[hash_crc32c(0, name, strlen(name)) % TENANT_BUCKETS];
}

static void unlink_use(struct tenants *ts, struct tenant *t)
{
	*(t->newer ? &t->newer->older : &ts->newest) = t->older;
	*(t->older ? &t->older->newer : &ts->oldest) = t->newer;
	t->newer = t->older = NULL;
}

static void link_use(struct tenants *ts, struct tenant *t)
{
	t->newer = NULL;
	t->older = ts->newest;
	*(t->older ? &t->older->newer : &ts->oldest) = t;
	ts->newest = t;
}

static void share_cache(struct tenants *ts)
{
	size_t each = TENANT_CACHE / (ts->open ? ts->open : 1);

	/* Dealt anew when the number of sharers doubles or halves. */
	if (ts->open & (ts->open - 1))
		return;
	for (struct tenant *t = ts->newest; t; t = t->older)
		if (t->db)
			db_cache(t->db, each < TENANT_CACHE_EACH ? each : TENANT_CACHE_EACH);
}

static uint64_t hash_of(const struct tenants *ts, const char *name)
{
	struct sip s;

	sip_init(&s, ts->key);
	sip_add(&s, name, strlen(name));
	return sip_end(&s).a | 1;
}

static bool is_sound(const struct tenants *ts, const char *name)
{
	uint64_t h = hash_of(ts, name);

	return ts->sound[h / 2 % TENANT_SOUND] == h;
}

static void note_sound(struct tenants *ts, const char *name, bool sound)
{
	uint64_t h = hash_of(ts, name), *at = &ts->sound[h / 2 % TENANT_SOUND];

	if (sound)
		*at = h;
	else if (*at == h)
		*at = 0;
}

static void close_db(struct tenants *ts, struct tenant *t, bool tidy)
{
	if (!t->db)
		return;
	note_sound(ts, t->name, !t->unsure && !db_unsynced(t->db));
	db_close(t->db, tidy);
	t->db = NULL;
	ts->open--;
	fresh_release(&t->fresh);
	names_release(&t->names);
	memset(t->query, 0, sizeof(t->query));
}

static void forget(struct tenants *ts, struct tenant *t, bool tidy)
{
	struct tenant **at;

	close_db(ts, t, tidy);
	for (at = bucket_of(ts, t->name); *at != t; at = &(*at)->next)
		;
	*at = t->next;
	unlink_use(ts, t);
	ts->known--;
	free(t);
}

void tenants_release(struct tenants *ts)
{
	while (ts->newest)
		forget(ts, ts->newest, true);
	if (ts->lock >= 0)
		close(ts->lock);
	ts->lock = -1;
	free(ts->sound);
	ts->sound = NULL;
}

static struct tenant *find(struct tenants *ts, const char *name)
{
	struct tenant *t;

	for (t = *bucket_of(ts, name); t && strcmp(t->name, name); t = t->next)
		;
	return t;
}

/* ---- opening one ---- */

/* What is in memory of a tenant, as its database has it. */
static int read_state(struct tenant *t)
{
	struct db_stmt *s = db_prepare(t->db, "SELECT salt, indexed, (SELECT max(seq) FROM event) FROM state");
	int rc = s ? db_step(s) : -1;
	const char *salt;
	size_t n;

	if (rc == 1) {
		salt = db_col(s, 0, &n);
		memcpy(t->salt, salt ? salt : "", n < sizeof(t->salt) ? n : sizeof(t->salt));
		t->fill_at = TENANT_FRESH - t->salt[0] % (TENANT_FRESH / 2);
		t->indexed = db_col_int(s, 1);
		t->last = db_col_int(s, 2);
	}
	db_finish(s);
	return rc == 1 ? 0 : -1;
}

static int read_fresh(struct tenant *t)
{
	struct db_stmt *s = db_prepare(t->db, "SELECT seen, seq FROM event WHERE seq > ?");
	int rc = -1;

	if (!s)
		return -1;
	db_int(s, 0, t->indexed);
	while ((rc = db_step(s)) == 1)
		if (fresh_add(&t->fresh, db_col_int(s, 0), db_col_int(s, 1)))
			break;
	db_finish(s);
	return rc;
}

static int reload(struct tenant *t)
{
	fresh_clear(&t->fresh);
	names_clear(&t->names);
	return read_state(t) || read_fresh(t) ? -1 : 0;
}

static int prepare(struct tenant *t)
{
	t->insert = db_prepare(t->db, "INSERT OR IGNORE INTO event VALUES(?, ?, ?, ?, ?, ?, ?)");
	t->seen = db_prepare(t->db, "SELECT event.line FROM seen JOIN event USING(seq) WHERE hash = ?");
	t->line = db_prepare(t->db, "SELECT line FROM event WHERE seq = ?");
	t->count = db_prepare(t->db, "UPDATE state SET events = events + ?, bytes = bytes + ?");
	return t->insert && t->seen && t->line && t->count ? names_open(&t->names, t->db) : -1;
}

/* 0; 1: there is none and create is false; -1 with t->error. */
static int open_db(struct tenants *ts, struct tenant *t, bool create)
{
	unsigned mode = DB_GROUP | (create ? DB_CREATE : DB_WRITE) | (t->unsure || !is_sound(ts, t->name) ? DB_SETTLE : 0);
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.db", ts->dir, t->name) >= sizeof(path)) {
		t->error = (struct db_error){ .fault = DB_DENIED };
		snprintf(t->error.text, sizeof(t->error.text), "%.200s...: %s: use a shorter folder", ts->dir, strerror(ENAMETOOLONG));
		return -1;
	}
	if (!create && access(path, F_OK) && errno == ENOENT)
		return 1;
	t->db = db_open(path, mode, schema_steps, schema_count, &t->error);
	if (!t->db)
		return -1;
	ts->open++;
	db_busy(t->db, TENANT_BUSY);
	fresh_init(&t->fresh);
	if (prepare(t) || reload(t)) {
		t->error = *db_error(t->db);
		close_db(ts, t, false);
		return -1;
	}
	t->unsure = false;
	return 0;
}

static void make_room(struct tenants *ts, const struct tenant *keep)
{
	struct tenant *t, *newer;

	for (t = ts->oldest; t && (ts->open >= ts->most || ts->known > ts->most); t = newer) {
		newer = t->newer;
		if (t != keep && !t->held)
			forget(ts, t, false);
	}
}

static struct tenant *known(struct tenants *ts, const char *name)
{
	struct tenant *t = find(ts, name), **at;

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	snprintf(t->name, sizeof(t->name), "%s", name);
	at = bucket_of(ts, name);
	t->next = *at;
	*at = t;
	link_use(ts, t);
	ts->known++;
	return t;
}

static bool not_its_own(const struct tenants *ts, const struct tenant *t)
{
	return t->error.fault == DB_FULL || (t->error.fault == DB_DENIED && access(ts->dir, R_OK | W_OK | X_OK) != 0);
}

static void failed(struct tenants *ts, struct tenant *t)
{
	int64_t wait = TENANT_AGAIN << (t->fails < 10 ? t->fails : 10);

	if (t->fails++ == 0)
		log_about(LOG_ERROR, &(struct log_ctx){ .tenant = t->name }, "%s; its lines wait until then", t->error.text);
	t->again = clock_mono() + (wait < TENANT_AGAIN_MOST ? wait : TENANT_AGAIN_MOST);
	ts->stuck |= not_its_own(ts, t);
}

struct tenant *tenants_get(struct tenants *ts, const char *name, bool write, const char **why)
{
	struct tenant *t = known(ts, name);
	int64_t now = clock_mono();
	int rc;

	if (!t) {
		*why = "no memory";
		return NULL;
	}
	t->used = now;
	if (ts->newest != t) {
		unlink_use(ts, t);
		link_use(ts, t);
	}
	if (t->db && (!write || t->again <= now))
		return t;
	*why = t->error.text;
	if (t->again > now) {
		ts->stuck |= not_its_own(ts, t);
		return NULL;
	}
	make_room(ts, t);
	rc = open_db(ts, t, write);
	if (rc == 0) {
		share_cache(ts);
		return t;
	}
	if (rc == 1) {
		*why = "";
		forget(ts, t, false);
		return NULL;
	}
	failed(ts, t);
	return NULL;
}

void tenants_fail(struct tenants *ts, struct tenant *t)
{
	t->held = false;
	t->error = *db_error(t->db);
	if (t->error.fault == DB_OK)
		snprintf(t->error.text, sizeof(t->error.text), "%s: no memory", db_path(t->db));
	db_rollback(t->db);
	/* It may have been a sync of SQLite's own. */
	t->unsure |= t->error.fault == DB_IO;
	/* On a full disk it stays open: it can be read. */
	if (t->error.fault != DB_FULL || t->unsure || reload(t))
		close_db(ts, t, false);
	failed(ts, t);
}

void tenants_works(struct tenant *t)
{
	if (t->fails == 0)
		return;
	log_about(LOG_WARN, &(struct log_ctx){ .tenant = t->name }, "%s: works again",
		db_path(t->db));
	t->again = 0;
	t->fails = 0;
}

int64_t tenants_tidy(struct tenants *ts, int64_t idle)
{
	struct tenant *t, *oldest = NULL;
	int64_t now = clock_mono();

	for (t = ts->oldest; t && !t->db; t = t->newer)
		;
	if (t && t->used + idle <= now) {
		forget(ts, t, true);
		for (t = ts->oldest; t && !t->db; t = t->newer)
			;
	}
	oldest = t;
	return !oldest ? 0 : oldest->used + idle > now ? oldest->used + idle - now : 1;
}

struct tenant *tenants_waiting(struct tenants *ts)
{
	for (struct tenant *t = ts->newest; t; t = t->older)
		if (t->db && t->fresh.n)
			return t;
	return NULL;
}
