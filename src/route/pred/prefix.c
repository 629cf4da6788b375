/* prefix: ^= "text": the string begins so. */
#include "route/pred/pred.h"

#include <string.h>

static const char *const OPS[] = { "^=", NULL };

static int parse(struct pred *p, struct parser *in)
{
	if (pred_value(in, p) < 0)
		return -1;
	return p->v[0].kind == VALUE_STRING ? 0 : pred_fail_value(in, "^= needs a text in quotes");
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	struct span text;

	return value_text(operand_get(&p->left, l), l, &text) && text.n >= p->v[0].n &&
	    memcmp(text.p, p->v[0].text, p->v[0].n) == 0;
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "%s ^= ", p->left.name) < 0 ? -1 : value_describe(&p->v[0], out);
}

const struct pred_kind pred_prefix = {
	.name = "prefix", .ops = OPS, .infix = true, .parse = parse, .match = match, .describe = describe,
};
