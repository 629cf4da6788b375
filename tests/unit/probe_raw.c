/*
 * probe_raw: a peer that keeps no rules, for tests of what faces one.
 *
 *   probe_raw talk URL WORD...    connects (ipc, tcp) and does the words in turn: hello (REQ's hello), HEX (sends those bytes), req:TEXT (a request
 *                                 with id 80000001 and that text; | is LF), half:TEXT (all of it but the last byte), zeros:N (N zero bytes), read:N (reads and
 *                                 prints N bytes in hex), reply (reads a frame and prints its text), shut (ends its sending side), eof (waits until
 *                                 the other side closes, prints "closed"), hold (prints "holding", waits to be killed)
 *   probe_raw many URL N          N connections, each with one request answered, all held; prints "N connected", then holds
 *   probe_raw kill URL N          N times: a process that connects gets to a certain point and is killed by -9
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/transport/frame.h"

static bool ipc;

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "probe_raw: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int dial(const char *url)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd, rc;

	ipc = strncmp(url, "ipc://", 6) == 0;
	fd = socket(ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ipc) {
		snprintf(un.sun_path, sizeof un.sun_path, "%s", url + 6);
		rc = connect(fd, (struct sockaddr *)&un, sizeof un);
	} else {
		in.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
		rc = connect(fd, (struct sockaddr *)&in, sizeof in);
	}
	if (fd < 0 || rc)
		fail(url);
	return fd;
}

static void put(int fd, const void *p, size_t n)
{
	if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		fail("send");
}

static void get(int fd, void *p, size_t n)
{
	if (recv(fd, p, n, MSG_WAITALL) != (ssize_t)n)
		fail("recv");
}

static void hello(int fd)
{
	unsigned char p[SP_HELLO];

	frame_hello(p, SP_REQ);
	put(fd, p, sizeof p);
	get(fd, p, sizeof p);
}

/* All but the last `less` bytes of a request. */
static void request(int fd, const char *text, size_t less)
{
	size_t n = strlen(text), head;
	unsigned char *p = malloc(n + SP_HEAD_MAX + 4);

	if (!p)
		fail("memory");
	head = frame_head_write(p, ipc, n + 4);
	frame_word_write(p + head, SP_ID | 1);
	for (size_t i = 0; i < n; i++)
		p[head + 4 + i] = (unsigned char)(text[i] == '|' ? '\n' : text[i]);
	put(fd, p, head + 4 + n - less);
	free(p);
}

static void reply(int fd)
{
	unsigned char head[SP_HEAD_MAX];
	uint64_t len;
	size_t n;

	get(fd, head, ipc ? 9 : 8);
	if (frame_head(head, sizeof head, ipc, 1u << 30, &n, &len) != 1 || len < 4)
		fail("no frame");
	char *p = malloc(len);
	if (!p)
		fail("memory");
	get(fd, p, len);
	fwrite(p + 4, 1, len - 4, stdout);
	free(p);
}

static void send_hex(int fd, const char *hex)
{
	unsigned char bytes[64];
	size_t n = 0;
	unsigned v;

	for (; hex[0] && hex[1] && n < sizeof bytes; hex += 2) {
		if (sscanf(hex, "%2x", &v) != 1)
			fail("not a word and not hex");
		bytes[n++] = (unsigned char)v;
	}
	put(fd, bytes, n);
}

static void word(int fd, const char *w)
{
	static const char zeros[65536];
	unsigned char c;

	if (!strcmp(w, "hello")) {
		hello(fd);
	} else if (!strncmp(w, "req:", 4)) {
		request(fd, w + 4, 0);
	} else if (!strncmp(w, "half:", 5)) {
		request(fd, w + 5, 1);
	} else if (!strncmp(w, "zeros:", 6)) {
		for (long n = atol(w + 6); n > 0; n -= (long)sizeof zeros)
			put(fd, zeros, n < (long)sizeof zeros ? (size_t)n : sizeof zeros);
	} else if (!strncmp(w, "read:", 5)) {
		for (int n = atoi(w + 5); n > 0; n--) {
			get(fd, &c, 1);
			printf("%02x", c);
		}
		puts("");
	} else if (!strcmp(w, "reply")) {
		reply(fd);
	} else if (!strcmp(w, "shut")) {
		shutdown(fd, SHUT_WR);
	} else if (!strcmp(w, "eof")) {
		while (recv(fd, &c, 1, 0) > 0)
			continue;
		puts("closed");
	} else if (!strcmp(w, "hold")) {
		puts("holding");
		pause();
	} else {
		send_hex(fd, w);
	}
}

static int many(const char *url, int n)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < n; i++) {
		int fd = dial(url);
		hello(fd);
		request(fd, "one|two|", 0);
		reply(fd);
	}
	printf("%d connected\n", n);
	pause();
	return 0;
}

/* How far a process gets before it is killed. */
static void child(const char *url, int stage, int ready)
{
	int fd = dial(url);

	if (stage > 0)
		put(fd, "\0SP", 3);
	if (stage > 1) {
		close(fd);
		fd = dial(url);
		hello(fd);
	}
	if (stage == 3)
		request(fd, "half of a request", 5);
	if (stage > 3)
		request(fd, "a whole one|", 0);
	if (stage == 5)
		request(fd, "and another|", 0);
	put(ready, "x", 1);
	pause();
}

static int kill_many(const char *url, int n)
{
	for (int i = 0; i < n; i++) {
		int ready[2];
		char c;
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ready))
			fail("socketpair");
		pid_t pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			child(url, i % 6, ready[1]);
			_exit(0);
		}
		close(ready[1]);
		get(ready[0], &c, 1);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(ready[0]);
	}
	printf("%d killed\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 3 && !strcmp(argv[1], "talk")) {
		int fd = dial(argv[2]);
		for (int i = 3; i < argc; i++)
			word(fd, argv[i]);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "many"))
		return many(argv[2], atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "kill"))
		return kill_many(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: see the head of tests/unit/probe_raw.c\n");
	return 2;
}
