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
#define RX_FIRST 4096u			/* first size of a read buffer, and the least room to read into */
#define RX_KEEP 16384u			/* larger buffers go to the pool when they are empty */
#define ROUND_BYTES (8u << 20)		/* read from one connection before the others get their turn */
#define TLS_GATHER 16384u		/* a record's worth */

/* ---- memory for reading ---- */

void conn_pool_release(struct conn_pool *pool)
{
	for (int i = 0; i < CONN_SPARE; i++) {
		free(pool->spare[i].p);
		pool->spare[i].p = NULL;
	}
}

static void rx_give(struct conn *c)
{
	for (int i = 0; c->rx && c->pool && c->rx_cap > RX_KEEP && i < CONN_SPARE; i++) {
		if (!c->pool->spare[i].p) {
			c->pool->spare[i].p = c->rx;
			c->pool->spare[i].cap = c->rx_cap;
			c->rx = NULL;
		}
	}
	free(c->rx);
	c->rx = NULL;
	c->rx_cap = c->rx_start = c->rx_len = 0;
}

static bool rx_take(struct conn *c)
{
	for (int i = 0; c->pool && i < CONN_SPARE; i++) {
		if (c->pool->spare[i].p) {
			c->rx = c->pool->spare[i].p;
			c->rx_cap = c->pool->spare[i].cap;
			c->pool->spare[i].p = NULL;
			return true;
		}
	}
	c->rx = malloc(RX_FIRST);
	c->rx_cap = c->rx ? RX_FIRST : 0;
	return c->rx != NULL;
}

/* Room for more bytes behind the ones that are there. The bytes of a held frame stay where they are. */
static bool rx_room(struct conn *c)
{
	size_t have = c->rx_len - c->rx_start;

	if (!c->rx && !rx_take(c))
		return false;
	if (!c->held && have == 0)
		c->rx_start = c->rx_len = 0;
	if (c->rx_cap - c->rx_len >= RX_FIRST)
		return true;
	if (c->held && !c->held_rx) {
		size_t cap = have < RX_FIRST ? 2 * RX_FIRST : 2 * have;
		char *p = malloc(cap);
		if (!p)
			return false;
		memcpy(p, c->rx + c->rx_start, have);
		c->held_rx = c->rx;
		c->rx = p;
		c->rx_cap = cap;
	} else if (c->rx_start >= have && c->rx_start >= RX_FIRST) {
		memcpy(c->rx, c->rx + c->rx_start, have);
	} else {
		char *p = realloc(c->rx, c->rx_cap * 2);
		if (!p)
			return false;
		c->rx = p;
		c->rx_cap *= 2;
		return true;
	}
	c->rx_start = 0;
	c->rx_len = have;
	return true;
}

void conn_release(struct conn *c)
{
	c->held = false;
	free(c->held_rx);
	c->held_rx = NULL;
	if (c->rx_start == c->rx_len) {
		c->rx_start = c->rx_len = 0;
		if (c->rx_cap > RX_KEEP && c->pool)
			rx_give(c);
	}
}

/* ---- life ---- */

static void on_io(void *arg, unsigned events);
static void on_timer(void *arg);

void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops, struct conn_pool *pool, size_t max)
{
	*c = (struct conn){ .loop = l, .ops = ops, .pool = pool, .max = max };
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
	c->rx_len = c->rx_start;	/* what was not handed out is worth nothing without the rest */
	if (!c->held)
		rx_give(c);
	free(c->tx_copy);
	c->tx_copy = NULL;
	c->tx_n = c->tx_at = 0;
	c->failed = c->reading = false;
}

static void destroy(struct conn *c)
{
	conn_release(c);
	free(c->rx);
	c->rx = NULL;
	c->ops->free(c);
}

void conn_end(struct conn *c)
{
	conn_shut(c);
	c->pool = NULL;
	c->ended = true;
	if (c->depth == 0)
		destroy(c);
}

