/*
 * take: batches from the hub, or from standard input. Each connection is a lane: it asks, gives the batch out, reports the
 * outcome with its next question.
 */
#include "link/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/ack.h"
#include "link/batch.h"
#include "link/name.h"
#include "link/transport/transport.h"

#define IDLE_ANSWER (10 * CLOCK_MS)	/* a hub that says "nothing" sooner than this is asked again only after it */
#define REQUEST_MAX (LINK_BATCH_LINES * (ACK_ERROR_MAX + 64u))	/* ceiling of a report; messages are capped besides */

enum lane_state { LANE_ASKING, LANE_GIVEN, LANE_REPORTING, LANE_OVER };

struct lane {
	struct link_take *take;
	struct endpoint *ep;
	enum lane_state state;
	struct batch batch;
	struct take_reply reply;
	uint64_t number;		/* stdin: lines given out before this batch */
	struct buf request;
	int64_t asked;
	struct loop_timer again;
};

struct link_take {
	struct loop *loop;
	const char *url;
	bool stream, draining, told;
	const char *strange;		/* why the last answer was no batch, which was said; static, NULL: it was one */
	unsigned running;		/* callbacks of ours that run */
	bool closed;
	char as[ACK_NAME_MAX + 1];
	const char *set;
	uint32_t want;
	void (*on_batch)(void *arg, struct batch *b);
	void (*on_end)(void *arg);
	void (*on_drained)(void *arg);
	void *arg;
	uint64_t number;		/* stdin: lines given out */
	struct loop_timer over;		/* all lanes are: told in the next round */
	unsigned nlanes;
	struct lane lanes[];
};

static void destroy(struct link_take *t)
{
	for (unsigned i = 0; i < t->nlanes; i++) {
		struct lane *l = &t->lanes[i];
		loop_timer_del(t->loop, &l->again);
		if (l->ep)
			l->ep->t->close(l->ep);
		take_reply_release(&l->reply);
		buf_release(&l->request);
	}
	loop_timer_del(t->loop, &t->over);
	free(t);
}

static void enter(struct link_take *t)
{
	t->running++;
}

static void leave(struct link_take *t)
{
	if (--t->running == 0 && t->closed)
		destroy(t);
}

/* ---- asking ---- */

static void ask(struct lane *l, const char *done, const struct refusal *refused, size_t n)
{
	struct link_take *t = l->take;
	struct iovec part = { .iov_base = NULL };

	l->state = t->draining && !t->stream ? LANE_REPORTING : LANE_ASKING;
	l->asked = loop_now(t->loop);
	buf_clear(&l->request);
	if (!t->stream && (take_request_write(&l->request, t->as, t->set, done, refused, n, t->draining ? 0 : t->want) ||
	    l->request.len > LINK_MESSAGE_BYTES)) {
		/* Thousands of long reasons: the outcome matters more than the words. */
		struct refusal *brief = calloc(n, sizeof *brief);
		for (size_t i = 0; brief && i < n; i++)
			brief[i] = (struct refusal){ .n = refused[i].n, .retry = refused[i].retry, .error = "refused",
				.retry_after = refused[i].retry_after };
		buf_clear(&l->request);
		if (!brief || take_request_write(&l->request, t->as, t->set, done, brief, n, t->draining ? 0 : t->want))
			die(1, "%s: %s", t->url, strerror(ENOMEM));
		free(brief);
	}
	part = (struct iovec){ .iov_base = l->request.p, .iov_len = l->request.len };
	l->ep->t->ask(l->ep, &part, t->stream ? 0 : 1);
}

static void ask_again(void *arg)
{
	ask(arg, NULL, NULL, 0);
}

static void check_over(struct link_take *t)
{
	for (unsigned i = 0; i < t->nlanes; i++)
		if (t->lanes[i].state != LANE_OVER)
			return;
	if (!t->told)
		loop_timer_in(t->loop, &t->over, 0);
	t->told = true;
}

static void over(void *arg)
{
	struct link_take *t = arg;

	enter(t);
	if (t->draining && t->on_drained)
		t->on_drained(t->arg);
	else if (t->on_end)
		t->on_end(t->arg);
	leave(t);
}

static void end_lane(struct lane *l)
{
	l->state = LANE_OVER;
	l->ep->t->forget(l->ep);
	loop_timer_del(l->take->loop, &l->again);
	check_over(l->take);
}

/* ---- what comes back ---- */

static void give(struct lane *l)
{
	struct link_take *t = l->take;

	l->state = LANE_GIVEN;
	l->batch.token = l;
	enter(t);
	t->on_batch(t->arg, &l->batch);
	leave(t);
}

static int on_stream(struct lane *l, const char *p, size_t n)
{
	struct link_take *t = l->take;

	l->batch = (struct batch){ .lines = p, .len = n, .n = (uint32_t)batch_count(p, n) };
	l->number = t->number;
	t->number += l->batch.n;
	give(l);
	return 0;
}

/* The length of the first line of what was answered. */
static size_t first_line(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);

	return lf ? (size_t)(lf - p) : n;
}

