/*
 * edge_client: outward connections by URL: ws: and wss: carry WebSocket messages (wsio.h), irc: and ircs: a stream of bytes (ports 6667, 6697).
 * Both over wire.h, which has the limits of time. Pings of a WebSocket server are answered here; none is sent (Twitch takes a client's as
 * traffic that is not allowed), no extension is offered.
 *
 * Any function may be called from any callback. One thread.
 */
#ifndef GATEWAYD_EDGE_CLIENT_H
#define GATEWAYD_EDGE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edge_client;
struct wires;

#define EDGE_MESSAGE_MAX (64u << 20)	/* bytes of a message; more ends the connection with 1009 */

struct edge_client_handler {
	void (*on_open)(void *arg);		/* of a WebSocket: the handshake is done, too */
	void (*on_data)(void *arg, const char *p, size_t n, bool binary);	/* a whole message, or bytes of a stream; borrowed */
	/* It is over, open before or not; edge_client_close is still to be called. code: of the peer's close frame, 1005 when it had none; of
	 * our own close when the peer broke the protocol (1002, 1007, 1009); 0: no close frame, reason says why. Borrowed. */
	void (*on_gone)(void *arg, unsigned code, const char *reason);
};

/* Is this a URL that can be dialled? NULL, or why not (static). */
const char *edge_client_bad_url(const char *url);

/* ca: NULL is the system's (wire.h). NULL with errno: a bad URL (EINVAL), no memory; or a message (ca). No callback comes from inside this call. */
struct edge_client *edge_client_dial(struct wires *ws, const char *url, const char *ca, int64_t opening,
	const struct edge_client_handler *h, void *arg);
/* No callback comes any more. code 0: TCP is dropped at once; else a close frame is sent (of a stream: what is queued) and the peer's waited for
 * a moment. reason: at most 123 bytes are sent. */
void edge_client_close(struct edge_client *c, unsigned code, const char *reason);

/* A close frame goes out, and nothing behind it; what the peer sent before its own still comes, then on_gone, with that one's code. */
void edge_client_half_close(struct edge_client *c, unsigned code, const char *reason);

/* A text message, or bytes of a stream. Lost when it is not open. */
void edge_client_send(struct edge_client *c, const char *p, size_t n);
/* Nothing is read while paused. What was read already still comes. */
void edge_client_pause(struct edge_client *c, bool pause);

#endif
