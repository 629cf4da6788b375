#include "route/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "route/parse_impl.h"

bool rules_flag_name(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", name[i]) || !name[i])
			return false;
	return n >= 1 && n <= RULES_FLAG_NAME;
}

static bool flag_is_on(const struct parser *in, const char *name)
{
	size_t n = strlen(name), k;

	for (const char *p = in->flags; p < in->flags_end; p += k + 1) {
		for (k = 0; p + k < in->flags_end && p[k] != ' ' && p[k] != '\r'; k++)
			;
		if (k == n && memcmp(p, name, n) == 0)
			return true;
	}
	return false;
}

int pred_flag(struct parser *in, const char *name, bool *on)
{
	struct ruleset *set = in->set;
	unsigned i;

	if (!set)
		return pred_fail_value(in, "a flag can be asked for in a rules file only");
	if (!rules_flag_name(name, strlen(name)))
		return pred_fail_value(in, "a flag's name is letters, digits, dots, dashes and _, at most %u", RULES_FLAG_NAME);
	for (i = 0; i < set->nflags && strcmp(set->flags[i].name, name) != 0; i++)
		;
	if (i == RULES_FLAGS)
		return pred_fail_value(in, "more than %u flags", RULES_FLAGS);
	if (i == set->nflags) {
		memcpy(set->flags[i].name, name, strlen(name) + 1);
		set->flags[i].on = flag_is_on(in, name);
		set->nflags++;
	}
	*on = set->flags[i].on;
	return 0;
}

int pred_regex_one_more(struct parser *in)
{
	if (in->set && ++in->set->nregex > RULES_REGEX)
		return pred_fail_value(in, "more than %u regular expressions; one with | can do the work of many", RULES_REGEX);
	return 0;
}

int pred_jq_one_more(struct parser *in)
{
	if (in->set && ++in->set->njq > RULES_JQ)
		return pred_fail_value(in, "more than %u jq conditions: each is a process of its own", RULES_JQ);
	return 0;
}

bool rules_dest_name(const char *name, size_t n)
{
	return n >= 1 && n <= RULES_DEST_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[n] == '\0';
}

/* Takes the name that is next; its place in set->names, or -1. */
static int dest_name(struct parser *in, struct ruleset *set)
{
	const char *name = in->lex.word;
	unsigned i;

	if (in->lex.kind != LEX_NAME || parse_is_word(name))
		return parse_expected(in, "a destination");
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
	return (int)i;
}

static int dest(struct parser *in, struct ruleset *set, uint64_t *named, struct rule *r)
{
	bool mirror = lex_is(&in->lex, "mirror") && parse_next_is(in, LEX_NAME);

	if (mirror)
		lex_next(&in->lex);
	int i = dest_name(in, set);
	if (i < 0)
		return -1;
	uint64_t bit = UINT64_C(1) << i;
	if (*named & bit && mirror != !!(set->mirrors & bit))
		return pred_fail(in, "%s is a mirror in one rule and none in another", set->names[i]);
	*named |= bit;
	r->dests |= bit;
	if (mirror)
		set->mirrors |= bit;
	lex_next(&in->lex);
	return 0;
}

/* ---- dest NAME key=value ... ---- */

static int setting(struct parser *in, struct dest_settings *s)
{
	char *value = strchr(in->lex.word, '=');
	const char *why, *key = in->lex.word;
	unsigned bit;
	int r;

	if (!value || !value[1])
		return pred_fail(in, "expected a setting as attempts=8, not \"%.40s\"", key);
	*value++ = '\0';
	if (strcmp(key, "attempts") == 0) {
		bit = SETTING_ATTEMPTS;
		r = num_u64(value, 1, 1000, &s->attempts, &why);
	} else if (strcmp(key, "window") == 0) {
		bit = SETTING_WINDOW;
		r = num_u64(value, 1, 1u << 20, &s->window, &why);
	} else if (strcmp(key, "deadline") == 0) {
		bit = SETTING_DEADLINE;
		r = num_duration(value, CLOCK_MS, 86400 * CLOCK_S, &s->deadline, &why);
	} else if (strcmp(key, "keep") == 0) {
		bit = SETTING_KEEP;
		r = num_duration(value, 0, 3650 * 86400 * CLOCK_S, &s->keep, &why);
	} else {
		return pred_fail(in, "\"%.40s\" is no setting; there are attempts, window, deadline and keep", key);
	}
	if (r < 0)
		return pred_fail(in, "%s=%.40s: %s", key, value, why);
	if (s->has & bit)
		return pred_fail(in, "%s is set twice", key);
	s->has |= bit;
	return 0;
}

