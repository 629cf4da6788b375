#include "respond/parse.h"

#include <stdlib.h>
#include <string.h>

#include "respond/command.h"
#include "respond/match.h"
#include "respond/scene.h"

static int add_name(struct parse *s, struct span name)
{
	struct trigger *t = s->open;
	struct span *v = parse_grow(s, name.p, t->name, t->nname, REPLIES_MAX_NAMES, sizeof(*v), "more than 64 names");

	if (!v)
		return -1;
	t->name = v;
	v[t->nname++] = name;
	return 0;
}

static int parse_param(struct parse *s, struct span w)
{
	struct trigger *t = s->open;
	struct param p = {.name = w}, *v;

	if (t->nparam && t->param[t->nparam - 1].rest)
		return parse_fail(s, w.p, t->param[t->nparam - 1].name, "takes all that is left, nothing can come behind");
	if (w.n > 2 && w.p[0] == '[' && w.p[w.n - 1] == ']') {
		p.name = (struct span){w.p + 1, w.n - 2};
		p.optional = true;
	} else if (t->nparam && t->param[t->nparam - 1].optional) {
		return parse_fail(s, w.p, w, "must be optional too, [NAME]: one before it is");
	}
	if (p.name.n > 3 && memcmp(p.name.p + p.name.n - 3, "...", 3) == 0) {
		p.name.n -= 3;
		p.rest = true;
	}
	for (size_t i = 0; i < p.name.n; i++) {
		char c = p.name.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (i && c >= '0' && c <= '9')))
			return parse_fail(s, w.p, w,
				"is no parameter: want NAME, [NAME], NAME... or [NAME...], of letters, digits and _");
	}
	if (scene_value_known(p.name))
		return parse_fail(s, w.p, w, "is a value's name already; write it in capitals");
	for (size_t i = 0; i < t->nparam; i++)
		if (match_same(p.name, t->param[i].name))
			return parse_fail(s, w.p, w, "is there twice");
	v = parse_grow(s, w.p, t->param, t->nparam, COMMAND_ARGS, sizeof(*v), "more than 32 parameters");
	if (!v)
		return -1;
	t->param = v;
	v[t->nparam++] = p;
	return 0;
}

/* "ping, pong [NAME]": names joined by commas, then parameters. */
int trigger_command(struct parse *s)
{
	struct trigger *t = s->open;
	bool more = true;

	while (more) {
		const char *from = s->p;
		struct span name;

		while (s->p < s->end && !parse_blank(*s->p) && *s->p != ',')
			s->p++;
		name = (struct span){from, (size_t)(s->p - from)};
		parse_skip(s);
		more = s->p < s->end && *s->p == ',';
		if (more) {
			s->p++;
			parse_skip(s);
		}
		if (name.n > s->r->prefix.n && memcmp(name.p, s->r->prefix.p, s->r->prefix.n) == 0) {
			name.p += s->r->prefix.n;	/* !ping may be written as it is typed */
			name.n -= s->r->prefix.n;
		}
		if (name.n == 0)
			return parse_fail(s, from, NOTHING, "expected the name of a command");
		if (!command_name_ok(name))
			return parse_fail(s, from, name, "cannot be the name of a command: at most 32 bytes, no punctuation");
		if (replies_command(s->r, name))
			return parse_fail(s, from, name, "is a command already");
		if (add_name(s, name))
			return -1;
	}
	t->usage = parse_trimmed(s->p, s->end);
	while (s->p < s->end)
		if (parse_param(s, parse_word(s)))
			return -1;
	return 0;
}

/* Words or phrases joined by commas; folded into one block, whose place is not fixed yet: n counts, p comes at the end. */
int trigger_words(struct parse *s)
{
	while (s->p <= s->end) {
		const char *comma = memchr(s->p, ',', (size_t)(s->end - s->p));
		struct span w = parse_trimmed(s->p, comma ? comma : s->end);
		size_t before = s->folded.len;

		if (w.n == 0)
			return parse_fail(s, w.p, NOTHING, "expected a word or a phrase");
		if (match_fold(w.p, w.n, &s->folded))
			return parse_fail(s, w.p, w, "out of memory");
		w.n = s->folded.len - before;
		if (w.n == 0)
			return parse_fail(s, w.p, NOTHING, "expected a word or a phrase");
		if (add_name(s, w))
			return -1;
		if (!comma)
			return 0;
		s->p = comma + 1;
	}
	return 0;
}

/* "sadness, grief above 0.6" */
int trigger_emotion(struct parse *s)
{
	struct span w;
	char text[16], *rest;
	bool more;

	do {
		w = parse_word(s);
		more = w.n && w.p[w.n - 1] == ',';
		w.n -= more;
		if (w.n == 0 || parse_is(w, "above"))
			return parse_fail(s, w.p, NOTHING,
				"expected the name of an emotion, as in: emotion sadness, grief above 0.6");
		for (size_t i = 0; i < w.n; i++)
			if (!((w.p[i] >= 'a' && w.p[i] <= 'z') || w.p[i] == '_' || w.p[i] == '-'))
				return parse_fail(s, w.p, w, "is no name of an emotion: small letters, - and _");
		if (add_name(s, w))
			return -1;
	} while (more);
	if (!parse_is(w = parse_word(s), "above"))
		return parse_fail(s, w.p, w, "expected: above and a probability, as in: emotion sadness, grief above 0.6");
	w = parse_word(s);
	if (w.n && w.n < sizeof(text) && strspn(w.p, "0123456789.") >= w.n) {
		memcpy(text, w.p, w.n);
		text[w.n] = '\0';
		s->open->above = strtod(text, &rest);
		if (!*rest && s->open->above >= 0 && s->open->above < 1 && s->p == s->end)
			return 0;
	}
	return parse_fail(s, w.p, w, "expected a probability from 0 to 0.99, and nothing behind it");
}
