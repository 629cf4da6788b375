/*
 * server_impl: what server.c (listener, life), request.c (one connection) and answer.c (its answers) share; private to them.
 */
#ifndef GATEWAYD_SERVER_IMPL_H
#define GATEWAYD_SERVER_IMPL_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/loop.h"
#include "gatewayd/http/peers.h"
#include "gatewayd/http/server.h"

enum state {
	IDLE,	/* between requests */
	HEAD,	/* a head is being read */
	BODY,
	OPEN,	/* the answer is awaited */
	REPLY,	/* the answer is being sent */
	LINGER,	/* the end: what the peer still sends is read and dropped */
};

struct request {
	struct server *s;
	struct loop_io io;
	struct loop_timer timer;
	struct peer_addr addr;
	char peer[INET6_ADDRSTRLEN];
	enum state state;
	bool close;			/* after the answer */
	bool unread;			/* the peer may still be sending this request's body */
	bool handling;			/* inside process: it goes on by itself */
	bool dead;			/* given away or closed while handling */
	struct buf in;			/* read, not yet taken */
	struct buf head_bytes, body, out;
	size_t out_sent;
	struct http_head head;
	struct http_chunks chunks;
	uint64_t body_max, lingered;
	size_t held;			/* counted in server.held for this request */
	void (*on_gone)(void *arg);
	void *gone_arg;
	struct request *prev, *next;
};

struct server {
	struct loop *loop;
	struct server_opts opts;
	const struct server_handler *h;
	void *arg;
	struct loop_io listen;
	struct loop_timer retry;	/* accepting again after the descriptors ran out */
	struct peers peers;
	struct request *first;
	size_t open;			/* requests in BODY or OPEN */
	size_t held;			/* bytes of their bodies */
	bool draining;
	char url[80];
	char scratch[64u << 10];
};

/* A connection that was accepted, and counted among the peers: 0, or -1 when there is no memory; fd is still the caller's then. */
int request_new(struct server *s, int fd, const struct peer_addr *addr, const char *name);
/* Ends the connection; on_gone is called if a request is open. */
void request_drop(struct request *r);
/* Sends r->out, then goes on with the next request, or ends. */
void request_send(struct request *r);

/* ---- answer.c, beside what server.h promises: the rest of the request is not read ---- */
void request_fault(struct request *r, const struct http_fault *f);	/* what http_head_parse or http_chunks says */
void request_too_large(struct request *r);
void request_too_much(struct request *r);	/* all bodies together */

#endif
