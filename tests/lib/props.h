/*
 * props: what must hold for any bytes at all; unit tests and fuzzers call the same functions. A property that
 * does not hold ends the process (abort) with its name and the bytes.
 */
#ifndef TESTS_PROPS_H
#define TESTS_PROPS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "line/envelope.h"
#include "line/found.h"
#include "line/scan_impl.h"
#include "line/types.h"

#define HOLDS(cond, p, n) ((cond) ? (void)0 : props_broken(#cond, __FILE__, __LINE__, p, n))

static _Noreturn void props_broken(const char *what, const char *file, int line, const char *p, size_t n)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n%zu bytes: ", file, line, what, n);
	for (size_t i = 0; i < n && i < 2000; i++)
		fprintf(stderr, p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x", (unsigned char)p[i]);
	fputc('\n', stderr);
	abort();
}

/* The scanner's view of a value and jansson's are the same value. */
struct props_pair { const struct json *j; size_t i; bool object; };
static void props_same(struct span raw, const struct json *j);

static int props_same_member(void *arg, struct span name, struct span value)
{
	struct props_pair *pair = arg;
	struct buf text;

	if (!pair->object) {
		props_same(value, json_at(pair->j, pair->i++));
		return 0;
	}
	buf_init(&text, 1u << 24);
	HOLDS(scan_string(name, &text) == 0, name.p, name.n);
	props_same(value, json_member(pair->j, buf_cstr(&text)));
	buf_release(&text);
	pair->i++;
	return 0;
}

static void props_same(struct span raw, const struct json *j)
{
	struct props_pair pair = { j, 0, json_is_object(j) };
	struct buf text;
	const char *s;
	double v;
	size_t n;

	HOLDS(j != NULL, raw.p, raw.n);
	switch (raw.p[0]) {
	case '{': case '[':
		HOLDS(json_is_object(j) || json_is_array(j), raw.p, raw.n);
		HOLDS(scan_each(raw, props_same_member, &pair) == 0, raw.p, raw.n);
		HOLDS(pair.i == json_count(j), raw.p, raw.n);
		break;
	case '"':
		buf_init(&text, 1u << 24);
		s = json_str(j, &n);
		HOLDS(scan_string(raw, &text) == 0 && s, raw.p, raw.n);
		HOLDS(text.len == n && (n == 0 || memcmp(text.p, s, n) == 0), raw.p, raw.n);
		buf_release(&text);
		break;
	case 't': case 'f':
		HOLDS(json_bool(j, raw.p[0] != 't') == (raw.p[0] == 't'), raw.p, raw.n);
		break;
	case 'n':
		break;
	default:
		HOLDS(scan_number(raw, &v), raw.p, raw.n);
		/* Integers are exact in jansson and rounded here: both sides as doubles. */
		HOLDS(v == json_double(j, NAN), raw.p, raw.n);
	}
}

/* What jansson cannot hold although RFC 8259 allows it. */
static bool props_jansson_limit(const char *text)
{
	return strstr(text, "too big") || strstr(text, "real number overflow") || strstr(text, "NUL byte in object key") ||
		strstr(text, "maximum parsing depth");
}

/* What the scanner refuses although RFC 8259 allows it. */
static bool props_our_limit(const char *why)
{
	return strstr(why, "nested deeper") || strstr(why, "more than 4096 names");
}

/* scan_value and jansson accept the same texts and see the same values. */
static inline void props_against_jansson(const char *p, size_t n)
{
	struct line_err err = { 0, NULL };
	struct json_error jerr;
	int ours = scan_value(p, n, &err);
	struct json *j = json_parse(p, n, &jerr);

	if (ours != 0)
		HOLDS(err.why && err.at <= n, p, n);
	if (ours == 0 && !j)
		HOLDS(props_jansson_limit(jerr.text), p, n);
	if (ours != 0 && j)
		HOLDS(props_our_limit(err.why), p, n);
	if (ours == 0 && j) {
		while (n && strchr(" \t\r\n", *p))
			p++, n--;
		while (n && strchr(" \t\r\n", p[n - 1]))
			n--;
		props_same((struct span){ p, n }, j);
	}
	json_free(j);
}

