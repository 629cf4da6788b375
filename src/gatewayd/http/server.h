/*
 * server: HTTP/1.1 on our own loop: listener, connections, time-outs, caps, answers that come later.
 *
 * A request goes through: head read (head_time) - on_head, which may answer at once or says how large a body may be - body read
 * (body_time) - on_request - the answer, now or later. One request is open on a connection; pipelined ones wait. A fault in the
 * request itself is answered here with a problem body, and the connection is closed.
 */
#ifndef GATEWAYD_SERVER_H
#define GATEWAYD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatewayd/http/http.h"
#include "gatewayd/http/problem.h"

struct loop;
struct server;
struct request;		/* valid from on_head until it is answered, upgraded, or gone */

struct server_opts {
	const char *addr;		/* numeric address or host name */
	uint16_t port;			/* 0: any free one */
	size_t max_conns, max_each;	/* in all, and of one address; WebSocket connections count until request_left */
	size_t max_held;		/* bytes of bodies in memory, of all requests together; what comes then is answered 503 */
	int64_t head_time;		/* for a whole head, from its first byte */
	int64_t body_time;		/* for a whole body */
	int64_t idle_time;		/* between requests */
	int64_t write_time;		/* for an answer to be read by the peer */
};

struct server_handler {
	/* Answers with request_reply or request_problem, or takes the connection, or returns how many bytes of body to take. */
	uint64_t (*on_head)(void *arg, struct request *r);
	void (*on_request)(void *arg, struct request *r);
};

/* NULL with a message (the address in use, ...). */
struct server *server_open(struct loop *l, const struct server_opts *o, const struct server_handler *h, void *arg);
const char *server_url(const struct server *s);		/* "http://127.0.0.1:8080/" */
/* Listens no more, ends idle connections, and every other one after its answer. */
void server_drain(struct server *s);
size_t server_open_requests(const struct server *s);
void server_close(struct server *s);

const struct http_head *request_head(const struct request *r);
const char *request_body(const struct request *r, size_t *n);
const char *request_peer(const struct request *r);	/* "192.0.2.1", for logs */

/* Answers; r is invalid afterwards. type NULL: no body. extra: further header lines, each ended by CRLF, or NULL. Copies. */
void request_reply(struct request *r, int status, const char *type, const char *extra, const char *body, size_t n);
void request_problem(struct request *r, const struct problem *p);

/* fn is called if the peer goes away before the answer; r is invalid then. */
void request_on_gone(struct request *r, void (*fn)(void *arg), void *arg);

/* Gives the connection away: fd, and the bytes that came behind the head (borrowed until the next call). r is invalid afterwards.
 * It keeps counting among the connections until server_left(s, place); place is owned by the caller. */
struct place { unsigned char b[16]; };
int request_take(struct request *r, struct place *place, const char **rest, size_t *nrest);
void server_left(struct server *s, const struct place *place);

#endif
