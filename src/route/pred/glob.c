/* glob: ~ "pattern": the whole string fits. `*` any text, `?` one character, [a-z] [!a-z] one of a set, \ takes the next literally. */
#include "route/pred/pred.h"

#include <string.h>

static const char *const OPS[] = { "~", NULL };

/* One UTF-8 character at *p, which moves over it. Text here was checked; a stray byte counts as itself. */
static uint32_t character(const char **p, const char *end)
{
	unsigned char c = (unsigned char)*(*p)++;
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	uint32_t v = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;

	for (; more && *p < end && ((unsigned char)**p & 0xc0) == 0x80; more--)
		v = v << 6 | ((unsigned char)*(*p)++ & 0x3fu);
	return v;
}

/* The set at *p, which stands behind its [; moves behind its ]. Sets were checked by parse. */
static bool in_set(const char **p, const char *end, uint32_t c)
{
	bool no = *p < end && **p == '!', hit = false, first = true;

	if (no)
		(*p)++;
	while (*p < end && (first || **p != ']')) {
		uint32_t lo = character(p, end), hi = lo;
		if (end - *p >= 2 && (*p)[0] == '-' && (*p)[1] != ']') {
			(*p)++;
			hi = character(p, end);
		}
		hit |= c >= lo && c <= hi;
		first = false;
	}
	if (*p < end)
		(*p)++;
	return hit != no;
}

/* One step of the pattern that is no *: does it fit the next character? Both move. */
static bool one(const char **g, const char *gend, const char **t, const char *tend)
{
	uint32_t want = character(g, gend), got = character(t, tend);

	if (want == '?')
		return true;
	if (want == '[')
		return in_set(g, gend, got);
	if (want == '\\' && *g < gend)
		want = character(g, gend);
	return want == got;
}

/* A byte of a pattern that is a character by itself and stands for itself. */
static bool plain(char c)
{
	return (unsigned char)c < 0x80 && c != '*' && c != '?' && c != '[' && c != '\\';
}

/* Only the last * needs to be tried again: what an earlier one could take more, the last one can take too. */
static bool fits(const char *g, const char *gend, const char *t, const char *tend)
{
	const char *star = NULL, *from = NULL;

	while (t < tend) {
		const char *g1 = g, *t1 = t;
		if (g < gend && plain(*g) && *g == *t) {
			g++;
			t++;
		} else if (g < gend && *g == '*') {
			star = ++g;
			/* To where the next character of the pattern is, if it stands for itself. */
			if (g == gend)
				return true;
			if (plain(*g) && !(t = memchr(t, *g, (size_t)(tend - t))))
				return false;
			from = t;
		} else if (g < gend && one(&g1, gend, &t1, tend)) {
			g = g1;
			t = t1;
		} else if (star) {
			character(&from, tend);
			if (plain(*star) && !(from = memchr(from, *star, (size_t)(tend - from))))
				return false;
			g = star;
			t = from;
		} else {
			return false;
		}
	}
	while (g < gend && *g == '*')
		g++;
	return g == gend;
}

static int parse(struct pred *p, struct parser *in)
{
	if (pred_value(in, p) < 0)
		return -1;
	if (p->v[0].kind != VALUE_STRING)
		return pred_fail_value(in, "~ needs a pattern in quotes");
	const char *g = p->v[0].text, *end = g + p->v[0].n;
	while (g < end) {
		uint32_t c = character(&g, end);
		if (c == '\\' && g == end)
			return pred_fail_value(in, "the pattern ends in \\ (which takes the next character literally)");
		if (c == '\\')
			character(&g, end);
		if (c != '[')
			continue;
		g += g < end && *g == '!';
		const char *close = g < end ? memchr(g + 1, ']', (size_t)(end - g - 1)) : NULL;
		if (!close)
			return pred_fail_value(in, "the pattern has a [ without its ]");
		g = close + 1;
	}
	return 0;
}

static bool match(const struct pred *p, const struct pred_line *l)
{
	struct span text;

	return value_text(operand_get(&p->left, l), l, &text) &&
	    fits(p->v[0].text, p->v[0].text + p->v[0].n, text.p, text.p + text.n);
}

static int describe(const struct pred *p, struct buf *out)
{
	return buf_printf(out, "%s ~ ", p->left.name) < 0 ? -1 : value_describe(&p->v[0], out);
}

const struct pred_kind pred_glob = {
	.name = "glob", .ops = OPS, .infix = true, .parse = parse, .match = match, .describe = describe,
};
