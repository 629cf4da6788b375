/* scan, envelope, types: what the rows of tests/line/data cannot say: big objects, members, numbers, made-up lines by the thousand. */
#include "check.h"

#include <math.h>
#include <time.h>

#include "../lib/props.h"
#include "line/types.h"

static struct span text(const char *s)
{
	return (struct span){ s, strlen(s) };
}

/* {"n0":0,...}: count names, the last one `last`; every name with the prefix. */
static void object_of(struct buf *b, unsigned count, const char *prefix, const char *last)
{
	buf_addc(b, '{');
	for (unsigned i = 0; i + 1 < count; i++)
		buf_printf(b, "\"%s%u\":0,", prefix, i);
	buf_printf(b, "\"%s\":0}", last);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void names(void)
{
	static const unsigned sizes[] = { 2, 15, 16, 17, 18, 100, 1000, 4095, 4096 };
	char last[64];
	struct line_err err;
	struct buf b;
	double begin;

	buf_init(&b, 1u << 24);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned n = sizes[i];

		buf_clear(&b);
		object_of(&b, n, "name", "last");
		CHECK(scan_value(b.p, b.len, &err) == 0, "an object of %u names", n);
		for (unsigned k = 0; k + 1 < n; k += n / 7 + 1) {
			snprintf(last, sizeof last, "n\\u0061me%u", k);
			buf_clear(&b);
			object_of(&b, n, "name", last);
			CHECK(scan_value(b.p, b.len, &err) == -1 && strstr(err.why, "twice") && err.at == b.len - strlen(last) - 5,
				"name %u of %u again at the end is found, at %zu", k, n, err.at);
		}
	}
	buf_clear(&b);
	object_of(&b, LINE_MAX_NAMES + 1, "n", "last");
	CHECK(scan_value(b.p, b.len, &err) == -1 && strstr(err.why, "more than 4096 names") && err.at == b.len - 9,
		"one name more is refused");
	buf_clear(&b);
	object_of(&b, 100000, "n", "last");
	CHECK(b.len > 1000000 && scan_value(b.p, b.len, &err) == -1 && strstr(err.why, "more than 4096 names"),
		"an object of 100,000 names is refused");

	/* Objects inside of objects: names come and go. */
	buf_clear(&b);
	buf_addc(&b, '[');
	for (int i = 0; i < 50; i++) {
		buf_adds(&b, i ? ",{\"name0\":" : "{\"name0\":");
		object_of(&b, 300, "name", "x");
		buf_adds(&b, ",\"y\":");
		object_of(&b, 20, "name", "x");
		for (int k = 1; k < 40; k++) {
			buf_printf(&b, ",\"name%d\":", k);
			object_of(&b, (unsigned)k + 1, "name", "x");
		}
		buf_addc(&b, '}');
	}
	buf_addc(&b, ']');
	CHECK(scan_value(b.p, b.len, &err) == 0, "equal names in objects around each other");
	b.len -= 2;
	buf_adds(&b, ",\"name39\":1}]");
	CHECK(scan_value(b.p, b.len, &err) == -1 && strstr(err.why, "twice"), "a repeat behind inner objects is found");

	/* 1 MiB full of the biggest objects there may be: not quadratic. */
	buf_clear(&b);
	buf_addc(&b, '[');
	while (b.len < 1000000) {
		if (b.len > 1)
			buf_addc(&b, ',');
		object_of(&b, LINE_MAX_NAMES, "", "x");
	}
	buf_addc(&b, ']');
	begin = seconds();
	for (int i = 0; i < 10; i++)
		scan_value(b.p, b.len, &err);
	begin = (seconds() - begin) / 10;
	CHECK(scan_value(b.p, b.len, &err) == 0 && begin < 1, "%zu bytes of big objects in %.1f ms", b.len, begin * 1e3);
	buf_release(&b);
}

