/* reader: whole lines however the bytes come, the cap, numbers and offsets. */
#include "check.h"

#include <string.h>

#include "line/reader.h"

/* What a reader said, as text: "1@0 abc" a line, "2@4!3 why" a refusal at its byte 3. */
static void note(struct buf *out, const struct reader *r, enum reader_result what, struct span line, const struct line_err *err)
{
	buf_printf(out, "%llu@%llu", (unsigned long long)r->number, (unsigned long long)r->offset);
	if (what == READER_BAD)
		buf_printf(out, "!%zu", err->at);
	buf_addc(out, ' ');
	buf_add(out, line.p, line.n);
	buf_addc(out, '|');
}

static const char *run(const char *in, size_t n, size_t max, size_t piece)
{
	static struct buf out;
	struct reader r;
	struct span line;
	struct line_err err;
	enum reader_result what;

	buf_release(&out);
	buf_init(&out, 1u << 22);
	reader_init(&r, max);
	for (size_t at = 0; at < n;) {
		size_t room, len = piece;
		char *to = reader_space(&r, &room);

		if (!to)
			return "no space";
		if (len > n - at)
			len = n - at;
		memcpy(to, in + at, len);
		reader_filled(&r, len);
		at += len;
		while ((what = reader_next(&r, &line, &err)) != READER_MORE)
			note(&out, &r, what, line, &err);
	}
	if ((what = reader_end(&r, &line, &err)) != READER_MORE)
		note(&out, &r, what, line, &err);
	if (reader_end(&r, &line, &err) != READER_MORE)
		return "an end behind the end";
	reader_release(&r);
	return buf_cstr(&out);
}

static void lines(void)
{
	static const struct { const char *in; size_t max; const char *want; } rows[] = {
		{ "", 9, "" },
		{ "\n", 9, "1@0 |" },
		{ "\n\n", 9, "1@0 |2@1 |" },
		{ "abc\n", 9, "1@0 abc|" },
		{ "abc\ndef\n", 9, "1@0 abc|2@4 def|" },
		{ "abc\r\n", 9, "1@0 abc\r|" },
		{ "abc", 9, "1@0!3 abc|" },
		{ "abc\nde", 9, "1@0 abc|2@4!2 de|" },
		{ "abc\n", 3, "1@0 abc|" },
		{ "abcd\nx\n", 3, "1@0!3 abc|2@5 x|" },
		{ "abcdefgh\nx\n", 3, "1@0!3 abc|2@9 x|" },
		{ "x\nabcdefgh", 3, "1@0 x|2@2!3 abc|" },
		{ "abc", 3, "1@0!3 abc|" },
		{ "\n", 0, "1@0 |" },
		{ "a\nb\n", 0, "1@0!0 |2@2!0 |" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t piece = 1; piece < 12; piece++) {
			const char *got = run(rows[i].in, strlen(rows[i].in), rows[i].max, piece);

			CHECK(strcmp(got, rows[i].want) == 0, "row %zu in pieces of %zu: %s", i, piece, got);
		}
}

static void nul(void)
{
	CHECK(strlen(run("a\0b\n", 4, 9, 2)) == 5, "NUL bytes are passed on");
}

/* Memory stays at the cap and a little, whatever comes. */
static void big(void)
{
	struct reader r;
	struct span line = { NULL, 0 };
	struct line_err err;
	size_t room, cap = 0, given = 0;
	unsigned bad = 0, good = 0;

	reader_init(&r, 1u << 20);
	for (int i = 0; i < 1000; i++) {
		char *to = reader_space(&r, &room);
		enum reader_result what;

		if (!to)
			break;
		memset(to, 'x', room);
		if (i % 100 == 99)
			to[room / 2] = '\n';
		given += room;
		reader_filled(&r, room);
		while ((what = reader_next(&r, &line, &err)) != READER_MORE)
			*(what == READER_BAD ? &bad : &good) += 1;
		if (r.buf.cap > cap)
			cap = r.buf.cap;
	}
	CHECK(bad == 10 && good == 0 && r.number == 10, "%zu bytes in 10 endless lines are refused 10 times", given);
	CHECK(cap <= (1u << 20) + (1u << 18), "memory stays at %zu", cap);
	reader_release(&r);
}

static void exact(void)
{
	static char in[(1u << 20) + 2];
	size_t max = 1u << 20;
	const char *got;

	memset(in, 'y', sizeof in);
	in[max] = '\n';
	got = run(in, max + 1, max, 65536);
	CHECK(strncmp(got, "1@0 yyy", 7) == 0, "a line of exactly the cap");
	in[max] = 'y';
	in[max + 1] = '\n';
	got = run(in, max + 2, max, 65536);
	CHECK(strncmp(got, "1@0!1048576 ", 12) == 0, "a line of one byte more");
}

/* A caller that reads on without taking the lines out gets room up to the ceiling, and then none. */
static void stubborn(void)
{
	struct reader r;
	size_t room, total = 0;
	char *to;

	reader_init(&r, 1000);
	while ((to = reader_space(&r, &room))) {
		memset(to, '\n', room);
		reader_filled(&r, room);
		total += room;
	}
	CHECK(total >= 65536 && total <= 1000 + 4 * 65536, "space ends at %zu bytes", total);
	reader_release(&r);
}

int main(void)
{
	lines();
	nul();
	big();
	exact();
	stubborn();
	return check_done();
}
