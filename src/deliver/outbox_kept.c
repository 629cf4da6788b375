/* In the outbox beside messages: how often limits were used, refusals, accounts that are stopped, where they were refused. */
#include "deliver/outbox_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define USED_MAX 100000		/* more than any limit has */

int outbox_used(struct outbox *o, const struct need *gate, int64_t wall)
{
	db_text(o->q[Q_USED], 0, gate->name, strlen(gate->name));
	db_int(o->q[Q_USED], 1, gate->n);
	db_int(o->q[Q_USED], 2, gate->period);
	db_int(o->q[Q_USED], 3, wall);
	return outbox_run(o, Q_USED);
}

int outbox_refused(struct outbox *o, const char *who, int64_t wall)
{
	db_text(o->q[Q_REFUSED], 0, who, strlen(who));
	db_int(o->q[Q_REFUSED], 1, wall - wall % REFUSALS_SLOT);
	return outbox_run(o, Q_REFUSED);
}

int outbox_closed(struct outbox *o, const char *gate, int64_t until)
{
	db_text(o->q[Q_CLOSED], 0, gate, strlen(gate));
	db_int(o->q[Q_CLOSED], 1, until);
	return outbox_run(o, Q_CLOSED);
}

int outbox_load_ledger(struct outbox *o, int64_t wall, void (*fn)(void *arg, const struct ledger *l), void *arg)
{
	struct db_stmt *s = db_prepare(o->db, "SELECT 0, gate, at, n, period FROM used WHERE at >= ?1 - ?2 UNION ALL "
		"SELECT 1, who, at, n, 0 FROM refused WHERE at >= ?1 - ?3 UNION ALL SELECT 2, gate, until, 1, 0 FROM closed WHERE until > ?1 ORDER BY 1, 3");
	int rc = s ? 1 : -1;

	if (s) {
		db_int(s, 0, wall);
		db_int(s, 1, USED_REMEMBER);
		db_int(s, 2, REFUSALS_TIME);
	}
	while (rc > 0 && (rc = db_step(s)) == 1) {
		int64_t many = db_col_int(s, 3);
		struct ledger l = {.kind = (enum ledger_kind)db_col_int(s, 0), .at = db_col_int(s, 2)};
		size_t n;
		const char *p = db_col(s, 1, &n);

		l.gate.n = many > 0 && many <= USED_MAX ? (uint32_t)many : 1;
		l.gate.period = db_col_int(s, 4);
		snprintf(l.gate.name, sizeof(l.gate.name), "%.*s", n < sizeof(l.gate.name) ? (int)n : 0, p);
		fn(arg, &l);
	}
	if (rc < 0)
		outbox_fail(o);
	db_finish(s);
	return rc;
}

int outbox_stopped(struct outbox *o, const char *who, const unsigned char print[ACCOUNT_PRINT], const char *why, int64_t wall)
{
	db_text(o->q[Q_STOPPED], 0, who, strlen(who));
	db_blob(o->q[Q_STOPPED], 1, print, ACCOUNT_PRINT);
	db_text(o->q[Q_STOPPED], 2, why, strlen(why));
	db_int(o->q[Q_STOPPED], 3, wall);
	return outbox_run(o, Q_STOPPED);
}

int outbox_not_stopped(struct outbox *o, const char *who)
{
	db_text(o->q[Q_NOT_STOPPED], 0, who, strlen(who));
	return outbox_run(o, Q_NOT_STOPPED);
}

/* Texts of a column, each ended by NUL. */
static int keep(struct buf *b, struct db_stmt *s, int i)
{
	size_t n;
	const char *p = db_col(s, i, &n);

	return buf_add(b, p ? p : "", p ? strnlen(p, n) : 0) | buf_addc(b, '\0');
}

int outbox_load_stopped(struct outbox *o, bool (*fn)(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const char *why), void *arg)
{
	struct db_stmt *s = db_prepare(o->db, "SELECT who, print, why FROM stopped");
	struct buf row, old;
	int rc = s ? 1 : -1;

	buf_init(&row, 1u << 16);
	buf_init(&old, 16u << 20);
	while (rc > 0 && (rc = db_step(s)) == 1) {
		size_t n;
		const char *print = db_col(s, 1, &n);

		buf_clear(&row);
		if (keep(&row, s, 0) || keep(&row, s, 2))
			continue;
		if (!print || n != ACCOUNT_PRINT || !fn(arg, row.p, (const unsigned char *)print, row.p + strlen(row.p) + 1))
			keep(&old, s, 0);
	}
	if (rc < 0)
		outbox_fail(o);
	db_finish(s);
	for (const char *p = old.p; p && p < old.p + old.len; p += strlen(p) + 1)
		outbox_not_stopped(o, p);
	buf_release(&row);
	buf_release(&old);
	return rc;
}

int outbox_spot(struct outbox *o, const char *who, const unsigned char print[ACCOUNT_PRINT], const struct spot *p, int64_t ahead)
{
	struct db_stmt *q = o->q[Q_SPOT];

	db_text(q, 0, who, strlen(who));
	db_text(q, 1, p->name, strlen(p->name));
	db_blob(q, 2, print, ACCOUNT_PRINT);
	db_int(q, 3, p->streak);
	db_int(q, 4, p->tries);
	db_int(q, 5, p->n);
	db_int(q, 6, p->since + ahead);
	db_int(q, 7, p->until + ahead);
	db_int(q, 8, p->at + ahead);
	db_text(q, 9, p->code, strlen(p->code));
	db_text(q, 10, p->why, strlen(p->why));
	return outbox_run(o, Q_SPOT);
}

static void text_of(struct db_stmt *s, int i, char *to, size_t size)
{
	size_t n;
	const char *p = db_col(s, i, &n);

	snprintf(to, size, "%.*s", p && n < size ? (int)n : 0, p ? p : "");
}

static uint32_t count_of(struct db_stmt *s, int i)
{
	int64_t n = db_col_int(s, i);

	return n < 0 ? 0 : n > USED_MAX ? USED_MAX : (uint32_t)n;
}

int outbox_load_spots(struct outbox *o, int64_t wall, int64_t ahead,
	void (*fn)(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const struct spot *p), void *arg)
{
	struct db_stmt *s = db_prepare(o->db, "SELECT * FROM spot WHERE at > ?");
	char who[NEED_NAME];
	int rc = s ? 1 : -1;

	if (s)
		db_int(s, 0, wall - SPOT_KEEP);
	while (rc > 0 && (rc = db_step(s)) == 1) {
		struct spot p = {.streak = count_of(s, 3), .tries = count_of(s, 4), .n = count_of(s, 5), .since = db_col_int(s, 6) - ahead,
			.until = db_col_int(s, 7) - ahead, .at = db_col_int(s, 8) - ahead};
		size_t n;
		const char *print = db_col(s, 2, &n);

		text_of(s, 0, who, sizeof(who));
		text_of(s, 1, p.name, sizeof(p.name));
		text_of(s, 9, p.code, sizeof(p.code));
		text_of(s, 10, p.why, sizeof(p.why));
		if (print && n == ACCOUNT_PRINT)
			fn(arg, who, (const unsigned char *)print, &p);
	}
	if (rc < 0)
		outbox_fail(o);
	db_finish(s);
	return rc;
}
