/*
 * conn: one socket that speaks SP: hellos, then frames in and out; TLS below where asked. Both ends use it.
 *
 * Life: conn_init; conn_start gives it a socket; up, frame ... frame, gone; conn_start again or conn_end.
 * Callbacks may call everything here. conn_send, conn_read and conn_release call back nothing: what they find is told in
 * the next round of the loop.
 *
 * Memory: what is read lies in one buffer that grows only as bytes arrive (never as they are announced), to twice the
 * largest message at most. A frame is handed out in place and stays valid until conn_release, lost connection or not.
 */
#ifndef LINK_TRANSPORT_CONN_H
#define LINK_TRANSPORT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/loop.h"
#include "link/transport/frame.h"
#include "link/transport/rx.h"
#include "link/transport/tx.h"

struct tls_ctx;
struct tls;
struct conn;

struct conn_ops {
	void (*up)(struct conn *c);				/* both hellos were said */
	void (*frame)(struct conn *c, const char *p, size_t n);	/* a payload; only while wanted by conn_read */
	void (*gone)(struct conn *c, const char *why);		/* already closed; why NULL: the peer just closed */
	void (*free)(struct conn *c);				/* after conn_end, as soon as nothing runs in c any more */
};

enum conn_state { CONN_OFF, CONN_CONNECTING, CONN_TLS, CONN_HELLO, CONN_UP };

struct conn {
	struct loop *loop;
	const struct conn_ops *ops;
	struct loop_io io;
	struct loop_timer timer;	/* before up: the deadline; after: work that waits for the next round */
	enum conn_state state;
	struct tls *tls;
	bool ipc, reading, ended;
	unsigned depth;			/* callbacks running */
	unsigned epoch;			/* counts sockets */
	size_t max;			/* largest message */
	unsigned mine, theirs;		/* protocols */
	unsigned char hello[SP_HELLO];	/* as it comes in */
	size_t hello_n;
	struct rx rx;
	struct tx tx;
	unsigned char head[SP_HEAD_MAX + SP_TRACE_MAX];
	bool failed;			/* why holds what is told in the next round */
	char why[200];
};

void conn_init(struct conn *c, struct loop *l, const struct conn_ops *ops, struct rx_pool *pool, size_t max);

/* Takes fd, which is connected, or on its way if `connecting`. host: see tls_new. -1 with a reason in c->why; fd is closed. */
int conn_start(struct conn *c, int fd, bool connecting, bool ipc, struct tls_ctx *tls, const char *host,
	unsigned mine, unsigned theirs);
void conn_read(struct conn *c, bool on);	/* are frames wanted? Off at the start. None is given while conn_sending */
/* Sends a frame: trace words, then the parts. One at a time. copy: what can't be sent at once is copied, otherwise the parts'
 * bytes are borrowed until it is sent or the connection is over. */
void conn_send(struct conn *c, const unsigned char *trace, size_t ntrace, const struct iovec *parts, int n, bool copy);
bool conn_sending(const struct conn *c);
void conn_release(struct conn *c);		/* the frame handed out last is not needed any more */
void conn_fail(struct conn *c);			/* closes it in the next round of the loop, with gone(NULL) */
void conn_shut(struct conn *c);			/* closes the socket; gone is not called */
void conn_end(struct conn *c);			/* closes; ops->free follows, at once if nothing runs in c */

#endif