static int on_reply(void *arg, const char *p, size_t n)
{
	struct lane *l = arg;
	struct link_take *t = l->take;
	const char *why;

	if (t->stream)
		return on_stream(l, p, n);
	if (l->state == LANE_REPORTING) {
		end_lane(l);
		return 0;
	}
	if (take_reply_parse(p, n, &l->reply, &why)) {
		if (!t->strange || strcmp(t->strange, why) != 0)
			log_warn("%s: the answer to a take is no batch (%s): %.*s; is this the endpoint of a destination, to-NAME "
				"of route? Trying again", t->url, why, (int)first_line(p, n > 200 ? 200 : n), p);
		t->strange = why;
		return -1;
	}
	if (t->strange)
		log_info("%s: the answer to a take is a batch again", t->url);
	t->strange = NULL;
	if (l->reply.n == 0) {
		take_reply_release(&l->reply);
		if (t->draining)
			end_lane(l);
		else if (loop_now(t->loop) - l->asked < IDLE_ANSWER)
			loop_timer_in(t->loop, &l->again, IDLE_ANSWER + (int64_t)(hash_random() % (uint64_t)IDLE_ANSWER));
		else
			ask(l, NULL, NULL, 0);
		return 0;
	}
	l->batch = (struct batch){ .lines = p + l->reply.head, .len = n - l->reply.head, .n = l->reply.n,
		.seq = l->reply.seq };
	give(l);
	return 0;
}

static void on_transport_end(void *arg, const char *why)
{
	struct lane *l = arg;

	(void)why;
	end_lane(l);
}

static const struct dial_events events = { .reply = on_reply, .end = on_transport_end };

/* ---- public ---- */

struct link_take *link_take_open(struct loop *l, const char *url, const struct link_opts *o,
	void (*on_batch)(void *arg, struct batch *b), void (*on_end)(void *arg), void *arg)
{
	const struct transport *tr = transport_find(url);
	unsigned conns = o && o->conns ? o->conns : 1;

	if (!tr)
		return NULL;
	if (tr->traits & TRANSPORT_STREAM)
		conns = 1;
	struct link_take *t = calloc(1, sizeof *t + conns * sizeof *t->lanes);
	if (!t) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	t->loop = l;
	t->url = url;
	t->stream = tr->traits & TRANSPORT_STREAM;
	t->want = o && o->take ? o->take : LINK_TAKE_DEFAULT;
	if (t->want > LINK_BATCH_LINES)
		t->want = LINK_BATCH_LINES;
	link_name(o, t->as);
	t->set = o ? o->set : NULL;
	t->on_batch = on_batch;
	t->on_end = on_end;
	t->arg = arg;
	t->over = (struct loop_timer){ .fn = over, .arg = t };
	t->nlanes = conns;
	for (unsigned i = 0; i < conns; i++) {
		struct lane *lane = &t->lanes[i];
		lane->take = t;
		lane->again = (struct loop_timer){ .fn = ask_again, .arg = lane };
		buf_init(&lane->request, REQUEST_MAX);
		lane->ep = tr->dial(l, url, TRANSPORT_TAKE, o, &events, lane);
		if (!lane->ep) {
			destroy(t);
			return NULL;
		}
	}
	for (unsigned i = 0; i < conns; i++)
		ask(&t->lanes[i], NULL, NULL, 0);
	return t;
}

/* A pipe can't be told what was refused: a person is. */
static void log_refused(const struct lane *l, const struct refusal *refused, size_t n)
{
	const char *p = l->batch.lines, *end = p + l->batch.len, *line;
	uint32_t number = 0;
	size_t len;

	while ((line = batch_next(&p, end, &len))) {
		number++;
		for (size_t i = 0; i < n; i++)
			if (refused[i].n == number)
				log_error("standard input, line %llu refused: %s: %.*s%s",
					(unsigned long long)(l->number + number), refused[i].error,
					len > 120 ? 120 : (int)len, line, len > 120 ? "..." : "");
	}
}

void link_take_done(struct link_take *t, struct batch *b, const struct refusal *refused, size_t n)
{
	struct lane *l = b->token;
	char done[ACK_NAME_MAX + 1];

	if (t->stream && n > 0) {
		log_refused(l, refused, n);
		l->ep->dropped += n;
	}
	memcpy(done, l->reply.batch, sizeof done);
	take_reply_release(&l->reply);
	l->batch = (struct batch){ 0 };
	ask(l, done, refused, n);
}

void link_take_drain(struct link_take *t, void (*on_drained)(void *arg))
{
	if (t->draining)
		return;
	t->draining = true;
	t->on_drained = on_drained;
	for (unsigned i = 0; i < t->nlanes; i++) {
		struct lane *l = &t->lanes[i];
		if (t->stream)
			l->ep->t->pause(l->ep, true);
		else if (l->state == LANE_ASKING)
			end_lane(l);
	}
	check_over(t);
}

void link_take_want(struct link_take *t, unsigned lines)
{
	t->want = lines < 1 ? 1 : lines > LINK_BATCH_LINES ? LINK_BATCH_LINES : lines;
}

bool link_take_connected(const struct link_take *t)
{
	for (unsigned i = 0; i < t->nlanes; i++)
		if (t->lanes[i].ep->up)
			return true;
	return false;
}

uint64_t link_take_dropped(const struct link_take *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->nlanes; i++)
		n += t->lanes[i].ep->dropped;
	return n;
}

void link_take_close(struct link_take *t)
{
	t->closed = true;
	if (t->running == 0)
		destroy(t);
}
