/* put: batches to the hub, or to standard output. One batch outstanding on each connection; kept until it is answered. */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/ack.h"
#include "link/batch.h"
#include "link/transport/transport.h"

/* One connection. */
struct lane {
	struct link_put *put;
	struct endpoint *ep;
	struct buf lines;
	uint32_t n;
	void *cookie;
	bool busy;
};

struct link_put {
	struct loop *loop;
	const char *url;
	bool stream, dead, wants_room;
	const char *strange;		/* why the last answer was no acknowledgement, which was said; static, NULL: it was one */
	bool running, closed;		/* inside a callback of ours; close asked for there */
	void (*on_result)(void *arg, void *cookie, const struct put_result *r);
	void (*on_room)(void *arg);
	void (*on_dead)(void *arg);
	void *arg;
	struct loop_timer die;		/* dead before the caller could know: told in the next round */
	unsigned nlanes;
	struct lane lanes[];
};

static void destroy(struct link_put *p)
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (p->lanes[i].ep)
			p->lanes[i].ep->t->close(p->lanes[i].ep);
		buf_release(&p->lanes[i].lines);
	}
	loop_timer_del(p->loop, &p->die);
	free(p);
}

/* Calls the caller about a result. Afterwards p may be gone: false. */
static bool finish(struct lane *l, const struct put_result *r)
{
	struct link_put *p = l->put;

	l->busy = false;
	p->running = true;
	p->on_result(p->arg, l->cookie, r);
	if (p->wants_room && !p->closed && !p->dead && !l->busy) {
		p->wants_room = false;
		p->on_room(p->arg);
	}
	p->running = false;
	if (!p->closed)
		return true;
	destroy(p);
	return false;
}

static bool fits(const struct put_reply *r, uint32_t n)
{
	if ((uint64_t)r->acked + r->nrefused != n)
		return false;
	for (size_t i = 0; i < r->nrefused; i++)
		if (r->refused[i].n > n)
			return false;
	return true;
}

static const char MISCOUNTED[] = "another number of lines";

static int on_reply(void *arg, const char *p, size_t n)
{
	struct lane *l = arg;
	struct put_reply r = { .acked = l->n };
	const char *why = "";

	if (!l->put->stream && put_reply_parse(p, n, &r, &why)) {
		if (!l->put->strange || strcmp(l->put->strange, why) != 0)
			log_warn("%s: the answer to a batch is no acknowledgement (%s): %.*s; is this the endpoint in of route? "
				"Trying again", l->put->url, why, n > 200 ? 200 : (int)n, p);
		l->put->strange = why;
		return -1;
	}
	if (!fits(&r, l->n)) {
		if (l->put->strange != MISCOUNTED)
			log_warn("%s: the answer to a batch of %u lines speaks of %zu; trying again", l->put->url, l->n,
				(size_t)r.acked + r.nrefused);
		l->put->strange = MISCOUNTED;
		put_reply_release(&r);
		return -1;
	}
	l->put->strange = NULL;
	finish(l, &(struct put_result){ .acked = r.acked, .refused = r.refused, .nrefused = r.nrefused });
	put_reply_release(&r);
	return 0;
}

static void tell_dead(void *arg)
{
	struct link_put *p = arg;

	p->on_dead(p->arg);
}

static void on_end(void *arg, const char *why)
{
	struct lane *l = arg;

	(void)why;
	l->put->dead = true;
	if (l->put->on_dead)
		loop_timer_in(l->put->loop, &l->put->die, 0);
}

static const struct dial_events events = { .reply = on_reply, .end = on_end };

struct link_put *link_put_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_result)(void *arg, void *cookie, const struct put_result *r),
	void (*on_room)(void *arg), void (*on_dead)(void *arg), void *arg)
{
	const struct transport *t = transport_find(url);
	unsigned conns = o && o->conns ? o->conns : 1;

	if (!t)
		return NULL;
	if (t->traits & TRANSPORT_STREAM)
		conns = 1;
	struct link_put *p = calloc(1, sizeof *p + conns * sizeof *p->lanes);
	if (!p) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	p->loop = l;
	p->url = url;
	p->stream = t->traits & TRANSPORT_STREAM;
	p->on_result = on_result;
	p->on_room = on_room;
	p->on_dead = on_dead;
	p->arg = arg;
	p->die = (struct loop_timer){ .fn = tell_dead, .arg = p };
	p->nlanes = conns;
	for (unsigned i = 0; i < conns; i++) {
		struct lane *lane = &p->lanes[i];
		lane->put = p;
		buf_init(&lane->lines, LINK_MESSAGE_BYTES);
		lane->ep = t->dial(l, url, TRANSPORT_PUT, o, &events, lane);
		if (!lane->ep) {
			destroy(p);
			return NULL;
		}
	}
	return p;
}

int link_put_send(struct link_put *p, const char *lines, size_t len, uint32_t n, void *cookie)
{
	struct lane *l = p->lanes, *end = l + p->nlanes;

	if (len > LINK_MESSAGE_BYTES || n > LINK_BATCH_LINES) {
		errno = EMSGSIZE;
		return -1;
	}
	while (l < end && l->busy)
		l++;
	if (l == end || p->dead) {
		p->wants_room = true;
		return 0;
	}
	/* Not before: what finds no room comes again and again. */
	if (n == 0 || batch_count(lines, len) != (int64_t)n) {
		errno = EINVAL;
		return -1;
	}
	buf_clear(&l->lines);
	if (buf_add(&l->lines, lines, len))
		return -1;
	l->n = n;
	l->cookie = cookie;
	l->busy = true;
	l->ep->t->ask(l->ep, &(struct iovec){ .iov_base = l->lines.p, .iov_len = len }, 1);
	return 1;
}

bool link_put_connected(const struct link_put *p)
{
	for (unsigned i = 0; i < p->nlanes; i++)
		if (p->lanes[i].ep->up)
			return true;
	return false;
}

size_t link_put_pending(const struct link_put *p)
{
	size_t n = 0;

	for (unsigned i = 0; i < p->nlanes; i++)
		n += p->lanes[i].busy;
	return n;
}

void link_put_close(struct link_put *p)
{
	p->closed = true;
	if (!p->running)
		destroy(p);
}
