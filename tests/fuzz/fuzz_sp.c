/*
 * fuzz_sp: bytes of a peer, in pieces, through the real connection code over a socket pair. The first byte chooses ipc or tcp
 * framing and whether a frame is released at once; each piece is a length byte and that many bytes. Every frame that is given
 * out must be one that frame_head finds in the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "link/transport/conn.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct peer {
	struct conn c;
	unsigned char sent[1u << 17];	/* behind the hello */
	size_t nsent, at;		/* at: behind the frame given out last */
	bool ipc, hold, gone;
};

static void need(int holds)
{
	if (!holds)
		abort();
}

static struct peer *of(struct conn *c)
{
	return (struct peer *)((char *)c - offsetof(struct peer, c));
}

static void on_up(struct conn *c)
{
	conn_read(c, true);
}

static void on_frame(struct conn *c, const char *p, size_t n)
{
	struct peer *x = of(c);
	size_t head, trace = frame_trace(p, n);
	uint64_t payload;

	need(frame_head(x->sent + x->at, x->nsent - x->at, x->ipc, MAX, &head, &payload) == 1);
	need(payload == n && x->nsent - x->at >= head + n && !memcmp(p, x->sent + x->at + head, n));
	need(trace <= n && trace <= SP_TRACE_MAX);
	x->at += head + n;
	if (!x->hold)
		conn_release(c);
}

static void on_gone(struct conn *c, const char *why)
{
	(void)why;
	of(c)->gone = true;
}

static void on_free(struct conn *c)
{
	(void)c;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct conn_ops ops = { .up = on_up, .frame = on_frame, .gone = on_gone, .free = on_free };
	static struct peer x;
	static struct rx_pool pool;
	struct loop *l;
	int fd[2];
	size_t before = 0;

	if (size < 1 || !(l = loop_new()))
		return 0;
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	x.nsent = x.at = 0;
	x.gone = false;
	x.ipc = data[0] & 1;
	x.hold = data[0] & 2;
	conn_init(&x.c, l, &ops, data[0] & 4 ? &pool : NULL, MAX);
	need(conn_start(&x.c, fd[0], false, x.ipc, NULL, NULL, SP_REP, SP_REQ) == 0);
	if (data[0] & 8) {	/* a good hello, to get further */
		unsigned char hello[SP_HELLO];
		frame_hello(hello, SP_REQ);
		need(send(fd[1], hello, sizeof hello, MSG_NOSIGNAL) == SP_HELLO);
		before = SP_HELLO;
	}
	for (size_t i = 1; i < size && !x.gone; ) {
		size_t n = data[i++];
		if (n > size - i)
			n = size - i;
		if (x.nsent + n > sizeof x.sent)
			break;
		for (size_t k = 0; k < n; k++, before++)
			if (before >= SP_HELLO)
				x.sent[x.nsent++] = data[i + k];
		if (n && send(fd[1], data + i, n, MSG_NOSIGNAL) < 0)
			break;
		i += n;
		loop_poll(l);
	}
	need(x.c.rx.cap <= 4 * (MAX + SP_HEAD_MAX) + 65536);
	close(fd[1]);
	loop_poll(l);
	loop_poll(l);
	need(x.gone);
	conn_end(&x.c);
	rx_pool_release(&pool);
	loop_free(l);
	return 0;
}
