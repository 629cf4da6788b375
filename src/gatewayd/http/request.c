/* request: one connection, from its first byte to its end. */
#include "gatewayd/http/server_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/metrics.h"

#define IN_MAX (128u << 10)		/* read ahead of what is taken from it */
#define OUT_MAX (8u << 20)		/* an answer */
#define LINGER_TIME (2 * CLOCK_S)	/* what the peer still sends after the answer is read and dropped for so long, ... */
#define LINGER_BYTES (4u << 20)		/* ... and so far: closing at once could destroy the answer on its way */

static void process(struct request *r);
static void finish(struct request *r);

/* ---- a connection's end ---- */

/* Counts what the body takes: false when all bodies together take too much. */
static bool hold(struct request *r)
{
	struct server *s = r->s;

	s->held += r->body.cap - r->held;
	r->held = r->body.cap;
	return s->held <= s->opts.max_held;
}

static void request_free(struct request *r)
{
	buf_release(&r->in);
	buf_release(&r->head_bytes);
	buf_release(&r->body);
	buf_release(&r->out);
	free(r);
}

/* Takes r off the server's lists. The memory goes when nobody up the stack uses it any more. */
static void detach(struct request *r)
{
	struct server *s = r->s;

	if (r->state == OPEN || r->state == BODY)
		s->open--;
	s->held -= r->held;
	loop_io_del(s->loop, &r->io);
	loop_timer_del(s->loop, &r->timer);
	if (r->prev)
		r->prev->next = r->next;
	else
		s->first = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->dead = true;
	if (!r->handling)
		request_free(r);
}

void request_drop(struct request *r)
{
	void (*gone)(void *arg) = r->on_gone;
	int fd = r->io.fd;

	r->on_gone = NULL;
	if (gone)
		gone(r->gone_arg);
	peers_leave(&r->s->peers, &r->addr);
	metric_set(metrics[M_CONNECTIONS], r->s->peers.total);
	detach(r);
	close(fd);
}

int request_take(struct request *r, struct place *place, const char **rest, size_t *nrest)
{
	int fd = r->io.fd;

	memcpy(place->b, r->addr.b, sizeof(place->b));
	if (r->in.len > sizeof(r->s->scratch))
		r->in.len = sizeof(r->s->scratch);
	memcpy(r->s->scratch, r->in.p ? r->in.p : "", r->in.len);
	*rest = r->s->scratch;
	*nrest = r->in.len;
	detach(r);
	return fd;
}

/* ---- states ---- */

static void enter(struct request *r, enum state state, int64_t time)
{
	struct server *s = r->s;
	bool was = r->state == OPEN || r->state == BODY, is = state == OPEN || state == BODY;

	if (is && !was)
		s->open++;
	else if (was && !is)
		s->open--;
	r->state = state;
	if (time)
		loop_timer_in(s->loop, &r->timer, time);
	else
		loop_timer_del(s->loop, &r->timer);
	loop_io_want(s->loop, &r->io, state == OPEN ? 0 : state == REPLY ? LOOP_OUT : LOOP_IN);
}

static void on_timer(void *arg)
{
	struct request *r = arg;
	struct problem p;

	if (r->state != HEAD && r->state != BODY) {
		request_drop(r);
		return;
	}
	metric_add(metrics[M_SLOW], 1);
	problem_set(&p, 408, "too-slow", "Too slow", "the %s of the request did not come in time",
		r->state == HEAD ? "head" : "body");
	if (r->state == HEAD)
		r->head.method = HTTP_GET;	/* what is there is of the request before */
	r->unread = true;
	request_problem(r, &p);
}

/* ---- answers ---- */

void request_send(struct request *r)
{
	while (r->out_sent < r->out.len) {
		ssize_t n = send(r->io.fd, r->out.p + r->out_sent, r->out.len - r->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (r->state != REPLY)
				enter(r, REPLY, r->s->opts.write_time);
			return;
		}
		if (n < 0) {
			request_drop(r);
			return;
		}
		r->out_sent += (size_t)n;
	}
	finish(r);
}

/* The answer is on its way: the next request, or the end. */
static void finish(struct request *r)
{
	buf_clear(&r->out);
	buf_release(&r->body);
	hold(r);
	buf_clear(&r->head_bytes);
	r->out_sent = 0;
	if (r->close || r->s->draining) {
		shutdown(r->io.fd, SHUT_WR);
		if (!r->unread && r->in.len == 0) {
			request_drop(r);
			return;
		}
		buf_release(&r->in);
		enter(r, LINGER, LINGER_TIME);
		return;
	}
	if (r->in.len == 0) {
		buf_release(&r->in);
		buf_release(&r->out);
		enter(r, IDLE, r->s->opts.idle_time);
		return;
	}
	enter(r, HEAD, r->s->opts.head_time);
	if (!r->handling)
		process(r);
}

/* ---- requests ---- */

