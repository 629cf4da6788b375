#include "store/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "line/err.h"
#include "link/batch.h"
#include "store/fill.h"
#include "store/tenant.h"

#define GROUPS 8192				/* places for the tenants of a batch: twice its lines */
#define SYNC_GROUP 128				/* databases that wait for a sync at a time */
#define REASONS_MAX (LINK_BATCH_LINES * 600u)

struct group { uint32_t first, last; };		/* lines of one tenant, 0: free place */

int ingest_init(struct ingest *in, struct tenants *ts)
{
	memset(in, 0, sizeof(*in));
	in->tenants = ts;
	buf_init(&in->scratch, 4u << 20);
	buf_init(&in->reasons, REASONS_MAX);
	in->row = calloc(LINK_BATCH_LINES + 1, sizeof(*in->row));
	in->next = calloc(LINK_BATCH_LINES + 1, sizeof(*in->next));
	in->refusal = calloc(LINK_BATCH_LINES + 1, sizeof(*in->refusal));
	in->late = calloc(LINK_BATCH_LINES + 1, sizeof(*in->late));
	in->done = calloc(SYNC_GROUP, sizeof(*in->done));
	return in->row && in->next && in->refusal && in->late && in->done ? 0 : -1;
}

void ingest_release(struct ingest *in)
{
	free(in->row);
	free(in->next);
	free(in->refusal);
	free(in->late);
	free(in->done);
	buf_release(&in->scratch);
	buf_release(&in->reasons);
}

/* ---- one line ---- */

/* 1: the same event is there, 0, -1. */
static int is_repeat(struct ingest *in, struct tenant *t, const struct row *r, int64_t seen)
{
	size_t at = 0, n;
	int64_t seq;
	int rc, same = 0;

	while (!same && (seq = fresh_next(&t->fresh, seen, &at))) {
		db_int(t->line, 0, seq);
		rc = db_step(t->line);
		if (rc == 1) {
			const char *p = db_col(t->line, 0, &n);
			same = p && row_same(r, p, n, &in->scratch);
		}
		db_reset(t->line);
		if (rc < 0)
			return -1;
	}
	if (same)
		return 1;
	db_int(t->seen, 0, seen);
	while (!same && (rc = db_step(t->seen)) == 1) {
		const char *p = db_col(t->seen, 0, &n);
		same = p && row_same(r, p, n, &in->scratch);
	}
	db_reset(t->seen);
	return same ? 1 : rc;
}

static int64_t name_of(struct ingest *in, struct tenant *t, enum name_kind kind, struct span raw)
{
	buf_clear(&in->scratch);
	if (scan_string(raw, &in->scratch))
		return -1;
	return names_id(&t->names, kind, in->scratch.p, in->scratch.len);
}

/* 1 stored, 0 the number is taken by another event, -1. */
static int insert(struct tenant *t, const struct row *r, int64_t seq)
{
	db_int(t->insert, 0, seq);
	db_blob(t->insert, 6, r->line.p, r->line.n);
	if (db_run(t->insert))
		return -1;
	return db_changes(t->db) == 1;
}

static int insert_somewhere(struct tenant *t, const struct row *r, uint64_t asked, int64_t *seq)
{
	static bool said;
	int rc;

	*seq = asked && asked < (UINT64_C(1) << 53) ? (int64_t)asked : t->last + 1;
	rc = insert(t, r, *seq);
	if (rc)
		return rc;
	if (!said)
		log_about(LOG_WARN, &(struct log_ctx){ .tenant = t->name }, "%s: sequence number %lld is another event's already: "
			"two hubs, or a spool made anew with the clock set back? Such events get the next free number", db_path(t->db),
			(long long)*seq);
	said = true;
	*seq = t->last + 1;
	rc = insert(t, r, *seq);
	return rc == 1 ? 1 : -1;
}

