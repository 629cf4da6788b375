/* flag: flag NAME: the flags file has it. Which flags are on is part of the text of the rules (parse.h): a changed flag makes another text. */
#include "route/pred/pred.h"

static const char *const OPS[] = { "flag", NULL };

static int parse(struct pred *p, struct parser *in)
{
	bool on;

	if (pred_word(in, p) < 0 || pred_flag(in, p->v[0].text, &on) < 0)
		return -1;
	p->v[0].number = on;
	return 0;
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	(void)l;
	return p->v[0].number != 0;
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "flag %s", p->v[0].text);
}

static int fact(const struct pred *p, const struct pred_line *l, struct buf *out)
{
	return buf_printf(out, "the flag is %s", match(p, l) ? "on" : "off");
}

const struct pred_kind pred_flag_set = {
	.name = "flag", .ops = OPS, .infix = false, .parse = parse, .match = match, .describe = describe, .fact = fact,
};