/* Names with equal fingerprints (same first and last 8 bytes, same length) must still be told apart. */
static void alike(void)
{
	struct line_err err;
	struct buf b;

	buf_init(&b, 1u << 20);
	buf_addc(&b, '{');
	for (int i = 0; i < 3000; i++)
		buf_printf(&b, "%s\"12345678%06d12345678\":1", i ? "," : "", i);
	buf_addc(&b, '}');
	CHECK(scan_value(b.p, b.len, &err) == 0, "3000 names that begin and end alike");
	b.len--;
	buf_adds(&b, ",\"1234567800150012345678\":1}");
	CHECK(scan_value(b.p, b.len, &err) == -1 && strstr(err.why, "twice"), "and one of them again");
	buf_release(&b);
}

static int count_members(void *arg, struct span name, struct span value)
{
	(void)name;
	(void)value;
	return ++*(int *)arg == 3 ? 7 : 0;
}

static void members(void)
{
	struct span o = text("{\"a\":1,\"b\":{\"c\":\"x\\ny\",\"a.b\":5,\"\\u00e9\":[1,[2,\"]\"],3]},\"d\":null , \"e\" : true }");
	struct buf out;
	char small[4];
	double v;
	int n = 0;

	buf_init(&out, 100);
	CHECK(scan_member(o, "a").n == 1 && scan_path(o, "b.c").n == 6, "members and paths");
	CHECK(!scan_member(o, "x").p && !scan_path(o, "b.x").p && !scan_path(o, "a.b").p && !scan_path(o, "").p, "absent ones");
	CHECK(scan_path(o, "b.\xc3\xa9").n == 13, "an escaped name is found by its text");
	CHECK(!scan_member(text("[1]"), "a").p && !scan_member(text("7"), "a").p && !scan_member((struct span){ NULL, 0 }, "a").p,
		"no members in what is no object");
	CHECK(scan_each(o, count_members, &n) == 7 && n == 3, "scan_each stops when it is told to");
	n = 0;
	CHECK(scan_each(scan_path(o, "b.\xc3\xa9"), count_members, &n) == 7 && n == 3, "scan_each of an array");
	static const struct scan_name want[] = {SCAN_NAME("id"), SCAN_NAME("bot"), SCAN_NAME("of"), SCAN_NAME("none"), SCAN_NAME("to")};
	struct span got[5];

	scan_pick(text(" { \"xx\" : {\"id\":9} , \"id\":1 ,\"bot\":null,\"id\":\"a}\",\"of\" : [ ], \"to\":{},\"i\":2} "), want, got, 5);
	CHECK(got[0].n == 4 && !memcmp(got[0].p, "\"a}\"", 4) && !got[1].p && got[2].n == 3 && !got[3].p && got[4].n == 2 && got[4].p[0] == '{',
		"scan_pick: the last of a name, no null, nothing from inside");
	scan_pick(text("[{\"id\":1}]"), want, got, 5);
	CHECK(!got[0].p && !got[4].p, "scan_pick of an array");
	scan_pick(text("{\"id\":1,\"bot\":tr"), want, got, 5);
	CHECK(got[0].n == 1 && got[1].n == 2, "scan_pick of what breaks off");
	CHECK(scan_is(scan_path(o, "b.c"), "x\ny") && !scan_is(scan_path(o, "b.c"), "x\\ny") && !scan_is(scan_member(o, "a"), "1"),
		"scan_is compares the text");
	CHECK(scan_is(text("\"\""), "") && !scan_is(text("\"a\""), "") && !scan_is(text("\""), ""), "scan_is of nothing");
	CHECK(scan_string(scan_path(o, "b.c"), &out) == 0 && out.len == 3, "scan_string decodes");
	CHECK(scan_string(text("\"\\ud83d\\ude00\\u0000\""), &out) == 0 && out.len == 8 && out.p[7] == '\0', "scan_string appends, NUL too");
	CHECK(scan_string(text("7"), &out) == -1 && scan_string(text("\"\\ud83d\""), &out) == -1 && out.len == 8, "what is no string changes nothing");
	CHECK(scan_cstr(text("\"abc\""), small, sizeof small) == 3 && strcmp(small, "abc") == 0, "scan_cstr up to its size");
	CHECK(scan_cstr(text("\"abcd\""), small, sizeof small) == -1 && scan_cstr(text("\"ab\\u00e9\""), small, sizeof small) == -1,
		"scan_cstr beyond its size");
	CHECK(scan_cstr(text("\"a\\u0000\""), small, sizeof small) == -1, "scan_cstr refuses a NUL");
	buf_release(&out);

	CHECK(scan_number(text("-0"), &v) && v == 0 && signbit(v), "-0");
	CHECK(scan_number(text("9007199254740993"), &v) && v == 9007199254740992.0, "2^53 + 1 as a double");
	CHECK(scan_number(text("1e999"), &v) && isinf(v) && scan_number(text("-1e99999999999999999999"), &v) && v < 0, "beyond doubles");
	CHECK(!scan_number(text("\"1\""), &v) && !scan_number(text("true"), &v) && !scan_number((struct span){ NULL, 0 }, &v), "no numbers");
}

