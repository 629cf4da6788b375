#include "link/transport/addr_impl.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"

#define KEEP_IDLE_S 15		/* silence before the first probe, then 3 probes 5 s apart */
#define USER_TIMEOUT_MS 30000	/* sent bytes unacknowledged this long: the peer is gone */

void addr_close_keep(int fd)
{
	int e = errno;

	close(fd);
	errno = e;
}

/* ---- URLs ---- */

static int parse_host(struct addr *a, const char *rest)
{
	const char *colon = strrchr(rest, ':'), *why = NULL;
	uint64_t port;
	size_t n;

	if (!colon) {
		log_error("%s: the port is missing: HOST:PORT", a->url);
		return -1;
	}
	n = (size_t)(colon - rest);
	if (*rest == '[') {
		if (n < 3 || rest[n - 1] != ']') {
			log_error("%s: an IPv6 address stands in brackets: [::1]:PORT", a->url);
			return -1;
		}
		rest++;
		n -= 2;
	} else if (memchr(rest, ':', n)) {
		log_error("%s: an IPv6 address stands in brackets: [::1]:PORT", a->url);
		return -1;
	}
	if (n >= sizeof a->host) {
		log_error("%s: the host name is too long", a->url);
		return -1;
	}
	if (num_u64(colon + 1, 0, 65535, &port, &why)) {
		log_error("%s: port: %s", a->url, why);
		return -1;
	}
	memcpy(a->host, rest, n);
	a->host[n] = 0;
	if (strcmp(a->host, "*") == 0)
		a->host[0] = 0;
	snprintf(a->port, sizeof a->port, "%u", (unsigned)port);
	return 0;
}

int addr_parse(struct addr *a, const char *url)
{
	const char *rest = strstr(url, "://") + 3;

	*a = (struct addr){ .url = url };
	a->tls = strncmp(url, "tls", 3) == 0;
	a->abstract = *url == 'a';
	a->ipc = *url == 'i' || a->abstract;
	if (!a->ipc)
		return parse_host(a, rest);
	a->path = rest;
	if (!*rest) {
		log_error("%s: the path is missing", url);
		return -1;
	}
	if (a->abstract && strlen(rest) >= sizeof ((struct sockaddr_un *)0)->sun_path) {
		log_error("%s: an abstract name has at most %zu bytes", url,
			sizeof ((struct sockaddr_un *)0)->sun_path - 1);
		return -1;
	}
	return 0;
}

/* ---- tcp ---- */

static struct addrinfo *look_up(const struct addr *a, bool passive, const char **why)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0 }, *all = NULL;
	int rc = getaddrinfo(a->host[0] ? a->host : NULL, a->port, &want, &all);

	*why = rc == EAI_SYSTEM ? strerror(errno) : rc ? gai_strerror(rc) : NULL;
	return rc ? NULL : all;
}

static int tcp_connect(const struct addr *a, unsigned turn, bool *connecting, const char **why)
{
	struct addrinfo *all = look_up(a, false, why), *one = all;
	unsigned n = 0;
	int fd;

	if (!all)
		return -1;
	for (struct addrinfo *i = all; i; i = i->ai_next)
		n++;
	for (turn %= n; turn > 0; turn--)
		one = one->ai_next;
	fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		addr_tune(a, fd);
	*connecting = fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0;
	if (*connecting && errno != EINPROGRESS) {
		addr_close_keep(fd);
		fd = -1;
	}
	if (fd < 0)
		*why = strerror(errno);
	freeaddrinfo(all);
	return fd;
}

static int tcp_listen(const struct addr *a)
{
	const char *why;
	struct addrinfo *all = look_up(a, true, &why);
	const int on = 1, off = 0;
	int fd = -1;

	if (!all) {
		log_error("%s: %s", a->url, why);
		return -1;
	}
	/* All addresses: one socket of IPv6 that takes IPv4 too, where the machine has IPv6. */
	for (int pass = 0; pass < 2 && fd < 0; pass++) {
		for (struct addrinfo *i = all; i && fd < 0; i = i->ai_next) {
			if (!a->host[0] && (i->ai_family == AF_INET6) != (pass == 0))
				continue;
			fd = socket(i->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
			if (fd < 0)
				continue;
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
			if (i->ai_family == AF_INET6)
				setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, a->host[0] ? &on : &off, sizeof on);
			if (bind(fd, i->ai_addr, i->ai_addrlen) || listen(fd, ADDR_BACKLOG)) {
				addr_close_keep(fd);
				fd = -1;
			}
		}
	}
	if (fd < 0)
		log_error("%s: %s", a->url, errno == EADDRINUSE ? "address in use" : strerror(errno));
	freeaddrinfo(all);
	return fd;
}

/* ---- both ---- */

int addr_dial(const struct addr *a, unsigned turn, bool *connecting, char *why, size_t size)
{
	const char *text = NULL;
	int fd = a->ipc ? unix_connect(a, connecting) : tcp_connect(a, turn, connecting, &text);
	bool nobody = a->ipc && (errno == ENOENT || errno == ECONNREFUSED);

	if (fd < 0)
		snprintf(why, size, "%s%s%s", nobody ? "nobody listens there (" : "", text ? text : strerror(errno),
			nobody ? ")" : "");
	return fd;
}

int addr_listen(const struct addr *a, int *lock)
{
	*lock = -1;
	return a->ipc ? unix_listen(a, lock) : tcp_listen(a);
}

void addr_unlisten(const struct addr *a, int fd, int lock)
{
	char *name;

	close(fd);
	if (lock < 0)
		return;
	unlink(a->path);
	if (asprintf(&name, "%s.lock", a->path) >= 0) {
		unlink(name);
		free(name);
	}
	close(lock);
}

void addr_tune(const struct addr *a, int fd)
{
	const int on = 1, idle = KEEP_IDLE_S, apart = 5, probes = 3;
	const unsigned gone = USER_TIMEOUT_MS;

	if (a->ipc)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &apart, sizeof apart);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone, sizeof gone);
}

static void print_inet(const struct sockaddr_storage *sa, socklen_t len, char *out, size_t size)
{
	char host[64], port[8];
	bool v6 = sa->ss_family == AF_INET6;

	if (getnameinfo((const struct sockaddr *)sa, len, host, sizeof host, port, sizeof port,
	    NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(out, size, "unknown");
	else
		snprintf(out, size, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

void addr_peer(const struct addr *a, int fd, char *out, size_t size)
{
	struct sockaddr_storage sa;
	struct ucred cred;
	socklen_t len = sizeof cred;

	snprintf(out, size, "unknown");
	if (a->ipc) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
			snprintf(out, size, "pid %d", (int)cred.pid);
		return;
	}
	len = sizeof sa;
	if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
		print_inet(&sa, len, out, size);
}

void addr_url(const struct addr *a, int fd, char *out, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	char at[72];

	if (a->ipc || getsockname(fd, (struct sockaddr *)&sa, &len)) {
		snprintf(out, size, "%s", a->url);
		return;
	}
	print_inet(&sa, len, at, sizeof at);
	snprintf(out, size, "%s://%s", a->tls ? "tls+tcp" : "tcp", at);
}
