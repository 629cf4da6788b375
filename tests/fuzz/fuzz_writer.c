/*
 * fuzz_writer: whatever is asked of the writer, what it finishes passes envelope_check, and what it refuses
 * leaves no trace. The input is a list of orders: an op byte, a length byte for the name, a length byte for the value, and the bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/props.h"
#include "line/id.h"
#include "line/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct orders { const uint8_t *p, *end; };

static size_t take(struct orders *o, char *out, size_t want)
{
	size_t n = (size_t)(o->end - o->p);

	if (n > want)
		n = want;
	memcpy(out, o->p, n);
	out[n] = '\0';
	o->p += n;
	return n;
}

static void order(struct orders *o, struct writer *w)
{
	char name[256], text[256];
	unsigned op = *o->p++;
	size_t n = 0;
	struct line_err err;

	take(o, name, o->p < o->end ? *o->p++ % 12u : 0);
	n = take(o, text, o->p < o->end ? *o->p++ % 64u : 0);
	switch (op % 12) {
	case 0: writer_attr_n(w, name, text, n); break;
	case 1: writer_raw(w, name, text, n); break;
	case 2: writer_open(w, name); break;
	case 3: writer_open_array(w, op & 0x80 ? NULL : name); break;
	case 4: writer_close(w); break;
	case 5: writer_str(w, op & 0x80 ? NULL : name, text, n); break;
	case 6: writer_int(w, op & 0x80 ? NULL : name, (int64_t)(n * 0x123456789abcdefu)); break;
	case 7: writer_real(w, name, n / 7.0, (int)(op / 12)); break;
	case 8: writer_bool(w, op & 0x80 ? NULL : name, (int)n & 1); break;
	case 9: writer_open(w, "data"); break;
	case 10: writer_attr(w, "id", text); break;
	case 11:
		if (scan_value(text, n, &err) == 0)
			writer_value(w, name, (struct span){ text, n });
		break;
	}
}

/* What a stage does with a line that entered: an answer with an id and a trace of its own. */
static void derive(const char *line, size_t n)
{
	struct envelope e;
	struct line_err err;
	struct buf out;
	struct writer w;

	HOLDS(scan_lazy(line, n, &e) == 0, line, n);
	buf_init(&out, 4096);
	writer_begin(&w, &out, 4000);
	writer_attr(&w, "specversion", "1.0");
	id_derive(&w, &e, "stage", n % 3);
	writer_attr(&w, "type", "t");
	id_inherit(&w, &e, "stage", n % 3);
	writer_open(&w, "data");
	writer_value(&w, "was", e.a[LA_DATA]);
	writer_close(&w);
	if (writer_end(&w, &err) != 0)
		HOLDS(out.len == 0 && strstr(err.why, "longer"), line, n);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct orders o = { data, data + size };
	struct buf out;
	struct writer w;
	struct envelope e;
	struct line_err err, again;
	size_t max = size ? 40 + *o.p++ * 16u : 0;

	buf_init(&out, 8192);
	buf_adds(&out, "before\n");
	writer_begin(&w, &out, max);
	if (size && !(data[0] & 1)) {
		writer_attr(&w, "specversion", "1.0");
		writer_attr(&w, "id", "i");
		writer_attr(&w, "source", "s");
		writer_attr(&w, "type", "t");
	}
	while (o.p < o.end)
		order(&o, &w);
	if (writer_end(&w, &err) == 0) {
		const char *line = out.p + 7;
		size_t n = out.len - 8;

		HOLDS(out.p[out.len - 1] == '\n' && !memchr(line, '\n', n) && n <= max, line, n);
		HOLDS(envelope_check(line, n, max, &e, &again) == 0, line, n);
		derive(line, n);
	} else {
		HOLDS(err.why && out.len == 7 && memcmp(out.p, "before\n", 7) == 0, (const char *)data, size);
	}
	buf_release(&out);
	return 0;
}
