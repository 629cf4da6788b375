/*
 * probe: the pure parts of penstock for shell tests.
 *
 *   probe line [MAX]    reads lines from stdin, prints for each `ok` or `refused OFFSET reason`
 *   probe types         prints each event type and its fields, tab between
 *   probe limits        prints each limit of a line: name, tab, number
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int probe_line(size_t max)
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
			show(what, line, &err, max);
	}
	if ((what = reader_end(&r, &line, &err)) != READER_MORE)
		show(what, line, &err, max);
	reader_release(&r);
	return 0;
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
		return probe_line(argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : LINE_MAX_BYTES);
	if (argc == 2 && strcmp(argv[1], "types") == 0)
		return probe_types();
	if (argc == 2 && strcmp(argv[1], "limits") == 0)
		return probe_limits();
	fprintf(stderr, "usage: probe line [MAX] | types | limits\n");
	return 2;
}
