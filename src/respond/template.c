#include "respond/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum kind { TEXT, VALUE, PICK, NUMBER };

/* A template is a list of nodes. TEXT: text. VALUE: text is the name, in[0] its default, if any. PICK: in[0..n).
 * NUMBER: low..high. */
struct node {
	struct node *next;
	enum kind kind;
	struct span text;
	struct template **in;
	size_t n;
	uint64_t low, high;
};

struct template { struct node *first, **last; };

struct parse {
	const char *start, *p, *end;
	template_known *known;
	void *arg;
	int depth;
	const char *why;
	const char *at;
};

static void *fail(struct parse *s, const char *at, const char *why)
{
	if (!s->why) {
		s->why = why;
		s->at = at;
	}
	return NULL;
}

static struct node *add(struct parse *s, struct template *t, enum kind kind, const char *p, size_t n)
{
	struct node *x = calloc(1, sizeof(*x));

	if (!x)
		return fail(s, s->p, "out of memory");
	x->kind = kind;
	x->text = (struct span){p, n};
	*t->last = x;
	t->last = &x->next;
	return x;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void skip_blanks(struct parse *s)
{
	while (s->p < s->end && blank(*s->p))
		s->p++;
}

/* Blanks at both ends of an alternative belong to the layout of the file, not to the text; an escaped one stays. */
static void trim_end(struct template *t, bool escaped)
{
	struct node *last = t->first;

	if (escaped || !last)
		return;
	while (last->next)
		last = last->next;
	if (last->kind == TEXT)
		while (last->text.n && blank(last->text.p[last->text.n - 1]))
			last->text.n--;
}

/* One escape; the text of \n is a literal of ours. */
static bool escape(struct parse *s, struct template *t)
{
	if (s->p + 1 == s->end || !one_of(s->p[1], "{}|\\:n ")) {
		fail(s, s->p, "a \\ stands before { } | : \\ n or a blank only; write \\\\ for the character itself");
		return false;
	}
	if (!add(s, t, TEXT, s->p[1] == 'n' ? "\n" : s->p + 1, 1))
		return false;
	s->p += 2;
	return true;
}

static bool braces(struct parse *s, struct template *t);

/* Up to the end, or to a character of `until` (not consumed). */
static struct template *sequence(struct parse *s, const char *until)
{
	struct template *t = calloc(1, sizeof(*t));
	bool escaped = false;
	const char *from;

