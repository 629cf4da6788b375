#include "link/transport/conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tls.h"

#define START_NS (5 * CLOCK_S)		/* from accept or connect to the end of the hellos */
#define ROUND_BYTES (8u << 20)		/* read from one connection before the others get their turn */

/* ---- life ---- */

static void on_io(void *arg, unsigned events);
static void on_timer(void *arg);

void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops, struct rx_pool *pool, size_t max)
{
	*c = (struct conn){ .loop = l, .ops = ops, .rx.pool = pool, .max = max };
	c->io = (struct loop_io){ .fd = -1, .fn = on_io, .arg = c };
	c->timer = (struct loop_timer){ .fn = on_timer, .arg = c };
}

__attribute__((format(printf, 2, 3)))
static void fail(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	if (c->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof c->why, fmt, ap);
	va_end(ap);
	c->failed = true;
}

static void fail_errno(struct conn *c)
{
	/* The usual end of a peer that is killed is no fault to speak of. */
	if (errno == EPIPE || errno == ECONNRESET)
		fail(c, "%s", "");
	else if (c->tls)
		fail(c, "TLS: %s", tls_error(c->tls));
	else
		fail(c, "%s", strerror(errno));
}

void conn_shut(struct conn *c)
{
	if (c->state == CONN_OFF)
		return;
	c->state = CONN_OFF;
	c->epoch++;
	loop_timer_del(c->loop, &c->timer);
	loop_io_del(c->loop, &c->io);
	tls_free(c->tls);
	c->tls = NULL;
	close(c->io.fd);
	c->io.fd = -1;
	rx_forget(&c->rx);
	tx_drop(&c->tx);
	c->failed = c->reading = false;
}

static void destroy(struct conn *c)
{
	rx_free(&c->rx);
	c->ops->free(c);
}

void conn_end(struct conn *c)
{
	conn_shut(c);
	c->rx.pool = NULL;		/* its listener may be gone before c is */
	c->ended = true;
	if (c->depth == 0)
		destroy(c);
}

/* Is there something to do that no event of the socket will tell? */
static bool has_work(const struct conn *c)
{
	uint64_t payload;
	size_t head, have = c->rx.len - c->rx.start;

	if (c->failed)
		return true;
	if (c->state != CONN_UP || !c->reading || tx_left(&c->tx))
		return false;
	if (c->tls && tls_pending(c->tls))
		return true;
	if (have == 0)
		return false;
	int rc = frame_head(c->rx.p + c->rx.start, have, c->ipc, c->max, &head, &payload);
	return rc < 0 || (rc > 0 && have - head >= payload);
}

/* Tells the loop what is wanted now. */
static void settle(struct conn *c)
{
	unsigned want = LOOP_EOF;

	if (c->depth > 0 || c->state == CONN_OFF)
		return;
	if (c->state == CONN_CONNECTING)
		want |= LOOP_OUT;
	else if (c->state == CONN_TLS)
		want |= tls_wants_write(c->tls) ? LOOP_OUT : LOOP_IN;
	else if (c->state == CONN_HELLO || (c->reading && !tx_left(&c->tx)))
		want |= LOOP_IN;
	if (c->state >= CONN_HELLO && (tx_left(&c->tx) || (c->tls && tls_wants_write(c->tls))))
		want |= LOOP_OUT;
	if (loop_io_want(c->loop, &c->io, want))
		fail(c, "%s", strerror(errno));
	if (has_work(c) && loop_timer_set(c->loop, &c->timer, 1))
		fail(c, "%s", strerror(ENOMEM));
}

static void lost(struct conn *c, const char *why)
{
	conn_shut(c);
	c->ops->gone(c, why);
}

/* Ends a call from the loop. */
static void leave(struct conn *c)
{
	if (c->failed && c->state != CONN_OFF)
		lost(c, c->why[0] ? c->why : NULL);
	if (--c->depth > 0)
		return;
	if (c->ended)
		destroy(c);
	else
		settle(c);
}

/* ---- sending ---- */

