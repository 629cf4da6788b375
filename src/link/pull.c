#include "link/pull.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void fault(struct pull *j, const char *why)
{
	if (!j->why)
		j->why = why;
	j->p = j->end;
}

/* Of the value of a member. */
static void bad_value(struct pull *j, const char *why)
{
	if (!j->why)
		j->in_member = j->member[0];
	fault(j, why);
}

static void space(struct pull *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

/* The next byte that is no white space, 0 at the end (a NUL is never valid where this is asked). */
static char peek(struct pull *j)
{
	space(j);
	return j->p < j->end ? *j->p : 0;
}

static bool word(struct pull *j, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, text, n) != 0)
		return false;
	j->p += n;
	return true;
}

void pull_init(struct pull *j, const char *p, size_t n)
{
	*j = (struct pull){ .p = p, .end = p + n };
}

bool pull_open(struct pull *j, char bracket)
{
	if (j->why)
		return false;
	if (peek(j) != bracket) {
		fault(j, bracket == '{' ? "not a JSON object" : "not a JSON array");
		return false;
	}
	j->p++;
	j->first = true;
	return true;
}

/* Between two members or elements: true if there is another one. */
static bool another(struct pull *j, char closing)
{
	char c = peek(j);
	bool first = j->first;

	if (j->why)
		return false;
	j->first = false;
	if (c == closing) {
		j->p++;
		return false;
	}
	if (first)
		return true;
	if (c != ',') {
		fault(j, "a comma or a closing bracket is missing");
		return false;
	}
	j->p++;
	return true;
}

bool pull_element(struct pull *j)
{
	return another(j, ']');
}

static int32_t hex4(struct pull *j)
{
	int32_t v = 0;

	if (j->end - j->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *j->p++;
		int d = c >= '0' && c <= '9' ? c - '0' :
			c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* One escape, behind its backslash, as UTF-8; 0 on a fault. */
static size_t escape(struct pull *j, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = j->p < j->end ? *j->p++ : 0;
	const char *at = c ? strchr(from, c) : NULL;

	if (at) {
		out[0] = to[at - from];
		return 1;
	}
	int32_t v = c == 'u' ? hex4(j) : -1;
	if (v >= 0xd800 && v <= 0xdbff && word(j, "\\u")) {
		int32_t low = hex4(j);
		v = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00) : -1;
	}
	if (v < 0 || (v >= 0xd800 && v <= 0xdfff))
		return fault(j, "bad escape in a string"), 0;
	if (v == 0)
		return fault(j, "NUL in a string"), 0;
	return utf8_put(out, (uint32_t)v);
}

/* Reads a string; out may be NULL. Returns false if it did not fit (out then holds what did) or on a fault. */
static bool string(struct pull *j, char *out, size_t size)
{
	size_t len = 0;
	bool fits = true;

	if (out)
		out[0] = 0;
	if (peek(j) != '"') {
		fault(j, "not a string");
		return false;
	}
	j->p++;
	for (;;) {
		char esc[4];
		const char *c = j->p;
		size_t n;

		if (c >= j->end) {
			fault(j, "a string without its end");
			return false;
		}
		if (*c == '"') {
			j->p++;
			return fits;
		}
		if (*c == '\\') {
			j->p++;
			n = escape(j, esc);
			c = esc;
		} else if ((unsigned char)*c < 0x20) {
			fault(j, "control character in a string");
			return false;
		} else if ((n = utf8_len(c, j->end)) != 0) {
			j->p += n;
		} else {
			fault(j, "not UTF-8");
		}
		if (j->why)
			return false;
		if (!out || !fits)
			continue;
		if (len + n >= size) {
			fits = false;
			continue;
		}
		memcpy(out + len, c, n);
		len += n;
		out[len] = 0;
	}
}

void pull_string(struct pull *j, char *out, size_t size, bool cut)
{
	out[0] = 0;
	if (j->why)
		return;
	if (peek(j) != '"')
		bad_value(j, "not a string");
	else if (!string(j, out, size) && !cut)
		bad_value(j, "a string is too long");
}

bool pull_member(struct pull *j, char *name, size_t size)
{
	name[0] = 0;
	if (!another(j, '}'))
		return false;
	if (!string(j, name, size))
		name[0] = 0;
	if (peek(j) != ':')
		fault(j, "a colon is missing");
	if (j->why)
		return false;
	snprintf(j->member, sizeof j->member, "%s", name);
	j->p++;
	return true;
}

void pull_u64(struct pull *j, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	const char *from;

	*out = 0;
	if (j->why)
		return;
	space(j);
	for (from = j->p; j->p < j->end && *j->p >= '0' && *j->p <= '9'; j->p++) {
		if (v > (UINT64_MAX - 9) / 10) {
			bad_value(j, "a number is too large");
			return;
		}
		v = v * 10 + (uint64_t)(*j->p - '0');
	}
	if (j->p == from || (*from == '0' && j->p - from > 1) ||
	    (j->p < j->end && (*j->p == '.' || *j->p == 'e' || *j->p == 'E')))
		bad_value(j, "not a whole number");
	else if (v > max)
		bad_value(j, "a number is too large");
	else
		*out = v;
}

void pull_bool(struct pull *j, bool *out)
{
	*out = false;
	if (j->why)
		return;
	space(j);
	if (word(j, "true"))
		*out = true;
	else if (!word(j, "false"))
		bad_value(j, "not true or false");
}

static void number(struct pull *j)
{
	const char *from = j->p;

	if (j->p < j->end && *j->p == '-')
		j->p++;
	const char *digits = j->p;
	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	if (j->p == digits || (*digits == '0' && j->p - digits > 1)) {
		fault(j, "not a JSON value");
		return;
	}
	if (j->p < j->end && *j->p == '.') {
		from = ++j->p;
		while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
			j->p++;
		if (j->p == from)
			fault(j, "not a number");
	}
	if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
		j->p++;
		if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
			j->p++;
		from = j->p;
		while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
			j->p++;
		if (j->p == from)
			fault(j, "not a number");
	}
}

static void skip(struct pull *j, int depth)
{
	char name[1], c = peek(j);

	if (depth > PULL_DEPTH) {
		fault(j, "nested too deep");
	} else if (c == '"') {
		string(j, NULL, 0);
	} else if (c == '{') {
		if (pull_open(j, '{'))
			while (pull_member(j, name, sizeof name))
				skip(j, depth + 1);
	} else if (c == '[') {
		if (pull_open(j, '['))
			while (pull_element(j))
				skip(j, depth + 1);
	} else if (!word(j, "true") && !word(j, "false") && !word(j, "null")) {
		number(j);
	}
}

void pull_skip(struct pull *j)
{
	if (!j->why)
		skip(j, 1);
}

void pull_end(struct pull *j)
{
	space(j);
	if (!j->why && j->p < j->end)
		fault(j, "more behind the end");
}

const char *pull_why(const struct pull *j)
{
	static _Thread_local char text[80];

	if (!j->in_member)
		return j->why;
	snprintf(text, sizeof text, "%s: %s", j->member, j->why);
	return text;
}
