/* compare: == and != with a string, number, true or false; < <= > >= with a number. Also the template for a new part. */
#include "route/pred/pred.h"

enum { EQ, NE, LE, LT, GE, GT };
static const char *const OPS[] = { [EQ] = "==", [NE] = "!=", [LE] = "<=", [LT] = "<", [GE] = ">=", [GT] = ">", NULL };

static int parse(struct pred *p, struct parser *in)
{
	if (pred_value(in, p) < 0)
		return -1;
	if (p->op >= LE && p->v[0].kind != VALUE_NUMBER)
		return pred_fail_value(in, "%s compares numbers; text can be compared with ==, !=, ^=, ~ and in", OPS[p->op]);
	return 0;
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	struct span raw = operand_get(&p->left, l);
	double x;

	if (p->op == EQ)
		return value_equal(&p->v[0], raw);
	if (p->op == NE)
		return !value_equal(&p->v[0], raw);
	if (!raw.p || !scan_number(raw, &x))
		return false;
	switch (p->op) {
	case LE: return x <= p->v[0].number;
	case LT: return x < p->v[0].number;
	case GE: return x >= p->v[0].number;
	default: return x > p->v[0].number;
	}
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "%s %s ", p->left.name, OPS[p->op]) < 0 ? -1 : value_describe(&p->v[0], out);
}

const struct pred_kind pred_compare = {
	.name = "compare", .ops = OPS, .infix = true, .parse = parse, .match = match, .describe = describe,
};
