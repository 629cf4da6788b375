/* set: in (value, value, ...): equal to one of them. */
#include "route/pred/pred.h"

static const char *const OPS[] = { "in", NULL };

static int parse(struct pred *p, struct parser *in)
{
	if (pred_expect(in, "(") < 0)
		return -1;
	do {
		if (pred_value(in, p) < 0)
			return -1;
	} while (pred_accept(in, ","));
	return pred_expect(in, ")");
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	struct span raw = operand_get(&p->left, l);

	for (size_t i = 0; raw.p && i < p->nv; i++)
		if (value_equal(&p->v[i], raw))
			return true;
	return false;
}

static int describe(const struct pred *p, struct buf *out)
{
	int r = buf_printf(out, "%s in (", p->left.name);

	for (size_t i = 0; i < p->nv; i++)
		r |= (i ? buf_adds(out, ", ") : 0) | value_describe(&p->v[i], out);
	return r | buf_adds(out, ")");
}

const struct pred_kind pred_set = {
	.name = "set", .ops = OPS, .infix = true, .parse = parse, .match = match, .describe = describe,
};
