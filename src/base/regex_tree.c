/* regex_tree: from the expression to a tree. */
#include "base/regex_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define DEPTH 64u
#define REPEAT_MAX 255u

unsigned regex_fail(struct maker *m, const char *why)
{
	if (!m->failed)
		*m->err = (struct regex_error){ (size_t)(m->p - m->start), why };
	m->failed = true;
	return 0;
}

static unsigned node(struct maker *m, enum node_kind kind, unsigned a, unsigned b)
{
	if (m->failed)
		return 0;
	if (m->nnodes == m->cap_nodes) {
		unsigned cap = m->cap_nodes ? m->cap_nodes * 2 : 64;
		struct node *nodes = realloc(m->nodes, cap * sizeof(*nodes));
		if (!nodes)
			return regex_fail(m, "no memory");
		m->nodes = nodes;
		m->cap_nodes = cap;
	}
	m->nodes[m->nnodes] = (struct node){ .kind = kind, .a = a, .b = b };
	return m->nnodes++;
}

/* ---- sets of characters ---- */

static void range(struct maker *m, uint32_t lo, uint32_t hi)
{
	if (m->failed)
		return;
	if (m->nranges == m->cap_ranges) {
		unsigned cap = m->cap_ranges ? m->cap_ranges * 2 : 64;
		struct range *r = realloc(m->ranges, cap * sizeof(*r));
		if (!r) {
			regex_fail(m, "no memory");
			return;
		}
		m->ranges = r;
		m->cap_ranges = cap;
	}
	m->ranges[m->nranges++] = (struct range){ lo, hi };
}

static void fold(struct maker *m, uint32_t lo, uint32_t hi, char a, char z, int other)
{
	uint32_t from = lo > (uint32_t)a ? lo : (uint32_t)a, to = hi < (uint32_t)z ? hi : (uint32_t)z;

	if (from <= to)
		range(m, (uint32_t)((int)from + other), (uint32_t)((int)to + other));
}

static void points(struct maker *m, uint32_t lo, uint32_t hi)
{
	range(m, lo, hi);
	if (m->fold) {
		fold(m, lo, hi, 'a', 'z', 'A' - 'a');
		fold(m, lo, hi, 'A', 'Z', 'a' - 'A');
	}
}

static int by_lo(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* The ranges from `first` on become sorted and apart; turned round when `not`. */
static void tidy(struct maker *m, unsigned first, bool not)
{
	struct range *r = m->ranges;
	unsigned n = first, end = m->nranges;
	uint32_t from = 0;

	if (m->failed)
		return;
	if (end > first)
		qsort(r + first, end - first, sizeof(*r), by_lo);
	for (unsigned i = first; i < end; i++) {
		if (n > first && r[i].lo <= r[n - 1].hi + 1)
			r[n - 1].hi = r[i].hi > r[n - 1].hi ? r[i].hi : r[n - 1].hi;
		else
			r[n++] = r[i];
	}
	m->nranges = n;
	if (!not)
		return;
	for (unsigned i = first; i < n; i++) {
		struct range was = m->ranges[i];
		if (was.lo > from)
			range(m, from, was.lo - 1);
		from = was.hi + 1;
	}
	if (from <= REGEX_POINT_MAX)
		range(m, from, REGEX_POINT_MAX);
	if (m->failed)
		return;
	memmove(m->ranges + first, m->ranges + n, (m->nranges - n) * sizeof(*m->ranges));
	m->nranges -= n - first;
}

static unsigned set_node(struct maker *m, unsigned first, bool not)
{
	tidy(m, first, not);
	return node(m, NODE_SET, first, m->nranges - first);
}

static const struct { const char *name; const char *ranges; } NAMED[] = {
	{ "alpha", "azAZ" }, { "digit", "09" }, { "alnum", "azAZ09" }, { "upper", "AZ" }, { "lower", "az" },
	{ "space", "\t\r  " }, { "blank", "\t\t  " }, { "xdigit", "09afAF" }, { "punct", "!/:@[`{~" }, { "cntrl", "\x01\x1f\x7f\x7f" },
	{ "print", " ~" }, { "graph", "!~" }, { "word", "azAZ09__" },
};

static bool named(struct maker *m, const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(NAMED) / sizeof(*NAMED); i++) {
		if (strlen(NAMED[i].name) != n || memcmp(NAMED[i].name, name, n) != 0)
			continue;
		for (const char *r = NAMED[i].ranges; *r; r += 2)
			points(m, (unsigned char)r[0], (unsigned char)r[1]);
		return true;
	}
	return false;
}