static void flush(struct conn *c)
{
	if (tx_flush(&c->tx, c->io.fd, c->tls) < 0)
		fail_errno(c);
}

void conn_send(struct conn *c, const unsigned char *trace, size_t ntrace, const struct iovec *parts, int n, bool copy)
{
	struct iovec small[TX_PARTS], *all = n < TX_PARTS ? small : malloc(((size_t)n + 1) * sizeof *all);
	uint64_t len = ntrace;

	if (!all) {
		fail(c, "%s", strerror(ENOMEM));
	} else if (c->state == CONN_UP && !tx_left(&c->tx)) {
		for (int i = 0; i < n; i++)
			len += parts[i].iov_len;
		size_t head = frame_head_write(c->head, c->ipc, len);
		memcpy(c->head + head, trace, ntrace);
		all[0] = (struct iovec){ .iov_base = c->head, .iov_len = head + ntrace };
		memcpy(all + 1, parts, (size_t)n * sizeof *all);
		if (tx_set(&c->tx, all, n + 1))
			fail(c, "%s", strerror(ENOMEM));
		else
			flush(c);
		if (tx_left(&c->tx) && copy && tx_keep(&c->tx))
			fail(c, "%s", strerror(ENOMEM));
	}
	if (all != small)
		free(all);
	settle(c);
}

bool conn_sending(const struct conn *c)
{
	return tx_left(&c->tx);
}

/* ---- receiving ---- */

/* Hands out the frames that are whole. */
static void deliver(struct conn *c)
{
	unsigned epoch = c->epoch;

	while (c->epoch == epoch && c->state == CONN_UP && c->reading && !tx_left(&c->tx) && !c->failed) {
		size_t head, have = c->rx.len - c->rx.start;
		uint64_t payload;
		if (have == 0)
			return;
		const char *p = c->rx.p + c->rx.start;
		int rc = frame_head(p, have, c->ipc, c->max, &head, &payload);
		if (rc < 0 && payload)
			fail(c, "announces a message of %llu bytes, the limit is %zu",
				(unsigned long long)payload, c->max);
		else if (rc < 0)
			fail(c, "sent what is no frame of SP");
		if (rc <= 0 || have - head < payload)
			return;
		c->rx.start += head + (size_t)payload;
		rx_hold(&c->rx);
		c->ops->frame(c, p + head, (size_t)payload);
	}
}

