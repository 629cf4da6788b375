/* logic: all, not, and, or. `all` is a term like any other; the rest is put together by the parser, which knows the precedence. */
#include "route/pred/pred.h"

#include <stdlib.h>

static const char *const OPS[] = { [LOGIC_ALL] = "all", NULL };

static int parse(struct pred *p, struct parser *in)
{
	(void)p;
	(void)in;
	return 0;
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	switch (p->op) {
	case LOGIC_NOT: return !pred_match(p->a, l);
	case LOGIC_AND: return pred_match(p->a, l) && pred_match(p->b, l);
	case LOGIC_OR: return pred_match(p->a, l) || pred_match(p->b, l);
	default: return true;
	}
}

/* Brackets wherever they could matter: plain, and it parses to the same. */
static int inner(const struct pred *p, struct buf *out)
{
	if (p->kind != &pred_logic || p->op == LOGIC_ALL)
		return pred_describe(p, out);
	return buf_addc(out, '(') | pred_describe(p, out) | buf_addc(out, ')');
}

static int describe(const struct pred *p, struct buf *out)
{
	if (p->op == LOGIC_ALL)
		return buf_adds(out, "all");
	if (p->op == LOGIC_NOT)
		return buf_adds(out, "not ") | inner(p->a, out);
	return inner(p->a, out) | buf_adds(out, p->op == LOGIC_AND ? " and " : " or ") | inner(p->b, out);
}

static struct pred *make(int op, struct pred *a, struct pred *b)
{
	struct pred *p = calloc(1, sizeof(*p));

	if (!p) {
		pred_free(a);
		pred_free(b);
		return NULL;
	}
	p->kind = &pred_logic;
	p->op = op;
	p->a = a;
	p->b = b;
	return p;
}

struct pred *pred_not(struct pred *a)
{
	return make(LOGIC_NOT, a, NULL);
}

struct pred *pred_both(bool is_and, struct pred *a, struct pred *b)
{
	return make(is_and ? LOGIC_AND : LOGIC_OR, a, b);
}

const struct pred_kind pred_logic = {
	.name = "logic", .ops = OPS, .infix = false, .parse = parse, .match = match, .describe = describe,
};