/* Is there something to do that no event of the socket will tell? */
static bool has_work(const struct conn *c)
{
	uint64_t payload;
	size_t head, have = c->rx_len - c->rx_start;

	if (c->failed)
		return true;
	if (c->state != CONN_UP || !c->reading || c->tx_n)
		return false;
	if (c->tls && tls_pending(c->tls))
		return true;
	if (have == 0)
		return false;
	int rc = frame_head(c->rx + c->rx_start, have, c->ipc, c->max, &head, &payload);
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
	else if (c->state == CONN_HELLO || (c->reading && !c->tx_n))
		want |= LOOP_IN;
	if (c->state >= CONN_HELLO && (c->tx_n || (c->tls && tls_wants_write(c->tls))))
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

/* Writes what it can of the tx parts. */
static ssize_t write_some(struct conn *c)
{
	struct iovec *v = c->tx + c->tx_at;
	int n = c->tx_n - c->tx_at;
	char gather[TLS_GATHER];
	size_t len = 0;

	if (!c->tls)
		return sendmsg(c->io.fd, &(struct msghdr){ .msg_iov = v, .msg_iovlen = (size_t)n }, MSG_NOSIGNAL);
	if (v->iov_len >= sizeof gather)
		return tls_write(c->tls, v->iov_base, v->iov_len);
	/* Small parts go in one record: head and message would be two packets otherwise. */
	for (; n > 0 && len < sizeof gather; v++, n--) {
		size_t k = v->iov_len < sizeof gather - len ? v->iov_len : sizeof gather - len;
		memcpy(gather + len, v->iov_base, k);
		len += k;
	}
	return tls_write(c->tls, gather, len);
}

static void flush(struct conn *c)
{
	while (c->tx_at < c->tx_n) {
		ssize_t n = write_some(c);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				fail_errno(c);
			return;
		}
		for (size_t left = (size_t)n; c->tx_at < c->tx_n; c->tx_at++) {
			struct iovec *v = &c->tx[c->tx_at];
			if (left < v->iov_len) {
				v->iov_base = (char *)v->iov_base + left;
				v->iov_len -= left;
				break;
			}
			left -= v->iov_len;
		}
	}
	c->tx_at = c->tx_n = 0;
	free(c->tx_copy);
	c->tx_copy = NULL;
}

/* Moves what is left to memory of our own. */
static void keep_rest(struct conn *c)
{
	size_t len = 0, at = 0;
	char *p;

	for (int i = c->tx_at; i < c->tx_n; i++)
		len += c->tx[i].iov_len;
	p = malloc(len);
	if (!p) {
		fail(c, "%s", strerror(ENOMEM));
		return;
	}
	for (int i = c->tx_at; i < c->tx_n; at += c->tx[i++].iov_len)
		memcpy(p + at, c->tx[i].iov_base, c->tx[i].iov_len);
	c->tx_copy = p;
	c->tx[0] = (struct iovec){ .iov_base = p, .iov_len = len };
	c->tx_at = 0;
	c->tx_n = 1;
}

void conn_send(struct conn *c, const unsigned char *trace, size_t ntrace, const struct iovec *parts, int n, bool copy)
{
	uint64_t len = ntrace;

	if (c->state != CONN_UP || c->tx_n)
		return;
	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	size_t head = frame_head_write(c->head, c->ipc, len);
	memcpy(c->head + head, trace, ntrace);
	c->tx[c->tx_n++] = (struct iovec){ .iov_base = c->head, .iov_len = head + ntrace };
	for (int i = 0; i < n && c->tx_n <= CONN_PARTS; i++)
		if (parts[i].iov_len > 0)
			c->tx[c->tx_n++] = parts[i];
	flush(c);
	if (c->tx_n && copy && !c->failed)
		keep_rest(c);
	settle(c);
}

bool conn_sending(const struct conn *c)
{
	return c->tx_n > 0;
}

/* ---- receiving ---- */

/* Hands out the frames that are whole. */
static void deliver(struct conn *c)
{
	unsigned epoch = c->epoch;

	while (c->epoch == epoch && c->state == CONN_UP && c->reading && !c->tx_n && !c->failed) {
		size_t head, have = c->rx_len - c->rx_start;
		uint64_t payload;
		if (have == 0)
			return;
		const char *p = c->rx + c->rx_start;
		int rc = frame_head(p, have, c->ipc, c->max, &head, &payload);
		if (rc < 0 && payload)
			fail(c, "announces a message of %llu bytes, the limit is %zu",
				(unsigned long long)payload, c->max);
		else if (rc < 0)
			fail(c, "sent what is no frame of SP");
		if (rc <= 0 || have - head < payload)
			return;
		c->rx_start += head + (size_t)payload;
		/* A frame before this one that is still held is not needed any more: its owner wants the newest. */
		free(c->held_rx);
		c->held_rx = NULL;
		c->held = true;
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
		if (c->epoch != epoch || c->state != CONN_UP || !c->reading || c->tx_n || c->failed || drained)
			return;
		if (!rx_room(c)) {
			fail(c, "%s", strerror(ENOMEM));
			return;
		}
		size_t room = c->rx_cap - c->rx_len;
		ssize_t got = read_some(c, c->rx + c->rx_len, room);
		if (got == 0) {
			lost(c, NULL);
			return;
		}
		if (got < 0) {
			if (errno != EAGAIN)
				fail_errno(c);
			return;
		}
		c->rx_len += (size_t)got;
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
	c->tx[0] = (struct iovec){ .iov_base = c->head, .iov_len = SP_HELLO };
	c->tx_at = 0;
	c->tx_n = 1;
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
	else if (c->tx_n && (events & (LOOP_OUT | LOOP_HUP)))
		flush(c);
	if (c->state == CONN_HELLO && !c->failed)
		read_hello(c);
	if (c->epoch == epoch && c->state == CONN_UP && !c->failed)
		pump(c);
	/* The peer is gone, and what it may have left behind is not wanted now. */
	if (c->epoch == epoch && c->state == CONN_UP && !c->failed && (events & LOOP_HUP) && (!c->reading || c->tx_n))
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
