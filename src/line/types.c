#include "line/types.h"

#include <string.h>

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

static bool has_kind(struct span v, const char *kind, size_t n)
{
	char c = v.p[0];

	if (n == 6 && memcmp(kind, "string", 6) == 0)
		return c == '"';
	if (n == 6 && memcmp(kind, "number", 6) == 0)
		return c == '-' || (c >= '0' && c <= '9');
	return true;	/* any */
}

/* One "path:kind" of a row; the place of a fault is the value, or data where the value is missing. */
static const char *check_field(struct span data, const char *field, size_t n, struct span *at)
{
	const char *colon = memchr(field, ':', n);
	char path[64];
	struct span v;

	*at = data;
	if (!colon || (size_t)(colon - field) >= sizeof path)
		return WHY_NO_FIELD;
	memcpy(path, field, (size_t)(colon - field));
	path[colon - field] = '\0';
	v = scan_path(data, path);
	if (!v.p)
		return WHY_NO_FIELD;
	*at = v;
	return has_kind(v, colon + 1, n - (size_t)(colon + 1 - field)) ? NULL : WHY_FIELD_TYPE;
}

int types_check(const char *line, const struct envelope *e, struct line_err *err)
{
	const struct type_row *row = types_find(e->a[LA_TYPE]);
	const char *field = row ? row->fields : "";

	while (*field) {
		size_t n = strcspn(field, " ");
		struct span at;
		const char *why = check_field(e->a[LA_DATA], field, n, &at);

		if (why) {
			err->at = at.p ? (size_t)(at.p - line) : 0;
			err->why = why;
			return -1;
		}
		field += n + (field[n] == ' ');
	}
	return 0;
}
