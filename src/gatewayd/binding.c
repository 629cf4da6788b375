#include "gatewayd/binding_impl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "line/envelope.h"
#include "line/id.h"
#include "line/types.h"
#include "line/why.h"
#include "line/writer.h"

bool binding_starts(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.p && s.n >= n && strncasecmp(s.p, text, n) == 0;
}

enum binding_mode binding_mode(struct span type)
{
	if (binding_starts(type, "application/cloudevents-batch"))
		return BINDING_BATCHED;
	return binding_starts(type, "application/cloudevents") ? BINDING_STRUCTURED : BINDING_BINARY;
}

/* The media type without its parameters. */
struct span binding_media(struct span type)
{
	size_t n = 0;

	while (type.p && n < type.n && type.p[n] != ';' && type.p[n] != ' ' && type.p[n] != '\t')
		n++;
	type.n = n;
	return type;
}

int binding_head(const struct http_head *h, struct problem *p)
{
	struct span type = http_field(h, "content-type"), coding = http_field(h, "content-encoding");
	enum binding_mode mode = binding_mode(type);
	static const char *const needed[] = {"ce-id", "ce-source", "ce-specversion", "ce-type"};

	if (coding.p && !http_span_is(coding, "identity")) {
		problem_set(p, 415, "unsupported-coding", "Content coding not understood",
			"send the body without Content-Encoding");
		strcpy(p->header, "content-encoding");
		return -1;
	}
	if (mode != BINDING_BINARY) {
		struct span m = binding_media(type);

		if (http_span_is(m, mode == BINDING_BATCHED ? "application/cloudevents-batch+json" : "application/cloudevents+json"))
			return 0;
		problem_set(p, 415, "unsupported-format", "Event format not understood",
			"the only event format understood is JSON: application/cloudevents+json or application/cloudevents-batch+json");
		strcpy(p->header, "content-type");
		return -1;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (http_field(h, needed[i]).p)
			continue;
		problem_set(p, 400, "no-event", "Not a CloudEvent",
			"Content-Type is not application/cloudevents+json, and the header %s is missing", needed[i]);
		strcpy(p->header, needed[i]);
		return -1;
	}
	if (http_field(h, "ce-datacontenttype").p) {
		problem_set(p, 400, "bad-header", "Malformed header",
			"ce-datacontenttype must not be sent: Content-Type says it");
		strcpy(p->header, "ce-datacontenttype");
		return -1;
	}
	return 0;
}

/* ---- lines ---- */

struct find { const char *at; struct span name; };

static int covers(void *arg, struct span name, struct span value)
{
	struct find *f = arg;

	if (f->at < name.p || f->at >= value.p + value.n)
		return 0;
	f->name = name;
	return 1;
}

/* Names the attribute that envelope_check stumbled over. */
static void set_attribute(struct problem *p, const char *line, size_t n, const struct envelope *e, size_t at)
{
	struct find f = {line + at, {NULL, 0}};

	if (at < n) {
		if (scan_each((struct span){line, n}, covers, &f) && f.name.n > 2 && f.name.n < sizeof(p->attribute) + 2)
			memcpy(p->attribute, f.name.p + 1, f.name.n - 2);
		return;
	}
	for (int a = LA_SPECVERSION; a <= LA_TYPE && !*p->attribute; a++)
		if (!e->a[a].p)
			snprintf(p->attribute, sizeof(p->attribute), "%s", scan_attr_name((enum line_attr)a));
}

/* Names the data field that types_check stumbled over: the first one missing, or the one that stands there. */
static void set_field(struct problem *p, const char *line, const struct envelope *e, size_t at)
{
	const struct type_row *row = types_find(e->a[LA_TYPE]);
	const char *f = row ? row->fields : "";

	while (*f) {
		size_t n = strcspn(f, " ");
		char name[48];
		struct span v;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(f, ":"), f);
		v = scan_path(e->a[LA_DATA], name);
		if (!v.p || (size_t)(v.p - line) == at) {
			snprintf(p->attribute, sizeof(p->attribute), "data.%s", name);
			return;
		}
		f += n + (f[n] == ' ');
	}
}

