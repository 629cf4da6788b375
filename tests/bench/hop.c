/*
 * hop IN TO RATE SECONDS: the latency of one hop through route: from giving a line to `in` until a worker of `to-NAME` holds it.
 * One process is source and worker, so that one clock measures. Lines are put at RATE a second, evenly spaced (open loop: a
 * late answer does not slow the source); each carries its own sending time as its id. Prints
 * "lines p50_us p99_us max_us ack_p50_us ack_p99_us lines/s". A RATE beyond what the hub can do measures what it can do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/batch.h"
#include "link/link.h"

#define PER_SEND_MAX 4096
#define ID_AT (sizeof("{\"specversion\":\"1.0\",\"id\":\"") - 1)
#define ID_DIGITS 9

static struct {
	struct loop *loop;
	struct link_put *put;
	struct link_take *take;
	struct loop_timer tick;
	struct buf out;
	char line[1024], *tenant, *key;	/* what every line has; its id, tenant and key are written into it: little work besides the hub's */
	size_t len;
	int64_t every, begin, end, *took, *ack, *due;
	size_t total, sent, got, acked;
	uint64_t run;
} h;

static int by_value(const void *x, const void *y)
{
	int64_t i = *(const int64_t *)x, j = *(const int64_t *)y;

	return (i > j) - (i < j);
}

/* The last `width` digits of v. */
static void digits(char *to, size_t v, int width)
{
	while (width-- > 0) {
		to[width] = (char)('0' + v % 10);
		v /= 10;
	}
}

static void make_line(void)
{
	int n = snprintf(h.line, sizeof h.line, "{\"specversion\":\"1.0\",\"id\":\"%0*d\",\"source\":\"/bench/%016llx\",\"type\":\"chat.message\","
		"\"tenant\":\"t000\",\"partitionkey\":\"c000\",\"data\":{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"},\"text\":\"%0300d\"}}\n",
		ID_DIGITS, 0, (unsigned long long)h.run, 7);

	if (n < 0 || (size_t)n >= sizeof h.line)
		die(1, "a line is too long");
	h.len = (size_t)n;
	h.tenant = strstr(h.line, "\"t000\"") + 2;
	h.key = strstr(h.line, "\"c000\"") + 2;
}

static void add_line(size_t i)
{
	digits(h.line + ID_AT, i, ID_DIGITS);
	digits(h.tenant, i % 64, 3);
	digits(h.key, i % 997, 3);
	if (buf_add(&h.out, h.line, h.len) < 0)
		die(1, "no memory");
}

/* All lines that are due, as one batch: never more waiting than that. */
static void send_due(void *arg)
{
	int64_t now = clock_mono();
	uint32_t n = 0;
	size_t first = h.sent;

	(void)arg;
	buf_clear(&h.out);
	while (first + n < h.total && h.begin + (int64_t)(first + n) * h.every <= now && n < PER_SEND_MAX) {
		h.due[first + n] = now;
		add_line(first + n);
		n++;
	}
	if (n > 0) {
		int taken = link_put_send(h.put, h.out.p, h.out.len, n, (void *)(first << 13 | n));

		if (taken < 0)
			die(1, "put: %m");
		if (taken == 0)
			return; /* on_room comes back here */
		h.sent += n;
	}
	if (h.sent < h.total)
		loop_timer_set(h.loop, &h.tick, h.begin + (int64_t)h.sent * h.every);
}

static void result(void *arg, void *cookie, const struct put_result *r)
{
	size_t first = (size_t)cookie >> 13, n = (size_t)cookie & 8191;

	(void)arg;
	if (r->nrefused)
		die(1, "refused: %s", r->refused[0].error);
	for (size_t i = 0; i < n; i++)
		h.ack[h.acked++] = clock_mono() - h.due[first + i];
	if (h.got == h.total && h.acked == h.total)
		loop_stop(h.loop);
}

static void batch(void *arg, struct batch *b)
{
	const char *p = b->lines, *end = p + b->len, *line;
	size_t n, before = (size_t)(strstr(h.line, "/bench/") - h.line), same = strlen("/bench/") + 16;
	int64_t now = clock_mono();

	(void)arg;
	while ((line = batch_next(&p, end, &n))) {
		if (n < before + same || memcmp(line + before, h.line + before, same) != 0)
			continue; /* left over from an earlier run */
		h.took[h.got++] = now - h.due[strtoull(line + ID_AT, NULL, 10)];
	}
	h.end = now;
	link_take_done(h.take, b, NULL, 0);
	if (h.got >= h.total && h.acked == h.total)
		loop_stop(h.loop);
}

int main(int argc, char **argv)
{
	struct link_opts o = { .conns = 16 }, w = { .conns = 2, .as = "hop" };
	double rate;

	if (argc != 5 || (rate = atof(argv[3])) <= 0)
		return fprintf(stderr, "usage: hop IN TO RATE SECONDS\n"), 2;
	log_init("hop");
	h.total = (size_t)(rate * atof(argv[4]));
	h.every = (int64_t)(1e9 / rate);
	h.run = (uint64_t)clock_wall();
	make_line();
	h.took = calloc(h.total + PER_SEND_MAX, sizeof *h.took);
	h.ack = calloc(h.total + PER_SEND_MAX, sizeof *h.ack);
	h.due = calloc(h.total + PER_SEND_MAX, sizeof *h.due);
	buf_init(&h.out, LINK_BATCH_BYTES);
	h.loop = loop_new();
	h.tick = (struct loop_timer){ .fn = send_due };
	if (!h.took || !h.ack || !h.due || !h.loop)
		die(1, "no memory");
	h.put = link_put_open(h.loop, argv[1], &o, result, send_due, NULL, NULL);
	h.take = link_take_open(h.loop, argv[2], &w, batch, NULL, NULL);
	if (!h.put || !h.take)
		die(1, "no link");
	h.begin = clock_mono() + 200 * CLOCK_MS; /* both ends have dialled by then; lines would only wait, not be lost */
	loop_timer_set(h.loop, &h.tick, h.begin);
	if (loop_run(h.loop) < 0)
		die(1, "loop: %m");
	qsort(h.took, h.got, sizeof *h.took, by_value);
	qsort(h.ack, h.acked, sizeof *h.ack, by_value);
	printf("%zu %.0f %.0f %.0f %.0f %.0f %.0f\n", h.got, (double)h.took[h.got / 2] / 1e3,
		(double)h.took[h.got - 1 - h.got / 100] / 1e3, (double)h.took[h.got - 1] / 1e3,
		(double)h.ack[h.acked / 2] / 1e3, (double)h.ack[h.acked - 1 - h.acked / 100] / 1e3,
		(double)h.got * 1e9 / (double)(h.end - h.begin));
	link_take_close(h.take);
	link_put_close(h.put);
	return 0;
}
