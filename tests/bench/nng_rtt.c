/*
 * nng_rtt: round trips over bare libnng (needs libnng-dev; only scripts/bench builds it). `nng_rtt URL COUNT [LINES [BYTES]]` starts
 * a server on URL, sends it COUNT batches of LINES (1) lines of BYTES (527) bytes, one at a time, each answered by a short ack,
 * and prints "nng_rtt P50 P99 RATE": microseconds, and lines/s.
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

static int client(const char *url, size_t lines, size_t bytes, long count)
{
	double *took = calloc((size_t)count, sizeof *took), began = 0;
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
	for (long i = -100; i < count; i++) {
		nng_msg *m;
		double sent = now();
		if (i == 0)
			began = sent;
		check(nng_msg_alloc(&m, 0));
		check(nng_msg_append(m, batch, len));
		check(nng_sendmsg(s, m, 0));
		check(nng_recvmsg(s, &m, 0));
		nng_msg_free(m);
		if (i >= 0)
			took[i] = now() - sent;
	}
	double all = (now() - began) / 1e6;
	qsort(took, (size_t)count, sizeof *took, by_value);
	printf("nng_rtt %.1f %.1f %.0f\n", took[count / 2], took[count * 99 / 100], (double)count * (double)lines / all);
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
	long count = argc > 2 ? atol(argv[2]) : 0, lines = argc > 3 ? atol(argv[3]) : 1, bytes = argc > 4 ? atol(argv[4]) : 527;

	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);	/* never returns */
	if (argc < 3 || count <= 0 || lines <= 0 || bytes <= 0) {
		fprintf(stderr, "usage: nng_rtt URL COUNT [LINES [BYTES]]\n");
		return 2;
	}
	pid_t pid = start_server(argv[1]);
	int rc = client(argv[1], (size_t)lines, (size_t)bytes, count);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return rc;
}
