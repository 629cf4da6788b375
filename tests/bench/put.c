/*
 * put URL CONNS BATCH [ROUNDS] < lines: load for route's intake. Reads all of stdin into memory, then puts it in batches of BATCH
 * lines with CONNS batches in flight; ROUNDS times, the first three bytes of each id becoming x01, x02 and so on, once all
 * of the round before is acknowledged. Prints "lines seconds lines/s p50_us p99_us" (of put to acknowledgement of one batch).
 * Exits 1 if a line was refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "line/scan.h"
#include "link/link.h"

static struct {
	struct loop *loop;
	struct link_put *put;
	struct loop_timer go;
	struct buf in;
	const char *p, *end;
	uint32_t batch, round, rounds;
	size_t lines, done, refused, batches, room, given;
	int64_t begin, *sent, *took;
} b;

static int by_value(const void *x, const void *y)
{
	int64_t i = *(const int64_t *)x, j = *(const int64_t *)y;

	return (i > j) - (i < j);
}

/* New ids, of the same length, for a corpus that comes again. */
static void rename_all(void)
{
	char digits[4];
	const char *lf;

	snprintf(digits, sizeof digits, "x%02u", b.round % 100);
	for (char *p = b.in.p; p < b.end && (lf = memchr(p, '\n', (size_t)(b.end - p))); p += lf - p + 1) {
		struct envelope e;

		if (scan_lazy(p, (size_t)(lf - p), &e) < 0 || e.a[LA_ID].n < 5)
			die(1, "a line without an id of three digits or more cannot be put in rounds");
		memcpy(p + (e.a[LA_ID].p - p) + 1, digits, 3);
	}
}

static void more(void *arg)
{
	(void)arg;
	while (b.p < b.end) {
		const char *from = b.p, *to = b.p, *lf;
		uint32_t n = 0;
		int got;

		for (; n < b.batch && to < b.end && (lf = memchr(to, '\n', (size_t)(b.end - to))); n++)
			to = lf + 1;
		if (b.given == b.room) {
			b.room = b.room ? 2 * b.room : 4096;
			b.sent = realloc(b.sent, b.room * sizeof *b.sent);
			b.took = realloc(b.took, b.room * sizeof *b.took);
			if (!b.sent || !b.took)
				die(1, "no memory");
		}
		b.sent[b.given] = clock_mono();
		got = link_put_send(b.put, from, (size_t)(to - from), n, (void *)b.given);
		if (got < 0)
			die(1, "put: %m");
		if (got == 0)
			return;
		b.given++;
		b.lines += n;
		b.p = to;
	}
}

static void result(void *arg, void *cookie, const struct put_result *r)
{
	(void)arg;
	b.took[b.batches++] = clock_mono() - b.sent[(size_t)cookie];
	b.done += r->acked;
	b.refused += r->nrefused;
	if (b.done + b.refused != b.lines || b.p != b.end)
		return;
	if (++b.round == b.rounds) {
		loop_stop(b.loop);
		return;
	}
	rename_all();
	b.p = b.in.p;
	loop_timer_in(b.loop, &b.go, 0);
}

static void start(void *arg)
{
	(void)arg;
	if (!b.begin)
		b.begin = clock_mono();
	more(NULL);
}

int main(int argc, char **argv)
{
	struct link_opts o = { 0 };
	ssize_t got;
	double s;

	if (argc != 4 && argc != 5)
		return fprintf(stderr, "usage: put URL CONNS BATCH [ROUNDS] < lines\n"), 2;
	log_init("put");
	o.conns = (unsigned)atoi(argv[2]);
	b.batch = (uint32_t)atoi(argv[3]);
	b.rounds = argc > 4 ? (uint32_t)atoi(argv[4]) : 1;
	b.go.fn = start;
	buf_init(&b.in, (size_t)8 << 30);
	do {
		if (buf_reserve(&b.in, 1 << 20) < 0 || (got = read(0, b.in.p + b.in.len, b.in.cap - b.in.len)) < 0)
			die(1, "stdin: %m");
		b.in.len += (size_t)got;
	} while (got > 0);
	b.p = b.in.p;
	b.end = b.in.p + b.in.len;
	b.loop = loop_new();
	b.put = b.loop ? link_put_open(b.loop, argv[1], &o, result, more, NULL, NULL) : NULL;
	if (!b.put || b.p == b.end || loop_timer_in(b.loop, &b.go, 1) < 0)
		die(1, "nothing to put, or no link");
	if (loop_run(b.loop) < 0)
		die(1, "loop: %m");
	s = (double)(clock_mono() - b.begin) / 1e9;
	qsort(b.took, b.batches, sizeof *b.took, by_value);
	printf("%zu %.3f %.0f %.0f %.0f\n", b.lines, s, (double)b.lines / s,
		(double)b.took[b.batches / 2] / 1e3, (double)b.took[b.batches - 1 - b.batches / 100] / 1e3);
	return b.refused ? 1 : 0;
}
