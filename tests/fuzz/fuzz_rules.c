/* fuzz_rules: any text as a rules file and as an expression; what parses answers, and describes itself as text that parses to the same. */
#include <stdlib.h>
#include <string.h>

#include "route/decide.h"
#include "route/lint.h"
#include "route/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char LINE[] = "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"partitionkey\":\"k\","
	"\"data\":{\"text\":\"!h\\u00e9 [x]\",\"n\":5,\"user\":{\"name\":\"ann\"}}}\n";

static struct buf said = { .max = 4u << 20 }, again = { .max = 4u << 20 };

static void round_trip(const struct pred *p)
{
	struct parse_error err;

	buf_clear(&said);
	buf_clear(&again);
	if (pred_describe(p, &said) < 0)
		return;
	struct pred *q = parse_expr(said.p, said.len, &err);
	/* Brackets that describe adds can pass the limit of nesting. */
	if (!q && strstr(err.text, "inside each other"))
		return;
	if (!q || pred_describe(q, &again) < 0 || said.len != again.len || memcmp(said.p, again.p, said.len) != 0)
		abort();
	if (decide_where(p, LINE, sizeof(LINE) - 1) != decide_where(q, LINE, sizeof(LINE) - 1))
		abort();
	pred_free(q);
}

/* A rule as it says itself is a file with that rule. Flags are on in neither. */
static void rule_again(const struct ruleset *set, const struct rule *r)
{
	struct parse_error err;
	struct ruleset one;

	buf_clear(&said);
	buf_clear(&again);
	if (rule_describe(set, r, &said) < 0)
		return;
	if (parse_rules(&one, said.p, said.len, &err) < 0) {
		if (!strstr(err.text, "inside each other"))
			abort();
		return;
	}
	if (one.n != 1 || rule_describe(&one, one.v, &again) < 0)
		abort();
	/* Destinations are told in the order in which the file has them. */
	if (said.len != again.len || one.v->stop != r->stop ||
	    __builtin_popcountll(one.v->dests) != __builtin_popcountll(r->dests) ||
	    __builtin_popcountll(one.mirrors) != __builtin_popcountll(set->mirrors & r->dests))
		abort();
	ruleset_release(&one);
}

static void said_of(void *arg, unsigned line, const char *text)
{
	const struct ruleset *set = arg;

	if (set->n == 0) {
		if (line != 1 || strcmp(text, "there is no rule: no line goes anywhere") != 0)
			abort();
		return;
	}
	if (line < set->v[0].line || line > set->v[set->n - 1].line || strncmp(text, "this rule ", 10) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct parse_error err;
	struct ruleset set;

	if (parse_rules(&set, text, size, &err) == 0) {
		lint_rules(&set, said_of, &set);
		for (size_t i = 0; i < set.n; i++) {
			if (!set.v[i].dests || (set.ndests < 64 && set.v[i].dests >> set.ndests))
				abort();
			rule_again(&set, &set.v[i]);
		}
		ruleset_release(&set);
	} else if (err.line == 0 || err.column == 0 || !err.text[0]) {
		abort();
	}
	struct pred *p = parse_expr(text, size, &err);
	if (p)
		round_trip(p);
	pred_free(p);
	return 0;
}
