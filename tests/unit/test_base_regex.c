/* test_base_regex: matches as the C library's regexec has them, on random expressions and texts; what POSIX has not by table; errors with their
 * place; no expression and text of those that stall a backtracking search take long. */
#include <regex.h>
#include <string.h>

#include "base/clock.h"
#include "base/regex.h"
#include "check.h"

static bool match(const char *re, const char *text)
{
	struct regex_error err;
	struct regex *r = regex_new(re, strlen(re), &err);

	CHECK(r, "%s%s%s", re, r ? "" : ": ", r ? "" : err.why);
	if (!r)
		return false;
	bool hit = regex_match(r, text, strlen(text));
	/* Once more: now the states are there. */
	CHECK(hit == regex_match(r, text, strlen(text)), "the same when asked again");
	regex_free(r);
	return hit;
}

static void table(void)
{
	CHECK(match("^!(help|h)$", "!help") && !match("^!(help|h)$", "!helps"), "anchors and choice");
	CHECK(match("", "") && match("", "x") && match("^$", "") && !match("^$", "x"), "nothing matches anywhere");
	CHECK(match("b", "abc") && !match("^b", "abc") && !match("b$", "abc"), "anywhere without anchors");
	CHECK(match("na.v", "na\xc3\xafv") && !match("na..v", "na\xc3\xafv"), "a dot is a character, not a byte");
	CHECK(match("^[\xc3\xa0-\xc3\xbc]+$", "\xc3\xa4\xc3\xb6\xc3\xbc") && !match("[\xc3\xa0-\xc3\xbc]", "a\xc3\x9f"), "ranges beyond ASCII");
	CHECK(match("^[^a]$", "\xf0\x9f\x98\x80") && !match("^[^a][^a]$", "\xf0\x9f\x98\x80"), "what is not in a set is whole characters");
	CHECK(match("^[\xe2\x82\xac-\xf0\x9f\x98\x80]$", "\xef\xbf\xbd"), "a range over several lengths");
	CHECK(match("\\d{3}-\\w+\\s\\S", "555-ab_9 x") && !match("^\\D+$", "a1"), "\\d \\w \\s and their opposites");
	CHECK(match("(?i)^hello[[:space:]]w", "HeLLo W") && !match("hello", "HELLO"), "(?i)");
	CHECK(match("(?i)[a-f]+z", "CAFEZ") && !match("(?i)[^a]$", "A"), "(?i) in sets");
	CHECK(match("a.b", "a\nb") && !match("^b", "a\nb"), "a line feed is a character");
	CHECK(match("^[]a-]+$", "]-a") && match("[\\]]", "]") && match("[[:alpha:][:digit:]_]{4}", "a_1b"), "brackets");
	CHECK(match("^a{2,3}$", "aaa") && !match("^a{2,3}$", "aaaa") && match("^a{2,}$", "aaaaa") && match("^a{0}b$", "b"), "counts");
	CHECK(match("^(a|b|)c$", "c") && match("^(?:ab)+$", "abab") && match("^()*x", "x"), "empty branches, groups");
	CHECK(match("\\.\\*\\^\\$\\\\", "x.*^$\\") && match("\\n\\t", "\n\t"), "escapes");
	CHECK(match("(^a|b$)", "xb") && !match("(^a|b$)", "xax") && match("a$|^b", "ba"), "anchors in branches");
	CHECK(!match("[^\\d\\D]", "x"), "a set of nothing");
}

static void error(const char *re, size_t at, const char *word)
{
	struct regex_error err = { 0, "" };
	struct regex *r = regex_new(re, strlen(re), &err);

	CHECK(!r && err.at == at && strstr(err.why, word), "%s: %zu: %s", re, err.at, err.why);
	regex_free(r);
}

