/*
 * scan [NAME...] < lines: how fast lines are read, each way beside its limits in the same run. Reads all of stdin into
 * memory, then goes through the lines with each reader in turn, ROUNDS times; prints a row for each: name, MB/s, M
 * lines/s, ns a line (medians), and how many times jansson that is. memchr, which only looks for the line ends, is the
 * ceiling; jansson is the library that cold paths use (a tenth of the lines). NAMEs: these only, beside jansson.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "line/envelope.h"
#include "line/id.h"
#include "line/types.h"

#define ROUNDS 7

static void slurp(struct buf *in)
{
	ssize_t got;

	do {
		if (buf_reserve(in, 1 << 20) != 0)
			exit((perror("scan: input"), 1));
		got = read(0, in->p + in->len, in->cap - in->len);
		if (got < 0)
			exit((perror("scan: stdin"), 1));
		in->len += (size_t)got;
	} while (got > 0);
}

static int by_memchr(const char *p, size_t n)
{
	(void)p;
	return n == 0 ? -1 : 0;
}

static int by_jansson(const char *p, size_t n)
{
	struct json_error err;
	struct json *j = json_parse(p, n, &err);

	json_free(j);
	return j ? 0 : -1;
}

static int by_strict(const char *p, size_t n)
{
	struct envelope e;
	struct line_err err;

	return scan_strict(p, n, &e, &err);
}

static int by_envelope(const char *p, size_t n)
{
	struct envelope e;
	struct line_err err;

	return envelope_check(p, n, LINE_MAX_BYTES, &e, &err);
}

static int by_types(const char *p, size_t n)
{
	struct envelope e;
	struct line_err err;

	return envelope_check(p, n, LINE_MAX_BYTES, &e, &err) != 0 ? -1 : types_check(p, &e, &err);
}

static int by_lazy(const char *p, size_t n)
{
	struct envelope e;

	return scan_lazy(p, n, &e) != 0 || !e.a[LA_TYPE].p ? -1 : 0;
}

static int by_lazy_keys(const char *p, size_t n)
{
	static const uint64_t key[2] = { 1, 2 };
	struct envelope e;

	return scan_lazy(p, n, &e) != 0 || id_key(&e, key).a + id_lane(&e) == 0 ? -1 : 0;
}

static int by_members(const char *p, size_t n)
{
	struct envelope e;

	if (scan_lazy(p, n, &e) != 0)
		return -1;
	return scan_path(e.a[LA_DATA], "user.id").p || scan_member(e.a[LA_DATA], "text").p ? 0 : -1;
}

static const struct way { const char *name; int (*fn)(const char *p, size_t n); unsigned share; } ways[] = {
	{ "memchr", by_memchr, 1 },
	{ "jansson", by_jansson, 10 },
	{ "scan_strict", by_strict, 1 },
	{ "envelope_check", by_envelope, 1 },
	{ "envelope_check + types_check", by_types, 1 },
	{ "scan_lazy", by_lazy, 1 },
	{ "scan_lazy + id_key + id_lane", by_lazy_keys, 1 },
	{ "scan_lazy + user.id + text", by_members, 1 },
};
#define WAYS (sizeof ways / sizeof *ways)

static int64_t once(const struct way *w, const struct buf *in, size_t *lines, size_t *bytes)
{
	const char *p = in->p, *end = in->p + in->len / w->share, *lf;
	int64_t begin = clock_mono();

	*lines = 0;
	for (; p < end && (lf = memchr(p, '\n', (size_t)(in->p + in->len - p))); p = lf + 1, ++*lines)
		if (w->fn(p, (size_t)(lf - p)) != 0) {
			fprintf(stderr, "scan: line %zu is refused by %s\n", *lines + 1, w->name);
			exit(1);
		}
	*bytes = (size_t)(p - in->p);
	return clock_mono() - begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool wanted(const char *name, int argc, char **argv)
{
	if (argc < 2 || strcmp(name, "jansson") == 0)
		return true;
	for (int i = 1; i < argc; i++)
		if (strcmp(name, argv[i]) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static double ns[WAYS][ROUNDS];
	size_t lines[WAYS] = { 0 }, bytes[WAYS] = { 0 };
	struct buf in;

	buf_init(&in, (size_t)4 << 30);
	slurp(&in);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < WAYS; i++)
			if (wanted(ways[i].name, argc, argv))
				ns[i][round] = (double)once(&ways[i], &in, &lines[i], &bytes[i]) / (double)(lines[i] ? lines[i] : 1);
	for (size_t i = 0; i < WAYS; i++)
		qsort(ns[i], ROUNDS, sizeof(double), by_value);
	for (size_t i = 0; i < WAYS; i++) {
		double each = ns[i][ROUNDS / 2], size = (double)bytes[i] / (double)(lines[i] ? lines[i] : 1);

		if (!wanted(ways[i].name, argc, argv))
			continue;
		printf("%-30s %7.0f MB/s %7.2f M lines/s %8.0f ns/line %6.1f x jansson\n", ways[i].name, size / each * 1e3,
			1e3 / each, each, ns[1][ROUNDS / 2] / each);
	}
	buf_release(&in);
	return 0;
}