static int settings(struct parser *in, struct ruleset *set)
{
	lex_next(&in->lex);
	int i = dest_name(in, set);
	if (i < 0)
		return -1;
	struct dest_settings *s = &set->settings[i];
	if (s->line)
		return pred_fail(in, "the settings of %s stand on line %u already", set->names[i], s->line);
	s->line = in->lex.at_line;
	s->column = in->lex.at_column;
	lex_next_word(&in->lex);
	if (in->lex.kind == LEX_NEWLINE || in->lex.kind == LEX_END)
		return parse_expected(in, "a setting as attempts=8");
	while (in->lex.kind == LEX_NAME) {
		if (setting(in, s) < 0)
			return -1;
		lex_next_word(&in->lex);
	}
	return in->lex.kind == LEX_BAD ? parse_expected(in, "a setting") : 0;
}

/* A setting for a destination that no rule has is a slip of the pen. */
static int settings_used(struct parser *in, const struct ruleset *set, uint64_t named)
{
	for (unsigned i = 0; i < set->ndests; i++) {
		if (named >> i & 1)
			continue;
		in->value_line = set->settings[i].line;
		in->value_column = set->settings[i].column;
		return pred_fail_value(in, "no rule has the destination %s", set->names[i]);
	}
	return 0;
}

static int rule(struct parser *in, struct ruleset *set, uint64_t *named, struct rule *r)
{
	r->line = in->lex.at_line;
	in->terms = 0;
	r->when = parse_condition(in);
	if (!r->when)
		return -1;
	/* What stands behind a whole condition is often a mistyped and, or. */
	if (!lex_is(&in->lex, "->"))
		return parse_expected(in, "\"->\", \"and\" or \"or\"");
	lex_next(&in->lex);
	do {
		if (dest(in, set, named, r) < 0)
			return -1;
	} while (pred_accept(in, ","));
	r->stop = pred_accept(in, "stop");
	if (in->lex.kind != LEX_NEWLINE && in->lex.kind != LEX_END)
		return parse_expected(in, "\",\", \"stop\" or the end of the line");
	return 0;
}

/* Room for one more rule, zeroed; NULL after pred_fail. */
static struct rule *rule_room(struct parser *in, struct ruleset *set)
{
	if (set->n == RULES_MAX) {
		pred_fail(in, "more than %u rules", RULES_MAX);
		return NULL;
	}
	if ((set->n & (set->n - 1)) == 0) {
		struct rule *v = realloc(set->v, (set->n ? set->n * 2 : 1) * sizeof(*v));
		if (!v) {
			pred_fail(in, "no memory");
			return NULL;
		}
		set->v = v;
	}
	memset(&set->v[set->n], 0, sizeof(*set->v));
	return &set->v[set->n++];
}

/* The line of the flags; what is left begins behind it, as line 1. */
static void flags_line(struct parser *in, const char **p, size_t *n)
{
	const size_t k = sizeof(RULES_FLAGS_LINE) - 1;
	const char *lf = *n > k && memcmp(*p, RULES_FLAGS_LINE " ", k + 1) == 0 ? memchr(*p, '\n', *n) : NULL;

	if (!lf)
		return;
	in->flags = *p + k + 1;
	in->flags_end = lf;
	*n -= (size_t)(lf + 1 - *p);
	*p = lf + 1;
}

int parse_rules(struct ruleset *out, const char *p, size_t n, struct parse_error *err)
{
	struct parser in = { .err = err, .set = out };
	uint64_t named = 0;
	struct rule *r;

	memset(out, 0, sizeof(*out));
	flags_line(&in, &p, &n);
	lex_init(&in.lex, p, n);
	do {
		do {
			lex_next(&in.lex);
		} while (in.lex.kind == LEX_NEWLINE);
		if (in.lex.kind == LEX_END)
			break;
		if (lex_is(&in.lex, "dest") && parse_next_is(&in, LEX_NAME)) {
			if (settings(&in, out) < 0)
				goto fail;
		} else if (!(r = rule_room(&in, out)) || rule(&in, out, &named, r) < 0) {
			goto fail;
		}
	} while (in.lex.kind != LEX_END);
	if (settings_used(&in, out, named) == 0)
		return 0;
fail:
	ruleset_release(out);
	return -1;
}

void ruleset_release(struct ruleset *r)
{
	for (size_t i = 0; i < r->n; i++)
		pred_free(r->v[i].when);
	free(r->v);
	memset(r, 0, sizeof(*r));
}

int rule_describe(const struct ruleset *set, const struct rule *r, struct buf *out)
{
	int bad = pred_describe(r->when, out) | buf_adds(out, " -> ");
	const char *comma = "";

	for (unsigned i = 0; i < set->ndests; i++) {
		if (!(r->dests >> i & 1))
			continue;
		bad |= buf_printf(out, "%s%s%s", comma, set->mirrors >> i & 1 ? "mirror " : "", set->names[i]);
		comma = ", ";
	}
	return bad | (r->stop ? buf_adds(out, " stop") : 0);
}