/* A traceparent field that may be continued: version 00, lower-case hex, no id of zeros (W3C trace context). */
static bool trace_ok(struct span t)
{
	bool trace = false, parent = false;

	if (!t.p || t.n != TRACEPARENT_LEN || memcmp(t.p, "00-", 3) != 0 || t.p[35] != '-' || t.p[52] != '-')
		return false;
	for (size_t i = 3; i < TRACEPARENT_LEN; i++) {
		char c = t.p[i];

		if (i == 35 || i == 52)
			continue;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		trace = trace || (i < 35 && c != '0');
		parent = parent || (i > 35 && i < 52 && c != '0');
	}
	return trace && parent;
}

/* Puts a member before the closing brace. Its text needs no escaping. */
static int add_member(struct buf *line, const char *name, const char *value)
{
	line->len--;
	return buf_printf(line, ",\"%s\":\"%s\"}", name, value);
}

/* Adds what the edge knows and the event does not say (a member that is null says so and stays). */
int binding_complete(const struct binding *b, const struct http_head *h, struct buf *line)
{
	struct span whole = {line->p, line->len};
	bool time = !scan_member(whole, "time").p, trace = !scan_member(whole, "traceparent").p;
	bool tenant = !scan_member(whole, "tenant").p && strcmp(b->tenant, "default") != 0 && strcmp(b->tenant, "*") != 0;
	struct span tp = http_field(h, "traceparent");
	char text[CLOCK_RFC3339_MAX + TRACEPARENT_LEN + 1];

	if (time) {
		clock_rfc3339(text, b->now);
		if (add_member(line, "time", text))
			return -1;
	}
	if (tenant && add_member(line, "tenant", b->tenant))
		return -1;
	if (!trace)
		return 0;
	if (trace_ok(tp))
		snprintf(text, sizeof(text), "%.*s", TRACEPARENT_LEN, tp.p);
	else
		id_trace_new(text, b->random(), b->random(), b->random());
	return add_member(line, "traceparent", text);
}

/* Checks an event and names the fault: 0, or -1 and *p. done: what the edge adds has been added. */
int binding_check(const struct binding *b, const char *line, size_t n, bool done, struct problem *p)
{
	struct envelope e;
	struct line_err err;
	char tenant[TENANT_MAX + 1];

	if (n > b->max_line) {
		problem_set(p, 413, "too-large", "Too large", "the event is over %zu bytes", b->max_line);
		return -1;
	}
	if (envelope_check(line, n, b->max_line, &e, &err)) {
		problem_set(p, 422, "bad-event", "Not a valid CloudEvent", "%s", err.why);
		set_attribute(p, line, n, &e, err.at);
		return -1;
	}
	if (types_check(line, &e, &err)) {
		problem_set(p, 422, "bad-data", "The data does not fit the type", "%s", err.why);
		set_field(p, line, &e, err.at);
		return -1;
	}
	envelope_tenant(&e, tenant);
	if ((done || e.a[LA_TENANT].p) && strcmp(b->tenant, "*") != 0 && strcmp(b->tenant, tenant) != 0) {
		problem_set(p, 422, "wrong-tenant", "Another tenant",
			"events taken here belong to the tenant \"%s\"", b->tenant);
		strcpy(p->attribute, "tenant");
		return -1;
	}
	return 0;
}

/* ---- structured and batched: JSON bodies ---- */

/* Copies checked JSON; when it is spread over lines, without any white space between tokens. */
int binding_squeeze(const char *p, size_t n, struct buf *out)
{
	bool string = false, lines = memchr(p, '\n', n) || memchr(p, '\r', n);
	size_t from = 0;

	if (!lines)
		return buf_add(out, p, n);
	for (size_t i = 0; i < n; i++) {
		if (string) {
			if (p[i] == '\\')
				i++;
			else
				string = p[i] != '"';
		} else if (p[i] == '"') {
			string = true;
		} else if (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r') {
			if (buf_add(out, p + from, i - from))
				return -1;
			from = i + 1;
		}
	}
	return buf_add(out, p + from, n - from);
}

