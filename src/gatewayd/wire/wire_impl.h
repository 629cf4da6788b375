/*
 * wire_impl: what wire.c (life, bytes) and wire_dial.c (certificates, addresses, opening) share; private to the two.
 */
#ifndef GATEWAYD_WIRE_IMPL_H
#define GATEWAYD_WIRE_IMPL_H

#include "base/buf.h"
#include "base/loop.h"
#include "gatewayd/wire/resolve.h"
#include "gatewayd/wire/wire.h"

#define SCRATCH (64u << 10)

enum wire_state { RESOLVING, CONNECTING, SHAKING, OPEN, LINGERING, GONE };

/* Certificates to trust, one for each file in use; "" is the system's. */
struct trust { struct trust *next; unsigned refs; struct tls_ctx *ctx; char ca[]; };

struct wires {
	struct loop *loop;
	int64_t stall;
	int top;			/* descriptors of wires are below it */
	struct resolver *resolver;
	struct trust *trust;
	struct wire *lingering;		/* closed by their owner */
	char scratch[SCRATCH];
};

struct wire {
	struct wires *ws;
	const struct wire_handler *h;
	void *arg;
	enum wire_state state;
	unsigned busy;			/* callbacks under way: freed behind the last one */
	bool dead, paused, stalled;
	int64_t opening;		/* mono: until when it has to be open */
	char *host;
	unsigned port;
	struct trust *trust;		/* NULL: no TLS */
	struct tls *tls;
	struct loop_io io;
	struct loop_timer timer;	/* opening: the next address; open: write stall; lingering: its end */
	struct loop_timer again;	/* bytes are decrypted already, or the reads of this round used up */
	struct buf out;
	size_t sent;			/* of out */
	size_t stall_sent;		/* out_total when the stall timer was set */
	size_t out_total;
	struct resolve_wait *wait;
	struct resolve_addr addr[RESOLVE_MAX];
	size_t naddr, at;
	char error[200];		/* of the last address tried */
	struct wire *prev, *next;	/* of wires.lingering */
};

/* ---- wire.c ---- */
void wire_want(struct wire *w);				/* tells the loop what the state waits for */
void wire_lose(struct wire *w, const char *reason);	/* it is over: tells its owner. w may be gone afterwards */
void wire_enter(struct wire *w);			/* a callback begins */
bool wire_leave(struct wire *w);			/* and has ended; false: w is not there any more */

/* ---- wire_dial.c ---- */
struct trust *trust_get(struct wires *ws, const char *ca);	/* NULL with errno or a message */
void trust_leave(struct wires *ws, struct trust *t);
void wire_resolved(void *arg, const struct resolve_addr *v, size_t n, const char *error);
void wire_connected(struct wire *w);			/* the socket says that connect(2) has ended */
void wire_shake(struct wire *w);
void wire_failed(struct wire *w, const char *why);	/* this address will not do: the next one */

#endif