static void errors(void)
{
	error("(a)\\1", 4, "back-reference");
	error("(a", 0, "without its )");
	error("a)", 1, "without its (");
	error("[a", 0, "without its ]");
	error("*a", 0, "nothing to repeat");
	error("a**", 2, "in a row");
	error("a+?", 2, "in a row");
	error("a{1", 3, "without its }");
	error("a{x}", 2, "{n}");
	error("a{3,2}", 5, "backwards");
	error("a{256}", 5, "255");
	error("[b-a]", 4, "backwards");
	error("a\\", 2, "ends in");
	error("\\bx", 1, "no meaning");
	error("(?=a)", 1, "(?:");
	error("[[:word1:]]", 1, "class");
	error("(((a{99}){99}){99})", 19, "too large");
	error("((((((){255}){255}){255}){255}){255}){255}", 42, "too large");
}

/* Without anchors inside repeated groups: there regexec finds what is not there, `.(a|b$){2}` in "cccbacb". */
static void against_libc(void)
{
	static const char *const PARTS[] = { "a", "b", "ab", ".", "[ab]", "[^a]", "(a|b)", "(ab|a)", "(a*|b)", "(|b)", "^", "$", "(a|bc)", "c" };
	static const char *const REPEATS[] = { "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}" };
	unsigned long long rnd = 99;
	int hits = 0, tried = 0;

	for (int i = 0; i < 40000; i++) {
		char re[128] = "", text[12];
		struct regex_error err;
		regex_t libc;
		for (int k = 1 + i % 4; k > 0; k--) {
			rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
			const char *part = PARTS[(rnd >> 33) % 14];
			strcat(re, part);
			if (*part != '^' && *part != '$')
				strcat(re, REPEATS[(rnd >> 40) % 10]);
			if (k > 1 && (rnd >> 50) % 5 == 0)
				strcat(re, "|");
		}
		if (regcomp(&libc, re, REG_EXTENDED | REG_NOSUB) != 0)
			continue;
		struct regex *ours = regex_new(re, strlen(re), &err);
		if (!ours)
			CHECK(0, "%s: %s", re, err.why);
		for (int t = 0; ours && t < 8; t++) {
			rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
			size_t n = (rnd >> 33) % 9;
			for (size_t k = 0; k < n; k++)
				text[k] = "abc"[(rnd >> (36 + 2 * k)) % 3];
			text[n] = '\0';
			bool want = regexec(&libc, text, 0, NULL, 0) == 0, got = regex_match(ours, text, n);
			if (want != got)
				CHECK(0, "%s on %s: %d", re, text, got);
			hits += got;
			tried++;
		}
		regex_free(ours);
		regfree(&libc);
	}
	CHECK(hits > 10000 && tried - hits > 10000, "%d answers as regexec has them, %d of them matches", tried, hits);
}

/* A megabyte that a backtracking search would not finish with, and expressions whose automaton is larger than the cache. */
static void hostile(void)
{
	static const char *const RES[] = { "^(a+)+$", "(a|aa)+b$", "(a*)*b", "(.*)(.*)(.*)(.*)x$", "(a|b)*a(a|b){14}$", "[ab]*a[ab]{200}c",
		"(a?){200}a{200}$", "(.*a){12}c", "(x+x+)+y" };
	static char text[1 << 20];
	unsigned long long rnd = 5;

	for (size_t i = 0; i < sizeof(text); i++) {
		rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
		text[i] = rnd >> 60 & 1 ? 'a' : 'b';
	}
	for (size_t k = 0; k < sizeof(RES) / sizeof(*RES); k++) {
		struct regex_error err;
		struct regex *r = regex_new(RES[k], strlen(RES[k]), &err);
		int64_t start = clock_mono();
		CHECK(r, "%s", RES[k]);
		if (!r)
			continue;
		regex_match(r, text, sizeof(text));
		int64_t ms = (clock_mono() - start) / CLOCK_MS;
		CHECK(ms < 20000, "%s on 1 MiB: %lld ms", RES[k], (long long)ms);
		regex_free(r);
	}
}

int main(void)
{
	table();
	errors();
	against_libc();
	hostile();
	return check_done();
}
