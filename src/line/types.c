#include "line/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "line/envelope.h"
#include "line/found.h"
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

static const unsigned char sizes[] = {
#define TYPE(name, fields, about) sizeof name - 1,
#include "line/types.def"
#undef TYPE
};

const struct type_row *types_find(struct span raw_type)
{
	if (!raw_type.p || raw_type.p[0] != '"')
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (raw_type.n == sizes[i] + 2u && memcmp(raw_type.p + 1, rows[i].name, sizes[i]) == 0)
			return &rows[i];
	for (size_t i = 0; i < sizeof rows / sizeof *rows && memchr(raw_type.p, '\\', raw_type.n); i++)
		if (scan_is(raw_type, rows[i].name))
			return &rows[i];
	return NULL;
}

/* ---- the fields of a row, taken apart once: every line that enters is asked for them ---- */

#define FIELDS_MAX 4u

struct field {
	char name[24], sub[24];		/* a member of data and, if not empty, the member of that one */
	size_t n, nsub;
	char kind;			/* 's'tring, 'n'umber, 'a'ny */
	char missing[96], wrong[96];	/* what is said of it: the reason, with its name */
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
				memcpy(f->sub, p + dot + 1, f->nsub = n - dot - 1);
			f->kind = p[n + 1];
			snprintf(f->missing, sizeof f->missing, WHY_NO_FIELD ": data.%.*s", (int)n, p);
			snprintf(f->wrong, sizeof f->wrong, WHY_FIELD_TYPE ": data.%.*s", (int)n, p);
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

static bool has_kind(char first, char kind)
{
	switch (kind) {
	case 's': return first == '"';
	case 'n': return first == '-' || (first >= '0' && first <= '9');
	default: return true;
	}
}

/* `value` is what a field was found to be, NULL if it is not there. The place of a fault is the value, or data where that is missing. */
static int field_check(const char *line, const struct envelope *e, const struct field *f, const char *value, struct line_err *err)
{
	struct span data = e->a[LA_DATA];

	if (value && has_kind(*value, f->kind))
		return 0;
	err->why = value ? f->wrong : f->missing;
	err->at = value ? (size_t)(value - line) : data.p ? (size_t)(data.p - line) : 0;
	return -1;
}

/* The fields that the line's type wants; NULL: none, or the type is not in the table. */
static const struct field *fields_of(const struct envelope *e, unsigned *n)
{
	const struct type_row *row = types_find(e->a[LA_TYPE]);

	*n = 0;
	if (!row)
		return NULL;
	call_once(&once, take_apart);
	*n = wanted[row - rows].n;
	return wanted[row - rows].f;
}

int types_check(const char *line, const struct envelope *e, struct line_err *err)
{
	struct search s = { .n = 0 };

	s.f = fields_of(e, &s.n);
	s.left = s.n;
	if (s.n)
		scan_each(e->a[LA_DATA], look, &s);
	for (unsigned i = 0; i < s.n; i++)
		if (field_check(line, e, &s.f[i], s.found[i].p, err) < 0)
			return -1;
	return 0;
}

/* ---- the same by what the scanner has found on its way ---- */

static inline bool inner_is(const char *line, const struct scan_inner *m, const char *name, size_t n)
{
	return m->size == n + 2 && memcmp(line + m->name + 1, name, n) == 0;
}

/* Only data can have members: an attribute is no object. */
static const char *field_find(const char *line, const struct scan_found *found, const struct field *f)
{
	const struct scan_inner *m = found->inner, *end = m + found->ninner;

	while (m < end && !(m->depth == 1 && inner_is(line, m, f->name, f->n)))
		m++;
	if (m == end || !f->nsub)
		return m == end ? NULL : line + m->value;
	for (m++; m < end && m->depth > 1; m++)
		if (m->depth == 2 && inner_is(line, m, f->sub, f->nsub))
			return line + m->value;
	return NULL;
}

int types_check_line(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err)
{
	struct scan_found found;
	const struct field *f;
	unsigned nfields;
	bool fast;

	if (envelope_find(p, n, max, e, err, &found, &fast) < 0)
		return -1;
	if (!fast || found.ninner > SCAN_INNER)
		return types_check(p, e, err);
	f = fields_of(e, &nfields);
	for (unsigned i = 0; i < nfields; i++)
		if (field_check(p, e, &f[i], field_find(p, &found, &f[i]), err) < 0)
			return -1;
	return 0;
}
