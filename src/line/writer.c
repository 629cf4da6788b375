#include "line/writer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "line/envelope.h"
#include "line/why.h"

#define NOTHING (struct span){ "", 0 }

static void refuse(struct writer *w, const char *why)
{
	if (w->why)
		return;
	w->why = why;
	w->why_at = w->out->len - w->start;
}

/* Where n bytes may be written, which are then counted by wrote; NULL: refused. */
static inline char *room(struct writer *w, size_t n)
{
	struct buf *b = w->out;

	if (w->why)
		return NULL;
	if (n > w->max || b->len - w->start > w->max - n) {
		refuse(w, WHY_TOO_LONG);
		return NULL;
	}
	if (n > b->cap - b->len && buf_reserve(b, n) != 0) {
		refuse(w, errno == EMSGSIZE ? WHY_TOO_LONG : WHY_MEMORY);
		return NULL;
	}
	return b->p + b->len;
}

/* Appends bytes that were checked. */
static inline void put(struct writer *w, const char *p, size_t n)
{
	char *to = n ? room(w, n) : NULL;

	if (!to)
		return;
	memcpy(to, p, n);
	w->out->len += n;
}

/* Is each byte ASCII, and stands for itself in a string? */
static bool plain(const char *p, size_t n)
{
	static const bool is[256] = { [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true };

	for (size_t i = 0; i < n; i++)
		if (!is[(unsigned char)p[i]])
			return false;
	return true;
}

static void put_string(struct writer *w, const char *p, size_t n)
{
	char *to;

	if (plain(p, n) && (to = room(w, n + 2))) {
		*to++ = '"';
		memcpy(to, p, n);
		to[n] = '"';
		w->out->len += n + 2;
		return;
	}
	if (w->why)
		return;
	if (utf8_bad(p, p + n))
		refuse(w, WHY_UTF8);
	else if (n > w->max || w->out->len - w->start > w->max - n)
		refuse(w, WHY_TOO_LONG);	/* before escapes make it longer still */
	else if (buf_add_json(w->out, p, n) != 0)
		refuse(w, errno == EMSGSIZE ? WHY_TOO_LONG : WHY_MEMORY);
	else if (w->out->len - w->start > w->max)
		refuse(w, WHY_TOO_LONG);
}

/* Its length; 0: it is no name of an attribute. */
static size_t attr_name(const char *name)
{
	const char *p = name;
	size_t n;

	while ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9'))
		p++;
	n = (size_t)(p - name);
	return *p || (n == 4 && memcmp(name, "data", 4) == 0) ? 0 : n;
}

/* Is a comma due? */
static bool comma(struct writer *w)
{
	uint64_t bit = (uint64_t)1 << w->depth;
	bool due = !(w->first_mask & bit);

	w->first_mask &= ~bit;
	return due;
}

/* A comma if one is due, the name of a member of an object (plain bytes), and what is there of its value. */
static void begin_plain(struct writer *w, const char *name, size_t n, struct span value)
{
	bool due = comma(w);
	char *to = room(w, n + 3 + due + value.n);

	if (!to)
		return;
	if (due)
		*to++ = ',';
	*to++ = '"';
	memcpy(to, name, n);
	to += n;
	*to++ = '"';
	*to++ = ':';
	memcpy(to, value.p, value.n);
	w->out->len = (size_t)(to - w->out->p) + value.n;
}

/* The same for any name; of an element of an array none. */
static void begin(struct writer *w, const char *name, struct span value)
{
	bool array = w->array_mask >> w->depth & 1;
	size_t n = array ? 0 : strlen(name);

	if (!array && plain(name, n)) {
		begin_plain(w, name, n, value);
		return;
	}
	if (comma(w))
		put(w, ",", 1);
	if (!array) {
		put_string(w, name, n);
		put(w, ":", 1);
	}
	put(w, value.p, value.n);
}

/* value: what was checked of it; the rest is put behind. */
static void begin_attr(struct writer *w, const char *name, struct span value)
{
	size_t n = attr_name(name);

	if (w->depth != 0)
		refuse(w, WHY_WRITER_PLACE);
	else if (!n)
		refuse(w, WHY_ATTR_NAME);
	else
		begin_plain(w, name, n, value);
	w->members++;
}

/* A member of an object or an element of an array; in the event itself only the payload. */
static void begin_value(struct writer *w, const char *name, struct span value)
{
	bool array = w->array_mask >> w->depth & 1;

	if (w->depth > 0) {
		if (array != !name)
			refuse(w, WHY_WRITER_PLACE);
		else
			begin(w, name, value);
		return;
	}
	if (!name || (strcmp(name, "data") != 0 && strcmp(name, "data_base64") != 0)) {
		refuse(w, WHY_WRITER_PLACE);
		return;
	}
	if (w->have_data)
		refuse(w, WHY_DATA_TWICE);
	w->have_data = 1;
	w->members++;
	begin(w, name, value);
}

void writer_begin(struct writer *w, struct buf *out, size_t max)
{
	memset(w, 0, sizeof *w);
	w->out = out;
	w->start = out->len;
	w->max = max;
	w->first_mask = 1;
	put(w, "{", 1);
}

void writer_attr_n(struct writer *w, const char *name, const char *p, size_t n)
{
	if (!p)
		return;
	begin_attr(w, name, NOTHING);
	put_string(w, p, n);
}

void writer_attr(struct writer *w, const char *name, const char *value)
{
	if (value)
		writer_attr_n(w, name, value, strlen(value));
}

void writer_attr_raw(struct writer *w, const char *name, struct span raw)
{
	if (!raw.p)
		return;
	begin_attr(w, name, raw);
}

/* JSON text of a stranger may be spread over lines: LF and CR between tokens are left out, in a string there are none. */
static void put_json(struct writer *w, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *q = p;

		while (q < end && *q != '\n' && *q != '\r')
			q++;
		put(w, p, (size_t)(q - p));
		p = q < end ? q + 1 : q;
	}
}

