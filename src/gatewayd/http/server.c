#include "gatewayd/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/http/server_impl.h"
#include "gatewayd/metrics.h"

#define ACCEPTS_PER_ROUND 64

/* ---- the listener ---- */

/* Says why and closes: the caps hold before any memory is spent on a connection. */
static void turn_away(int fd, const char *why)
{
	char text[512], body[256];
	int n = snprintf(body, sizeof(body), "{\"type\":\"urn:penstock:problem:too-many\",\"title\":\"Too many connections\","
		"\"status\":503,\"detail\":\"%s\"}", why);
	int len = snprintf(text, sizeof(text), "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
		"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s", n, body);

	(void)!send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
	metric_add(metrics[M_TURNED_AWAY], 1);
}

static int welcome(struct server *s, int fd, const struct sockaddr *sa, socklen_t salen)
{
	struct peer_addr addr = peers_addr(sa);
	const char *why = peers_enter(&s->peers, &addr);
	char name[INET6_ADDRSTRLEN] = "?";
	int one = 1;

	if (why) {
		turn_away(fd, why);
		return 0;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	getnameinfo(sa, salen, name, sizeof(name), NULL, 0, NI_NUMERICHOST);
	if (request_new(s, fd, &addr, name)) {
		peers_leave(&s->peers, &addr);
		close(fd);
		return -1;
	}
	metric_set(metrics[M_CONNECTIONS], s->peers.total);
	return 0;
}

static void on_retry(void *arg)
{
	struct server *s = arg;

	if (!s->draining)
		loop_io_want(s->loop, &s->listen, LOOP_IN);
}

static void on_accept(void *arg, unsigned events)
{
	struct server *s = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(s->listen.fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			if (welcome(s, fd, (struct sockaddr *)&sa, len) == 0)
				continue;
			log_warn("no memory for another connection");
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warn("cannot accept a connection: %s; trying again", strerror(errno));
		} else {
			continue;	/* that one connection failed before it was accepted */
		}
		loop_io_want(s->loop, &s->listen, 0);
		loop_timer_in(s->loop, &s->retry, 100 * CLOCK_MS);
		return;
	}
}

static void remember_url(struct server *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";

	if (getsockname(s->listen.fd, (struct sockaddr *)&sa, &len) == 0)
		getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(s->url, sizeof(s->url), sa.ss_family == AF_INET6 ? "http://[%s]:%s/" : "http://%s:%s/", host, port);
}

static int listen_on(struct server *s, const struct addrinfo *ai)
{
	int one = 1, fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 511)) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	s->listen = (struct loop_io){.fd = fd, .fn = on_accept, .arg = s};
	return loop_io_add(s->loop, &s->listen, LOOP_IN);
}

static int open_listener(struct server *s)
{
	struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", s->opts.port);
	rc = getaddrinfo(s->opts.addr, port, &want, &found);
	if (rc) {
		log_error("cannot listen on %s: %s", s->opts.addr, gai_strerror(rc));
		return -1;
	}
	rc = listen_on(s, found);
	freeaddrinfo(found);
	if (rc == 0) {
		remember_url(s);
		return 0;
	}
	if (errno == EADDRINUSE)
		log_error("cannot listen on %s port %s: the port is in use by another program; choose another with -p, or port in its configuration",
			s->opts.addr, port);
	else
		log_error("cannot listen on %s port %s: %s", s->opts.addr, port, strerror(errno));
	return -1;
}

struct server *server_open(struct loop *l, const struct server_opts *o, const struct server_handler *h, void *arg)
{
	struct server *s = calloc(1, sizeof(*s));
	uint64_t key[2] = {hash_random(), hash_random()};

	if (!s) {
		log_error("out of memory");
		return NULL;
	}
	s->loop = l;
	s->opts = *o;
	s->h = h;
	s->arg = arg;
	s->listen.fd = -1;
	s->retry = (struct loop_timer){.fn = on_retry, .arg = s};
	if (peers_init(&s->peers, o->max_conns, o->max_each, key) || open_listener(s)) {
		server_close(s);
		return NULL;
	}
	return s;
}

const char *server_url(const struct server *s)
{
	return s->url;
}

void server_drain(struct server *s)
{
	struct request *r, *next;

	if (s->draining)
		return;
	s->draining = true;
	loop_timer_del(s->loop, &s->retry);
	if (s->listen.fd >= 0) {
		loop_io_del(s->loop, &s->listen);
		close(s->listen.fd);
		s->listen.fd = -1;
	}
	for (r = s->first; r; r = next) {
		next = r->next;
		if (r->state == IDLE)
			request_drop(r);
	}
}

size_t server_open_requests(const struct server *s)
{
	return s->open;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	server_drain(s);
	while (s->first)
		request_drop(s->first);
	peers_release(&s->peers);
	free(s);
}

void server_left(struct server *s, const struct place *place)
{
	struct peer_addr a;

	memcpy(a.b, place->b, sizeof(a.b));
	peers_leave(&s->peers, &a);
	metric_set(metrics[M_CONNECTIONS], s->peers.total);
}
