#include "gatewayd/wire/wire.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/tls.h"
#include "gatewayd/wire/wire_impl.h"

#define READS 8u			/* of one connection in a round */
#define FILES_LEFT 64			/* descriptors that are not for wires; of few, a quarter */
#define STALL "write stall: the peer takes nothing"

/* ---- the end ---- */

static void drop_socket(struct wire *w)
{
	struct loop *l = w->ws->loop;

	loop_timer_del(l, &w->timer);
	loop_timer_del(l, &w->again);
	tls_free(w->tls);
	w->tls = NULL;
	loop_io_del(l, &w->io);
	if (w->io.fd >= 0)
		close(w->io.fd);
	w->io.fd = -1;
	resolve_cancel(w->wait);
	w->wait = NULL;
}

static void wire_free(struct wire *w)
{
	drop_socket(w);
	trust_leave(w->ws, w->trust);
	buf_release(&w->out);
	free(w->host);
	free(w);
}

/* Nothing more is expected of it; behind the callbacks under way it is freed. */
static void end(struct wire *w)
{
	if (!w->busy) {
		wire_free(w);
		return;
	}
	drop_socket(w);
	w->state = GONE;
	w->dead = true;
}

void wire_enter(struct wire *w)
{
	w->busy++;
}

/* false: the wire is not there any more. */
bool wire_leave(struct wire *w)
{
	if (--w->busy || !w->dead)
		return !w->dead;
	wire_free(w);
	return false;
}

static void linger_end(struct wire *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		w->ws->lingering = w->next;
	if (w->next)
		w->next->prev = w->prev;
	end(w);
}

/* The connection is over: tells its owner. w may be gone afterwards. */
void wire_lose(struct wire *w, const char *reason)
{
	char text[256];

	if (w->state == LINGERING) {
		linger_end(w);
		return;
	}
	if (w->state == GONE)
		return;
	snprintf(text, sizeof(text), "%s", reason);
	drop_socket(w);
	w->state = GONE;
	wire_enter(w);
	w->h->on_gone(w->arg, text);
	wire_leave(w);
}

/* ---- bytes out ---- */

void wire_want(struct wire *w)
{
	unsigned ev = 0;

	if (w->io.fd < 0)
		return;
	if (w->state == CONNECTING)
		ev = LOOP_OUT;
	else if (w->state == SHAKING)
		ev = tls_wants_write(w->tls) ? LOOP_OUT : LOOP_IN;
	else
		ev = (w->paused ? 0 : LOOP_IN) | (w->sent < w->out.len ? LOOP_OUT : 0);
	/* A failure of epoll would leave a connection that nobody looks after. */
	if (loop_io_want(w->ws->loop, &w->io, ev))
		log_error("epoll: %m");
}

static ssize_t put(struct wire *w, const char *p, size_t n)
{
	return w->tls ? tls_write(w->tls, p, n) : send(w->io.fd, p, n, MSG_NOSIGNAL);
}

/* Sends what the socket takes: 0, or -1 the connection is lost (errno). */
static int flush(struct wire *w)
{
	while (w->sent < w->out.len) {
		ssize_t n = put(w, w->out.p + w->sent, w->out.len - w->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -1;
		w->sent += (size_t)n;
		w->out_total += (size_t)n;
	}
	if (w->sent == w->out.len) {
		if (w->out.cap > 16384)
			buf_release(&w->out);
		buf_clear(&w->out);
		w->sent = 0;
		if (w->state == OPEN)
			loop_timer_del(w->ws->loop, &w->timer);
		if (w->state == LINGERING && !w->tls)
			shutdown(w->io.fd, SHUT_WR);
	} else if (w->state == OPEN && !w->timer.due) {
		w->stall_sent = w->out_total;
		loop_timer_in(w->ws->loop, &w->timer, w->ws->stall);
	}
	wire_want(w);
	return 0;
}

static const char *trouble(const struct wire *w, char text[256])
{
	if (errno == ETIMEDOUT)
		snprintf(text, 256, "TCP timeout: nothing is acknowledged");
	else if (w->tls && tls_error(w->tls)[0])
		snprintf(text, 256, "TLS: %s", tls_error(w->tls));
	else
		snprintf(text, 256, "%s", strerror(errno));
	return text;
}

void wire_send(struct wire *w, const void *p, size_t n)
{
	char text[256];

	if (w->state != OPEN)
		return;
	if (w->sent && w->sent == w->out.len)
		buf_clear(&w->out), w->sent = 0;
	if (buf_add(&w->out, p, n)) {
		/* Told from the loop, never from inside this call. */
		snprintf(w->error, sizeof(w->error), "%s", errno == EMSGSIZE ? STALL : "no memory");
		w->stalled = true;
		loop_timer_set(w->ws->loop, &w->again, clock_mono());
		return;
	}
	if (flush(w)) {
		snprintf(w->error, sizeof(w->error), "%s", trouble(w, text));
		w->stalled = true;
		loop_timer_set(w->ws->loop, &w->again, clock_mono());
	}
}

/* ---- bytes in ---- */

static ssize_t get(struct wire *w, char *p, size_t n)
{
	return w->tls ? tls_read(w->tls, p, n) : recv(w->io.fd, p, n, 0);
}

static void on_end(struct wire *w, ssize_t n)
{
	char text[256];

	wire_lose(w, n == 0 ? "closed by the peer without a word" : trouble(w, text));
}

static void readable(struct wire *w)
{
	wire_enter(w);
	for (unsigned i = 0; i < READS && (w->state == OPEN || w->state == LINGERING) && !w->paused; i++) {
		ssize_t n = get(w, w->ws->scratch, SCRATCH);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wire_want(w);
			wire_leave(w);
			return;
		}
		if (n <= 0) {
			on_end(w, n);
			wire_leave(w);
			return;
		}
		if (w->state == OPEN)
			w->h->on_bytes(w->arg, w->ws->scratch, (size_t)n);
		/* A read that did not fill the buffer has most likely emptied the socket: the loop tells when it has not. */
		if (w->state == GONE || (!w->tls && (size_t)n < SCRATCH))
			break;
	}
	if (w->tls && tls_pending(w->tls) && !w->paused && !w->dead)
		loop_timer_set(w->ws->loop, &w->again, clock_mono());
	wire_leave(w);
}

