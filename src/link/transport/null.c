/*
 * null: goes nowhere, comes from nowhere. Complete and empty: the template of a transport, and `-o null://`.
 *
 * What is put is acknowledged and dropped; a take waits for ever; nobody ever calls a listener.
 */
#include "link/transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"

struct null {
	struct endpoint ep;		/* first: the others see this part */
	struct loop *loop;
	enum transport_role role;
	const struct dial_events *ev;
	void *arg;
	struct loop_timer answer;	/* no callback comes from inside a call */
};

static void answer(void *arg)
{
	struct null *e = arg;

	if (e->role == TRANSPORT_PUT)
		e->ev->reply(e->arg, "", 0);	/* e may be gone now */
	else
		e->ev->end(e->arg, NULL);
}

static struct null *new(struct loop *l, const char *url)
{
	struct null *e = calloc(1, sizeof *e);

	if (!e) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	e->ep = (struct endpoint){ .t = &transport_null, .up = true, .url = url, .trouble = "" };
	e->loop = l;
	e->answer = (struct loop_timer){ .fn = answer, .arg = e };
	return e;
}

static struct endpoint *null_dial(struct loop *l, const char *url, enum transport_role role,
	const struct link_opts *o, const struct dial_events *ev, void *arg)
{
	struct null *e = new(l, url);

	(void)o;
	if (!e)
		return NULL;
	e->role = role;
	e->ev = ev;
	e->arg = arg;
	return &e->ep;
}

static struct endpoint *null_listen(struct loop *l, const char *url, const struct link_opts *o, bool newest_wins,
	const struct listen_events *ev, void *arg)
{
	struct null *e = new(l, url);

	(void)o, (void)newest_wins, (void)ev, (void)arg;
	return e ? &e->ep : NULL;
}

static void null_ask(struct endpoint *ep, const struct iovec *parts, int n)
{
	struct null *e = (struct null *)ep;

	(void)parts, (void)n;
	if (e->role == TRANSPORT_PUT)
		loop_timer_in(e->loop, &e->answer, 0);
}

static void null_forget(struct endpoint *ep)
{
	struct null *e = (struct null *)ep;

	loop_timer_del(e->loop, &e->answer);
}

static void null_pause(struct endpoint *ep, bool on)
{
	struct null *e = (struct null *)ep;

	if (on && e->role == TRANSPORT_TAKE)
		loop_timer_in(e->loop, &e->answer, 0);
}

static void null_reply(struct link_peer *peer, const struct iovec *parts, int n)
{
	(void)peer, (void)parts, (void)n;
}

static void null_release(struct link_peer *peer)
{
	(void)peer;
}

static void null_drop(struct link_peer *peer, const char *why)
{
	(void)peer, (void)why;
}

static void null_close(struct endpoint *ep)
{
	null_forget(ep);
	free(ep);
}

const struct transport transport_null = {
	.name = "null",
	.schemes = "null",
	.traits = TRANSPORT_STREAM,
	.dial = null_dial,
	.listen = null_listen,
	.ask = null_ask,
	.forget = null_forget,
	.pause = null_pause,
	.reply = null_reply,
	.release = null_release,
	.drop = null_drop,
	.close = null_close,
};
