/* fuzz_letter: any bytes as a dead letter: what is read lies inside, its head says the same, and is written again as the same. */
#include <stdlib.h>
#include <string.h>

#include "line/scan.h"
#include "route/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *text(struct span raw, struct buf *b)
{
	buf_clear(b);
	/* A NUL in a text ends it: route hands errors on as C strings. */
	if (!raw.p || scan_string(raw, b) < 0 || memchr(b->p ? b->p : "", 0, b->len))
		return NULL;
	return buf_cstr(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct buf error, at, line, out;
	struct letter l, again;
	uint64_t seq = 0;
	bool alive = false, has_head = letter_head(p, size, &alive, &seq) == 0;

	if (letter_parse(p, size, &l) < 0 || l.attempts > UINT32_MAX)
		return 0;
	if (l.line.p < p || l.line.p + l.line.n > p + size || (has_head && alive != l.alive))
		abort();
	buf_init(&error, size + 1);
	buf_init(&at, size + 1);
	buf_init(&line, size + 1);
	buf_init(&out, 8 * size + 1024);
	struct letter_text t = { .dest = l.dest, .seq = l.seq, .attempts = (unsigned)l.attempts, .error = text(l.error, &error), .at = "t",
		.edited = l.edited };
	if (t.error && text(l.line, &line)) {
		t.line = line.p;
		t.n = line.len;
		if (letter_write(&out, &t) < 0 || letter_parse(out.p, out.len - 1, &again) < 0 || !again.alive || again.seq != l.seq ||
		    letter_head(out.p, out.len, &alive, &seq) < 0 || !alive || seq != l.seq || again.edited != l.edited)
			abort();
	}
	buf_release(&error);
	buf_release(&at);
	buf_release(&line);
	buf_release(&out);
	return 0;
}
