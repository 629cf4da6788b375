/* exists: exists NAME: the attribute or the member of data is there and not null. */
#include "route/pred/pred.h"

static const char *const OPS[] = { "exists", NULL };

static int parse(struct pred *p, struct parser *in)
{
	return pred_operand(in, &p->left);
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	return operand_get(&p->left, l).p != NULL;
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "exists %s", p->left.name);
}

const struct pred_kind pred_exists = {
	.name = "exists", .ops = OPS, .infix = false, .parse = parse, .match = match, .describe = describe,
};
