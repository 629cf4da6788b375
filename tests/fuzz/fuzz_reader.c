/*
 * fuzz_reader: however the bytes are cut into reads, the same lines come out, at the same offsets.
 * Input: one byte for the cap, then the bytes; a second reader gets them in pieces whose sizes the bytes decide.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/props.h"
#include "line/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen { uint64_t lines, bad, sum; };

static void note(struct seen *s, const struct reader *r, enum reader_result what, struct span line, size_t max,
	const char *p, size_t n)
{
	if (what == READER_LINE) {
		s->lines++;
		HOLDS(line.n <= max, p, n);
		HOLDS(r->offset + line.n < n && p[r->offset + line.n] == '\n', p, n);
		HOLDS(line.n == 0 || memcmp(p + r->offset, line.p, line.n) == 0, p, n);
		HOLDS(r->offset == 0 || p[r->offset - 1] == '\n', p, n);
	} else {
		s->bad++;
	}
	HOLDS(r->number == s->lines + s->bad, p, n);
	s->sum = s->sum * 31 + r->offset + (unsigned)what;
}

static struct seen run(const char *p, size_t n, size_t max, size_t piece)
{
	struct seen s = { 0, 0, 0 };
	struct reader r;
	struct span line;
	struct line_err err;
	enum reader_result what;
	size_t at = 0;

	reader_init(&r, max);
	while (at < n) {
		size_t room, want = piece ? 1 + ((unsigned char)p[at] + at) % piece : n;
		char *to = reader_space(&r, &room);

		HOLDS(to && room > 0, p, n);
		if (want > n - at)
			want = n - at;
		if (want > room)
			want = room;
		memcpy(to, p + at, want);
		at += want;
		reader_filled(&r, want);
		while ((what = reader_next(&r, &line, &err)) != READER_MORE)
			note(&s, &r, what, line, max, p, n);
	}
	if (reader_end(&r, &line, &err) != READER_MORE)
		note(&s, &r, READER_BAD, line, max, p, n);
	HOLDS(r.buf.cap <= max + 4 * 65536, p, n);
	reader_release(&r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen a, b;
	size_t max;

	if (size < 1)
		return 0;
	max = data[0] % 64;
	a = run((const char *)data + 1, size - 1, max, 0);
	b = run((const char *)data + 1, size - 1, max, 7);
	HOLDS(memcmp(&a, &b, sizeof a) == 0, (const char *)data, size);
	return 0;
}
