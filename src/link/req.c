/* req: plain questions, one after the other. */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/transport/transport.h"

#define WAITING_MAX 1024

struct question {
	struct question *next;
	struct link_req *req;
	struct loop_timer timeout;
	void *cookie;
	size_t n;
	char bytes[];
};

struct link_req {
	struct loop *loop;
	struct endpoint *ep;
	struct question *first, **last;	/* the first one is outstanding if asked */
	size_t count;
	bool asked;
	unsigned running;
	bool closed;
	void (*on_reply)(void *arg, void *cookie, const char *p, size_t n);
	void *arg;
};

static void free_question(struct question *q)
{
	loop_timer_del(q->req->loop, &q->timeout);
	free(q);
}

static void destroy(struct link_req *r)
{
	for (struct question *q = r->first, *next; q; q = next) {
		next = q->next;
		free_question(q);
	}
	if (r->ep)
		r->ep->t->close(r->ep);
	free(r);
}

static void ask_first(struct link_req *r)
{
	if (!r->first || r->asked)
		return;
	r->asked = true;
	r->ep->t->ask(r->ep, &(struct iovec){ .iov_base = r->first->bytes, .iov_len = r->first->n }, 1);
}

/* Takes q out of the queue and tells its outcome. r may be gone afterwards. */
static void finish(struct link_req *r, struct question *q, const char *p, size_t n)
{
	struct question **at = &r->first;
	void *cookie = q->cookie;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	if (r->last == &q->next)
		r->last = at;
	r->count--;
	free_question(q);
	r->running++;
	r->on_reply(r->arg, cookie, p, n);
	if (--r->running == 0 && r->closed)
		destroy(r);
	else if (!r->closed)
		ask_first(r);
}

static int on_reply(void *arg, const char *p, size_t n)
{
	struct link_req *r = arg;

	r->asked = false;
	/* The next question must not be asked before the caller has read this answer: finish does it. */
	finish(r, r->first, p, n);
	return 0;
}

static void on_timeout(void *arg)
{
	struct question *q = arg;
	struct link_req *r = q->req;

	if (q == r->first && r->asked) {
		r->asked = false;
		r->ep->t->forget(r->ep);
	}
	finish(r, q, NULL, 0);
}

static void on_end(void *arg, const char *why)
{
	(void)arg, (void)why;	/* of streams only, and those can't be asked */
}

static const struct dial_events events = { .reply = on_reply, .end = on_end };

struct link_req *link_req_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_result)(void *arg, void *cookie, const char *p, size_t n), void *arg)
{
	const struct transport *t = transport_find(url);
	struct link_req *r;

	if (!t)
		return NULL;
	r = calloc(1, sizeof *r);
	if (!r) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	r->loop = l;
	r->last = &r->first;
	r->on_reply = on_result;
	r->arg = arg;
	r->ep = t->dial(l, url, TRANSPORT_ASK, o, &events, r);
	if (!r->ep) {
		free(r);
		return NULL;
	}
	return r;
}

int link_req_send(struct link_req *r, const char *p, size_t n, int64_t timeout_ns, void *cookie)
{
	struct question *q;

	if (n > LINK_MESSAGE_BYTES) {
		errno = EMSGSIZE;
		return -1;
	}
	if (r->count >= WAITING_MAX) {
		errno = EAGAIN;
		return -1;
	}
	q = malloc(sizeof *q + n);
	if (!q)
		return -1;
	*q = (struct question){ .req = r, .cookie = cookie, .n = n };
	memcpy(q->bytes, p, n);
	q->timeout = (struct loop_timer){ .fn = on_timeout, .arg = q };
	if (timeout_ns > 0 && loop_timer_in(r->loop, &q->timeout, timeout_ns)) {
		free(q);
		errno = ENOMEM;
		return -1;
	}
	*r->last = q;
	r->last = &q->next;
	r->count++;
	if (r->running == 0)
		ask_first(r);
	return 0;
}

bool link_req_connected(const struct link_req *r)
{
	return r->ep->up;
}

const char *link_req_trouble(const struct link_req *r)
{
	return r->ep->trouble;
}

void link_req_close(struct link_req *r)
{
	r->closed = true;
	if (r->running == 0)
		destroy(r);
}
