/* fuzz_rules: any text as a rules file and as an expression; what parses answers, and describes itself as text that parses to the same. */
#include <stdlib.h>
#include <string.h>

#include "route/decide.h"
#include "route/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char LINE[] = "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"partitionkey\":\"k\","
	"\"data\":{\"text\":\"!h\\u00e9 [x]\",\"n\":5,\"user\":{\"name\":\"ann\"}}}\n";

static void round_trip(const struct pred *p)
{
	static struct buf said = { .max = 4u << 20 }, again = { .max = 4u << 20 };
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct parse_error err;
	struct ruleset set;

	if (parse_rules(&set, text, size, &err) == 0) {
		for (size_t i = 0; i < set.n; i++) {
			if (!set.v[i].dests || (set.ndests < 64 && set.v[i].dests >> set.ndests))
				abort();
			round_trip(set.v[i].when);
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
