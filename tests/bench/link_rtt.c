/*
 * link_rtt: round trips over link. `link_rtt URL COUNT [LINES [BYTES]]` starts a server on URL, sends it COUNT batches of LINES (1) lines
 * of BYTES (527) bytes, one at a time, each answered by a short ack, and prints "link_rtt P50 P99 RATE": microseconds, and
 * lines/s. nng_rtt.c is the same with bare libnng.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/link.h"

static struct loop *loop;

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	static char ack[] = "{\"ack\":256}\n";

	(void)arg, (void)p, (void)n;
	link_reply(peer, &(struct iovec){ ack, sizeof ack - 1 }, 1);
}

static int server(const char *url)
{
	const struct link_handler h = { .on_request = on_request };
	struct link_opts o = { .tls_cert = getenv("TLS_CERT"), .tls_key = getenv("TLS_KEY") };
	struct link_server *s = link_listen(loop, url, &o, &h, NULL);

	if (!s)
		return 1;
	return loop_run(loop) ? 1 : 0;
}

struct client {
	struct link_req *req;
	char *batch;
	size_t len;
	long left, done, count;
	int64_t *took, sent, began;
};

static void ask(struct client *c)
{
	c->sent = clock_mono();
	if (link_req_send(c->req, c->batch, c->len, 0, NULL))
		die(1, "%s", strerror(errno));
}

static void on_reply(void *arg, void *cookie, const char *p, size_t n)
{
	struct client *c = arg;
	int64_t now = clock_mono();

	(void)cookie, (void)p, (void)n;
	if (c->left-- > c->count) {	/* warming up */
		c->began = now;
	} else {
		c->took[c->done++] = now - c->sent;
	}
	if (c->left > 0)
		ask(c);
	else
		loop_stop(loop);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int client(const char *url, size_t lines, size_t bytes, long count)
{
	struct client c = { .count = count, .left = count + 100, .len = lines * bytes };
	struct link_opts o = { .tls_ca = getenv("TLS_CA") };

	c.batch = malloc(c.len + 1);
	c.took = calloc((size_t)count, sizeof *c.took);
	c.req = link_req_open(loop, url, &o, on_reply, &c);
	if (!c.batch || !c.took || !c.req)
		return 1;
	memset(c.batch, 'x', c.len);
	for (size_t i = 1; i <= lines; i++)
		c.batch[i * bytes - 1] = '\n';
	ask(&c);
	if (loop_run(loop))
		return 1;
	double s = (double)(clock_mono() - c.began) / 1e9;
	qsort(c.took, (size_t)c.done, sizeof *c.took, by_value);
	printf("link_rtt %.1f %.1f %.0f\n", (double)c.took[c.done / 2] / 1e3, (double)c.took[c.done * 99 / 100] / 1e3,
		(double)c.done * (double)lines / s);
	return 0;
}

/* This program again, as the server. */
static pid_t start_server(const char *url)
{
	char *argv[] = { "link_rtt", "server", strdup(url), NULL };
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ)) {
		perror("link_rtt: server");
		exit(1);
	}
	free(argv[2]);
	return pid;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0, lines = argc > 3 ? atol(argv[3]) : 1, bytes = argc > 4 ? atol(argv[4]) : 527;

	log_init("link_rtt");
	log_set(LOG_TEXT, LOG_ERROR);
	loop = loop_new();
	if (!loop)
		die(1, "%s", strerror(errno));
	if (argc == 3 && !strcmp(argv[1], "server"))
		return server(argv[2]);
	if (argc < 3 || count <= 0 || lines <= 0 || bytes <= 0) {
		fprintf(stderr, "usage: link_rtt URL COUNT [LINES [BYTES]]\n");
		return 2;
	}
	pid_t pid = start_server(argv[1]);
	int rc = client(argv[1], (size_t)lines, (size_t)bytes, count);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return rc;
}