void wire_pause(struct wire *w, bool pause)
{
	if (w->paused == pause)
		return;
	w->paused = pause;
	if (w->state != OPEN)
		return;
	wire_want(w);
	if (!pause && w->tls && tls_pending(w->tls))
		loop_timer_set(w->ws->loop, &w->again, clock_mono());
}

static void on_again(void *arg)
{
	struct wire *w = arg;

	if (w->stalled)
		wire_lose(w, w->error);
	else if (w->state == OPEN || w->state == LINGERING)
		readable(w);
}

static void on_io(void *arg, unsigned events)
{
	struct wire *w = arg;
	char text[256];

	if (w->state == CONNECTING) {
		wire_connected(w);
		return;
	}
	if (w->state == SHAKING) {
		wire_shake(w);
		return;
	}
	if ((events & LOOP_OUT) && flush(w)) {
		wire_lose(w, trouble(w, text));
		return;
	}
	/* Paused, a socket that is broken is not read to find out why: its end is told when reading goes on, behind what came before it. */
	if (!w->paused && (events & (LOOP_IN | LOOP_HUP)))
		readable(w);
}

static void on_timer(void *arg)
{
	struct wire *w = arg;

	switch (w->state) {
	case RESOLVING:
		wire_lose(w, "timeout: the name was not answered");
		break;
	case CONNECTING:
		wire_failed(w, "connect timeout");
		break;
	case SHAKING:
		wire_lose(w, "TLS: timeout of the handshake");
		break;
	case OPEN:
		if (w->out_total != w->stall_sent) {
			w->stall_sent = w->out_total;
			loop_timer_in(w->ws->loop, &w->timer, w->ws->stall);
		} else {
			wire_lose(w, STALL);
		}
		break;
	case LINGERING:
		linger_end(w);
		break;
	case GONE:
		break;
	}
}

/* ---- life ---- */

/* The smallest free descriptor is the one that is given. */
static int files_top(void)
{
	struct rlimit lim;
	int n;

	if (getrlimit(RLIMIT_NOFILE, &lim) || lim.rlim_cur > INT_MAX)
		return INT_MAX;
	n = (int)lim.rlim_cur;
	return n / 4 < FILES_LEFT ? n - n / 4 : n - FILES_LEFT;
}

struct wires *wires_open(struct loop *l, int64_t stall)
{
	struct wires *ws = calloc(1, sizeof(*ws));

	if (!ws) {
		log_error("out of memory");
		return NULL;
	}
	ws->loop = l;
	ws->stall = stall;
	ws->top = files_top();
	ws->resolver = resolver_open(l);
	if (!ws->resolver) {
		free(ws);
		return NULL;
	}
	return ws;
}

void wires_close(struct wires *ws)
{
	if (!ws)
		return;
	while (ws->lingering)
		linger_end(ws->lingering);
	resolver_close(ws->resolver);
	free(ws);
}

struct wire *wire_dial(struct wires *ws, const struct wire_to *to, const struct wire_handler *h, void *arg)
{
	struct wire *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return NULL;
	w->ws = ws;
	w->h = h;
	w->arg = arg;
	w->io = (struct loop_io){.fd = -1, .fn = on_io, .arg = w};
	w->timer = (struct loop_timer){.fn = on_timer, .arg = w};
	w->again = (struct loop_timer){.fn = on_again, .arg = w};
	buf_init(&w->out, WIRE_QUEUE);
	w->port = to->port;
	w->host = strdup(to->host);
	w->opening = clock_mono() + to->opening;
	if (!w->host || (to->tls && !(w->trust = trust_get(ws, to->ca ? to->ca : ""))) ||
	    loop_timer_set(ws->loop, &w->timer, w->opening) ||
	    !(w->wait = resolve(ws->resolver, to->host, to->port, wire_resolved, w))) {
		e = errno;
		wire_free(w);
		errno = e;
		return NULL;
	}
	return w;
}

void wire_close(struct wire *w, bool lingering)
{
	struct wires *ws;

	if (!w)
		return;
	ws = w->ws;
	if (!lingering || w->state != OPEN || w->stalled || loop_timer_in(ws->loop, &w->timer, WIRE_LINGER)) {
		end(w);
		return;
	}
	w->state = LINGERING;
	w->paused = false;
	w->next = ws->lingering;
	if (w->next)
		w->next->prev = w;
	ws->lingering = w;
	if (flush(w))
		linger_end(w);
}
