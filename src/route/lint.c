#include "route/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "line/scan.h"

#define PARTS 64u	/* conditions joined by `and` in a rule that are looked at */

struct lint {
	void (*fn)(void *arg, unsigned line, const char *text);
	void *arg;
	unsigned work;
	struct buf line, scratch, text;
};

/* The conditions of a rule that must all hold. */
struct parts { const struct pred *v[PARTS]; unsigned n; };

static void split(struct parts *out, const struct pred *p)
{
	if (p->kind == &pred_logic && p->op == LOGIC_AND) {
		split(out, p->a);
		split(out, p->b);
	} else if (out->n < PARTS) {
		out->v[out->n++] = p;
	}
}

static bool is(const struct pred *p, const char *op)
{
	return p->kind != &pred_logic && strcmp(p->kind->ops[p->op], op) == 0;
}

static bool is_logic(const struct pred *p, int op)
{
	return p->kind == &pred_logic && p->op == op;
}

/* Holds for every line. */
static bool is_everything(const struct pred *p)
{
	return is_logic(p, LOGIC_ALL) || (is(p, "%") && p->v[0].number == 100);
}

static bool same(const struct pred *a, const struct pred *b)
{
	if (a->kind != b->kind || a->op != b->op || a->nv != b->nv || !a->left.name != !b->left.name ||
	    (a->left.name && strcmp(a->left.name, b->left.name) != 0) || !a->a != !b->a || !a->b != !b->b)
		return false;
	for (size_t i = 0; i < a->nv; i++) {
		const struct value *x = &a->v[i], *y = &b->v[i];
		if (x->kind != y->kind || !x->text != !y->text || (x->text ? strcmp(x->text, y->text) != 0 : x->number != y->number))
			return false;
	}
	return (!a->a || same(a->a, b->a)) && (!a->b || same(a->b, b->b));
}

/* ---- trying a value ---- */

/* Does p ask about this operand and nothing else? */
static bool only_about(const struct pred *p, const char *name)
{
	if (p->kind == &pred_logic)
		return (!p->a || only_about(p->a, name)) && (!p->b || only_about(p->b, name));
	return p->left.name && strcmp(p->left.name, name) == 0;
}

/* Does p, which asks only about the operand, hold for a line in which it has this value? */
static bool holds_for(struct lint *li, const struct pred *p, const struct operand *o, const struct value *v)
{
	struct envelope e;
	struct pred_line l = { .e = &e, .scratch = &li->scratch };
	unsigned depth = 1;
	int bad;

	buf_clear(&li->line);
	if (o->path) {
		bad = buf_adds(&li->line, "{\"data\":{\"");
		for (const char *at = o->path; *at; at++) {
			bad |= *at == '.' ? buf_adds(&li->line, "\":{\"") : buf_addc(&li->line, *at);
			depth += *at == '.';
		}
		bad |= buf_adds(&li->line, "\":");
	} else {
		bad = buf_printf(&li->line, "{\"%s\":", o->name);
		depth = 0;
	}
	bad |= value_describe(v, &li->line);
	for (; depth; depth--)
		bad |= buf_addc(&li->line, '}');
	bad |= buf_addc(&li->line, '}');
	if (bad || scan_lazy(li->line.p, li->line.len, &e) < 0)
		return true;
	l.raw = (struct span){ li->line.p, li->line.len };
	li->work += 8;
	return pred_match(p, &l);
}

/* a names all values its operand can have. */
static bool lists_values(const struct pred *a)
{
	return is(a, "==") || is(a, "in");
}

/* ---- two conditions ---- */

static bool number_above(const struct pred *a, const struct pred *b)
{
	bool strict = is(a, ">") || is(b, "<");

	return (is(a, ">") || is(a, ">=")) && (is(b, "<") || is(b, "<=")) && strcmp(a->left.name, b->left.name) == 0 &&
	    (a->v[0].number > b->v[0].number || (strict && a->v[0].number == b->v[0].number));
}

static bool prefixes_differ(const struct pred *a, const struct pred *b)
{
	return is(a, "^=") && is(b, "^=") && strcmp(a->left.name, b->left.name) == 0 &&
	    memcmp(a->v[0].text, b->v[0].text, a->v[0].n < b->v[0].n ? a->v[0].n : b->v[0].n) != 0;
}

