#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/tls.h"
#include "gatewayd/wire/wire_impl.h"

#define TRY_MIN (2 * CLOCK_S)		/* for one address when others are left */

/* ---- certificates ---- */

struct trust *trust_get(struct wires *ws, const char *ca)
{
	struct trust *t;

	for (t = ws->trust; t; t = t->next)
		if (strcmp(t->ca, ca) == 0) {
			t->refs++;
			return t;
		}
	t = calloc(1, sizeof(*t) + strlen(ca) + 1);
	if (!t)
		return NULL;
	strcpy(t->ca, ca);
	t->ctx = tls_ctx_new(false, ca[0] ? ca : NULL, NULL, NULL);
	if (!t->ctx) {
		free(t);
		errno = EINVAL;
		return NULL;
	}
	t->refs = 1;
	t->next = ws->trust;
	ws->trust = t;
	return t;
}

void trust_leave(struct wires *ws, struct trust *t)
{
	struct trust **p = &ws->trust;

	if (!t || --t->refs)
		return;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	tls_ctx_free(t->ctx);
	free(t);
}

/* ---- opening ---- */

static void opened(struct wire *w)
{
	w->state = OPEN;
	loop_timer_del(w->ws->loop, &w->timer);
	wire_want(w);
	wire_enter(w);
	w->h->on_open(w->arg);
	if (wire_leave(w) && w->state == OPEN && w->tls && tls_pending(w->tls))
		loop_timer_set(w->ws->loop, &w->again, clock_mono());
}

static void next_address(struct wire *w);

/* This address will not do. */
void wire_failed(struct wire *w, const char *why)
{
	snprintf(w->error, sizeof(w->error), "%s", why);
	tls_free(w->tls);
	w->tls = NULL;
	loop_io_del(w->ws->loop, &w->io);
	close(w->io.fd);
	w->io.fd = -1;
	next_address(w);
}

void wire_shake(struct wire *w)
{
	char text[256];
	int rc = tls_handshake(w->tls);

	if (rc < 0) {
		snprintf(text, sizeof(text), "TLS: %s", tls_error(w->tls));
		wire_lose(w, text);	/* another address of the same name would say the same */
		return;
	}
	if (rc > 0)
		opened(w);
	else
		wire_want(w);
}

void wire_connected(struct wire *w)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(w->io.fd, SOL_SOCKET, SO_ERROR, &err, &n))
		err = errno;
	if (err) {
		wire_failed(w, strerror(err));
		return;
	}
	if (!w->trust) {
		opened(w);
		return;
	}
	w->tls = tls_new(w->trust->ctx, w->io.fd, w->host);
	if (!w->tls) {
		wire_lose(w, "TLS: no memory");
		return;
	}
	w->state = SHAKING;
	/* All that is left of the time is for this address now. */
	loop_timer_set(w->ws->loop, &w->timer, w->opening);
	wire_shake(w);
}

static void set_options(int fd, int64_t stall)
{
	int on = 1, idle = 60, every = 15, count = 3, user = (int)((stall + stall / 3) / CLOCK_MS);

	/* What a system does not know it goes without: silence is noticed by the platform's own rule as well. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user, sizeof(user));
}

static int64_t try_time(const struct wire *w, int64_t now)
{
	int64_t left = w->opening - now, each = left / (int64_t)(w->naddr - w->at);

	return each > TRY_MIN || w->at + 1 == w->naddr ? each : left < TRY_MIN ? left : TRY_MIN;
}

/* Dials the address at w->at; what fails at once makes place for the next one. */
static void next_address(struct wire *w)
{
	int64_t now = clock_mono();

	for (w->at++; w->at < w->naddr && now < w->opening; w->at++) {
		const struct resolve_addr *a = &w->addr[w->at];
		int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0 || fd >= w->ws->top) {
			snprintf(w->error, sizeof(w->error), "socket: %s", fd < 0 && errno != EMFILE ? strerror(errno) :
				"as many files are open as may be; want a higher limit (ulimit -n, LimitNOFILE)");
			if (fd >= 0)
				close(fd);
			continue;
		}
		set_options(fd, w->ws->stall);
		w->io.fd = fd;
		if ((connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0 || errno == EINPROGRESS) &&
		    loop_io_add(w->ws->loop, &w->io, LOOP_OUT) == 0) {
			w->state = CONNECTING;
			loop_timer_set(w->ws->loop, &w->timer, now + try_time(w, now));
			return;
		}
		snprintf(w->error, sizeof(w->error), "%s", strerror(errno));
		close(fd);
		w->io.fd = -1;
	}
	wire_lose(w, w->error[0] ? w->error : "connect timeout");
}

void wire_resolved(void *arg, const struct resolve_addr *v, size_t n, const char *error)
{
	struct wire *w = arg;

	w->wait = NULL;
	if (!n) {
		wire_lose(w, error);
		return;
	}
	memcpy(w->addr, v, n * sizeof(*v));
	w->naddr = n;
	w->at = (size_t)-1;
	next_address(w);
}
