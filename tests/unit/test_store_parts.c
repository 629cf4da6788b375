/* The pure parts of store: fresh, words, row. */
#include <string.h>

#include "base/buf.h"
#include "store/fresh.h"
#include "store/row.h"
#include "store/words.h"
#include "check.h"

static void check_fresh(void)
{
	struct fresh f;
	size_t at = 0, found = 0;
	int64_t seq, sum = 0;

	fresh_init(&f);
	CHECK(fresh_next(&f, 7, &at) == 0, "an empty set has nothing");
	for (int64_t i = 1; i <= 5000; i++)
		if (fresh_add(&f, i << 24, i))
			break;
	CHECK(f.n == 5000, "5000 events");
	for (int64_t i = 1; i <= 5000; i++) {
		at = 0;
		found += fresh_next(&f, i << 24, &at) == i && fresh_next(&f, i << 24, &at) == 0;
	}
	CHECK(found == 5000, "each is found, once");
	at = 0;
	CHECK(fresh_next(&f, (int64_t)6000 << 24, &at) == 0, "what is not there is not found");
	for (int64_t i = 1; i <= 300; i++)
		fresh_add(&f, -5, 10000 + i);
	for (at = 0, found = 0; (seq = fresh_next(&f, -5, &at)); found++)
		sum += seq - 10000;
	CHECK(found == 300 && sum == 300 * 301 / 2, "all 300 of one hash are found: %zu", found);
	fresh_clear(&f);
	at = 0;
	CHECK(f.n == 0 && fresh_next(&f, -5, &at) == 0, "nothing after clear");
	fresh_release(&f);
}

static int is_spread(const char *text, size_t n, const char *want)
{
	struct buf b;
	int same;

	buf_init(&b, 4096);
	same = words_spread(&b, text, n) == 0 && b.len == strlen(want) && memcmp(b.p ? b.p : "", want, b.len) == 0;
	if (!same)
		printf("# %.*s\n", (int)b.len, b.p ? b.p : "");
	buf_release(&b);
	return same;
}
#define SPREAD(text, want) CHECK(is_spread(text, sizeof(text) - 1, want), "spread: %s", text)

static int is_query(const char *text, const char *want)
{
	struct buf b;
	int same;

	buf_init(&b, 4096);
	same = words_query(&b, text, strlen(text)) == 0 && b.len == strlen(want) && memcmp(b.p ? b.p : "", want, b.len) == 0;
	if (!same)
		printf("# %.*s\n", (int)b.len, b.p ? b.p : "");
	buf_release(&b);
	return same;
}
#define QUERY(text, want) CHECK(is_query(text, want), "query: %s", text)

static void check_words(void)
{
	struct buf small;

	SPREAD("", "");
	SPREAD("plain naïve привет", "plain naïve привет");
	SPREAD("lol\0x", "lol x");
	SPREAD("a你好b", "a 你  好 b");
	SPREAD("配信する", " 配  信  す  る ");
	SPREAD("안녕", " 안  녕 ");
	SPREAD("x😂😂", "x 😂  😂 ");
	SPREAD("\xf0\xa0\x80\x80", " \xf0\xa0\x80\x80 ");
	SPREAD("it’s — €", "it’s — €");
	SPREAD("\xe4\xbd", "\xe4\xbd");	/* cut short: stays inside the text */
	buf_init(&small, 8);
	CHECK(words_spread(&small, "longer than eight", 17) == -1, "spread says when there is no room");
	buf_release(&small);

	QUERY("", "");
	QUERY("  ", "");
	QUERY("no way", "\"no\" \"way\"");
	QUERY("a AND (b OR NOT c)", "\"a\" \"AND\" \"(b\" \"OR\" \"NOT\" \"c)\"");
	QUERY("begin*", "\"begin\"*");
	QUERY("*", "");
	QUERY("**", "\"*\"*");
	QUERY("\"no way\" ref", "\"no way\" \"ref\"");
	QUERY("\"no way\"* x", "\"no way\"* \"x\"");
	QUERY("it\"s \"open", "\"it\" \"s \" \"open\"");
	QUERY("\"\"", "");
	QUERY("\"", "");
	QUERY("你好*", "\" 你  好 \"*");
	QUERY("text:x^2 -a {b}", "\"text:x^2\" \"-a\" \"{b}\"");
}