/* Every line that has a has b. */
static bool implies(struct lint *li, const struct pred *a, const struct pred *b)
{
	li->work++;
	if (is_everything(b) || same(a, b))
		return true;
	if (is_logic(a, LOGIC_NOT) && is_logic(b, LOGIC_NOT))
		return implies(li, b->a, a->a);
	if (is(a, "%") && is(b, "%"))
		return a->v[0].number <= b->v[0].number;
	if (a->left.name && b->left.name && strcmp(a->left.name, b->left.name) == 0) {
		const struct value *x = a->v, *y = b->v;
		if (is(b, "exists"))
			return !is(a, "!=");
		if (is(a, "^=") && is(b, "^="))
			return x->n >= y->n && memcmp(x->text, y->text, y->n) == 0;
		if ((is(a, "<") || is(a, "<=")) && (is(b, "<") || is(b, "<=")))
			return x->number < y->number || (x->number == y->number && (is(a, "<") || is(b, "<=")));
		if ((is(a, ">") || is(a, ">=")) && (is(b, ">") || is(b, ">=")))
			return x->number > y->number || (x->number == y->number && (is(a, ">") || is(b, ">=")));
	}
	if (!lists_values(a) || !only_about(b, a->left.name))
		return false;
	for (size_t i = 0; i < a->nv; i++)
		if (!holds_for(li, b, &a->left, &a->v[i]))
			return false;
	return true;
}

/* No line has both. */
static bool exclude(struct lint *li, const struct pred *a, const struct pred *b)
{
	li->work++;
	if (is_logic(b, LOGIC_NOT) && implies(li, a, b->a))
		return true;
	if (prefixes_differ(a, b) || number_above(a, b))
		return true;
	if (!lists_values(a) || !only_about(b, a->left.name))
		return false;
	for (size_t i = 0; i < a->nv; i++)
		if (holds_for(li, b, &a->left, &a->v[i]))
			return false;
	return true;
}

/* ---- rules ---- */

__attribute__((format(printf, 3, 4)))
static void say(struct lint *li, unsigned line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	li->fn(li->arg, line, text);
}

static const char *text_of(struct lint *li, const struct pred *p)
{
	buf_clear(&li->text);
	return pred_describe(p, &li->text) == 0 && buf_cstr(&li->text) ? li->text.p : "a condition";
}

/* true: it was told that the rule never holds. */
static bool never_holds(struct lint *li, const struct rule *r, const struct parts *of)
{
	char first[120];

	for (unsigned i = 0; i < of->n; i++) {
		const struct pred *p = of->v[i];
		if ((is_logic(p, LOGIC_NOT) && is_everything(p->a)) || (is(p, "%") && p->v[0].number == 0)) {
			say(li, r->line, "this rule never holds: %.100s", text_of(li, p));
			return true;
		}
		for (unsigned k = 0; k < of->n; k++) {
			if (k == i || !exclude(li, p, of->v[k]))
				continue;
			snprintf(first, sizeof(first), "%.100s", text_of(li, p));
			say(li, r->line, "this rule never holds: %s and %.100s cannot both be true", first, text_of(li, of->v[k]));
			return true;
		}
	}
	return false;
}

/* Every line of the rule whose parts are `of` is one of the earlier rule's too. */
static bool covered(struct lint *li, const struct parts *of, const struct rule *earlier)
{
	struct parts theirs = { .n = 0 };

	split(&theirs, earlier->when);
	for (unsigned i = 0; i < theirs.n; i++) {
		bool found = false;
		for (unsigned k = 0; k < of->n && !found; k++)
			found = implies(li, of->v[k], theirs.v[i]);
		if (!found && !is_everything(theirs.v[i]))
			return false;
	}
	/* What did not fit into `theirs` was not looked at. */
	return theirs.n < PARTS;
}

static void look_back(struct lint *li, const struct ruleset *set, size_t at, const struct parts *of)
{
	const struct rule *r = &set->v[at];

	for (size_t i = 0; i < at && li->work < LINT_WORK; i++) {
		const struct rule *e = &set->v[i];
		bool adds_nothing = !r->stop && (r->dests & ~e->dests) == 0;
		if ((!e->stop && !adds_nothing) || !covered(li, of, e))
			continue;
		if (e->stop)
			say(li, r->line, "this rule is never reached: line %u holds for all its lines and stops", e->line);
		else
			say(li, r->line, "this rule adds nothing: line %u sends all its lines to the same place", e->line);
		return;
	}
}

void lint_rules(const struct ruleset *set, void (*fn)(void *arg, unsigned line, const char *text), void *arg)
{
	struct lint li = { .fn = fn, .arg = arg };

	buf_init(&li.line, 2 * LINE_MAX_BYTES);
	buf_init(&li.scratch, LINE_MAX_BYTES);
	buf_init(&li.text, 2 * LINE_MAX_BYTES);
	if (set->n == 0)
		say(&li, 1, "there is no rule: no line goes anywhere");
	for (size_t i = 0; i < set->n && li.work < LINT_WORK; i++) {
		struct parts of = { .n = 0 };
		split(&of, set->v[i].when);
		if (of.n < PARTS && !never_holds(&li, &set->v[i], &of))
			look_back(&li, set, i, &of);
	}
	buf_release(&li.line);
	buf_release(&li.scratch);
	buf_release(&li.text);
}
