/*
 * link: endpoints by URL, batches, acknowledgements. The manual of the wire is penstock-link(7).
 *
 *   -                              stdin (in) or stdout (out); back pressure is the pipe's
 *   null://                        nowhere
 *   ipc://PATH  abstract://NAME  tcp://HOST:PORT  tls+tcp://HOST:PORT     nng's scalability protocol REQ/REP, spoken by transport/sp.c
 *
 * A *batch* is whole lines joined, each ended by LF. The hub listens, everything else dials. One request is
 * outstanding on a connection, always; more in flight means more connections. To link a line is bytes that end in LF: nothing
 * here looks inside a line.
 *
 * All objects live on one struct loop and one thread. Callbacks may call any function of their object, close included.
 * Lines given to a callback are borrowed until it returns unless it says otherwise. A dialler that is not connected dials
 * again for ever, 20 ms to 1 s apart (jittered), and an unanswered request is sent again on the new connection.
 *
 * Limits: LINK_BATCH_LINES lines and LINK_BATCH_BYTES bytes a batch, LINK_MESSAGE_BYTES for any message; a peer that
 * announces more loses its connection before a byte is allocated, with a log line that names size, limit and peer.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct buf;

#define LINK_BATCH_LINES 4096u		/* most lines in a batch; workers usually ask for 256 */
#define LINK_BATCH_BYTES (4u << 20)	/* a batch is closed at this size; one line may be larger than that only by the line cap */
#define LINK_MESSAGE_BYTES (6u << 20)	/* RECVMAXSZ */
#define LINK_TAKE_DEFAULT 256u

bool link_is_pipe(const char *url);	/* "-": standard input or output. NULL is none */

/* How a URL is opened. Zeroed = defaults. Strings are borrowed for the life of the object. */
struct link_opts {
	size_t max_line;		/* stdin only: cap of a line; 0 = LINE_MAX of 1 MiB */
	unsigned take;			/* lines asked for at a time; 0 = LINK_TAKE_DEFAULT */
	unsigned conns;			/* connections (batches in flight); 0 = 1 */
	const char *as;			/* worker's name, "store-1"; NULL = program name and pid */
	const char *set;		/* worker set it belongs to, "next" (route(8), SPLIT); NULL = none */
	const char *tls_ca, *tls_cert, *tls_key;	/* PEM files for tls+tcp */
	bool quiet;			/* a dialler that is not connected says nothing (link_req_trouble knows why) */
};

/* One refused line of a batch. n counts from 1. retry_after: ms before which it is of no use to try again; 0 = whoever keeps the line decides.
 * detail: what the program that refused it said on stderr, NULL = nothing; a dead letter keeps the last 4 KiB of it. */
struct refusal { uint32_t n; bool retry; const char *error; uint32_t retry_after; const char *detail; };

/* What became of a batch that was put: acked + nrefused = lines sent. Borrowed during the callback. */
struct put_result { uint32_t acked; const struct refusal *refused; size_t nrefused; };

/* ---- putting: gives batches to the hub (or to stdout) ---- */
struct link_put;
struct link_put *link_put_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_result)(void *arg, void *cookie, const struct put_result *r),
	void (*on_room)(void *arg),	/* link_put_send would work again */
	void (*on_dead)(void *arg),	/* stdout was closed; sockets never die, they reconnect */
	void *arg);
/* Copies the lines (n whole lines, len bytes). 1 = taken, on_result(cookie) comes exactly once, never from inside this
 * call; 0 = no room now, on_room follows; -1 = over a limit, errno. */
int link_put_send(struct link_put *p, const char *lines, size_t len, uint32_t n, void *cookie);
bool link_put_connected(const struct link_put *p);
size_t link_put_pending(const struct link_put *p);	/* batches without a result */
void link_put_close(struct link_put *p);		/* pending batches are forgotten: the caller waits first if it cares */

/* ---- taking: gets batches from the hub (or from stdin) ---- */
struct batch {
	const char *lines; size_t len; uint32_t n;	/* valid until link_take_done */
	const uint64_t *seq;	/* the hub's sequence number of each line, or NULL (stdin, or a hub that gives none) */
	void *token;		/* private */
};
struct link_take;
struct link_take *link_take_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_batch)(void *arg, struct batch *b),
	void (*on_end)(void *arg),	/* stdin only: end of input, all batches done; a half line at the end was logged */
	void *arg);
/* The outcome of a batch; frees *b. Refused lines of a batch from stdin are logged with their text's beginning. */
void link_take_done(struct link_take *t, struct batch *b, const struct refusal *refused, size_t n);
/* Asks for nothing more; a batch that was already given out must still be done. on_drained: nothing is left, outcomes delivered. */
void link_take_drain(struct link_take *t, void (*on_drained)(void *arg));
void link_take_want(struct link_take *t, unsigned lines);	/* so many are asked for from the next question on; not of a stream */
bool link_take_connected(const struct link_take *t);
uint64_t link_take_dropped(const struct link_take *t);	/* stdin: lines refused, too long or not ended; each was logged */
void link_take_close(struct link_take *t);

/* ---- listening: route's in and to-NAME, store's query ---- */
struct link_server;
struct link_peer;	/* one connection */
struct link_handler {
	/* One request; it is borrowed until link_reply or link_release. At most one is open for a connection: while one is, a further frame
	 * of the same connection waits; but with newest_wins the open one is dropped and this is called anew (held takes). */
	void (*on_request)(void *arg, struct link_peer *peer, const char *p, size_t n);
	void (*on_gone)(void *arg, struct link_peer *peer);	/* connection is over; peer is invalid afterwards */
	bool newest_wins;
};
struct link_server *link_listen(struct loop *l, const char *url, const struct link_opts *o, const struct link_handler *h, void *arg); /* NULL with a message */
void link_server_close(struct link_server *s);		/* on_gone for each peer; removes the socket file */
void link_server_pause(struct link_server *s, bool pause);	/* back-pressure: no request is read while paused */
const char *link_server_url(const struct link_server *s);	/* with the port that was given for port 0 */
/* Answers the open request of peer with the joined parts. Copies. Does nothing when none is open (peer was dropped). */
struct iovec;
void link_reply(struct link_peer *peer, const struct iovec *parts, int n);
/* The bytes of the open request are not needed any more: their memory, in the caches still, is for the next one's. */
void link_release(struct link_peer *peer);
void link_drop(struct link_peer *peer, const char *why);	/* closes a peer that broke the protocol, logs why */
void link_peer_set(struct link_peer *peer, void *data);
void *link_peer_get(const struct link_peer *peer);
const char *link_peer_name(const struct link_peer *peer);	/* for logs: "pid 123" for ipc, address for tcp */

/* ---- a plain request, for queries ---- */
struct link_req;
struct link_req *link_req_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_reply)(void *arg, void *cookie, const char *p, size_t n), void *arg);	/* p NULL: timed out */
/* Queued behind the one outstanding; timeout 0 = none. At most 1024 wait: then -1 EAGAIN. */
int link_req_send(struct link_req *r, const char *p, size_t n, int64_t timeout_ns, void *cookie);
bool link_req_connected(const struct link_req *r);
const char *link_req_trouble(const struct link_req *r);	/* why it is not connected; "" if nothing went wrong yet */
void link_req_close(struct link_req *r);
/* The same, blocking, with a loop of its own: 0, -1 with a message (nobody there within timeout_ns, ...). */
int link_call(const char *url, const char *p, size_t n, int64_t timeout_ns, struct buf *reply);

#endif