static struct row row_of(const char *line)
{
	struct line_err err;
	struct row r;

	if (row_from(&r, line, strlen(line), &err)) {
		printf("# %s: %s\n", line, err.why);
		memset(&r, 0, sizeof(r));
	}
	return r;
}
#define LINE(id, source, rest) "{\"specversion\":\"1.0\",\"id\":" id ",\"source\":" source ",\"type\":\"t\"" rest "}"

static int64_t seen_of(const char *line)
{
	static const uint64_t salt[2] = { 3, 4 };
	struct row r = row_of(line);
	struct buf b;
	int64_t hash = 0;

	buf_init(&b, 4096);
	row_seen(&r, salt, &b, &hash);
	buf_release(&b);
	return hash;
}

static bool same(const char *a, const char *b)
{
	struct row r = row_of(a);
	struct buf s;
	bool is;

	buf_init(&s, 4096);
	is = row_same(&r, b, strlen(b), &s);
	buf_release(&s);
	return is;
}

static void check_row(void)
{
	static const uint64_t salt[2] = { 3, 4 }, other[2] = { 3, 5 };
	const char *a = LINE("\"a\"", "\"/s\"", ""), *escaped = LINE("\"\\u0061\"", "\"\\/s\"", ",\"subject\":\"x\"");
	int64_t from, to, h = seen_of(a), from2, to2;
	struct line_err err;
	struct row r;

	row_id_range("a", 1, salt, &from, &to);
	row_id_range("a", 1, other, &from2, &to2);
	CHECK(from <= h && h <= to && to - from == (1 << 24) - 1, "the hash lies within the range of its id");
	CHECK(from != from2, "the salt decides");
	CHECK(seen_of(escaped) == h, "escapes do not change the hash");
	CHECK(same(a, escaped) && same(escaped, a), "nor the event");
	CHECK(!same(a, LINE("\"a\"", "\"/s2\"", "")), "another source is another event");
	CHECK(!same(a, LINE("\"b\"", "\"/s\"", "")), "another id is another event");
	CHECK(!same(LINE("\"ab\"", "\"c\"", ""), LINE("\"a\"", "\"bc\"", "")), "id and source do not run into each other");
	CHECK(seen_of(LINE("\"a\"", "\"/s2\"", "")) != h, "another source has another hash");
	CHECK(seen_of(LINE("\"a\"", "\"/s2\"", "")) >= from && seen_of(LINE("\"a\"", "\"/s2\"", "")) <= to, "in the same range");

	r = row_of(LINE("\"a\"", "\"/s\"", ",\"time\":\"2026-01-01T00:00:00.0059Z\",\"tenant\":\"t1\",\"partitionkey\":\"k\",\"data\":{\"user\":{\"id\":\"u\"}}"));
	CHECK(r.time == INT64_C(1767225600005), "time in milliseconds");
	CHECK(strcmp(r.tenant, "t1") == 0 && r.key.n == 3 && r.user.n == 3, "tenant, key, user");
	r = row_of(LINE("\"a\"", "\"/s\"", ",\"time\":\"1969-12-31T23:59:59.9995Z\",\"data\":{\"user\":{\"id\":7}}"));
	CHECK(r.time == -1, "before 1970 rounded down");
	CHECK(strcmp(r.tenant, "default") == 0 && !r.key.p && !r.user.p, "what is absent is absent; an id that is no string too");
	r = row_of(LINE("\"a\"", "\"/s\"", ",\"data\":[1]"));
	CHECK(!r.user.p && r.time == ROW_NO_TIME, "data that is no object");
	CHECK(row_from(&r, "{}", 2, &err) == -1, "no event: refused");
	CHECK(row_person("u", 1, salt) > 0 && row_person("u", 1, salt) != row_person("v", 1, salt), "persons");
}

int main(void)
{
	check_fresh();
	check_words();
	check_row();
	return check_done();
}
