#include "route/pred/pred.h"

#include <string.h>

struct span operand_get(const struct operand *o, const struct pred_line *l)
{
	static const char DEFAULT[] = "\"default\"";
	struct span v;

	if (o->path)
		v = scan_path(l->e->a[LA_DATA], o->path);
	else if (o->attr >= 0)
		v = l->e->a[o->attr];
	else
		v = scan_member(l->raw, o->name);
	if (v.p && v.n == 4 && memcmp(v.p, "null", 4) == 0)
		v = (struct span){ NULL, 0 };
	if (!v.p && o->attr == LA_TENANT && !o->path)
		v = (struct span){ DEFAULT, sizeof(DEFAULT) - 1 };
	return v;
}

int value_describe(const struct value *v, struct buf *out)
{
	if (v->kind == VALUE_STRING)
		return buf_add_json(out, v->text, v->n);
	return buf_add(out, v->text, v->n);
}

bool value_equal(const struct value *v, struct span raw)
{
	double number;

	if (!raw.p)
		return false;
	switch (v->kind) {
	case VALUE_STRING:
		/* scan_is cannot see behind a NUL; rules hold none (parse.c refuses them). */
		return raw.p[0] == '"' && scan_is(raw, v->text);
	case VALUE_NUMBER:
		return scan_number(raw, &number) && number == v->number;
	case VALUE_BOOL:
		return raw.n == v->n && memcmp(raw.p, v->text, v->n) == 0;
	}
	return false;
}

bool value_text(struct span raw, const struct pred_line *l, struct span *out)
{
	if (!raw.p || raw.n < 2 || raw.p[0] != '"')
		return false;
	if (!memchr(raw.p, '\\', raw.n)) {
		*out = (struct span){ raw.p + 1, raw.n - 2 };
		return true;
	}
	buf_clear(l->scratch);
	if (scan_string(raw, l->scratch) < 0)
		return false;
	*out = (struct span){ l->scratch->p, l->scratch->len };
	return true;
}
