/*
 * append FILE BATCH SYNC < lines: the limit for route's intake. Reads all of stdin into memory, then writes it to FILE
 * in batches of BATCH lines, each followed by fdatasync when SYNC is 1. Prints "lines seconds lines/s p50_us p99_us"
 * (the quantiles are of write + fdatasync of one batch).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void slurp(struct buf *in)
{
	ssize_t got;

	do {
		if (buf_reserve(in, 1 << 20) < 0)
			exit((perror("append: input"), 1));
		got = read(0, in->p + in->len, in->cap - in->len);
		if (got < 0)
			exit((perror("append: stdin"), 1));
		in->len += (size_t)got;
	} while (got > 0);
}

int main(int argc, char **argv)
{
	struct buf in;
	int64_t *took, begin, each;
	size_t batches = 0, lines = 0, room = 1 << 16;
	int fd, batch, sync;

	if (argc != 4 || (batch = atoi(argv[2])) < 1)
		return fprintf(stderr, "usage: append FILE BATCH SYNC < lines\n"), 2;
	sync = atoi(argv[3]);
	buf_init(&in, (size_t)8 << 30);
	slurp(&in);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	took = malloc(room * sizeof *took);
	if (fd < 0 || !took)
		return perror(argv[1]), 1;
	begin = clock_mono();
	for (const char *p = in.p, *end = in.p + in.len; p < end; ) {
		const char *from = p, *lf;

		for (int n = 0; n < batch && p < end && (lf = memchr(p, '\n', (size_t)(end - p))); n++, lines++)
			p = lf + 1;
		each = clock_mono();
		if (write(fd, from, (size_t)(p - from)) != p - from || (sync && fdatasync(fd) < 0))
			return perror(argv[1]), 1;
		if (batches == room && !(took = realloc(took, (room *= 2) * sizeof *took)))
			return perror("append"), 1;
		took[batches++] = clock_mono() - each;
	}
	begin = clock_mono() - begin;
	qsort(took, batches, sizeof *took, by_value);
	printf("%zu %.3f %.0f %.0f %.0f\n", lines, (double)begin / 1e9, (double)lines * 1e9 / (double)begin,
		(double)took[batches / 2] / 1e3, (double)took[batches - 1 - batches / 100] / 1e3);
	return 0;
}
