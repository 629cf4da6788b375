#include "route/parse.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route/lex.h"

struct parser {
	struct lex lex;			/* lex's token is the next one, not yet taken */
	struct parse_error *err;
	bool failed;
	double percentage;
	unsigned value_line, value_column;	/* of the value or percentage last taken */
	unsigned depth, terms;
};

static const char *const WORDS[] = { "and", "or", "not", "all", "in", "exists", "stop", "true", "false", "null", NULL };

static bool is_word(const char *name)
{
	for (size_t i = 0; WORDS[i]; i++)
		if (strcmp(WORDS[i], name) == 0)
			return true;
	return false;
}

__attribute__((format(printf, 4, 0)))
static int fail_at(struct parser *, unsigned, unsigned, const char *, va_list) __attribute__((format(printf, 4, 0)));

static int fail_at(struct parser *in, unsigned line, unsigned column, const char *fmt, va_list ap)
{
	if (in->failed)
		return -1;
	in->failed = true;
	in->err->line = line;
	in->err->column = column;
	vsnprintf(in->err->text, sizeof(in->err->text), fmt, ap);
	return -1;
}

int pred_fail(struct parser *in, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(in, in->lex.at_line, in->lex.at_column, fmt, ap);
	va_end(ap);
	return -1;
}

int pred_fail_value(struct parser *in, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(in, in->value_line, in->value_column, fmt, ap);
	va_end(ap);
	return -1;
}

/* "expected X", naming what stands there instead. */
static int expected(struct parser *in, const char *what)
{
	const struct lex *l = &in->lex;

	switch (l->kind) {
	case LEX_BAD: return pred_fail(in, "%s", l->why);
	case LEX_END: return pred_fail(in, "expected %s, not the end of the text", what);
	case LEX_NEWLINE: return pred_fail(in, "expected %s, not the end of the line", what);
	case LEX_STRING: return pred_fail(in, "expected %s, not %.*s", what, l->n > 40 ? 40 : (int)l->n, l->at);
	default: return pred_fail(in, "expected %s, not \"%.40s\"", what, l->word);
	}
}

bool pred_accept(struct parser *in, const char *token)
{
	if (!lex_is(&in->lex, token))
		return false;
	lex_next(&in->lex);
	return true;
}

int pred_expect(struct parser *in, const char *token)
{
	char what[LEX_WORD_MAX + 2];

	if (pred_accept(in, token))
		return 0;
	snprintf(what, sizeof(what), "\"%s\"", token);
	return expected(in, what);
}

double pred_percentage(struct parser *in)
{
	return in->percentage;
}

static int string_value(struct parser *in, struct value *v)
{
	struct span raw = { in->lex.at, in->lex.n };
	struct line_err err;
	struct buf text;

	if (scan_value(raw.p, raw.n, &err) < 0)
		return pred_fail(in, "in this text, byte %zu: %s", err.at + 1, err.why);
	buf_init(&text, raw.n * 2 + 64);	/* more than it can need, decoding included */
	if (scan_string(raw, &text) < 0 || buf_addc(&text, '\0') < 0) {
		buf_release(&text);
		return pred_fail(in, "no memory");
	}
	v->kind = VALUE_STRING;
	v->text = text.p;
	v->n = text.len - 1;
	if (memchr(v->text, '\0', v->n))
		return pred_fail(in, "a text in a rule may not hold \\u0000");
	return 0;
}

static int number_of(struct parser *in, double *out)
{
	struct span raw = { in->lex.word, in->lex.n };
	struct line_err err;

	if (scan_value(raw.p, raw.n, &err) < 0 || !scan_number(raw, out) || !isfinite(*out))
		return pred_fail(in, "\"%.40s\" is no number", in->lex.word);
	return 0;
}