static int store_row(struct ingest *in, struct tenant *t, const struct row *r, uint64_t asked, struct done *done)
{
	int64_t seen, seq, person = 0, type, key = 0;
	int rc;

	if (row_seen(r, t->salt, &in->scratch, &seen))
		return -1;
	rc = is_repeat(in, t, r, seen);
	if (rc) {
		done->repeats += rc == 1;
		return rc < 0 ? -1 : 0;
	}
	if (r->user.p) {
		buf_clear(&in->scratch);
		if (scan_string(r->user, &in->scratch))
			return -1;
		person = row_person(in->scratch.p, in->scratch.len, t->salt);
	}
	type = name_of(in, t, NAME_TYPE, r->type);
	if (r->key.p)
		key = name_of(in, t, NAME_CONVERSATION, r->key);
	if (type < 0 || key < 0)
		return -1;
	db_int(t->insert, 1, seen);
	r->time == ROW_NO_TIME ? db_null(t->insert, 2) : db_int(t->insert, 2, r->time);
	db_int(t->insert, 3, type);
	key ? db_int(t->insert, 4, key) : db_null(t->insert, 4);
	person ? db_int(t->insert, 5, person) : db_null(t->insert, 5);
	if (insert_somewhere(t, r, asked, &seq) != 1)
		return -1;
	if (seq > t->last)
		t->last = seq;
	if (seq <= t->indexed)
		in->late[in->nlate++] = seq;
	/* A late one is in fresh too until the next fill: the same batch may hold it twice. */
	if (fresh_add(&t->fresh, seen, seq))
		return -1;
	done->events++;
	done->bytes += r->line.n + 1;
	return 0;
}

/* ---- one tenant's lines ---- */

static int count(struct tenant *t, const struct done *done)
{
	if (done->events == 0)
		return 0;
	db_int(t->count, 0, (int64_t)done->events);
	db_int(t->count, 1, (int64_t)done->bytes);
	return db_run(t->count);
}

static int transact(struct ingest *in, struct tenant *t, const struct batch *b, uint32_t first, struct done *done)
{
	in->nlate = 0;
	if (db_begin(t->db))
		return -1;
	for (uint32_t n = first; n; n = in->next[n])
		if (store_row(in, t, &in->row[n], b->seq ? b->seq[n - 1] : 0, done))
			return -1;
	if (in->nlate && fill_late(t, in->late, in->nlate))
		return -1;
	if (t->fresh.n >= t->fill_at && fill(t))
		return -1;
	if (count(t, done))
		return -1;
	return db_commit(t->db);
}

static void refuse_group(struct ingest *in, uint32_t first, const char *why)
{
	size_t at = in->reasons.len;

	/* One copy for all its lines, made into a pointer at the end: the buffer may move until then. */
	if (buf_add(&in->reasons, why, strlen(why) + 1))
		at = 0;
	for (uint32_t n = first; n; n = in->next[n])
		in->refusal[n] = (struct refusal){ .n = (uint32_t)at + 1, .retry = true };
}

static void fail_group(struct ingest *in, struct tenant *t, uint32_t first)
{
	tenants_fail(in->tenants, t);
	refuse_group(in, first, t->error.text);
}

/* All that was committed is made durable; only then it counts. */
static void sync_groups(struct ingest *in)
{
	struct db *db[SYNC_GROUP];

	for (size_t i = 0; i < in->ndone; i++)
		db[i] = in->done[i].tenant->db;
	db_sync(db, in->ndone);
	for (size_t i = 0; i < in->ndone; i++) {
		struct done *d = &in->done[i];

		if (db_unsynced(db[i])) {
			d->tenant->unsure = true;
			fail_group(in, d->tenant, d->first);
			continue;
		}
		d->tenant->held = false;
		tenants_works(d->tenant);
		metric_add(in->events, d->events);
		metric_add(in->bytes, d->bytes);
		in->nrepeats += d->repeats;
		metric_add(in->commits, 1);
	}
	in->ndone = 0;
}

