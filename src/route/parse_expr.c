#include "route/parse_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char *const WORDS[] = { "and", "or", "not", "all", "in", "exists", "stop", "true", "false", "null", NULL };

bool parse_is_word(const char *name)
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

int parse_expected(struct parser *in, const char *what)
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
	return parse_expected(in, what);
}

double pred_percentage(struct parser *in)
{
	return in->percentage;
}

bool parse_next_is(const struct parser *in, enum lex_kind kind)
{
	struct lex l = in->lex;

	lex_next(&l);
	return l.kind == kind && !(kind == LEX_NAME && parse_is_word(l.word));
}

static int plain_value(struct parser *in, struct value *v)
{
	const char *p = in->lex.at + 1;
	size_t n = in->lex.n - 2;

	v->kind = VALUE_STRING;
	v->text = strndup(p, n);
	v->n = n;
	if (!v->text)
		return pred_fail(in, "no memory");
	if (memchr(p, '\0', n) || utf8_bad(p, p + n))
		return pred_fail(in, "this text is no UTF-8, or holds a NUL");
	return 0;
}

static int string_value(struct parser *in, struct value *v)
{
	struct span raw = { in->lex.at, in->lex.n };
	struct line_err err;
	struct buf text;

	if (*raw.p == '\'')
		return plain_value(in, v);
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

/* Room for one more value, zeroed; NULL after pred_fail. */
static struct value *value_room(struct parser *in, struct pred *p)
{
	/* The array grows in powers of two. */
	if ((p->nv & (p->nv - 1)) == 0) {
		struct value *v = realloc(p->v, (p->nv ? p->nv * 2 : 1) * sizeof(*v));
		if (!v) {
			pred_fail(in, "no memory");
			return NULL;
		}
		p->v = v;
	}
	memset(&p->v[p->nv], 0, sizeof(*p->v));
	return &p->v[p->nv];
}

int pred_word(struct parser *in, struct pred *p)
{
	struct value *v;

	if (in->lex.kind != LEX_NAME || parse_is_word(in->lex.word))
		return parse_expected(in, "a name");
	v = value_room(in, p);
	if (!v)
		return -1;
	v->kind = VALUE_STRING;
	v->text = strdup(in->lex.word);
	v->n = in->lex.n;
	p->nv++;
	if (!v->text)
		return pred_fail(in, "no memory");
	in->value_line = in->lex.at_line;
	in->value_column = in->lex.at_column;
	lex_next(&in->lex);
	return 0;
}

int pred_value(struct parser *in, struct pred *p)
{
	struct value *v = value_room(in, p);
	int r = 0;

	if (!v)
		return -1;
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
		return parse_expected(in, "a text in quotes, a number, true or false");
	}
	if (r == 0)
		lex_next(&in->lex);
	return r;
}

int pred_operand(struct parser *in, struct operand *o)
{
	const char *name = in->lex.word;

	if (in->lex.kind != LEX_NAME || parse_is_word(name))
		return parse_expected(in, "an attribute or data.NAME");
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

/* A word of the language, or one that is only a word of it by what follows: flag NAME, jq "...". */
static bool begins_predicate(const struct parser *in)
{
	int op;

	return parse_is_word(in->lex.word) ||
	    (pred_find(in->lex.word, false, &op) && (parse_next_is(in, LEX_NAME) || parse_next_is(in, LEX_STRING)));
}

static struct pred *predicate(struct parser *in)
{
	struct pred *p = calloc(1, sizeof(*p));
	bool infix = false;

	if (!p) {
		pred_fail(in, "no memory");
		return NULL;
	}
	p->line = in->value_line = in->lex.at_line;
	p->column = in->value_column = in->lex.at_column;
	if (in->lex.kind == LEX_PERCENT) {
		if (number_of(in, &in->percentage) < 0)
			goto fail;
		p->kind = pred_find("%", false, &p->op);
	} else if (in->lex.kind == LEX_NAME && begins_predicate(in)) {
		p->kind = pred_find(in->lex.word, false, &p->op);
	} else if (in->lex.kind == LEX_NAME) {
		if (pred_operand(in, &p->left) < 0)
			goto fail;
		infix = true;
		if (in->lex.kind == LEX_SIGN || in->lex.kind == LEX_NAME)
			p->kind = pred_find(in->lex.word, true, &p->op);
	}
	if (!p->kind) {
		parse_expected(in, infix ? "an operator (== != < <= > >= ^= ~ =~ in)" : "a condition");
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
		p = parse_condition(in);
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

struct pred *parse_condition(struct parser *in)
{
	return chain(in, "or", false, both);
}

struct pred *parse_expr(const char *p, size_t n, struct parse_error *err)
{
	struct parser in = { .err = err };
	struct pred *e;

	lex_init(&in.lex, p, n);
	lex_next(&in.lex);
	e = parse_condition(&in);
	while (e && in.lex.kind == LEX_NEWLINE)
		lex_next(&in.lex);
	if (e && in.lex.kind != LEX_END) {
		parse_expected(&in, "\"and\", \"or\" or the end");
		pred_free(e);
		e = NULL;
	}
	return e;
}

