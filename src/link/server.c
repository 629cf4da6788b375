/* server: the listening side. The transport does the work; what a handler may rely on is checked here. */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "link/transport/transport.h"

struct link_server {
	struct endpoint *ep;
	const struct link_handler *h;
	void *arg;
};

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct link_server *s = arg;

	s->h->on_request(s->arg, peer, p, n);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	struct link_server *s = arg;

	if (s->h->on_gone)
		s->h->on_gone(s->arg, peer);
}

static const struct listen_events events = { .request = on_request, .gone = on_gone };

struct link_server *link_listen(struct loop *l, const char *url, const struct link_opts *o,
	const struct link_handler *h, void *arg)
{
	const struct transport *t = transport_find(url);
	struct link_server *s;

	if (!t)
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	s->h = h;
	s->arg = arg;
	s->ep = t->listen(l, url, o, h->newest_wins, &events, s);
	if (!s->ep) {
		free(s);
		return NULL;
	}
	return s;
}

void link_server_close(struct link_server *s)
{
	s->ep->t->close(s->ep);
	free(s);
}

void link_server_pause(struct link_server *s, bool pause)
{
	s->ep->t->pause(s->ep, pause);
}

const char *link_server_url(const struct link_server *s)
{
	return s->ep->url;
}

void link_reply(struct link_peer *peer, const struct iovec *parts, int n)
{
	size_t len = 0;

	if (!peer->open)
		return;		/* the request was dropped for a newer one, or the peer for a fault */
	for (int i = 0; i < n; i++)
		len += parts[i].iov_len;
	if (len > LINK_MESSAGE_BYTES) {
		log_error("an answer of %zu bytes to %s is over the limit of %u", len, peer->name, LINK_MESSAGE_BYTES);
		link_drop(peer, "no answer can be sent");
		return;
	}
	peer->at->t->reply(peer, parts, n);
}

void link_release(struct link_peer *peer)
{
	if (peer->open)
		peer->at->t->release(peer);
}

void link_drop(struct link_peer *peer, const char *why)
{
	peer->open = false;
	peer->at->t->drop(peer, why);
}

void link_peer_set(struct link_peer *peer, void *data)
{
	peer->data = data;
}

void *link_peer_get(const struct link_peer *peer)
{
	return peer->data;
}

const char *link_peer_name(const struct link_peer *peer)
{
	return peer->name;
}