int binding_no_memory(struct problem *p)
{
	problem_set(p, 503, "overloaded", "Overloaded", "no memory for this request");
	p->retry_after = 5;
	return -1;
}

/* One event of JSON text: 0 and w->line holds it, or -1 and *p. */
static int json_event(struct walk *w, struct span text, struct problem *p)
{
	buf_clear(&w->line);
	if (text.n == 0 || text.p[0] != '{') {
		problem_set(p, 422, "bad-event", "Not a valid CloudEvent", "an event is a JSON object");
		return -1;
	}
	if (text.n > w->b->max_line) {
		problem_set(p, 413, "too-large", "Too large", "the event is over %zu bytes", w->b->max_line);
		return -1;
	}
	if (buf_add(&w->line, text.p, text.n))
		return binding_no_memory(p);
	if (binding_check(w->b, w->line.p, w->line.len, false, p))
		return -1;
	if (binding_complete(w->b, w->h, &w->line))
		return binding_no_memory(p);
	return binding_check(w->b, w->line.p, w->line.len, true, p);
}

static int element(void *arg, struct span name, struct span value)
{
	struct walk *w = arg;
	struct problem p;
	int rc;

	(void)name;
	rc = json_event(w, value, &p) ? w->b->on_fault(w->b->arg, w->index, &p) :
		w->b->on_line(w->b->arg, w->index, w->line.p, w->line.len);
	w->index++;
	return rc;
}

static int count_one(void *arg, struct span name, struct span value)
{
	(void)name;
	(void)value;
	++*(size_t *)arg;
	return 0;
}

static int batch(struct walk *w, struct span text, struct problem *p)
{
	size_t n = 0;

	if (text.n == 0 || text.p[0] != '[') {
		problem_set(p, 400, "bad-batch", "Not a batch", "a batch is a JSON array of events");
		return -1;
	}
	scan_each(text, count_one, &n);
	if (n > w->b->max_events) {
		problem_set(p, 413, "too-large", "Too large", "%zu events in a batch; at most %zu are taken at once", n,
			w->b->max_events);
		return -1;
	}
	scan_each(text, element, w);
	return 0;
}

static int json_body(struct walk *w, enum binding_mode mode, const char *body, size_t n, struct problem *p)
{
	struct line_err err;
	struct buf text;
	int rc = -1;

	if (scan_value(body, n, &err)) {
		problem_set(p, 400, "bad-json", "Malformed JSON", "%s", n ? err.why : "the body is empty");
		problem_at(p, body, n, err.at);
		return -1;
	}
	while (n && strchr(" \t\r\n", *body)) {
		body++;
		n--;
	}
	while (n && strchr(" \t\r\n", body[n - 1]))
		n--;
	buf_init(&text, n + 1);
	if (binding_squeeze(body, n, &text)) {
		binding_no_memory(p);
	} else if (mode == BINDING_BATCHED) {
		rc = batch(w, (struct span){text.p, text.len}, p);
	} else if (json_event(w, (struct span){text.p, text.len}, p) == 0) {
		w->b->on_line(w->b->arg, 0, w->line.p, w->line.len);
		rc = 0;
	}
	buf_release(&text);
	return rc;
}

int binding_read(const struct binding *b, const struct http_head *h, const char *body, size_t n, struct problem *p)
{
	struct walk w = {.b = b, .h = h};
	enum binding_mode mode = binding_mode(http_field(h, "content-type"));
	int rc;

	if (binding_head(h, p))
		return -1;
	buf_init(&w.line, b->max_line + EXTRA_MAX);
	rc = mode == BINDING_BINARY ? binding_binary(&w, body, n, p) : json_body(&w, mode, body, n, p);
	buf_release(&w.line);
	return rc;
}
