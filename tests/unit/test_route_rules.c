/* test_route_rules: errors with their place; what a predicate says of itself parses to the same; stop, union, precedence; globs against a slow matcher. */
#include <string.h>

#include "check.h"
#include "route/decide.h"
#include "route/lint.h"
#include "route/parse.h"

static const char LINE[] = "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"chat.message\",\"tenant\":\"t1\",\"partitionkey\":\"k\","
	"\"data\":{\"text\":\"!he\\u006clo \\u00e9\",\"n\":5,\"ok\":true,\"nil\":null,\"user\":{\"name\":\"ann\"}}}\n";

static void error(const char *text, unsigned line, unsigned column, const char *word)
{
	struct ruleset set;
	struct parse_error err = { 0, 0, "" };

	int r = parse_rules(&set, text, strlen(text), &err);
	CHECK(r < 0 && err.line == line && err.column == column && strstr(err.text, word), "%u:%u: %s", err.line, err.column, err.text);
}

static void errors(void)
{
	char deep[400];

	error("nonsense", 1, 9, "operator");
	error("all -> store\n\n  type = \"x\" -> a", 3, 8, "==");
	error("type == chat -> a", 1, 9, "quotes");
	error("type == \"chat -> a", 1, 9, "closing quote");
	error("type == \"\\q\" -> a", 1, 9, "byte");
	error("type == \"\\u0000\" -> a", 1, 9, "u0000");
	error("all", 1, 4, "->");
	error("all store", 1, 5, "->");
	error("all -> ", 1, 8, "destination");
	error("all -> a,", 1, 10, "destination");
	error("all -> Store", 1, 8, "small letters");
	error("all -> a stop now", 1, 15, "end of the line");
	error("all -> stop", 1, 8, "destination");
	error("data.n < \"5\" -> a", 1, 10, "numbers");
	error("type ^= 5 -> a", 1, 9, "quotes");
	error("type ~ \"[a\" -> a", 1, 8, "[");
	error("type ~ \"a\\\\\" -> a", 1, 8, "\\");
	error("type =~ \"(a)\\\\1\" -> a", 1, 9, "byte 5: a back-reference");
	error("type =~ 'a{' -> a", 1, 9, "byte 3");
	error("all -> a, mirror a", 1, 18, "mirror");
	error("dest a keep=1h\nall -> b", 1, 6, "no rule");
	error("dest a attempts=x\nall -> a", 1, 8, "attempts");
	error("dest a nonsense=x\nall -> a", 1, 8, "there are");
	error("dest a keep=1s\ndest a keep=2s\nall -> a", 2, 6, "line 1");
	error("flag a$ -> a", 1, 7, "no meaning");
	error("jq 5 -> a", 1, 4, "operator");
	error("jq '' -> a", 1, 4, "program");
	error("jq '.a | now' -> a", 1, 4, "now");
	error("jq '\"x\\(input)\"' -> a", 1, 4, "input");
	error("jq '$ENV.PATH' -> a", 1, 4, "$ENV");
	error("jq '(.a' -> a", 1, 4, "a ) is missing");
	error("jq '1)] | [first(2' -> a", 1, 4, "byte 2");
	error("jq '.a == \"x' -> a", 1, 4, "a \" is missing");
	error("type == 'a -> a", 1, 9, "closing quote");
	error("type in () -> a", 1, 10, "quotes");
	error("type in (\"a\" \"b\") -> a", 1, 14, ")");
	error("(all -> a", 1, 6, ")");
	error("data. == 1 -> a", 1, 1, "neither");
	error("Type == 1 -> a", 1, 1, "neither");
	error("101% -> a", 1, 1, "100");
	error("5x == 1 -> a", 1, 1, "name");
	error("5 -> a", 1, 1, "condition");
	error("exists -> a", 1, 8, "attribute");
	error("all -> a\nall ; b", 2, 5, "no meaning");
	memset(deep, '(', 100);
	strcpy(deep + 100, "all");
	error(deep, 1, 65, "brackets");
	for (int i = 0; i < 80; i++)
		memcpy(deep + i * 4, "not ", 4);
	strcpy(deep + 320, "all -> a");
	error(deep, 1, 257, "brackets");
}

