/* sp: what its two halves share; the contract is transport.h. */
#ifndef LINK_TRANSPORT_SP_H
#define LINK_TRANSPORT_SP_H

#include "link/transport/transport.h"

struct sp_dial;
struct sp_listen;

struct endpoint *sp_dial(struct loop *l, const char *url, enum transport_role role, const struct link_opts *o,
	const struct dial_events *ev, void *arg);
void sp_ask(struct endpoint *e, const struct iovec *parts, int n);
void sp_forget(struct endpoint *e);
void sp_dial_close(struct sp_dial *d);

struct endpoint *sp_listen(struct loop *l, const char *url, const struct link_opts *o, bool newest_wins,
	const struct listen_events *ev, void *arg);
void sp_listen_pause(struct sp_listen *s, bool on);
void sp_reply(struct link_peer *peer, const struct iovec *parts, int n);
void sp_release(struct link_peer *peer);
void sp_drop(struct link_peer *peer, const char *why);
void sp_listen_close(struct sp_listen *s);

/* Both structs begin with this. */
struct sp_endpoint {
	struct endpoint ep;
	bool listens;
};

/* Room for a request's words beside the largest message. */
#define SP_PAYLOAD_MAX (LINK_MESSAGE_BYTES + 64u)

#endif
