#include "respond/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "respond/match.h"
#include "respond/scene.h"
#include "respond/template.h"

int parse_fail(struct parse *s, const char *at, struct span what, const char *why)
{
	struct replies_error *e = s->err;
	size_t n = what.n < sizeof(e->what) ? what.n : sizeof(e->what) - 1;

	e->line = s->number;
	e->column = 1;
	/* Columns count characters, as editors do. */
	for (const char *p = s->line; p < at; p++)
		e->column += ((unsigned char)*p & 0xc0) != 0x80;
	e->why = why;
	while (n && n < what.n && ((unsigned char)what.p[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(e->what, what.p, n);
	e->what[n] = '\0';
	return -1;
}

bool parse_blank(char c)
{
	return c == ' ' || c == '\t';
}

void parse_skip(struct parse *s)
{
	while (s->p < s->end && parse_blank(*s->p))
		s->p++;
}

struct span parse_word(struct parse *s)
{
	struct span w = {s->p, 0};

	while (s->p < s->end && !parse_blank(*s->p))
		s->p++;
	w.n = (size_t)(s->p - w.p);
	parse_skip(s);
	return w;
}

bool parse_is(struct span w, const char *text)
{
	return w.n == strlen(text) && memcmp(w.p, text, w.n) == 0;
}

struct span parse_trimmed(const char *p, const char *end)
{
	while (p < end && parse_blank(*p))
		p++;
	while (end > p && parse_blank(end[-1]))
		end--;
	return (struct span){p, (size_t)(end - p)};
}

void *parse_grow(struct parse *s, const char *at, void *v, size_t n, size_t max, size_t size, const char *full)
{
	void *w;

	if (n == max) {
		parse_fail(s, at, NOTHING, full);
		return NULL;
	}
	/* Doubling: at the powers of two the array is full. */
	if (n & (n - 1) || n == 0)
		w = n ? v : malloc(size);
	else
		w = reallocarray(v, n * 2, size);
	if (!w)
		parse_fail(s, at, NOTHING, "out of memory");
	return w;
}

/* ---- templates ---- */

static bool known(void *arg, struct span name)
{
	const struct trigger *t = arg;

	if (scene_value_known(name))
		return true;
	for (size_t i = 0; i < t->nparam; i++)
		if (match_same(name, t->param[i].name))
			return true;
	/* {1} to {9}, {2-}: the second argument and all behind it */
	return t->kind == TRIGGER_COMMAND && name.p[0] >= '1' && name.p[0] <= '9' &&
	       (name.n == 1 || (name.n == 2 && name.p[1] == '-'));
}

static int parse_say(struct parse *s)
{
	struct trigger *t = s->open;
	struct line_err err;
	struct template **v;
	const char *from = s->p;

	if (s->p == s->end)
		return parse_fail(s, s->p, NOTHING, "say what?");
	v = parse_grow(s, from, t->say, t->nsay, REPLIES_MAX_NAMES, sizeof(struct template *), "more than 64 replies");
	if (!v)
		return -1;
	t->say = v;
	v[t->nsay] = template_compile(s->p, (size_t)(s->end - s->p), known, t, &err);
	if (!v[t->nsay])
		return parse_fail(s, from + err.at, NOTHING, err.why);
	t->nsay++;
	return 0;
}

/* ---- lines ---- */

static int set_text(struct parse *s, struct span *to, bool *set, size_t max, const char *why)
{
	struct span v = parse_trimmed(s->p, s->end);

	if (*set)
		return parse_fail(s, s->line, NOTHING, "this is set a second time");
	if (v.n == 0 || v.n > max)
		return parse_fail(s, v.p, v, why);
	*set = true;
	*to = v;
	return 0;
}

static int set_yes(struct parse *s, bool *to, bool *set)
{
	struct span v;

	if (set_text(s, &v, set, 3, "expected yes or no"))
		return -1;
	*to = parse_is(v, "yes");
	return *to || parse_is(v, "no") ? 0 : parse_fail(s, v.p, v, "expected yes or no");
}

static int parse_set(struct parse *s)
{
	struct span what = parse_word(s);

	if (parse_is(what, "prefix")) {
		if (s->r->n)
			return parse_fail(s, what.p, NOTHING, "set the prefix before the first trigger");
		if (set_text(s, &s->r->prefix, &s->prefix_set, 8, "expected 1 to 8 characters without blanks"))
			return -1;
		if (memchr(s->r->prefix.p, ' ', s->r->prefix.n) || memchr(s->r->prefix.p, '\t', s->r->prefix.n))
			return parse_fail(s, s->r->prefix.p, s->r->prefix, "expected 1 to 8 characters without blanks");
		return 0;
	}
	if (parse_is(what, "name"))
		return set_text(s, &s->r->bot, &s->bot_set, 64, "expected a name of at most 64 bytes");
	if (parse_is(what, "others"))
		return set_yes(s, &s->r->others, &s->others_set);
	if (parse_is(what, "shared"))
		return set_yes(s, &s->r->shared, &s->shared_set);
	return parse_fail(s, what.p, what, "cannot be set; prefix, name, others and shared can");
}

static int end_trigger(struct parse *s)
{
	struct trigger *t = s->open;

	s->open = NULL;
	if (!t || t->nsay)
		return 0;
	s->number = t->line;
	return parse_fail(s, s->line, NOTHING,
		"this trigger says nothing: an indented line \"say TEXT\" is missing below it");
}

static int parse_head(struct parse *s)
{
	static const struct { const char *word; enum trigger_kind kind; int (*parse)(struct parse *s); } heads[] = {
		{"command", TRIGGER_COMMAND, trigger_command}, {"word", TRIGGER_WORD, trigger_words},
		{"contains", TRIGGER_CONTAINS, trigger_words}, {"emotion", TRIGGER_EMOTION, trigger_emotion},
	};
	struct span w = parse_word(s);
	struct trigger *v;

	if (parse_is(w, "set"))
		return parse_set(s);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		if (!parse_is(w, heads[i].word))
			continue;
		v = parse_grow(s, w.p, s->r->trigger, s->r->n, REPLIES_MAX_TRIGGERS, sizeof(*v), "more than 1000 triggers");
		if (!v)
			return -1;
		s->r->trigger = v;
		s->open = &v[s->r->n++];
		*s->open = (struct trigger){.kind = heads[i].kind, .line = s->number};
		return heads[i].parse(s);
	}
	if (parse_is(w, "say") || parse_is(w, "help"))
		return parse_fail(s, w.p, w, "belongs to a trigger: indent it");
	return parse_fail(s, w.p, w,
		"is not how a line begins; expected command, word, contains, emotion, set, or # for a comment");
}

static int parse_body(struct parse *s)
{
	struct span w = parse_word(s);

	if (!s->open)
		return parse_fail(s, w.p, w, "stands below no trigger; a trigger begins at the margin");
	if (parse_is(w, "say"))
		return parse_say(s);
	if (parse_is(w, "help") && s->open->kind == TRIGGER_COMMAND) {
		if (s->open->help.p)
			return parse_fail(s, w.p, w, "is there twice");
		s->open->help = parse_trimmed(s->p, s->end);
		return 0;
	}
	return parse_fail(s, w.p, w,
		parse_is(w, "help") ? "is for commands only" : "is not how an indented line begins; expected say or help");
}

static int parse_line(struct parse *s)
{
	const char *first = s->p;

	for (const char *p = s->p; p < s->end; p += utf8_len(p, s->end)) {
		if (utf8_len(p, s->end) == 0)
			return parse_fail(s, p, NOTHING, "not UTF-8");
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return parse_fail(s, p, NOTHING, "a control character");
	}
	while (s->end > s->p && parse_blank(s->end[-1]))
		s->end--;
	parse_skip(s);
	if (s->p == s->end || *s->p == '#')
		return 0;
	if (s->p > first)
		return parse_body(s);
	return end_trigger(s) ? -1 : parse_head(s);
}

static int parse_all(struct parse *s, const char *p, const char *end)
{
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		s->number++;
		s->line = s->p = p;
		s->end = lf ? lf : end;
		if (s->end > p && s->end[-1] == '\r')
			s->end--;
		if (parse_line(s))
			return -1;
		p = lf ? lf + 1 : end;
	}
	return end_trigger(s);
}

/* The folded words lie in the block in the order of their triggers. */
static void place_words(struct replies *r)
{
	const char *p = r->folded;

	for (size_t i = 0; i < r->n; i++) {
		struct trigger *t = &r->trigger[i];

		if (t->kind != TRIGGER_WORD && t->kind != TRIGGER_CONTAINS)
			continue;
		for (size_t k = 0; k < t->nname; k++) {
			t->name[k].p = p;
			p += t->name[k].n;
		}
	}
}

struct replies *replies_parse(const char *p, size_t n, struct replies_error *err)
{
	struct parse s = {.r = calloc(1, sizeof(*s.r)), .err = err};
	int rc;

	buf_init(&s.folded, 2 * (size_t)REPLIES_MAX_BYTES);
	*err = (struct replies_error){1, 1, "out of memory", ""};
	if (!s.r)
		return NULL;
	s.r->prefix = (struct span){"!", 1};
	s.r->bot = (struct span){"penstock", 8};
	s.r->others = true;
	s.r->text = malloc(n + 1);
	if (!s.r->text)
		goto fail;
	memcpy(s.r->text, p, n);
	s.r->text[n] = '\0';
	if (n > REPLIES_MAX_BYTES) {
		err->why = "the file is larger than 1 MiB";
		goto fail;
	}
	s.line = s.r->text;
	p = s.r->text;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;		/* a byte order mark, as some editors leave it */
	rc = parse_all(&s, p, s.r->text + n);
	s.r->folded = s.folded.p;
	if (rc)
		goto fail;
	place_words(s.r);
	return s.r;
fail:
	replies_free(s.r);
	return NULL;
}

void replies_free(struct replies *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		struct trigger *t = &r->trigger[i];

		for (size_t k = 0; k < t->nsay; k++)
			template_free(t->say[k]);
		free(t->say);
		free(t->name);
		free(t->param);
	}
	free(r->trigger);
	free(r->folded);
	free(r->text);
	free(r);
}

const struct trigger *replies_command(const struct replies *r, struct span name)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; r->trigger[i].kind == TRIGGER_COMMAND && k < r->trigger[i].nname; k++)
			if (match_same(r->trigger[i].name[k], name))
				return &r->trigger[i];
	return NULL;
}
