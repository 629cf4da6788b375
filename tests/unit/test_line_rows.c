/*
 * test_line_rows: every row of tests/line/data gets the answer it states.
 */
#include "../lib/props.h"
#include "../lib/rows.h"

static unsigned bad;

static void complain(const char *file, const struct row *row, const char *what, int got, const struct line_err *err)
{
	fprintf(stderr, "%s:%u: %s: wanted %s %s %ld, got %s %zu %s\n", file, row->number, what,
		row->ok ? "ok" : "refused", row->reason, row->offset, got == 0 ? "ok" : "refused",
		got == 0 ? 0 : err->at, got == 0 ? "" : err->why);
	bad++;
}

/* A copy of exactly this size, so that ASan sees a read behind it. */
static char *copy_of(const struct buf *b)
{
	char *p = malloc(b->len ? b->len : 1);

	if (!p)
		exit(1);
	if (b->len)
		memcpy(p, b->p, b->len);
	return p;
}

static void expect(const char *file, const struct row *row, const char *what, int got, const struct line_err *err)
{
	if ((got == 0) != row->ok ||
	    (got != 0 && (!strstr(err->why, row->reason) || (row->offset >= 0 && err->at != (size_t)row->offset))))
		complain(file, row, what, got, err);
}

static void json_row(const char *file, const struct row *row)
{
	char *p = copy_of(&row->text);
	struct line_err err = { 0, "" };
	struct envelope e;
	struct buf line;
	int got;

	expect(file, row, "alone", scan_value(p, row->text.len, &err), &err);
	props_against_jansson(p, row->text.len);
	props_line(p, row->text.len);
	free(p);

	buf_init(&line, 1u << 24);
	buf_adds(&line, "{" ROWS_EVENT ",\"data\":");
	buf_add(&line, row->text.p, row->text.len);
	buf_addc(&line, '}');
	p = copy_of(&line);
	got = envelope_check(p, line.len, line.len, &e, &err);
	/* As data it is one level deeper, and LF is no white space there. */
	if (!row->ok || (row->text.len != 256 && !memchr(p, '\n', line.len))) {
		if ((got == 0) != row->ok)
			complain(file, row, "as data", got, &err);
	}
	props_line(p, line.len);
	free(p);
	buf_release(&line);
}

static void event_row(const char *file, const struct row *row)
{
	char *p = copy_of(&row->text);
	struct line_err err = { 0, "" };
	struct envelope e;

	expect(file, row, "event", envelope_check(p, row->text.len, LINE_MAX_BYTES, &e, &err), &err);
	props_line(p, row->text.len);
	free(p);
}

/* No beginning of a good line is a good line, and no byte of it can be changed into trouble. */
static void cut_row(const char *file, const struct row *row)
{
	static const char with[] = "\"\\{}[],:\0\n\x80\xffu0-.eE ";
	size_t whole = row->text.len;
	struct line_err err;
	struct envelope e;

	if (!row->ok || whole > 2000)
		return;
	while (row->text.p[whole - 1] != '}')
		whole--;
	for (size_t n = 1; n <= whole; n++) {
		char *p = malloc(n);

		if (!p)
			exit(1);
		memcpy(p, row->text.p, n);
		if (n < whole && envelope_check(p, n, LINE_MAX_BYTES, &e, &err) == 0) {
			fprintf(stderr, "%s:%u: its first %zu bytes are accepted\n", file, row->number, n);
			bad++;
		}
		for (size_t k = 0; k < sizeof with - 1; k++) {
			p[n - 1] = with[k];
			props_line(p, n);
		}
		memcpy(p, row->text.p, n);
		p[n / 2] = with[n % (sizeof with - 1)];
		props_line(p, n);
		free(p);
	}
}

int main(void)
{
	unsigned rows = rows_each("tests/line/data/json.tsv", json_row);

	rows += rows_each("tests/line/data/event.tsv", event_row);
	rows_each("tests/line/data/event.tsv", cut_row);
	printf("%s 1 - %u rows get the answer they state\n1..1\n", bad ? "not ok" : "ok", rows);
	return bad ? 1 : 0;
}
