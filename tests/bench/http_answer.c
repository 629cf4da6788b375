/*
 * http_answer: a server for measuring clients: every POST gets 200 and {"id":"1"}, on any number of kept connections, with no work but finding
 * the end of the request. Says its port on stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS 4096
#define ROOM 65536

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"id\":\"1\"}";
static struct conn { char *in; size_t n; } conn[CONNS];

static void end(int fd)
{
	close(fd);
	free(conn[fd].in);
	conn[fd] = (struct conn){NULL, 0};
}

/* The length of the first request there, 0 when it is not whole. */
static size_t whole(const struct conn *c)
{
	const char *head = memmem(c->in, c->n, "\r\n\r\n", 4), *p;
	size_t n, body = 0;

	if (!head)
		return 0;
	n = (size_t)(head + 4 - c->in);
	for (p = c->in; p && p < head; p = memchr(p, '\n', (size_t)(head - p)), p = p ? p + 1 : NULL)
		if (strncasecmp(p, "content-length:", 15) == 0)
			body = strtoul(p + 15, NULL, 10);
	return c->n >= n + body ? n + body : 0;
}

static void serve(int fd)
{
	struct conn *c = &conn[fd];
	ssize_t k = c->in || (c->in = malloc(ROOM)) ? read(fd, c->in + c->n, ROOM - c->n) : -1;
	size_t n;

	if (k <= 0) {
		end(fd);
		return;
	}
	c->n += (size_t)k;
	while ((n = whole(c))) {
		memmove(c->in, c->in + n, c->n - n);
		c->n -= n;
		if (write(fd, answer, sizeof(answer) - 1) < 0) {
			end(fd);
			return;
		}
	}
	if (c->n == ROOM)
		end(fd);
}

int main(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(in);
	struct epoll_event e[256];
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ep = epoll_create1(EPOLL_CLOEXEC), one = 1;

	if (l < 0 || ep < 0 || bind(l, (struct sockaddr *)&in, sizeof(in)) || listen(l, 512) || getsockname(l, (struct sockaddr *)&in, &size)) {
		perror("http_answer");
		return 1;
	}
	e[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = l};
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &e[0]);
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, e, 256, -1);

		if (n < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < n; i++) {
			int fd = e[i].data.fd;

			if (fd != l) {
				serve(fd);
				continue;
			}
			fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			if (fd >= CONNS) {
				close(fd);
				continue;
			}
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			epoll_ctl(ep, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
		}
	}
}
