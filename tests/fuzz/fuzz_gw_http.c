/* A request of any bytes: the head, a chunked body in pieces, and the events in it. What comes out is a line that may enter. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gatewayd/binding.h"
#include "gatewayd/http/http.h"
#include "line/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_line(void *arg, uint32_t index, const char *line, size_t n)
{
	struct envelope e;
	struct line_err err;

	(void)arg;
	(void)index;
	if (memchr(line, '\n', n) || envelope_check(line, n, 4096 + 512, &e, &err))
		abort();
	return 0;
}

static int on_fault(void *arg, uint32_t index, const struct problem *p)
{
	struct buf text;

	(void)arg;
	(void)index;
	buf_init(&text, 8192);
	if (p->status < 400 || p->status > 599 || problem_write(p, &text) || scan_value(text.p, text.len, &(struct line_err){0, NULL}))
		abort();
	buf_release(&text);
	return 0;
}

static uint64_t fixed(void)
{
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct binding b = {.tenant = "default", .max_line = 4096, .max_events = 10, .random = fixed, .on_line = on_line, .on_fault = on_fault};
	char *copy = malloc(size + 1);
	struct http_head h;
	struct http_fault f = {0};
	struct problem p;
	struct buf body;
	int n;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	n = http_head_parse(copy, size, &h, &f);
	if (n < 0 && (!f.why || f.status < 400))
		abort();
	if (n > 0) {
		struct http_chunks whole = {0}, pieces = {0};
		size_t rest = size - (size_t)n, at = 0;
		const char *text = copy + n;
		struct buf other;
		bool done, done2 = false;
		int64_t used, used2 = 0;

		buf_init(&body, 1 << 16);
		buf_init(&other, 1 << 16);
		used = http_chunks_feed(&whole, text, rest, &body, &done, &f);
		while (at < rest && !done2 && used2 >= 0) {
			used2 = http_chunks_feed(&pieces, text + at, 1, &other, &done2, &f);
			at += 1;
		}
		if ((used < 0) != (used2 < 0) || done != done2 || (done && (size_t)used != at) || body.len != other.len ||
		    (body.len && memcmp(body.p, other.p, body.len)))
			abort();
		buf_release(&other);
		if (binding_read(&b, &h, text, rest, &p))
			on_fault(NULL, 0, &p);
		if (done && binding_read(&b, &h, body.p ? body.p : "", body.len, &p))
			on_fault(NULL, 0, &p);
		buf_release(&body);
	}
	free(copy);
	return 0;
}