static void long_numbers(void)
{
	static const struct { const char *head; unsigned zeros; const char *tail; double want; } rows[] = {
		{ "1", 300, "", 1e300 }, { "1", 400, "e-400", 1 }, { "0.", 300, "1", 1e-301 }, { "0.", 1000, "1e1001", 1 },
		{ "-2", 900, "e-900", -2 }, { "0.", 100, "", 0 }, { "1", 2000, "", INFINITY }, { "1.5", 900, "", 1.5 },
		{ "0", 0, ".1000000000000000055511151231257827021181583404541015625000000000", 0.1 }, { "1", 100, "e+5", 1e105 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b;
		double v;

		buf_init(&b, 10000);
		buf_adds(&b, rows[i].head);
		for (unsigned k = 0; k < rows[i].zeros; k++)
			buf_addc(&b, '0');
		buf_adds(&b, rows[i].tail);
		CHECK(scan_number((struct span){ b.p, b.len }, &v) && v == rows[i].want, "%s, %u zeros, %s", rows[i].head,
			rows[i].zeros, rows[i].tail);
		buf_release(&b);
	}
}

/* ---- made-up lines ---- */

static uint64_t seed = 1;

static unsigned pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static void some_text(struct buf *b)
{
	static const char *const words[] = { "hi", "Kappa", "\\\"no way\\\"", "C:\\\\x", "one\\ntwo", "caf\\u00e9", "\\ud83d\\ude02",
		"{not json}", "[1,2", "\\\"type\\\":\\\"fake\\\"", "\\\\\\\"", "na\xc3\xafve", "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
		"\xe3\x81\x93\xe3\x82\x93", "\xf0\x9f\x94\xa5", "https:\\/\\/x\\/?a=b&c", "0123456789abcdef0123456789abcdef" };

	buf_addc(b, '"');
	for (unsigned n = pick(8); n > 0; n--)
		buf_printf(b, "%s ", words[pick(sizeof words / sizeof *words)]);
	buf_addc(b, '"');
}

static void some_value(struct buf *b, unsigned depth)
{
	static const char *const plain[] = { "0", "-1.5e+3", "9007199254740993", "true", "false", "null", "{}", "[]", "\"\"" };
	unsigned n = pick(4);

	switch (depth ? pick(5) : pick(2)) {
	case 0:
		some_text(b);
		break;
	case 1:
		buf_adds(b, plain[pick(sizeof plain / sizeof *plain)]);
		break;
	case 2:
		buf_addc(b, '[');
		for (unsigned i = 0; i < n; i++) {
			buf_adds(b, i ? pick(3) ? "," : " , " : "");
			some_value(b, depth - 1);
		}
		buf_addc(b, ']');
		break;
	default:
		buf_addc(b, '{');
		for (unsigned i = 0; i < n; i++) {
			buf_printf(b, "%s\"%s%u\"%s", i ? "," : "", pick(2) ? "k" : "type", i, pick(3) ? ":" : " :\t");
			some_value(b, depth - 1);
		}
		buf_addc(b, '}');
	}
}

static void some_line(struct buf *b)
{
	static const char *const attrs[] = { "\"specversion\":\"1.0\"", "\"id\":\"1\"", "\"source\" : \"/s\"", "\"type\":\"chat.message\"",
		"\"time\":\"2026-01-01T00:00:00.005Z\"", "\"tenant\":\"t060\"", "\"partitionkey\":null", "\"other\":true", "\"x\":-5" };
	unsigned start = pick(9), data = pick(10);

	buf_clear(b);
	buf_addc(b, '{');
	for (unsigned i = 0; i < 10; i++) {
		buf_adds(b, i ? pick(4) ? "," : ", " : "");
		if (i == data) {
			buf_adds(b, "\"data\":");
			some_value(b, 5);
			continue;
		}
		buf_adds(b, attrs[start++ % 9]);
	}
	buf_adds(b, pick(4) ? "}" : "} ");
}

static void made_up(void)
{
	static const char bytes[] = "\"\\{}[],:\0\n\t\x80\xc3\xed\xf4\xffu0-.eE tfn";
	struct envelope e;
	struct line_err err;
	struct buf b;
	unsigned good = 0, still = 0;

	buf_init(&b, 1u << 20);
	for (int i = 0; i < 5000; i++) {
		char *p;

		some_line(&b);
		good += envelope_check(b.p, b.len, LINE_MAX_BYTES, &e, &err) == 0;
		/* At the end of a block of memory, so that ASan sees a read behind the line. */
		p = malloc(b.len);
		if (!p)
			exit(1);
		memcpy(p, b.p, b.len);
		props_line(p, b.len);
		props_against_jansson(p, b.len);
		for (int k = 0; k < 20; k++) {
			unsigned at = pick((unsigned)b.len);
			char old = p[at];

			p[at] = bytes[pick(sizeof bytes - 1)];
			props_line(p, b.len);
			if (scan_strict(p, b.len, &e, &err) == 0) {
				props_against_jansson(p, b.len);
				still++;
			}
			p[at] = old;
		}
		free(p);
	}
	buf_release(&b);
	CHECK(good == 5000, "%u of 5000 made-up lines are events", good);
	CHECK(still > 1000, "lazy sees what strict sees; jansson accepts the %u changed lines that strict accepts", still);
}

static void types(void)
{
	static const struct { const char *line, *why; size_t at; } rows[] = {
		{ "{\"type\":\"chat.message\",\"data\":{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"},\"text\":\"\"}}", NULL, 0 },
		{ "{\"type\":\"chat.message\",\"data\":{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"}}}", "missing", 30 },
		{ "{\"type\":\"chat.message\",\"data\":{\"channel\":{\"id\":7},\"user\":{\"id\":\"u\"},\"text\":\"\"}}", "wrong", 47 },
		{ "{\"type\":\"chat.message\",\"data\":\"x\"}", "missing", 30 },
		{ "{\"type\":\"chat.message\"}", "missing", 0 },
		{ "{\"type\":\"platform.event\",\"data\":{\"raw\":null}}", NULL, 0 },
		{ "{\"type\":\"spool.gap\",\"data\":{\"from\":1,\"to\":2,\"reason\":\"r\"}}", NULL, 0 },
		{ "{\"type\":\"spool.gap\",\"data\":{\"from\":\"1\",\"to\":2,\"reason\":\"r\"}}", "wrong", 35 },
		{ "{\"type\":\"chat\\u002emessage\"}", "missing", 0 },
		{ "{\"type\":\"com.example.other\",\"data\":7}", NULL, 0 },
		{ "{\"type\":\"penstock.sync\"}", NULL, 0 },
	};
	size_t n;
	const struct type_row *all = types_rows(&n);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct envelope e;
		struct line_err err = { 0, "" };
		int got;

		scan_lazy(rows[i].line, strlen(rows[i].line), &e);
		got = types_check(rows[i].line, &e, &err);
		CHECK(rows[i].why ? got == -1 && strstr(err.why, rows[i].why) && err.at == rows[i].at : got == 0, "types: %s: %zu %s",
			rows[i].line, err.at, err.why);
	}
	for (size_t i = 0; i < n; i++) {
		char raw[64];

		snprintf(raw, sizeof raw, "\"%s\"", all[i].name);
		CHECK(types_find(text(raw)) == &all[i], "type %s is found", all[i].name);
	}
}

int main(void)
{
	names();
	alike();
	members();
	long_numbers();
	made_up();
	types();
	return check_done();
}