static ssize_t read_some(struct conn *c, void *p, size_t n)
{
	ssize_t got;

	do {
		got = c->tls ? tls_read(c->tls, p, n) : recv(c->io.fd, p, n, 0);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* Reads and hands out until nothing is left, nothing is wanted, or others should have their turn. */
static void pump(struct conn *c)
{
	unsigned epoch = c->epoch;
	size_t budget = ROUND_BYTES;
	bool drained = false;

	for (;;) {
		deliver(c);
		if (c->epoch != epoch || c->state != CONN_UP || !c->reading || tx_left(&c->tx) || c->failed || drained)
			return;
		if (!rx_room(&c->rx)) {
			fail(c, "%s", strerror(ENOMEM));
			return;
		}
		size_t room = c->rx.cap - c->rx.len;
		ssize_t got = read_some(c, c->rx.p + c->rx.len, room);
		if (got == 0) {
			lost(c, NULL);
			return;
		}
		if (got < 0) {
			if (errno != EAGAIN)
				fail_errno(c);
			return;
		}
		c->rx.len += (size_t)got;
		drained = (!c->tls && (size_t)got < room) || (size_t)got > budget;
		budget -= drained ? 0 : (size_t)got;
	}
}

static void read_hello(struct conn *c)
{
	unsigned got;
	ssize_t n = read_some(c, c->hello + c->hello_n, SP_HELLO - c->hello_n);

	if (n == 0) {
		lost(c, NULL);
	} else if (n < 0 && errno != EAGAIN) {
		fail_errno(c);
	} else if (n > 0 && (c->hello_n += (size_t)n) == SP_HELLO) {
		if (frame_hello_check(c->hello, c->theirs, &got)) {
			if (got)
				fail(c, "speaks protocol 0x%02x of SP, not %s (0x%02x)", got,
					c->theirs == SP_REQ ? "REQ" : "REP", c->theirs);
			else
				fail(c, "does not speak SP (a wrong hello)");
			return;
		}
		c->state = CONN_UP;
		loop_timer_del(c->loop, &c->timer);
		c->ops->up(c);
	}
}

/* ---- beginning ---- */

static void say_hello(struct conn *c)
{
	frame_hello(c->head, c->mine);
	tx_set(&c->tx, &(struct iovec){ .iov_base = c->head, .iov_len = SP_HELLO }, 1);
	c->state = CONN_HELLO;
	flush(c);
}

static void begin(struct conn *c)
{
	int e = 0;
	socklen_t len = sizeof e;

	if (c->state == CONN_CONNECTING) {
		if (getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &e, &len))
			e = errno;
		if (e) {
			fail(c, "%s", strerror(e));
			return;
		}
		c->state = CONN_TLS;
	}
	if (c->tls) {
		int rc = tls_handshake(c->tls);
		if (rc < 0)
			fail(c, "TLS: %s", tls_error(c->tls));
		if (rc <= 0)
			return;
	}
	say_hello(c);
}

int conn_start(struct conn *c, int fd, bool connecting, bool ipc, struct tls_ctx *tls, const char *host,
	unsigned mine, unsigned theirs)
{
	c->io.fd = fd;
	c->ipc = ipc;
	c->mine = mine;
	c->theirs = theirs;
	c->hello_n = 0;
	c->failed = c->reading = false;
	c->tls = NULL;
	c->epoch++;
	if (tls && !(c->tls = tls_new(tls, fd, host)))
		goto fail;
	if (loop_io_add(c->loop, &c->io, connecting ? LOOP_OUT : LOOP_IN))
		goto fail;
	c->state = connecting ? CONN_CONNECTING : CONN_TLS;
	if (loop_timer_in(c->loop, &c->timer, START_NS)) {
		errno = ENOMEM;
		goto fail_added;
	}
	if (!connecting)
		begin(c);
	settle(c);
	return 0;
fail_added:
	loop_io_del(c->loop, &c->io);
fail:
	snprintf(c->why, sizeof c->why, "%s", strerror(errno));
	c->state = CONN_OFF;
	tls_free(c->tls);
	c->tls = NULL;
	close(fd);
	c->io.fd = -1;
	return -1;
}

/* ---- calls from the loop ---- */

static void on_io(void *arg, unsigned events)
{
	struct conn *c = arg;
	unsigned epoch = c->epoch;

	c->depth++;
	if (c->state == CONN_CONNECTING || c->state == CONN_TLS)
		begin(c);
	else if (tx_left(&c->tx) && (events & (LOOP_OUT | LOOP_HUP)))
		flush(c);
	if (c->state == CONN_HELLO && !c->failed)
		read_hello(c);
	if (c->epoch == epoch && c->state == CONN_UP && !c->failed)
		pump(c);
	/* The peer is gone, and what it may have left behind is not wanted now. */
	if (c->epoch == epoch && c->state == CONN_UP && !c->failed && (events & LOOP_HUP) && (!c->reading || tx_left(&c->tx)))
		lost(c, NULL);
	leave(c);
}

static void on_timer(void *arg)
{
	struct conn *c = arg;

	c->depth++;
	if (c->state == CONN_UP)
		pump(c);
	else
		fail(c, c->state == CONN_HELLO ? "no hello within %d s" : "no connection within %d s",
			(int)(START_NS / CLOCK_S));
	leave(c);
}

void conn_read(struct conn *c, bool on)
{
	c->reading = on;
	settle(c);
}

void conn_fail(struct conn *c)
{
	if (c->state == CONN_OFF)
		return;
	fail(c, "%s", "");
	settle(c);
}

void conn_release(struct conn *c)
{
	rx_release(&c->rx);
}
