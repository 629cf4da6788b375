/*
 * transport: a bus back-end, and what the rest of the room knows of it.
 *
 * A transport carries one question and its answer at a time over each connection: a dialler asks, a listener answers. It
 * may lose an answer and it may ask twice; it never splits, merges or changes a message, and never looks into one (what
 * an acknowledgement is, is ack.h's business). One loop, one thread. Callbacks may call every function of their endpoint,
 * close included; no callback is called from inside a function below.
 *
 * A stream (TRANSPORT_STREAM) carries lines and nothing else: as TRANSPORT_PUT a question is written and answered with
 * nothing once it is written, as TRANSPORT_TAKE the question is empty and the answer is the next whole lines, at most
 * opts->take of them.
 */
#ifndef LINK_TRANSPORT_H
#define LINK_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "link/link.h"

struct transport;

/* What dial and listen give. The transport's own struct begins with it. */
struct endpoint {
	const struct transport *t;
	bool up;			/* dialler: connected now */
	uint64_t dropped;		/* stream: lines of the input that could not be given out (each was logged) */
	const char *url;		/* listener: with the port that was given for port 0 */
	const char *trouble;		/* dialler: what keeps it from being connected, "" = nothing so far */
};

/* One connection of a listener. The transport's own struct begins with it. */
struct link_peer {
	struct endpoint *at;		/* NULL once the listener is closed */
	void *data;			/* link_peer_set */
	bool open;			/* a request is unanswered */
	char name[72];
};

struct dial_events {
	/* The answer, borrowed until the next ask, forget or close (not only until this returns, and though the connection may
	 * be lost meanwhile). -1: it breaks the protocol (it was said, and nothing was called); the transport drops the
	 * connection and asks again, later. */
	int (*reply)(void *arg, const char *p, size_t n);
	/* Streams only: nothing comes or goes any more. why NULL = the orderly end of the input. A message was printed. */
	void (*end)(void *arg, const char *why);
};

struct listen_events {
	void (*request)(void *arg, struct link_peer *peer, const char *p, size_t n);	/* as link_handler.on_request */
	void (*gone)(void *arg, struct link_peer *peer);
};

enum transport_role { TRANSPORT_ASK, TRANSPORT_PUT, TRANSPORT_TAKE };
enum { TRANSPORT_STREAM = 1u };
#define TRANSPORT_PARTS 4	/* most parts of a question */

struct transport {
	const char *name;
	const char *schemes;		/* words with a blank between: "ipc tcp"; "-" for the plain dash */
	unsigned traits;

	/* Both NULL with a message. url and the strings of o are borrowed for the life of the endpoint. */
	struct endpoint *(*dial)(struct loop *l, const char *url, enum transport_role role, const struct link_opts *o,
		const struct dial_events *ev, void *arg);
	struct endpoint *(*listen)(struct loop *l, const char *url, const struct link_opts *o, bool newest_wins,
		const struct listen_events *ev, void *arg);
	/* Asks; only when no question is open. The parts' bytes (not the array) are borrowed until the answer, forget or close. */
	void (*ask)(struct endpoint *e, const struct iovec *parts, int n);
	/* The open question's answer is not wanted any more; whatever that costs the connection. */
	void (*forget)(struct endpoint *e);
	/* Listener: no request is read. TRANSPORT_TAKE of a stream: nothing more is read; what was read is still given, then end. */
	void (*pause)(struct endpoint *e, bool on);
	/* Answers peer's open request; copies what it can't send at once. */
	void (*reply)(struct link_peer *peer, const struct iovec *parts, int n);
	void (*release)(struct link_peer *peer);	/* the bytes of peer's open request are not needed any more */
	void (*drop)(struct link_peer *peer, const char *why);	/* closes it with a log line; gone follows */
	/* Ends it. A listener calls gone for every peer first. */
	void (*close)(struct endpoint *e);
};

extern const struct transport *const transports[];	/* ends with NULL */
extern const struct transport transport_null, transport_stdio, transport_sp;

/* The transport of url's scheme, checked for holes; NULL with a message that lists what there is. */
const struct transport *transport_find(const char *url);

#endif