/* Parses, and once more what it says of itself. */
static bool answer(const char *text)
{
	struct parse_error err;
	struct buf said, again;
	bool first, second;

	buf_init(&said, 65536);
	buf_init(&again, 65536);
	struct pred *p = parse_expr(text, strlen(text), &err);
	CHECK(p, "%.*s%s%s", (int)strcspn(text, "\n"), text, p ? "" : ": ", p ? "" : err.text);
	CHECK(pred_describe(p, &said) == 0, "describes itself");
	struct pred *q = parse_expr(said.p, said.len, &err);
	CHECK(q && pred_describe(q, &again) == 0 && said.len == again.len && !memcmp(said.p, again.p, said.len), "as %.*s", (int)said.len, said.p);
	first = decide_where(p, LINE, sizeof(LINE) - 1);
	second = decide_where(q, LINE, sizeof(LINE) - 1);
	CHECK(first == second, "and answers the same");
	pred_free(p);
	pred_free(q);
	buf_release(&said);
	buf_release(&again);
	return first;
}

static void precedence(void)
{
	CHECK(answer("not type == \"x\" and tenant == \"t1\""), "not binds closer than and");
	CHECK(answer("all or all and type == \"x\""), "and binds closer than or");
	CHECK(!answer("(all or all) and type == \"x\""), "brackets bind closest");
	CHECK(answer("not not all"), "twice not");
	CHECK(answer("(type ==\n \"chat.message\"\n and all)"), "inside brackets a rule may go over lines");
	CHECK(answer("data.text ^= \"!hello\""), "escapes are decoded");
	CHECK(answer("data.text == \"!hello \\u00e9\""), "in rules too");
	CHECK(answer("data.text ~ \"!h*o ?\""), "? is one character, not one byte");
	CHECK(!answer("exists data.nil"), "null is absent");
	CHECK(answer("data.nil != \"x\" and not data.nil == \"x\""), "what is absent equals nothing");
	CHECK(answer("data.user.name in (1, true, \"ann\")"), "a set of mixed kinds");
	CHECK(answer("data.n >= 5 and data.n < 5.5 and data.n == 5.0"), "numbers are numbers");
	CHECK(!answer("data.n == \"5\""), "and no text");
	CHECK(answer("100%") && !answer("0%"), "all and none");
}

static uint64_t eval(const char *text)
{
	char why[RULES_WHY] = "";
	struct rules *r = rules_parse("rules", text, strlen(text), why);
	struct spool_line out = { .mask = 99 };

	CHECK(r, "parses: %.*s", (int)strcspn(text, "\n"), text);
	CHECK(decide_again(r, LINE, sizeof(LINE) - 1, &out) == 0, "decided");
	rules_free(r);
	return out.mask;
}

static void files(void)
{
	CHECK(eval("") == 0, "no rule, no destination");
	CHECK(eval("# only a comment\n\n") == 0, "comments");
	CHECK(eval("all -> a, b # both\nall -> c") == 7, "the union of all that match");
	CHECK(eval("all -> a\ntype == \"x\" -> b stop\nall -> c") == 5, "a stop that does not match stops nothing");
	CHECK(eval("all -> a stop\nall -> b") == 1, "one that matches does");
	CHECK(eval("all -> a\nall -> a stop\nall -> b") == 1, "even when it adds nothing");
	CHECK(eval("#!flags x b\nflag b -> a\nflag c -> b") == 1, "flags that are on stand in the first line");
	CHECK(eval("all -> mirror a, mirror, b stop") == 7, "a mirror is a destination; mirror alone is a name");
	CHECK(eval("dest a window=5\ndest == 'x' -> a\nall -> b") == 2, "an attribute may be called dest");
	CHECK(eval("all -> a-b-1\nall->c\r\n") == 3, "dashes in names, arrows without blanks, CRLF");
}

/* ---- rules that do nothing ---- */

static void note(void *arg, unsigned line, const char *text)
{
	char *all = arg;
	size_t n = strlen(all);

	snprintf(all + n, 200 - n, "%u%c ", line, strstr(text, "never holds") ? 'x' : strstr(text, "never reached") ? 's' : 'n');
}