static void store_group(struct ingest *in, const struct batch *b, uint32_t first)
{
	struct done done = { .first = first };
	const char *why;

	if (in->ndone == SYNC_GROUP || in->ndone >= in->tenants->most)
		sync_groups(in);
	done.tenant = tenants_get(in->tenants, in->row[first].tenant, true, &why);
	if (!done.tenant) {
		refuse_group(in, first, why);
		return;
	}
	if (transact(in, done.tenant, b, first, &done)) {
		fail_group(in, done.tenant, first);
		return;
	}
	done.tenant->held = true;
	in->done[in->ndone++] = done;
}

/* ---- a batch ---- */

static struct group *group_of(struct ingest *in, struct group *groups, const char *tenant)
{
	uint32_t h = 2166136261u;
	struct group *g;

	for (const char *c = tenant; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	for (g = &groups[h % GROUPS]; g->first && strcmp(in->row[g->first].tenant, tenant);)
		g = g + 1 < groups + GROUPS ? g + 1 : groups;
	return g;
}

static void refuse_line(struct ingest *in, uint32_t n, const struct line_err *err)
{
	size_t at = in->reasons.len;
	char text[LINE_ERR_TEXT];

	if (buf_adds(&in->reasons, line_err_text(err, text)) || buf_addc(&in->reasons, '\0'))
		at = 0;
	in->refusal[n] = (struct refusal){ .n = (uint32_t)at + 1, .retry = false };
}

/* Deals the lines out; the groups in the order in which their first lines came. */
static uint32_t deal(struct ingest *in, const struct batch *b, uint32_t *order)
{
	static struct group groups[GROUPS];
	const char *p = b->lines, *end = p + b->len, *line;
	uint32_t number = 0, n = 0;
	struct line_err err;
	size_t len;

	memset(groups, 0, sizeof(groups));
	while (number < b->n && (line = batch_next(&p, end, &len))) {
		struct group *g;

		in->refusal[++number].n = 0;
		in->row[number].line = (struct span){ line, len };
		in->next[number] = 0;
		if (row_from(&in->row[number], line, len, &err)) {
			refuse_line(in, number, &err);
			continue;
		}
		g = group_of(in, groups, in->row[number].tenant);
		if (g->first)
			in->next[g->last] = number;
		else
			order[n++] = g->first = number;
		g->last = number;
	}
	return n;
}

/* Packs the refusals of single lines to the front and turns offsets into text. */
static size_t pack(struct ingest *in, uint32_t lines)
{
	size_t n = 0;

	for (uint32_t i = 1; i <= lines; i++) {
		struct refusal r = in->refusal[i];

		if (r.n == 0)
			continue;
		r.error = in->reasons.p + r.n - 1;
		r.n = i;
		in->refusal[n++] = r;
	}
	return n;
}

size_t ingest_batch(struct ingest *in, const struct batch *b, const struct refusal **refused)
{
	static uint32_t order[LINK_BATCH_LINES + 1];
	uint32_t groups;
	size_t n;

	in->tenants->stuck = false;
	in->nrepeats = 0;
	buf_clear(&in->reasons);
	if (buf_add(&in->reasons, "no memory", sizeof("no memory")))	/* offset 0: what is said when there is no room for a reason */
		log_error("no memory for reasons");
	groups = deal(in, b, order);
	for (uint32_t i = 0; i < groups; i++)
		store_group(in, b, order[i]);
	sync_groups(in);
	n = pack(in, b->n);
	/* A batch that is kept comes again: then it counts. */
	if (!in->tenants->stuck) {
		metric_add(in->refused, n);
		metric_add(in->repeats, in->nrepeats);
	}
	*refused = in->refusal;
	return n;
}

uint32_t ingest_number(const struct ingest *in, const char *p, uint32_t after)
{
	while (after < LINK_BATCH_LINES && in->row[++after].line.p != p)
		;
	return after;
}
