/*
 * probe: the pure parts of penstock for shell tests.
 *
 *   probe line [MAX]    reads lines from stdin, prints for each `ok` or `refused OFFSET reason`
 *   probe rows FILE     prints each row of FILE (tests/lib/rows.h) as the line it stands for
 *   probe props         checks what must hold for each line of stdin, and for each with a byte changed (tests/lib/props.h)
 *   probe types         prints each event type and its fields, tab between
 *   probe limits        prints each limit of a line: name, tab, number
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/props.h"
#include "../lib/rows.h"
#include "line/envelope.h"
#include "line/reader.h"
#include "line/types.h"

static void show(enum reader_result what, struct span line, struct line_err *err, size_t max)
{
	struct envelope e;

	if (what == READER_LINE && envelope_check(line.p, line.n, max, &e, err) == 0 && types_check(line.p, &e, err) == 0)
		puts("ok");
	else
		printf("refused %zu %s\n", err->at, err->why);
}

/* Calls fn for everything the reader gives. */
static int each_line(size_t max, void (*fn)(enum reader_result what, struct span line, struct line_err *err, size_t max))
{
	struct reader r;
	struct span line;
	struct line_err err;
	enum reader_result what;
	ssize_t got;
	size_t n;
	char *p;

	reader_init(&r, max);
	while ((p = reader_space(&r, &n)) && (got = read(0, p, n)) > 0) {
		reader_filled(&r, (size_t)got);
		while ((what = reader_next(&r, &line, &err)) != READER_MORE)
			fn(what, line, &err, max);
	}
	if ((what = reader_end(&r, &line, &err)) != READER_MORE)
		fn(what, line, &err, max);
	reader_release(&r);
	return 0;
}

static void write_row(const char *file, const struct row *row)
{
	(void)file;
	if (row->text.len)
		fwrite(row->text.p, 1, row->text.len, stdout);
	putchar('\n');
}

static unsigned long checked;

static void check_props(enum reader_result what, struct span line, struct line_err *err, size_t max)
{
	static const char with[] = "\"\\{}[],:\0\x80\xff" "0u";
	static char copy[LINE_MAX_BYTES];

	(void)what;
	(void)err;
	(void)max;
	memcpy(copy, line.p, line.n);
	props_line(copy, line.n);
	for (size_t at = checked % 7; at < line.n; at += 7) {
		copy[at] = with[(at + checked) % (sizeof with - 1)];
		props_line(copy, line.n);
		copy[at] = line.p[at];
	}
	checked++;
}

static int probe_types(void)
{
	size_t n;
	const struct type_row *rows = types_rows(&n);

	for (size_t i = 0; i < n; i++)
		printf("%s\t%s\n", rows[i].name, rows[i].fields);
	return 0;
}

static int probe_limits(void)
{
	printf("bytes\t%u\ndepth\t%d\nnames\t%u\n", LINE_MAX_BYTES, LINE_MAX_DEPTH, LINE_MAX_NAMES);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "line") == 0)
		return each_line(argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : LINE_MAX_BYTES, show);
	if (argc == 3 && strcmp(argv[1], "rows") == 0)
		return rows_each(argv[2], write_row) == 0;
	if (argc == 2 && strcmp(argv[1], "props") == 0) {
		each_line(LINE_MAX_BYTES, check_props);
		printf("%lu lines hold\n", checked);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "types") == 0)
		return probe_types();
	if (argc == 2 && strcmp(argv[1], "limits") == 0)
		return probe_limits();
	fprintf(stderr, "usage: probe line [MAX] | rows FILE | props | types | limits\n");
	return 2;
}
