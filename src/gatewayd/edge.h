/*
 * edge: WebSocket connections of browsers, and who waits for what. Only edge_lws.c knows libwebsockets. Outward ones are wire/edge_client.h.
 *
 * Plain HTTP is served by http/server.c on our own loop; a connection that asks to be upgraded is handed over here. (Measured against
 * libwebsockets 4.1.6: its HTTP server cannot list the header fields of a request, which CloudEvents' binary mode needs, knows
 * neither chunked request bodies nor 100-continue, and closes without an answer when a head is too long.)
 *
 * libwebsockets owns the waiting: its poll() has our loop's descriptor among its own, and edge_run runs a round of our
 * loop between its rounds, so that neither library is ever entered from inside the other's callbacks. One thread.
 */
#ifndef GATEWAYD_EDGE_H
#define GATEWAYD_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct edge;
struct ws;	/* one WebSocket connection; invalid after on_gone */

#define EDGE_PRE 16u	/* bytes before what ws_send sends that it may overwrite */

struct edge_opts {
	size_t max_message;	/* bytes of a message; more ends the connection with 1009 */
	int64_t ping;		/* a quiet connection is pinged after this long, nanoseconds, ... */
	int64_t hangup;		/* ... and given up when nothing came for this long */
	const char *protocol;	/* the one subprotocol */
};

/* A binary message ends the connection with 1003 and invalid UTF-8 with 1007, without a callback but on_gone. */
struct ws_handler {
	void (*on_open)(void *arg, struct ws *ws);
	void (*on_text)(void *arg, const char *p, size_t n);	/* one whole message, borrowed */
	void (*on_writable)(void *arg);				/* after ws_want_write; the only place for ws_send; once, or while ws_room */
	void (*on_gone)(void *arg);				/* exactly once, whether it was ever open or not */
};

struct edge *edge_open(struct loop *l, const struct edge_opts *o);	/* NULL with a message */
void edge_close(struct edge *e);	/* on_gone for every connection */

/* Takes fd (in every case) with a WebSocket handshake already read and checked; key is the text of Sec-WebSocket-Key,
 * rest the bytes that came behind the head. -1: no memory, the fd is closed, no callback will come. */
int edge_upgrade(struct edge *e, int fd, const char *key, size_t nkey, const char *rest, size_t nrest,
	const struct ws_handler *h, void *arg);

void ws_want_write(struct ws *ws);
/* After ws_send, inside on_writable: may another message be sent at once? */
bool ws_room(struct ws *ws);
/* Sends one text message of n bytes at p + EDGE_PRE. 0, or -1: the connection is lost, on_gone follows. */
int ws_send(struct ws *ws, char *p, size_t n);
/* Ends the connection with a status code (RFC 6455 section 7.4) and a reason of at most 123 bytes. Only on_gone follows. */
void ws_close(struct ws *ws, unsigned code, const char *reason);

/* Runs both until loop_stop; each_round is called at the end of every round. -1: waiting failed, with a message. */
int edge_run(struct edge *e, void (*each_round)(void *arg), void *arg);

#endif