/* \d \w \s \D \W \S; false: no such letter. */
static bool letter_set(struct maker *m, char c)
{
	unsigned first = m->nranges;

	switch (c) {
	case 'd': case 'D': named(m, "digit", 5); break;
	case 'w': case 'W': named(m, "word", 4); break;
	case 's': case 'S': named(m, "space", 5); break;
	default: return false;
	}
	if (c < 'a')
		tidy(m, first, true);
	return true;
}

/* The character at p, which moves behind it. */
static uint32_t point(struct maker *m)
{
	unsigned n = utf8_len(m->p, m->end);

	if (n == 0)
		return regex_fail(m, "no UTF-8");
	uint32_t c = utf8_point(m->p, n);
	m->p += n;
	return c;
}

/* What a backslash and the character at p mean, as one character. */
static uint32_t escaped(struct maker *m)
{
	char c = m->p < m->end ? *m->p : '\0';

	if (m->p == m->end)
		return regex_fail(m, "it ends in a backslash");
	if (c >= '1' && c <= '9')
		return regex_fail(m, "a back-reference: no search that is safe against any text can do it");
	if (c == 'n' || c == 't' || c == 'r') {
		m->p++;
		return c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
	}
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0')
		return regex_fail(m, "this letter has no meaning behind a backslash (there are d D w W s S n t r)");
	return point(m);
}

/* An end of a range in brackets. */
static uint32_t member(struct maker *m)
{
	if (*m->p != '\\')
		return point(m);
	m->p++;
	return escaped(m);
}

/* Something like [:alpha:] or \d inside brackets; false: it is none. */
static bool member_set(struct maker *m)
{
	if (m->end - m->p >= 2 && m->p[0] == '[' && m->p[1] == ':') {
		const char *name = m->p + 2, *colon = name;
		while (colon < m->end && *colon != ':')
			colon++;
		if (m->end - colon < 2 || colon[1] != ']' || !named(m, name, (size_t)(colon - name)))
			regex_fail(m, "no such class; there are [:alpha:] [:digit:] [:alnum:] [:upper:] [:lower:] [:space:] [:punct:] ...");
		else
			m->p = colon + 2;
		return true;
	}
	if (m->end - m->p >= 2 && m->p[0] == '\\' && letter_set(m, m->p[1])) {
		m->p += 2;
		return true;
	}
	return false;
}

/* Behind a [. */
static unsigned brackets(struct maker *m)
{
	const char *open = m->p - 1;
	unsigned first = m->nranges;
	bool not = m->p < m->end && *m->p == '^';

	m->p += not;
	for (bool begun = false; !m->failed; begun = true) {
		if (m->p == m->end) {
			m->p = open;
			return regex_fail(m, "a [ without its ]");
		}
		if (begun && *m->p == ']')
			break;
		if (member_set(m))
			continue;
		uint32_t lo = member(m), hi = lo;
		if (!m->failed && m->end - m->p >= 2 && m->p[0] == '-' && m->p[1] != ']') {
			m->p++;
			hi = member(m);
		}
		if (!m->failed && hi < lo)
			regex_fail(m, "a range that goes backwards");
		points(m, lo, hi);
	}
	m->p += !m->failed;
	return set_node(m, first, not);
}

/* ---- the tree ---- */

static unsigned either(struct maker *m);

static unsigned group(struct maker *m)
{
	const char *open = m->p - 1;

	if (m->end - m->p >= 2 && m->p[0] == '?' && m->p[1] == ':')
		m->p += 2;
	else if (m->p < m->end && *m->p == '?')
		return regex_fail(m, "of what begins with (? there is only (?:...), and (?i) at the very start");
	if (++m->depth > DEPTH)
		return regex_fail(m, "more than 64 brackets inside each other");
	unsigned n = either(m);
	m->depth--;
	if (!m->failed && (m->p == m->end || *m->p != ')')) {
		m->p = open;
		return regex_fail(m, "a ( without its )");
	}
	m->p++;
	return n;
}

