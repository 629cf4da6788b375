/* binary: the binary content mode: attributes in header fields, the body is the data. */
#include "gatewayd/binding_impl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "line/why.h"
#include "line/writer.h"

static bool is_json(struct span type)
{
	struct span m = binding_media(type);

	if (!m.p)
		return false;
	return http_span_is(m, "application/json") || http_span_is(m, "text/json") ||
		(m.n > 5 && strncasecmp(m.p + m.n - 5, "+json", 5) == 0);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int binding_decode(struct span v, struct buf *out, const char **why)
{
	bool quoted = v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"';
	const char *p = v.p + quoted, *end = v.p + v.n - quoted;

	*why = "not valid percent-encoding";
	while (p < end) {
		char c = *p++;

		if (c == '\\' && quoted) {
			if (p == end)
				return -1;
			c = *p++;
		}
		if (c == '%') {
			if (end - p < 2 || hex(p[0]) < 0 || hex(p[1]) < 0)
				return -1;
			c = (char)(hex(p[0]) << 4 | hex(p[1]));
			p += 2;
		}
		if (buf_addc(out, c)) {
			*why = "too long";
			return -1;
		}
	}
	return 0;
}

static int bad_header(struct problem *p, struct span name, const char *why)
{
	problem_set(p, 400, "bad-header", "Malformed header", "%.*s: %s", (int)(name.n < 60 ? name.n : 60), name.p, why);
	snprintf(p->header, sizeof(p->header), "%.*s", (int)(name.n < 60 ? name.n : 60), name.p);
	return -1;
}

static int header_attributes(struct walk *walk, struct writer *w, struct problem *p)
{
	const struct http_head *h = walk->h;
	struct buf value;
	int rc = -1;

	buf_init(&value, HTTP_HEAD_MAX);
	for (unsigned i = 0; i < h->nfields; i++) {
		struct span name = h->field[i].name;
		char attr[64];
		const char *why;

		if (name.n <= 3 || memcmp(name.p, "ce-", 3) != 0)
			continue;
		for (unsigned k = 0; k < i; k++)
			if (h->field[k].name.n == name.n && memcmp(h->field[k].name.p, name.p, name.n) == 0) {
				bad_header(p, name, "sent twice");
				goto out;
			}
		if (name.n - 3 >= sizeof(attr) || (name.n == 7 && memcmp(name.p + 3, "data", 4) == 0)) {
			bad_header(p, name, "no name of an attribute");
			goto out;
		}
		memcpy(attr, name.p + 3, name.n - 3);
		attr[name.n - 3] = '\0';
		buf_clear(&value);
		if (buf_reserve(&value, 1) || binding_decode(h->field[i].value, &value, &why)) {
			bad_header(p, name, why);
			goto out;
		}
		writer_attr_n(w, attr, value.p, value.len);
		if (w->why) {
			bad_header(p, name, w->why);
			goto out;
		}
		walk->end[i] = walk->line.len;
	}
	rc = 0;
out:
	buf_release(&value);
	return rc;
}

static int binary_data(struct writer *w, struct span type, const char *body, size_t n, struct problem *p)
{
	struct line_err err;
	struct buf text;

	if (n == 0)
		return 0;
	if (is_json(type)) {
		if (scan_value(body, n, &err)) {
			problem_set(p, 400, "bad-json", "Malformed JSON", "the body is not %.*s: %s", (int)binding_media(type).n, type.p, err.why);
			problem_at(p, body, n, err.at);
			return -1;
		}
		buf_init(&text, n + 1);
		if (binding_squeeze(body, n, &text) == 0)
			writer_raw(w, "data", text.p, text.len);
		buf_release(&text);
		return 0;
	}
	if (binding_starts(type, "text/")) {
		writer_str(w, "data", body, n);
		if (!w->why || strcmp(w->why, WHY_UTF8) != 0)
			return 0;	/* what else there is, writer_end says */
		problem_set(p, 400, "bad-text", "Malformed text", "the body is text that is not UTF-8");
		return -1;
	}
	buf_init(&text, BASE64_LEN(n));
	if (buf_reserve(&text, BASE64_LEN(n)) == 0)
		writer_str(w, "data_base64", text.p, base64(body, n, text.p));
	buf_release(&text);
	return 0;
}

/* writer_end refused the line: says which field it came from. */
static int binary_refused(const struct walk *w, const struct line_err *err, struct problem *p)
{
	if (strcmp(err->why, WHY_TOO_LONG) == 0) {
		problem_set(p, 413, "too-large", "Too large", "the event is over %zu bytes", w->b->max_line);
		return -1;
	}
	problem_set(p, 422, "bad-event", "Not a valid CloudEvent", "%s", err->why);
	for (unsigned i = 0; i < w->h->nfields; i++) {
		struct span name = w->h->field[i].name;

		if (w->end[i] > err->at) {
			snprintf(p->header, sizeof(p->header), "%.*s", (int)(name.n < 60 ? name.n : 60), name.p);
			snprintf(p->attribute, sizeof(p->attribute), "%s", p->header + 3);
			break;
		}
	}
	return -1;
}

int binding_binary(struct walk *w, const char *body, size_t n, struct problem *p)
{
	struct span type = http_field(w->h, "content-type");
	struct writer wr;
	struct line_err err;

	if (n > w->b->max_line) {
		problem_set(p, 413, "too-large", "Too large", "the event is over %zu bytes", w->b->max_line);
		return -1;
	}
	writer_begin(&wr, &w->line, w->b->max_line + 1);
	if (header_attributes(w, &wr, p))
		return -1;
	if (type.p) {
		writer_attr_n(&wr, "datacontenttype", type.p, type.n);
		if (wr.why)
			return bad_header(p, (struct span){"content-type", 12}, wr.why);
	}
	if (binary_data(&wr, type, body, n, p))
		return -1;
	if (writer_end(&wr, &err))
		return binary_refused(w, &err, p);
	w->line.len--;		/* the LF */
	if (binding_complete(w->b, w->h, &w->line))
		return binding_no_memory(p);
	if (binding_check(w->b, w->line.p, w->line.len, true, p)) {
		if (*p->attribute && strncmp(p->attribute, "data", 4) != 0)
			snprintf(p->header, sizeof(p->header), "ce-%.59s", p->attribute);
		return -1;
	}
	w->b->on_line(w->b->arg, 0, w->line.p, w->line.len);
	return 0;
}
