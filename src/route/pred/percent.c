/* percent: 25%: this share of the conversations, always the same ones: by a hash of tenant and partition key. */
#include "route/pred/pred.h"

#include <stdlib.h>
#include <string.h>

#include "line/id.h"

static const char *const OPS[] = { "%", NULL };

/* The share is kept as how many of 2^32 hashes are in. */
static int parse(struct pred *p, struct parser *in)
{
	double share = pred_percentage(in);

	if (!(share >= 0 && share <= 100))
		return pred_fail_value(in, "a percentage must be within 0 and 100");
	p->v = calloc(1, sizeof(*p->v));
	if (!p->v)
		return pred_fail(in, "no memory");
	p->nv = 1;
	p->v[0].kind = VALUE_NUMBER;
	p->v[0].number = share;
	return 0;
}

/* Where the line's conversation lies, 0 to 2^32: the same for all percentages. */
static double place(const struct pred_line *l)
{
	/* The lane hash serves lanes and percentages; mixing keeps the two apart. */
	uint64_t h = (id_lane(l->e) ^ UINT64_C(0x70656e73746f636b)) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (double)(h >> 32);
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	return place(l) < p->v[0].number / 100 * 4294967296.0;
}

static int fact(const struct pred *p, const struct pred_line *l, struct buf *out)
{
	(void)p;
	return buf_printf(out, "the conversation is at %.4f%%", place(l) / 4294967296.0 * 100);
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "%.10g%%", p->v[0].number);
}

const struct pred_kind pred_percent = {
	.name = "percent", .ops = OPS, .infix = false, .parse = parse, .match = match, .describe = describe, .fact = fact,
};