static unsigned atom(struct maker *m)
{
	unsigned first = m->nranges;
	char c = *m->p++;

	switch (c) {
	case '(': return group(m);
	case '[': return brackets(m);
	case '^': return node(m, NODE_BEGIN, 0, 0);
	case '$': return node(m, NODE_END, 0, 0);
	case '.':
		range(m, 0, REGEX_POINT_MAX);
		return node(m, NODE_SET, first, 1);
	case '*': case '+': case '?': case '{':
		m->p--;
		return regex_fail(m, "there is nothing to repeat (a backslash takes the character literally)");
	case '\\':
		if (m->p < m->end && letter_set(m, *m->p)) {
			m->p++;
			return set_node(m, first, false);
		}
		uint32_t e = escaped(m);
		points(m, e, e);
		return set_node(m, first, false);
	default:
		m->p--;
		uint32_t p = point(m);
		points(m, p, p);
		return set_node(m, first, false);
	}
}

static unsigned count(struct maker *m)
{
	unsigned n = 0;
	const char *from = m->p;

	while (m->p < m->end && *m->p >= '0' && *m->p <= '9' && n <= REPEAT_MAX)
		n = n * 10 + (unsigned)(*m->p++ - '0');
	if (m->p == from || n > REPEAT_MAX)
		return regex_fail(m, "a repetition is {n}, {n,} or {n,m}, up to 255; a backslash takes { literally");
	return n;
}

/* {n} {n,} {n,m}, behind the {. */
static void counts(struct maker *m, unsigned *min, unsigned *max)
{
	*min = *max = count(m);
	if (!m->failed && m->p < m->end && *m->p == ',') {
		m->p++;
		*max = m->p < m->end && *m->p == '}' ? REGEX_NO_END : count(m);
	}
	if (!m->failed && (m->p == m->end || *m->p != '}'))
		regex_fail(m, "a { without its }");
	else if (!m->failed && *max < *min)
		regex_fail(m, "a repetition that goes backwards");
	else
		m->p++;
}

/* What stands behind an atom, at *m->p. */
static unsigned repeat(struct maker *m, unsigned what)
{
	char c = *m->p++;
	unsigned min = c == '+', max = c == '?' ? 1 : REGEX_NO_END, n;

	if (c == '{')
		counts(m, &min, &max);
	if (!m->failed && m->p < m->end && *m->p && strchr("*+?{", *m->p))
		return regex_fail(m, "two repetitions in a row (none is greedy or lazy here: only whether there is a match counts)");
	n = node(m, NODE_REPEAT, what, 0);
	if (!m->failed) {
		m->nodes[n].min = min;
		m->nodes[n].max = max;
	}
	return n;
}

static unsigned both(struct maker *m)
{
	unsigned all = 0;
	bool any = false;

	while (!m->failed && m->p < m->end && *m->p != '|' && *m->p != ')') {
		unsigned n = atom(m);
		if (!m->failed && m->p < m->end && *m->p && strchr("*+?{", *m->p))
			n = repeat(m, n);
		all = any ? node(m, NODE_BOTH, all, n) : n;
		any = true;
	}
	return any ? all : node(m, NODE_EMPTY, 0, 0);
}

static unsigned either(struct maker *m)
{
	unsigned n = both(m);

	while (!m->failed && m->p < m->end && *m->p == '|') {
		m->p++;
		n = node(m, NODE_EITHER, n, both(m));
	}
	return n;
}

unsigned regex_tree(struct maker *m)
{
	unsigned root;

	if (m->end - m->p > (ptrdiff_t)REGEX_PATTERN)
		return regex_fail(m, "longer than 4096 bytes");
	if (m->end - m->p >= 4 && memcmp(m->p, "(?i)", 4) == 0) {
		m->fold = true;
		m->p += 4;
	}
	root = either(m);
	if (!m->failed && m->p < m->end)
		return regex_fail(m, "a ) without its (");
	return root;
}