int pred_value(struct parser *in, struct pred *p)
{
	struct value *v;
	int r = 0;

	/* The array grows in powers of two. */
	if ((p->nv & (p->nv - 1)) == 0) {
		v = realloc(p->v, (p->nv ? p->nv * 2 : 1) * sizeof(*v));
		if (!v)
			return pred_fail(in, "no memory");
		p->v = v;
	}
	v = &p->v[p->nv];
	memset(v, 0, sizeof(*v));
	in->value_line = in->lex.at_line;
	in->value_column = in->lex.at_column;
	if (in->lex.kind == LEX_STRING) {
		p->nv++;
		r = string_value(in, v);
	} else if (in->lex.kind == LEX_NUMBER || lex_is(&in->lex, "true") || lex_is(&in->lex, "false")) {
		v->kind = in->lex.kind == LEX_NUMBER ? VALUE_NUMBER : VALUE_BOOL;
		v->text = strdup(in->lex.word);
		v->n = in->lex.n;
		p->nv++;
		if (!v->text)
			return pred_fail(in, "no memory");
		if (v->kind == VALUE_NUMBER)
			r = number_of(in, &v->number);
	} else {
		return expected(in, "a text in quotes, a number, true or false");
	}
	if (r == 0)
		lex_next(&in->lex);
	return r;
}

int pred_operand(struct parser *in, struct operand *o)
{
	const char *name = in->lex.word;

	if (in->lex.kind != LEX_NAME || is_word(name))
		return expected(in, "an attribute or data.NAME");
	bool path = strncmp(name, "data.", 5) == 0;
	size_t n = in->lex.n;
	if (path ? name[n - 1] == '.' || strstr(name, "..") : strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != n)
		return pred_fail(in, "\"%.40s\" is neither an attribute (small letters and digits) nor data.NAME", name);
	o->name = strdup(name);
	if (!o->name)
		return pred_fail(in, "no memory");
	o->path = path ? o->name + 5 : NULL;
	o->attr = -1;
	for (int a = 0; !path && a < LA_COUNT; a++)
		if (strcmp(scan_attr_name((enum line_attr)a), name) == 0)
			o->attr = a;
	lex_next(&in->lex);
	return 0;
}

static struct pred *predicate(struct parser *in)
{
	struct pred *p = calloc(1, sizeof(*p));
	bool infix = false;

	if (!p) {
		pred_fail(in, "no memory");
		return NULL;
	}
	in->value_line = in->lex.at_line;
	in->value_column = in->lex.at_column;
	if (in->lex.kind == LEX_PERCENT) {
		if (number_of(in, &in->percentage) < 0)
			goto fail;
		p->kind = pred_find("%", false, &p->op);
	} else if (in->lex.kind == LEX_NAME && is_word(in->lex.word)) {
		p->kind = pred_find(in->lex.word, false, &p->op);
	} else if (in->lex.kind == LEX_NAME) {
		if (pred_operand(in, &p->left) < 0)
			goto fail;
		infix = true;
		if (in->lex.kind == LEX_SIGN || in->lex.kind == LEX_NAME)
			p->kind = pred_find(in->lex.word, true, &p->op);
	}
	if (!p->kind) {
		expected(in, infix ? "an operator (== != < <= > >= ^= ~ in)" : "a condition");
		goto fail;
	}
	lex_next(&in->lex);
	if (p->kind->parse(p, in) < 0)
		goto fail;
	return p;
fail:
	pred_free(p);
	return NULL;
}

static struct pred *expr(struct parser *in);

static struct pred *term(struct parser *in)
{
	struct pred *p;

	if (in->depth >= RULES_DEPTH) {
		pred_fail(in, "more than %u brackets and nots inside each other", RULES_DEPTH);
		return NULL;
	}
	in->depth++;
	if (pred_accept(in, "not")) {
		p = term(in);
		if (p && !(p = pred_not(p)))
			pred_fail(in, "no memory");
	} else if (pred_accept(in, "(")) {
		p = expr(in);
		if (p && pred_expect(in, ")") < 0) {
			pred_free(p);
			p = NULL;
		}
	} else {
		p = predicate(in);
	}
	in->depth--;
	return p;
}

/* One level of precedence: operands joined by `word`, from left to right. */
static struct pred *chain(struct parser *in, const char *word, bool is_and, struct pred *(*operand)(struct parser *))
{
	struct pred *p = operand(in), *b;

