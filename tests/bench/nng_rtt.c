/*
 * nng_rtt: the same as link_rtt with bare libnng (needs libnng-dev; only scripts/bench builds it): `nng_rtt server URL` answers
 * every request with a short ack, `nng_rtt client URL LINES BYTES COUNT` prints lines/s, p50 and p99 in microseconds.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	puts("ready");
	fflush(stdout);
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
	check(nng_dial(s, url, NULL, 0));
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
	printf("%.0f lines/s p50 %.1f p99 %.1f us\n", (double)count * (double)lines / all,
		took[count / 2], took[count * 99 / 100]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "server"))
		server(argv[2]);	/* never returns */
	if (argc == 6 && !strcmp(argv[1], "client") && atol(argv[3]) > 0 && atol(argv[4]) > 0 && atol(argv[5]) > 0)
		return client(argv[2], (size_t)atol(argv[3]), (size_t)atol(argv[4]), atol(argv[5]));
	fprintf(stderr, "usage: nng_rtt server URL | client URL LINES BYTES COUNT\n");
	return 2;
}