/* want: for each rule that is told of its line and x (never holds), s (stopped before), n (adds nothing). */
static void told(const char *text, const char *want)
{
	struct parse_error err;
	struct ruleset set;
	char all[200] = "";

	CHECK(parse_rules(&set, text, strlen(text), &err) == 0, "parses: %.*s", (int)strcspn(text, "\n"), text);
	lint_rules(&set, note, all);
	CHECK(strcmp(all, want) == 0, "%s: %s", text, all);
	ruleset_release(&set);
}

static void lint(void)
{
	told("all -> a\ntype == 'x' -> b\ndata.n > 5 -> a, b", "");
	told("all -> a\ntype == 'x' -> a", "2n ");
	told("all -> a\ntype == 'x' -> a stop\nall -> b", "");
	told("all -> a stop\nall -> b stop\n5% -> c", "2s 3s ");
	told("type == 'x' -> a stop\ntype in ('x', 'y') -> b\ntype == 'x' and data.n == 1 -> b", "3s ");
	told("type in ('x', 'y') -> a\ntype == 'y' -> a\ntype == 'z' -> a", "2n ");
	told("type != 'x' -> a\ntype == 'y' -> a", "2n ");
	told("type ~ 'chat.*' or type == 'x' -> a\ntype in ('x', 'chat.edit') -> a\ntype =~ '^chat' -> a", "2n ");
	told("type ^= 'a' and type ^= 'b' -> a\ntype ^= 'ab' and type ^= 'a' -> a", "1x ");
	told("type == 'a' and type ^= 'b' -> a\ntype == 'a' and not type =~ 'a' -> a\ntype in ('a', 'b') and type == 'c' -> a", "1x 2x 3x ");
	told("data.n > 5 and data.n < 5 -> a\ndata.n >= 5 and data.n <= 5 -> a\ndata.n > 5 and data.m < 5 -> a", "1x ");
	told("data.a.b == 1 and data.a.b == 2 -> a\ndata.a == 1 and data.b == 2 -> a", "1x ");
	told("exists data.x and not exists data.x -> a\nnot all -> a\n0% -> a", "1x 2x 3x ");
	told("data.n < 9 -> a\ndata.n < 5 -> a\ndata.n < 10 -> a\ndata.n <= 9 -> a", "2n 4n ") ;
	told("20% -> a\n10% -> a\n30% -> a", "2n ");
	told("#!flags f\nflag f -> a\nflag f and type == 'x' -> a\nnot flag f -> b\nflag g -> c", "2n ");
	told("all -> mirror a\ntype == 'x' -> b, mirror a", "");
	told("exists subject -> a\nsubject == 'x' -> a\nsubject != 'x' -> a\nnot subject == 'x' -> a", "2n ");
	told("tenant == 'default' -> a\nnot exists tenant -> b", "");
}

/* ---- globs ---- */

static bool slow(const char *g, const char *t)
{
	if (!*g)
		return !*t;
	if (*g == '*')
		return slow(g + 1, t) || (*t && slow(g, t + 1));
	return *t && (*g == '?' || *g == *t) && slow(g + 1, t + 1);
}

static void globs(void)
{
	static const char PARTS[] = "ab*?";
	unsigned long long rnd = 1234567;
	int hits = 0;

	for (int i = 0; i < 20000; i++) {
		char g[9], t[9], expr[64], line[256];
		struct parse_error err;
		rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
		unsigned long long x = rnd >> 8;
		size_t ng = x % 8, nt = x / 8 % 8;
		x /= 64;
		for (size_t k = 0; k < ng; k++, x /= 4)
			g[k] = PARTS[x % 4];
		for (size_t k = 0; k < nt; k++, x /= 2)
			t[k] = PARTS[x % 2];
		g[ng] = t[nt] = '\0';
		snprintf(expr, sizeof(expr), "data.t ~ \"%s\"", g);
		int n = snprintf(line, sizeof(line), "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"data\":{\"t\":\"%s\"}}\n", t);
		struct pred *p = parse_expr(expr, strlen(expr), &err);
		bool got = decide_where(p, line, (size_t)n);
		pred_free(p);
		if (got != slow(g, t))
			CHECK(0, "%s on %s", expr, t);
		hits += got;
	}
	CHECK(hits > 1000, "20000 globs as a slow matcher has them, %d matches", hits);
}

int main(void)
{
	errors();
	precedence();
	files();
	lint();
	globs();
	decide_release();
	return check_done();
}
