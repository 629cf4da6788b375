#include "gatewayd/browser/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/browser/frame.h"
#include "link/link.h"

#define ANSWER_TIME (2 * CLOCK_S)

struct history { struct link_req *req; struct ask *first; };

/* Lives until link has answered or timed out, even when nobody wants to know any more. */
struct ask {
	struct history *h;
	void (*fn)(void *arg, struct page *page);
	void *arg;
	struct ask *prev, *next;
};

static void ask_free(struct ask *a)
{
	if (a->prev)
		a->prev->next = a->next;
	else
		a->h->first = a->next;
	if (a->next)
		a->next->prev = a->prev;
	free(a);
}

static void on_reply(void *arg, void *cookie, const char *p, size_t n)
{
	struct ask a = *(struct ask *)cookie;
	const char *why;
	struct page page;

	(void)arg;
	ask_free(cookie);
	if (!a.fn)
		return;
	if (!p) {
		a.fn(a.arg, NULL);
		return;
	}
	if (page_parse(p, n, &page, &why)) {
		log_warn("history: %s: %.*s", why, (int)(n < 200 ? n : 200), p);
		a.fn(a.arg, NULL);
		return;
	}
	a.fn(a.arg, &page);
}

struct history *history_open(struct loop *l, const char *url)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h) {
		log_error("out of memory");
		return NULL;
	}
	if (!url)
		return h;
	h->req = link_req_open(l, url, &(struct link_opts){0}, on_reply, h);
	if (!h->req) {
		free(h);
		return NULL;
	}
	return h;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	if (h->req)
		link_req_close(h->req);
	while (h->first)
		ask_free(h->first);
	free(h);
}

bool history_here(const struct history *h)
{
	return h->req && link_req_connected(h->req);
}

struct ask *history_ask(struct history *h, const char *tenant, const char *room, const uint64_t *after, unsigned n,
	void (*fn)(void *arg, struct page *page), void *arg)
{
	struct ask *a = calloc(1, sizeof(*a));
	struct buf q;
	int rc = -1;

	if (!a)
		return NULL;
	*a = (struct ask){.h = h, .fn = fn, .arg = arg, .next = h->first};
	if (h->first)
		h->first->prev = a;
	h->first = a;
	buf_init(&q, 512);
	/* Names of rooms and tenants need no escaping. */
	if (buf_printf(&q, "{\"q\":\"%s\",\"tenant\":\"%s\",\"key\":\"browser:%s\"", after ? "after" : "last", tenant,
		room) == 0 &&
	    (!after || buf_printf(&q, ",\"seq\":%llu", (unsigned long long)*after) == 0) &&
	    buf_printf(&q, ",\"n\":%u}\n", n) == 0)
		rc = link_req_send(h->req, q.p, q.len, ANSWER_TIME, a);
	buf_release(&q);
	if (rc == 0)
		return a;
	ask_free(a);
	return NULL;
}

void history_forget(struct ask *a)
{
	a->fn = NULL;
}