void writer_raw(struct writer *w, const char *name, const char *json, size_t n)
{
	struct line_err err;

	if (!json || w->why)
		return;
	if (scan_value(json, n, &err) != 0) {
		refuse(w, err.why);
		return;
	}
	if (w->depth == 0 && name && attr_name(name))
		begin_attr(w, name, NOTHING);
	else
		begin_value(w, name, NOTHING);
	put_json(w, json, n);
}

static void open_level(struct writer *w, const char *name, bool array)
{
	uint64_t bit;

	begin_value(w, name, NOTHING);
	if (w->depth == WRITER_DEPTH)
		refuse(w, WHY_WRITER_DEPTH);
	if (w->why)
		return;
	bit = (uint64_t)1 << ++w->depth;
	w->first_mask |= bit;
	w->array_mask = array ? w->array_mask | bit : w->array_mask & ~bit;
	put(w, array ? "[" : "{", 1);
}

void writer_open(struct writer *w, const char *name)
{
	open_level(w, name, false);
}

void writer_open_array(struct writer *w, const char *name)
{
	open_level(w, name, true);
}

void writer_close(struct writer *w)
{
	if (w->why)
		return;
	if (w->depth == 0) {
		refuse(w, WHY_WRITER_PLACE);
		return;
	}
	put(w, w->array_mask >> w->depth & 1 ? "]" : "}", 1);
	w->depth--;
}

void writer_str(struct writer *w, const char *name, const char *p, size_t n)
{
	if (!p)
		return;
	begin_value(w, name, NOTHING);
	put_string(w, p, n);
}

static void put_text(struct writer *w, const char *name, const char *text)
{
	begin_value(w, name, (struct span){ text, strlen(text) });
}

void writer_int(struct writer *w, const char *name, int64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)v);
	put_text(w, name, text);
}

void writer_real(struct writer *w, const char *name, double v, int decimals)
{
	char text[512];

	if (!isfinite(v)) {
		refuse(w, WHY_NUMBER);		/* JSON has no word for it */
		return;
	}
	snprintf(text, sizeof text, "%.*f", decimals < 0 ? 0 : decimals > 17 ? 17 : decimals, v);
	put_text(w, name, text);
}

void writer_bool(struct writer *w, const char *name, int v)
{
	put_text(w, name, v ? "true" : "false");
}

void writer_value(struct writer *w, const char *name, struct span raw)
{
	if (!raw.p)
		return;
	begin_value(w, name, raw);
}

int writer_end(struct writer *w, struct line_err *err)
{
	struct envelope e;

	if (w->depth != 0)
		refuse(w, WHY_WRITER_PLACE);
	put(w, "}", 1);
	err->at = w->why_at;
	err->why = w->why;
	if (!w->why && envelope_check(w->out->p + w->start, w->out->len - w->start, w->max, &e, err) != 0)
		w->why = err->why;
	if (!w->why && buf_addc(w->out, '\n') != 0) {
		refuse(w, errno == EMSGSIZE ? WHY_TOO_LONG : WHY_MEMORY);
		err->at = w->why_at;
		err->why = w->why;
	}
	if (w->why) {
		w->out->len = w->start;
		return -1;
	}
	return 0;
}
