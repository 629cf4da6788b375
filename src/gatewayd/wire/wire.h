/*
 * wire: outward streams of bytes over TCP, with TLS or without, on our loop.
 *
 * Dialling resolves the name (resolve.h), tries its addresses one after the other and shakes hands, all within `opening`. Bytes to send are queued;
 * a peer that takes none of them for `stall`, or lets more than WIRE_QUEUE wait, has lost the connection; so has one whose TCP acknowledges nothing for
 * a third longer (TCP_USER_TIMEOUT), and one that answers no probe of a quiet connection (SO_KEEPALIVE; no frame of ours is needed for it).
 * A part of the descriptors that the process may have is left for its files and for others: beyond that none is dialled.
 *
 * Any function may be called from any callback, wire_close too. One thread.
 */
#ifndef GATEWAYD_WIRE_H
#define GATEWAYD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct loop;
struct wire;
struct wires;		/* what all of them share: resolver, certificates, the reading buffer */

#define WIRE_QUEUE (4u << 20)

struct wire_handler {
	void (*on_open)(void *arg);
	void (*on_bytes)(void *arg, const char *p, size_t n);	/* borrowed */
	/* The connection is over, whether it was ever open or not; wire_close is still to be called. reason: for people, borrowed. */
	void (*on_gone)(void *arg, const char *reason);
};

struct wire_to {
	const char *host;		/* name or numeric address, without brackets */
	unsigned port;
	bool tls;
	const char *ca;			/* PEM file of those who may sign, instead of the system's; NULL: the system's */
	int64_t opening;
};

struct wires *wires_open(struct loop *l, int64_t stall);	/* NULL with a message */
void wires_close(struct wires *w);		/* after every wire */

/* NULL with errno or a message (ca). No callback comes from inside this call. */
struct wire *wire_dial(struct wires *ws, const struct wire_to *to, const struct wire_handler *h, void *arg);
/* No callback comes any more. lingering: what is queued is still sent, and the peer's end waited for, WIRE_LINGER at most. */
#define WIRE_LINGER (2 * CLOCK_S)
void wire_close(struct wire *w, bool lingering);

/* Queues; once it is open. After a failure on_gone comes. */
void wire_send(struct wire *w, const void *p, size_t n);
void wire_pause(struct wire *w, bool pause);	/* nothing is read while paused; the end of the peer is then seen late */

#endif
