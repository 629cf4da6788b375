#include "store/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/db.h"
#include "base/hash.h"

int names_open(struct names *m, struct db *d)
{
	m->slot = calloc(NAME_SLOTS, sizeof(*m->slot));
	m->find = db_prepare(d, "SELECT id FROM name WHERE kind = ? AND text = ?");
	m->add = db_prepare(d, "INSERT INTO name(kind, text) VALUES(?, ?) RETURNING id");
	return m->slot && m->find && m->add ? 0 : -1;
}

void names_release(struct names *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}

void names_clear(struct names *m)
{
	if (m->slot)
		memset(m->slot, 0, NAME_SLOTS * sizeof(*m->slot));
}

static struct name_slot *slot_of(struct names *m, enum name_kind kind, const char *p, size_t n)
{
	return &m->slot[(hash_crc32c(0, p, n) + kind) % NAME_SLOTS];
}

static int64_t ask(struct db_stmt *s, enum name_kind kind, const char *p, size_t n)
{
	int64_t id;
	int rc;

	db_int(s, 0, kind);
	db_text(s, 1, p, n);
	rc = db_step(s);
	id = rc == 1 ? db_col_int(s, 0) : rc;
	db_reset(s);
	return id;
}

static int64_t look_up(struct names *m, enum name_kind kind, const char *p, size_t n, bool give)
{
	struct name_slot *s = slot_of(m, kind, p, n);
	int64_t id;

	if (s->id && s->kind == kind && s->n == n && memcmp(s->text, p, n) == 0)
		return s->id;
	id = ask(m->find, kind, p, n);
	if (id == 0 && give)
		id = ask(m->add, kind, p, n);
	if (id > 0 && n <= NAME_KEPT) {
		*s = (struct name_slot){ .id = id, .kind = (uint16_t)kind, .n = (uint16_t)n };
		memcpy(s->text, p, n);
	}
	return id;
}

int64_t names_id(struct names *m, enum name_kind kind, const char *p, size_t n)
{
	return look_up(m, kind, p, n, true);
}

int64_t names_find(struct names *m, enum name_kind kind, const char *p, size_t n)
{
	return look_up(m, kind, p, n, false);
}
