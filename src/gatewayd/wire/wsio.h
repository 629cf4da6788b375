/*
 * wsio: the client's side of WebSocket (RFC 6455), bytes to messages and back. Pure.
 *
 * Why not libwebsockets, which serves the browsers: it takes one frame a call and a poll() of every connection a round (180,000 messages/s
 * against a million from whole reads, facts/limits.md section 5), resolves names by blocking, and has one set of authorities for all of a
 * virtual host; and a stream without frames (irc:) would need its own way beside it.
 *
 * No extension is offered, so none may be used by the server (RSV bits are a fault), no subprotocol, no redirect is followed. Messages come
 * whole, at most `max` bytes, text checked as UTF-8. A message that came in one piece is not copied.
 */
#ifndef GATEWAYD_WSIO_H
#define GATEWAYD_WSIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define WSIO_HEAD_MAX 16384u		/* bytes of the server's answer to the handshake */
#define WSIO_SMALL 125u			/* bytes of a control frame's payload */

enum wsio_op { WSIO_MORE = 0, WSIO_TEXT = 1, WSIO_BINARY = 2, WSIO_CLOSE = 8, WSIO_PING = 9, WSIO_PONG = 10 };

/* Each may end the reading by true: nothing of the struct is touched after that (it may be gone). */
struct wsio_handler {
	bool (*open)(void *arg);		/* the handshake is done */
	bool (*message)(void *arg, const char *p, size_t n, bool binary);
	bool (*ping)(void *arg, const char *p, size_t n);	/* answer with WSIO_PONG and the same bytes */
	bool (*pong)(void *arg);
	bool (*closed)(void *arg, unsigned code, const char *reason);	/* 1005: none was given. Nothing is read behind it */
};

struct wsio {
	bool open, closed;
	size_t max;
	struct buf part;		/* the head, or a frame, whose end has not come */
	struct buf msg;			/* pieces of a message whose last has not come */
	unsigned op;			/* of that message, 0: none */
	char accept[29];
	unsigned code;			/* after a fault: what to close with; 0: not a WebSocket at all */
	char why[160];
};

/* max: bytes of a message. random: 16 bytes. Appends the request to out: 0, or -1 when there is no memory. host as it goes into the field,
 * with a port unless it is the scheme's own; target begins with a slash and holds no blank (the caller checked both). */
int wsio_init(struct wsio *w, size_t max, const char *host, const char *target, const unsigned char random[16], struct buf *out);
void wsio_release(struct wsio *w);

/* 0 all was taken; 1 a handler ended it; -1 a fault: code and why. */
int wsio_feed(struct wsio *w, const char *p, size_t n, const struct wsio_handler *h, void *arg);

/* Appends a whole frame, masked: 0, -1 no memory or out's ceiling. */
int wsio_frame(struct buf *out, enum wsio_op op, const void *p, size_t n, uint32_t mask);
/* The payload of a close frame; reason is cut to what fits. Returns its length. */
size_t wsio_close_text(char out[WSIO_SMALL], unsigned code, const char *reason);

#endif
