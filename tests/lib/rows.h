/*
 * rows: the test rows of tests/line/data, for unit tests and probe.
 *
 * A row is four fields with tabs between: ok|refused, a part of the reason or -, the offset or -, the text. In the text
 *   ~HH          is the byte with that hex number (~7E for ~ itself)
 *   ~*N(text~)   is text N times
 *   ~!           is the four required attributes: "specversion":"1.0","id":"1","source":"/s","type":"t"
 * Lines that are empty or begin with # are skipped.
 */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define ROWS_EVENT "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\""

struct row { bool ok; const char *reason; long offset; struct buf text; unsigned number; };

static _Noreturn void rows_bad(const char *file, unsigned number)
{
	fprintf(stderr, "%s:%u: not a row\n", file, number);
	exit(1);
}

/* Expands until the end or "~)"; returns where it stopped. */
static const char *rows_expand(const char *p, struct buf *out)
{
	while (*p) {
		char hex[3] = { 0 };
		size_t from;
		long n;
		char *end;

		if (*p != '~') {
			buf_addc(out, *p++);
			continue;
		}
		switch (p[1]) {
		case ')':
			return p;
		case '!':
			buf_adds(out, ROWS_EVENT);
			p += 2;
			break;
		case '*':
			n = strtol(p + 2, &end, 10);
			from = out->len;
			p = rows_expand(end + 1, out) + 2;
			{
				size_t len = out->len - from;

				for (long i = 1; i < n && buf_reserve(out, len) == 0; i++)
					buf_add(out, out->p + from, len);
			}
			break;
		default:
			memcpy(hex, p + 1, 2);
			buf_addc(out, (char)strtol(hex, NULL, 16));
			p += 3;
		}
	}
	return p;
}

/* Calls fn for each row; returns how many there were. */
static inline unsigned rows_each(const char *file, void (*fn)(const char *file, const struct row *row))
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	unsigned count = 0, number = 0;

	if (!f) {
		perror(file);
		exit(1);
	}
	while ((n = getline(&line, &cap, f)) > 0) {
		char *field[4];
		struct row row;

		number++;
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (n == 0 || line[0] == '#')
			continue;
		field[0] = line;
		for (int i = 1; i < 4; i++) {
			field[i] = strchr(field[i - 1], '\t');
			if (!field[i])
				rows_bad(file, number);
			*field[i]++ = '\0';
		}
		row.ok = strcmp(field[0], "ok") == 0;
		if (!row.ok && strcmp(field[0], "refused") != 0)
			rows_bad(file, number);
		row.reason = field[1];
		row.offset = strcmp(field[2], "-") == 0 ? -1 : strtol(field[2], NULL, 10);
		row.number = number;
		buf_init(&row.text, 1u << 24);
		rows_expand(field[3], &row.text);
		fn(file, &row);
		buf_release(&row.text);
		count++;
	}
	free(line);
	fclose(f);
	return count;
}

#endif
