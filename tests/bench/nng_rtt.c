/*
 * nng_rtt: round trips over bare libnng (needs libnng-dev; only scripts/bench builds it). `nng_rtt URL COUNT [LINES [BYTES]]` starts
 * a server on URL, sends it COUNT batches of LINES (1) lines of BYTES (527) bytes, one at a time, each answered by a short ack,
 * and prints "nng_rtt P50 P99 RATE": microseconds, and lines/s.
 * `nng_rtt -r RATE URL COUNT [LINES [BYTES]]` is the same under load: COUNT lines come at RATE a second, evenly spaced (open loop);
 * all that have come, LINES (4096) at most, go as one batch. A line's time is from when it was due until its batch is answered.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void check(int rc)
{
	if (rc) {
		fprintf(stderr, "nng_rtt: %s\n", nng_strerror(rc));
		exit(1);
	}
}

static void server(const char *url)
{
	static char ack[] = "{\"ack\":256}\n";
	nng_socket s;

	check(nng_rep0_open(&s));
	check(nng_listen(s, url, NULL, 0));
	for (;;) {
		nng_msg *m;
		check(nng_recvmsg(s, &m, 0));
		nng_msg_clear(m);
		check(nng_msg_append(m, ack, sizeof ack - 1));
		check(nng_sendmsg(s, m, 0));
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sends a batch, waits for its answer; when that was. */
static double trip(nng_socket s, const char *batch, size_t len)
{
	nng_msg *m;

	check(nng_msg_alloc(&m, 0));
	check(nng_msg_append(m, batch, len));
	check(nng_sendmsg(s, m, 0));
	check(nng_recvmsg(s, &m, 0));
	nng_msg_free(m);
	return now();
}

static void one_at_a_time(nng_socket s, const char *batch, size_t len, double *took, long count)
{
	for (long i = 0; i < count; i++) {
		double sent = now();

		took[i] = trip(s, batch, len) - sent;
	}
}

static void as_they_come(nng_socket s, const char *batch, size_t lines, size_t bytes, double *took, long count, double rate)
{
	double every = 1e6 / rate, began = now();

	for (long done = 0, n; done < count; done += n) {
		double due = began + (double)done * every, t;
		struct timespec at = { (time_t)(due / 1e6), (long)((due - 1e6 * (double)(time_t)(due / 1e6)) * 1e3) };

		while ((t = now()) < due)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		for (n = 1; n < (long)lines && done + n < count && began + (double)(done + n) * every <= t; n++)
			;
		t = trip(s, batch, (size_t)n * bytes);
		for (long i = done; i < done + n; i++)
			took[i] = t - (began + (double)i * every);
	}
}

/* rate: lines a second, 0 = one batch after the other. */
static int client(const char *url, size_t lines, size_t bytes, long count, double rate)
{
	double *took = calloc((size_t)count, sizeof *took), began;
	size_t len = lines * bytes;
	char *batch = malloc(len);
	nng_socket s;

	if (!took || !batch)
		return 1;
	memset(batch, 'x', len);
	for (size_t i = 1; i <= lines; i++)
		batch[i * bytes - 1] = '\n';
	check(nng_req0_open(&s));
	check(nng_socket_set_ms(s, NNG_OPT_RECONNMINT, 20));	/* the server may not be there yet */
	check(nng_dial(s, url, NULL, NNG_FLAG_NONBLOCK));
	for (int i = 0; i < 100; i++)
		trip(s, batch, bytes);
	began = now();
	if (rate > 0)
		as_they_come(s, batch, lines, bytes, took, count, rate);
	else
		one_at_a_time(s, batch, len, took, count);
	double all = (now() - began) / 1e6;
	qsort(took, (size_t)count, sizeof *took, by_value);
	printf("nng_rtt %.1f %.1f %.0f\n", took[count / 2], took[count * 99 / 100], (double)count * (rate > 0 ? 1 : (double)lines) / all);
	return 0;
}

/* This program again, as the server. */
static pid_t start_server(const char *url)
{
	char *argv[] = { "nng_rtt", "server", strdup(url), NULL };
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ)) {
		perror("nng_rtt: server");
		exit(1);
	}
	free(argv[2]);
	return pid;
}

int main(int argc, char **argv)
{
	double rate = argc > 2 && !strcmp(argv[1], "-r") ? atof(argv[2]) : 0;

	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);	/* never returns */
	if (rate > 0) {
		argc -= 2;
		argv += 2;
	}
	long count = argc > 2 ? atol(argv[2]) : 0, lines = argc > 3 ? atol(argv[3]) : rate > 0 ? 4096 : 1;
	long bytes = argc > 4 ? atol(argv[4]) : 527;
	if (count <= 0 || lines <= 0 || bytes <= 0) {
		fprintf(stderr, "usage: nng_rtt [-r RATE] URL COUNT [LINES [BYTES]]\n");
		return 2;
	}
	pid_t pid = start_server(argv[1]);
	int rc = client(argv[1], (size_t)lines, (size_t)bytes, count, rate);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return rc;
}