	if (!t)
		return fail(s, s->p, "out of memory");
	t->last = &t->first;
	if (++s->depth > TEMPLATE_DEPTH)
		fail(s, s->p, "templates are nested deeper than 8");
	for (from = s->p; !s->why && s->p < s->end && !one_of(*s->p, until); from = s->p) {
		if (*s->p == '{') {
			braces(s, t);
			escaped = false;
		} else if (*s->p == '\\') {
			escaped = escape(s, t);
		} else {
			while (s->p < s->end && *s->p != '{' && *s->p != '\\' && !one_of(*s->p, until))
				s->p++;
			add(s, t, TEXT, from, (size_t)(s->p - from));
			escaped = false;
		}
	}
	if (*until)
		trim_end(t, escaped);
	s->depth--;
	if (!s->why)
		return t;
	template_free(t);
	return NULL;
}

static bool push(struct parse *s, struct node *x, struct template *in)
{
	struct template **v;

	if (!in)
		return false;
	v = reallocarray(x->in, x->n + 1, sizeof(struct template *));
	if (!v) {
		template_free(in);
		fail(s, s->p, "out of memory");
		return false;
	}
	x->in = v;
	v[x->n++] = in;
	return true;
}

static bool word(struct parse *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return false;
	s->p += n;
	return true;
}

/* Behind "{one of:" */
static bool pick(struct parse *s, struct template *t, const char *open)
{
	struct node *x = add(s, t, PICK, open, 0);

	if (!x)
		return false;
	do {
		skip_blanks(s);
		if (!push(s, x, sequence(s, "|}")))
			return false;
	} while (s->p < s->end && *s->p == '|' && s->p++);
	return true;
}

static bool digits(struct parse *s, uint64_t *out)
{
	const char *from = s->p;

	skip_blanks(s);
	for (*out = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		*out = *out * 10 + (uint64_t)(*s->p - '0');
		if (*out > 1000000000000) {
			fail(s, from, "a number above 1000000000000");
			return false;
		}
	}
	if (s->p > from && s->p[-1] >= '0' && s->p[-1] <= '9')
		return true;
	fail(s, s->p, "expected {number LOW to HIGH}, as in {number 1 to 6}");
	return false;
}

/* Behind "{number " */
static bool number(struct parse *s, struct template *t, const char *open)
{
	struct node *x = add(s, t, NUMBER, open, 0);

	if (!x || !digits(s, &x->low))
		return false;
	skip_blanks(s);
	if (!word(s, "to")) {
		fail(s, s->p, "expected {number LOW to HIGH}, as in {number 1 to 6}");
		return false;
	}
	if (!digits(s, &x->high))
		return false;
	skip_blanks(s);
	if (x->low <= x->high)
		return true;
	fail(s, open, "the first number is above the second");
	return false;
}

static bool value(struct parse *s, struct template *t)
{
	const char *name = s->p;
	struct node *x;

	while (s->p < s->end && name_char(*s->p))
		s->p++;
	if (s->p == name) {
		fail(s, s->p, "expected a name behind {; write \\{ for the character itself");
		return false;
	}
	if (!s->known(s->arg, (struct span){name, (size_t)(s->p - name)})) {
		fail(s, name, "no value of this name (penstock-replies(5) lists them)");
		return false;
	}
	x = add(s, t, VALUE, name, (size_t)(s->p - name));
	if (!x)
		return false;
	skip_blanks(s);
	if (s->p == s->end || *s->p != ':')
		return true;
	s->p++;
	return push(s, x, sequence(s, "}"));
}

static bool braces(struct parse *s, struct template *t)
{
	const char *open = s->p++;
	bool ok;

	skip_blanks(s);
	if (word(s, "one of:"))
		ok = pick(s, t, open);
	else if (word(s, "number "))
		ok = number(s, t, open);
	else
		ok = value(s, t);
	if (!ok)
		return false;
	if (s->p < s->end && *s->p == '}') {
		s->p++;
		return true;
	}
	if (s->p == s->end)
		fail(s, open, "the } for this { is missing");
	else
		fail(s, s->p, "expected }");
	return false;
}

struct template *template_compile(const char *p, size_t n, template_known *known, void *arg, struct line_err *err)
{
	struct parse s = {.start = p, .p = p, .end = p + n, .known = known, .arg = arg};
	struct template *t = sequence(&s, "");

	if (!t) {
		err->at = (size_t)(s.at - p);
		err->why = s.why;
	}
	return t;
}

void template_free(struct template *t)
{
	struct node *x, *next;

	if (!t)
		return;
	for (x = t->first; x; x = next) {
		next = x->next;
		for (size_t i = 0; i < x->n; i++)
			template_free(x->in[i]);
		free(x->in);
		free(x);
	}
	free(t);
}

struct expand { template_value *value; void *arg; uint64_t seed; uint64_t picks; struct buf *out; bool full; };

/* The k-th number of a seed (splitmix64, Steele, Lea and Flood 2014). */
static uint64_t draw(struct expand *e)
{
	uint64_t z = e->seed + ++e->picks * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void put(struct expand *e, const char *p, size_t n)
{
	size_t room = e->out->max - e->out->len;

	if (n > room) {
		e->full = true;
		n = room;
	}
	if (buf_add(e->out, p, n))
		e->full = true;
}

static void put_value(struct expand *e, struct span v)
{
	size_t from = e->out->len;

	put(e, v.p, v.n);
	for (size_t i = from; i < e->out->len; i++)
		if ((unsigned char)e->out->p[i] < 0x20 || e->out->p[i] == 0x7f)
			e->out->p[i] = ' ';
}

static void expand(struct expand *e, const struct template *t)
{
	for (const struct node *x = t->first; x && !e->full; x = x->next) {
		struct span v = {NULL, 0};

		switch (x->kind) {
		case TEXT:
			put(e, x->text.p, x->text.n);
			break;
		case VALUE:
			if (e->value(e->arg, x->text, &v) && v.n)
				put_value(e, v);
			else if (x->n)
				expand(e, x->in[0]);
			break;
		case PICK:
			expand(e, x->in[draw(e) % x->n]);
			break;
		case NUMBER:
			if (buf_printf(e->out, "%llu", (unsigned long long)(x->low + draw(e) % (x->high - x->low + 1))))
				e->full = true;
			break;
		}
	}
}

bool template_expand(const struct template *t, template_value *fn, void *arg, uint64_t seed, struct buf *out)
{
	struct expand e = {.value = fn, .arg = arg, .seed = seed, .out = out};

	expand(&e, t);
	return !e.full;
}
