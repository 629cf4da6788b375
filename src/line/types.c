#include "line/types.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "line/why.h"

static const struct type_row rows[] = {
#define TYPE(name, fields, about) { name, fields, about },
#include "line/types.def"
#undef TYPE
};

const struct type_row *types_rows(size_t *n)
{
	*n = sizeof rows / sizeof *rows;
	return rows;
}

const struct type_row *types_find(struct span raw_type)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (scan_is(raw_type, rows[i].name))
			return &rows[i];
	return NULL;
}

/* ---- the fields of a row, taken apart once: every line that enters is asked for them ---- */

#define FIELDS_MAX 4u

struct field {
	char name[24], sub[24];		/* a member of data and, if not empty, the member of that one */
	size_t n;			/* of name */
	char kind;			/* 's'tring, 'n'umber, 'a'ny */
};

static struct { struct field f[FIELDS_MAX]; unsigned n; } wanted[sizeof rows / sizeof *rows];
static once_flag once = ONCE_FLAG_INIT;

/* types.def is ours: what does not fit here is seen by the first test that runs. */
static void take_apart(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (const char *p = rows[i].fields; *p; ) {
			struct field *f = &wanted[i].f[wanted[i].n++];
			size_t n = strcspn(p, ":"), dot = strcspn(p, ".:");

			if (wanted[i].n > FIELDS_MAX || n >= sizeof f->sub)
				abort();
			memcpy(f->name, p, dot);
			f->n = dot;
			if (dot < n)
				memcpy(f->sub, p + dot + 1, n - dot - 1);
			f->kind = p[n + 1];
			p += strcspn(p, " ");
			p += *p == ' ';
		}
	}
}

struct search { const struct field *f; unsigned n, left; struct span found[FIELDS_MAX]; };

static inline bool is_name(struct span raw, const struct field *f)
{
	if (raw.n == f->n + 2)
		return memcmp(raw.p + 1, f->name, f->n) == 0;
	return raw.n > f->n + 2 && memchr(raw.p, '\\', raw.n) && scan_is(raw, f->name);
}

static int look(void *arg, struct span name, struct span value)
{
	struct search *s = arg;

	for (unsigned i = 0; name.p && i < s->n; i++) {
		if (!is_name(name, &s->f[i]))
			continue;
		s->found[i] = s->f[i].sub[0] ? scan_member(value, s->f[i].sub) : value;
		s->left--;
	}
	return s->left == 0;
}

static bool has_kind(struct span v, char kind)
{
	switch (kind) {
	case 's': return v.p[0] == '"';
	case 'n': return v.p[0] == '-' || (v.p[0] >= '0' && v.p[0] <= '9');
	default: return true;
	}
}

int types_check(const char *line, const struct envelope *e, struct line_err *err)
{
	const struct type_row *row = types_find(e->a[LA_TYPE]);
	struct span data = e->a[LA_DATA];
	struct search s = { .n = 0 };

	if (!row)
		return 0;
	call_once(&once, take_apart);
	s.f = wanted[row - rows].f;
	s.n = s.left = wanted[row - rows].n;
	if (s.n)
		scan_each(data, look, &s);
	/* The place of a fault is the value, or data where the value is missing. */
	for (unsigned i = 0; i < s.n; i++) {
		struct span v = s.found[i];

		if (v.p && has_kind(v, s.f[i].kind))
			continue;
		err->why = v.p ? WHY_FIELD_TYPE : WHY_NO_FIELD;
		err->at = v.p ? (size_t)(v.p - line) : data.p ? (size_t)(data.p - line) : 0;
		return -1;
	}
	return 0;
}