static void take_head(struct request *r)
{
	struct http_fault f = {0};
	int n = http_head_parse(r->in.p, r->in.len, &r->head, &f);

	if (n == 0)
		return;
	if (n < 0) {
		r->head.method = HTTP_GET;
		request_fault(r, &f);
		return;
	}
	/* The head moves to a place of its own: its spans must outlive what is read behind it. */
	if (buf_add(&r->head_bytes, r->in.p, (size_t)n)) {
		request_drop(r);
		return;
	}
	http_head_parse(r->head_bytes.p, r->head_bytes.len, &r->head, &f);
	buf_drop(&r->in, (size_t)n);
	r->unread = r->head.chunked || (r->head.has_length && r->head.length > 0);
	r->chunks = (struct http_chunks){0};
	metric_add(metrics[M_REQUESTS], 1);
	enter(r, BODY, r->s->opts.body_time);
	r->body_max = r->s->h->on_head(r->s->arg, r);
	if (r->dead || r->state != BODY)
		return;		/* answered, or given away */
	if (r->head.has_length && r->head.length > r->body_max) {
		request_too_large(r);
		return;
	}
	r->body.max = r->body_max;
	if (r->unread && r->head.expect_continue && r->in.len == 0) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		/* A fresh answer of 25 bytes on an empty socket goes out whole; if not, the peer's own time-out sends the body. */
		(void)!send(r->io.fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL);
	}
}

/* Moves what is there of the body: true when it is whole. Otherwise r may have been answered. */
static bool body_whole(struct request *r)
{
	struct http_fault f;
	bool done = false;
	size_t n;

	if (r->head.chunked) {
		int64_t used = http_chunks_feed(&r->chunks, r->in.p, r->in.len, &r->body, &done, &f);

		if (used < 0) {
			if (f.status == 413)
				request_too_large(r);
			else
				request_fault(r, &f);
			return false;
		}
		buf_drop(&r->in, (size_t)used);
		return done;
	}
	n = r->head.length - r->body.len < r->in.len ? r->head.length - r->body.len : r->in.len;
	if (n && buf_add(&r->body, r->in.p, n)) {
		request_drop(r);
		return false;
	}
	buf_drop(&r->in, n);
	return r->body.len == r->head.length;
}

static void take_body(struct request *r)
{
	bool whole = body_whole(r);

	if (r->dead || r->state != BODY)
		return;
	if (!hold(r)) {
		request_too_much(r);
	} else if (whole) {
		r->unread = false;
		enter(r, OPEN, 0);
		r->s->h->on_request(r->s->arg, r);
	}
}

/* Does all that can be done with the bytes at hand. */
static void process(struct request *r)
{
	r->handling = true;
	while (!r->dead) {
		enum state state = r->state;
		size_t before = r->in.len;

		if (state == IDLE && r->in.len)
			enter(r, HEAD, r->s->opts.head_time);
		else if (state == HEAD && r->in.len)
			take_head(r);
		else if (state == BODY)
			take_body(r);
		if (r->state == state && r->in.len == before)
			break;
	}
	r->handling = false;
	if (r->dead)
		request_free(r);
}

static void on_readable(struct request *r)
{
	struct server *s = r->s;
	ssize_t n = recv(r->io.fd, s->scratch, sizeof(s->scratch), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		request_drop(r);
		return;
	}
	if (r->state == LINGER) {
		r->lingered += (uint64_t)n;
		if (r->lingered > LINGER_BYTES)
			request_drop(r);
		return;
	}
	if (buf_add(&r->in, s->scratch, (size_t)n)) {
		request_drop(r);
		return;
	}
	process(r);
}

static void on_io(void *arg, unsigned events)
{
	struct request *r = arg;

	if (events & LOOP_HUP && !(events & (LOOP_IN | LOOP_OUT)))
		request_drop(r);
	else if (events & LOOP_OUT)
		request_send(r);
	else
		on_readable(r);
}

/* ---- the beginning ---- */

int request_new(struct server *s, int fd, const struct peer_addr *addr, const char *name)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	r->s = s;
	r->addr = *addr;
	r->io = (struct loop_io){.fd = fd, .fn = on_io, .arg = r};
	r->timer = (struct loop_timer){.fn = on_timer, .arg = r};
	snprintf(r->peer, sizeof(r->peer), "%s", name);
	buf_init(&r->in, IN_MAX);
	buf_init(&r->head_bytes, HTTP_HEAD_MAX);
	buf_init(&r->body, 0);
	buf_init(&r->out, OUT_MAX);
	if (loop_io_add(s->loop, &r->io, LOOP_IN)) {
		free(r);
		return -1;
	}
	r->next = s->first;
	if (s->first)
		s->first->prev = r;
	s->first = r;
	/* The first head must come as soon as any: a connection that says nothing is no keep-alive one yet. */
	loop_timer_in(s->loop, &r->timer, s->opts.head_time);
	return 0;
}

const struct http_head *request_head(const struct request *r)
{
	return &r->head;
}

const char *request_body(const struct request *r, size_t *n)
{
	*n = r->body.len;
	return r->body.p ? r->body.p : "";
}

const char *request_peer(const struct request *r)
{
	return r->peer;
}

void request_on_gone(struct request *r, void (*fn)(void *arg), void *arg)
{
	r->on_gone = fn;
	r->gone_arg = arg;
}
