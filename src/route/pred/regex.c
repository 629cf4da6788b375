/* regex: =~ "expression": the string holds a match of it (base/regex.h: linear in the text, whatever the text is). */
#include "route/pred/pred.h"

#include "base/regex.h"

static const char *const OPS[] = { "=~", NULL };

static int parse(struct pred *p, struct parser *in)
{
	struct regex_error err;

	if (pred_value(in, p) < 0)
		return -1;
	if (p->v[0].kind != VALUE_STRING)
		return pred_fail_value(in, "=~ needs an expression in quotes");
	if (pred_regex_one_more(in) < 0)
		return -1;
	p->own = regex_new(p->v[0].text, p->v[0].n, &err);
	return p->own ? 0 : pred_fail_value(in, "in this expression, byte %zu: %s", err.at + 1, err.why);
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	struct span text;

	return value_text(operand_get(&p->left, l), l, &text) && regex_match(p->own, text.p, text.n);
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "%s =~ ", p->left.name) < 0 ? -1 : value_describe(&p->v[0], out);
}

static void release(struct pred *p)
{
	regex_free(p->own);
}

const struct pred_kind pred_regex = {
	.name = "regex", .ops = OPS, .infix = true, .parse = parse, .match = match, .describe = describe, .release = release,
};