	while (p && pred_accept(in, word)) {
		if (++in->terms > RULES_TERMS) {
			pred_fail(in, "more than %u conditions in one rule", RULES_TERMS);
			goto fail;
		}
		b = operand(in);
		if (!b)
			goto fail;
		if (!(p = pred_both(is_and, p, b)))
			pred_fail(in, "no memory");
	}
	return p;
fail:
	pred_free(p);
	return NULL;
}

static struct pred *both(struct parser *in)
{
	return chain(in, "and", true, term);
}

static struct pred *expr(struct parser *in)
{
	return chain(in, "or", false, both);
}

bool rules_dest_name(const char *name, size_t n)
{
	return n >= 1 && n <= RULES_DEST_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[n] == '\0';
}

static int dest(struct parser *in, struct ruleset *set, struct rule *r)
{
	const char *name = in->lex.word;
	unsigned i;

	if (in->lex.kind != LEX_NAME || is_word(name))
		return expected(in, "a destination");
	if (!rules_dest_name(name, in->lex.n))
		return pred_fail(in, "a destination's name is small letters, digits and dashes, at most %u", RULES_DEST_NAME);
	for (i = 0; i < set->ndests && strcmp(set->names[i], name) != 0; i++)
		;
	if (i == RULES_DESTS)
		return pred_fail(in, "more than %u destinations", RULES_DESTS);
	if (i == set->ndests) {
		memcpy(set->names[i], name, in->lex.n + 1);
		set->ndests++;
	}
	r->dests |= UINT64_C(1) << i;
	lex_next(&in->lex);
	return 0;
}

static int rule(struct parser *in, struct ruleset *set, struct rule *r)
{
	r->line = in->lex.at_line;
	in->terms = 0;
	r->when = expr(in);
	if (!r->when)
		return -1;
	/* What stands behind a whole condition is often a mistyped and, or. */
	if (!lex_is(&in->lex, "->"))
		return expected(in, "\"->\", \"and\" or \"or\"");
	lex_next(&in->lex);
	do {
		if (dest(in, set, r) < 0)
			return -1;
	} while (pred_accept(in, ","));
	r->stop = pred_accept(in, "stop");
	if (in->lex.kind != LEX_NEWLINE && in->lex.kind != LEX_END)
		return expected(in, "\",\", \"stop\" or the end of the line");
	return 0;
}

int parse_rules(struct ruleset *out, const char *p, size_t n, struct parse_error *err)
{
	struct parser in = { .err = err };
	struct rule *v;

	memset(out, 0, sizeof(*out));
	lex_init(&in.lex, p, n);
	for (;;) {
		do {
			lex_next(&in.lex);
		} while (in.lex.kind == LEX_NEWLINE);
		if (in.lex.kind == LEX_END)
			return 0;
		if (out->n == RULES_MAX) {
			pred_fail(&in, "more than %u rules", RULES_MAX);
			goto fail;
		}
		if ((out->n & (out->n - 1)) == 0) {
			v = realloc(out->v, (out->n ? out->n * 2 : 1) * sizeof(*v));
			if (!v) {
				pred_fail(&in, "no memory");
				goto fail;
			}
			out->v = v;
		}
		memset(&out->v[out->n], 0, sizeof(*v));
		if (rule(&in, out, &out->v[out->n++]) < 0)
			goto fail;
		if (in.lex.kind == LEX_END)
			return 0;
	}
fail:
	ruleset_release(out);
	return -1;
}

struct pred *parse_expr(const char *p, size_t n, struct parse_error *err)
{
	struct parser in = { .err = err };
	struct pred *e;

	lex_init(&in.lex, p, n);
	lex_next(&in.lex);
	e = expr(&in);
	while (e && in.lex.kind == LEX_NEWLINE)
		lex_next(&in.lex);
	if (e && in.lex.kind != LEX_END) {
		expected(&in, "\"and\", \"or\" or the end");
		pred_free(e);
		e = NULL;
	}
	return e;
}

void ruleset_release(struct ruleset *r)
{
	for (size_t i = 0; i < r->n; i++)
		pred_free(r->v[i].when);
	free(r->v);
	memset(r, 0, sizeof(*r));
}