/* Every string that scan_string decodes is the same again after being written and decoded. */
static inline int props_string(void *arg, struct span name, struct span value)
{
	struct span both[] = { name, value };

	(void)arg;
	for (int i = 0; i < 2; i++) {
		struct span raw = both[i];
		struct buf text, again, back;
		struct line_err err;
		char small[64];
		int len;

		if (!raw.p)
			continue;
		if (raw.p[0] == '{' || raw.p[0] == '[') {
			HOLDS(scan_jump(raw.p, raw.p + raw.n) == raw.p + raw.n, raw.p, raw.n);
			HOLDS(scan_jump_plain(raw.p, raw.p + raw.n) == raw.p + raw.n, raw.p, raw.n);
			scan_each(raw, props_string, NULL);
			continue;
		}
		buf_init(&text, 1u << 24);
		buf_init(&again, 1u << 26);
		buf_init(&back, 1u << 24);
		if (scan_string(raw, &text) == 0) {
			HOLDS(buf_add_json(&again, text.p, text.len) == 0, raw.p, raw.n);
			HOLDS(scan_value(again.p, again.len, &err) == 0, raw.p, raw.n);
			HOLDS(scan_string((struct span){ again.p, again.len }, &back) == 0, raw.p, raw.n);
			HOLDS(back.len == text.len, raw.p, raw.n);
			HOLDS(!text.len || memcmp(back.p, text.p, text.len) == 0, raw.p, raw.n);
			len = scan_cstr(raw, small, sizeof small);
			if (text.len < sizeof small && !(text.len && memchr(text.p, 0, text.len))) {
				HOLDS(len == (int)text.len && (!len || memcmp(small, text.p, (size_t)len) == 0), raw.p, raw.n);
				HOLDS(scan_is(raw, small), raw.p, raw.n);
			} else {
				HOLDS(len == -1, raw.p, raw.n);
			}
		}
		buf_release(&text);
		buf_release(&again);
		buf_release(&back);
	}
	return 0;
}

static inline bool props_same_envelope(const struct envelope *a, const struct envelope *b)
{
	for (int i = 0; i < LA_COUNT; i++)
		if (a->a[i].p != b->a[i].p || a->a[i].n != b->a[i].n)
			return false;
	return true;
}

/*
 * The fast way through a line and the other one say the same of it, down to the place of a fault. A TAB behind the line changes nothing but
 * that it is not one for the fast way.
 */
static inline void props_ways(const char *p, size_t n)
{
	struct scan_found found;
	struct envelope fast, slow;
	struct line_err err = { 0, NULL }, serr = { 0, NULL };
	int f, s;
	char *q;

	if (!scan_fast(p, n, &fast, &found))
		return;
	HOLDS(scan_slow(p, n, &slow, &err, NULL, NULL) == 0 && props_same_envelope(&fast, &slow), p, n);
	q = malloc(n + 1);
	if (!q)
		return;
	memcpy(q, p, n);
	q[n] = '\t';
	HOLDS(!scan_fast(q, n + 1, &slow, &found), q, n + 1);
	f = types_check_line(p, n, LINE_MAX_BYTES, &fast, &err);
	s = envelope_check(q, n + 1, LINE_MAX_BYTES, &slow, &serr) != 0 || types_check(q, &slow, &serr) != 0 ? -1 : 0;
	HOLDS(f == s, p, n);
	HOLDS(f == 0 || (strcmp(err.why, serr.why) == 0 && err.at == serr.at - (serr.at == n + 1)), p, n);
	for (int i = 0; i < LA_COUNT && f == 0; i++)
		HOLDS(!fast.a[i].p == !slow.a[i].p && fast.a[i].n == slow.a[i].n && (!fast.a[i].p || fast.a[i].p - p == slow.a[i].p - q), p, n);
	free(q);
}

/* One line through everything: strict, lazy, the envelope; on refused lines lazy only has to stay inside the bytes. */
static inline void props_line(const char *p, size_t n)
{
	struct envelope strict, lazy, checked;
	struct line_err err = { 0, NULL }, eerr = { 0, NULL };
	int s = scan_strict(p, n, &strict, &err);
	int l = scan_lazy(p, n, &lazy);
	int c = envelope_check(p, n, LINE_MAX_BYTES, &checked, &eerr);

	if (s != 0)
		HOLDS(err.why && err.at <= n, p, n);
	if (s == 0) {
		HOLDS(l == 0 && props_same_envelope(&strict, &lazy), p, n);
		HOLDS(scan_each((struct span){ p, n }, props_string, NULL) == 0, p, n);
	}
	if (c == 0)
		HOLDS(s == 0 && props_same_envelope(&strict, &checked), p, n);
	else
		HOLDS(eerr.why && eerr.at <= n, p, n);
	for (int i = 0; i < LA_COUNT; i++)
		if (lazy.a[i].p)
			HOLDS(lazy.a[i].p > p && lazy.a[i].n > 0 && lazy.a[i].p + lazy.a[i].n <= p + n, p, n);
	props_ways(p, n);
}

#endif
