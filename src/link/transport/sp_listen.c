#include "link/transport/sp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/tls.h"
#include "link/transport/addr.h"
#include "link/transport/conn.h"

#define ACCEPT_ROUND 64			/* accepted at a time, before the others get their turn */
#define ACCEPT_PAUSE (100 * CLOCK_MS)	/* after there was no descriptor left */

struct sp_peer {
	struct link_peer base;		/* first */
	struct conn c;
	struct sp_peer *prev, *next;
	bool known;			/* a request was given out: gone must be told */
	unsigned char trace[SP_TRACE_MAX];
	size_t ntrace;
};

struct sp_listen {
	struct sp_endpoint base;	/* first */
	struct loop *loop;
	struct loop_io io;
	struct loop_timer accept_again;
	struct addr addr;
	int lock;
	struct tls_ctx *tls;
	const struct listen_events *ev;
	void *arg;
	bool newest_wins, paused, full;
	struct sp_peer *peers;
	struct rx_pool pool;
	char url[160];
};

static struct sp_peer *of(struct conn *c)
{
	return (struct sp_peer *)((char *)c - offsetof(struct sp_peer, c));
}

static struct sp_listen *listener(const struct sp_peer *p)
{
	return (struct sp_listen *)p->base.at;
}

static void want(struct sp_peer *p)
{
	const struct sp_listen *s = listener(p);

	conn_read(&p->c, s && !s->paused && (s->newest_wins || !p->base.open));
}

static void on_up(struct conn *c)
{
	want(of(c));
}

static void on_frame(struct conn *c, const char *bytes, size_t n)
{
	struct sp_peer *p = of(c);
	struct sp_listen *s = listener(p);
	size_t ntrace = frame_trace(bytes, n);

	if (!ntrace) {
		sp_drop(&p->base, "sent a request without a request id");
		return;
	}
	memcpy(p->trace, bytes, ntrace);
	p->ntrace = ntrace;
	p->base.open = p->known = true;
	want(p);
	s->ev->request(s->arg, &p->base, bytes + ntrace, n - ntrace);
}

static void unlink_peer(struct sp_peer *p)
{
	struct sp_listen *s = listener(p);

	if (p->next)
		p->next->prev = p->prev;
	if (p->prev)
		p->prev->next = p->next;
	else
		s->peers = p->next;
	p->base.at = NULL;
}

/* Ends a peer; its owner is told first. */
static void finish(struct sp_peer *p)
{
	struct sp_listen *s = listener(p);

	p->base.open = false;
	if (p->known) {
		p->known = false;
		s->ev->gone(s->arg, &p->base);
	}
	/* Unless the owner closed the listener meanwhile, and with it this peer. */
	if (p->base.at) {
		unlink_peer(p);
		conn_end(&p->c);
	}
}

static void on_gone(struct conn *c, const char *why)
{
	struct sp_peer *p = of(c);

	if (why)
		log_warn("%s: %s: %s: connection closed", listener(p)->url, p->base.name, why);
	else
		log_debug("%s: %s: closed the connection", listener(p)->url, p->base.name);
	finish(p);
}

static void on_free(struct conn *c)
{
	free(of(c));
}

static const struct conn_ops ops = { .up = on_up, .frame = on_frame, .gone = on_gone, .free = on_free };

static void add_peer(struct sp_listen *s, int fd)
{
	struct sp_peer *p = calloc(1, sizeof *p);

	if (!p) {
		log_warn("%s: %s: connection closed", s->url, strerror(errno));
		close(fd);
		return;
	}
	addr_tune(&s->addr, fd);
	addr_peer(&s->addr, fd, p->base.name, sizeof p->base.name);
	conn_init(&p->c, s->loop, &ops, &s->pool, SP_PAYLOAD_MAX);
	if (conn_start(&p->c, fd, false, s->addr.ipc, s->tls, NULL, SP_REP, SP_REQ)) {
		log_warn("%s: %s: %s: connection closed", s->url, p->base.name, p->c.why);
		free(p);
		return;
	}
	p->base.at = &s->base.ep;
	p->next = s->peers;
	if (s->peers)
		s->peers->prev = p;
	s->peers = p;
}

static void accept_again(void *arg)
{
	struct sp_listen *s = arg;

	loop_io_want(s->loop, &s->io, LOOP_IN);
}

static void on_accept(void *arg, unsigned events)
{
	struct sp_listen *s = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_ROUND; i++) {
		int fd = accept4(s->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			s->full = false;
			add_peer(s, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			if (!s->full)
				log_warn("%s: no further connection can be taken: %s", s->url, strerror(errno));
			s->full = true;
			loop_io_want(s->loop, &s->io, 0);
			loop_timer_in(s->loop, &s->accept_again, ACCEPT_PAUSE);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

struct endpoint *sp_listen(struct loop *l, const char *url, const struct link_opts *o, bool newest_wins,
	const struct listen_events *ev, void *arg)
{
	struct sp_listen *s = calloc(1, sizeof *s);

	if (!s) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	s->base = (struct sp_endpoint){ .ep = { .t = &transport_sp, .up = true, .url = s->url, .trouble = "" }, .listens = true };
	s->loop = l;
	s->newest_wins = newest_wins;
	s->ev = ev;
	s->arg = arg;
	s->io = (struct loop_io){ .fd = -1, .fn = on_accept, .arg = s };
	s->accept_again = (struct loop_timer){ .fn = accept_again, .arg = s };
	if (addr_parse(&s->addr, url))
		goto fail;
	if (s->addr.tls && !(s->tls = tls_ctx_new(true, o ? o->tls_ca : NULL, o ? o->tls_cert : NULL,
	    o ? o->tls_key : NULL)))
		goto fail;
	s->io.fd = addr_listen(&s->addr, &s->lock);
	if (s->io.fd < 0)
		goto fail;
	addr_url(&s->addr, s->io.fd, s->url, sizeof s->url);
	if (loop_io_add(l, &s->io, LOOP_IN)) {
		log_error("%s: %s", url, strerror(errno));
		addr_unlisten(&s->addr, s->io.fd, s->lock);
		goto fail;
	}
	return &s->base.ep;
fail:
	tls_ctx_free(s->tls);
	free(s);
	return NULL;
}

void sp_listen_pause(struct sp_listen *s, bool on)
{
	s->paused = on;
	for (struct sp_peer *p = s->peers; p; p = p->next)
		if (p->c.state == CONN_UP)
			want(p);
}

void sp_reply(struct link_peer *peer, const struct iovec *parts, int n)
{
	struct sp_peer *p = (struct sp_peer *)peer;

	peer->open = false;
	conn_send(&p->c, p->trace, p->ntrace, parts, n, true);
	conn_release(&p->c);
	want(p);
}

void sp_release(struct link_peer *peer)
{
	conn_release(&((struct sp_peer *)peer)->c);
}

void sp_drop(struct link_peer *peer, const char *why)
{
	struct sp_peer *p = (struct sp_peer *)peer;

	log_warn("%s: %s: %s: connection closed", listener(p)->url, peer->name, why);
	conn_fail(&p->c);
}

void sp_listen_close(struct sp_listen *s)
{
	while (s->peers)
		finish(s->peers);
	loop_timer_del(s->loop, &s->accept_again);
	loop_io_del(s->loop, &s->io);
	addr_unlisten(&s->addr, s->io.fd, s->lock);
	rx_pool_release(&s->pool);
	tls_ctx_free(s->tls);
	free(s);
}
