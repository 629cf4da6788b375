/* request: one connection, from its first byte to its end. */
#include "gatewayd/server_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
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

static void send_out(struct request *r)
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

static void date(char *out, size_t size)
{
	time_t now = (time_t)(clock_wall() / CLOCK_S);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

void request_reply(struct request *r, int status, const char *type, const char *extra, const char *body, size_t n)
{
	bool head_only = r->head.method == HTTP_HEAD, bare = status == 204 || status == 304;
	char when[40] = "";

	r->on_gone = NULL;
	if (!r->head.keep_alive || r->unread)
		r->close = true;
	date(when, sizeof(when));
	if (buf_printf(&r->out, "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Content-Type-Options: nosniff\r\n%s", status,
		http_reason(status), when, extra ? extra : "") ||
	    (r->close && buf_adds(&r->out, "Connection: close\r\n")) ||
	    (type && buf_printf(&r->out, "Content-Type: %s\r\n", type)) ||
	    (!bare && buf_printf(&r->out, "Content-Length: %zu\r\n", n)) ||
	    buf_adds(&r->out, "\r\n") || (!head_only && !bare && buf_add(&r->out, body, n))) {
		log_warn("no memory to answer %s", r->peer);
		request_drop(r);
		return;
	}
	metric_add(metrics[status < 400 ? M_HTTP_OK : status < 500 ? M_HTTP_BAD : M_HTTP_UNAVAILABLE], 1);
	send_out(r);
}

void request_problem(struct request *r, const struct problem *p)
{
	struct buf body;
	char extra[160] = "";

	buf_init(&body, 8192);
	if (problem_write(p, &body)) {
		log_warn("no memory to answer %s", r->peer);
		buf_clear(&body);
	}
	if (p->retry_after)
		snprintf(extra, sizeof(extra), "Retry-After: %u\r\n", p->retry_after);
	if (p->headers)
		snprintf(extra + strlen(extra), sizeof(extra) - strlen(extra), "%s", p->headers);
	request_reply(r, p->status, "application/problem+json", extra, body.p, body.len);
	buf_release(&body);
}

static void fault(struct request *r, const struct http_fault *f)
{
	struct problem p;

	problem_set(&p, f->status, f->status == 413 || f->status == 431 ? "too-large" : "bad-request",
		f->status == 413 || f->status == 431 ? "Too large" : "Malformed request", "%s", f->why);
	if (f->field.p)
		snprintf(p.header, sizeof(p.header), "%.*s", (int)(f->field.n < 60 ? f->field.n : 60), f->field.p);
	r->head.keep_alive = false;
	r->unread = true;
	request_problem(r, &p);
}

static void too_large(struct request *r)
{
	struct problem p;

	problem_set(&p, 413, "too-large", "Too large", "the body is over %llu bytes", (unsigned long long)r->body_max);
	r->unread = true;
	request_problem(r, &p);
}

static void too_much(struct request *r)
{
	struct problem p;

	problem_set(&p, 503, "overloaded", "Overloaded", "too many large requests at once; send it again");
	p.retry_after = 2;
	r->unread = true;
	request_problem(r, &p);
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
		fault(r, &f);
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
		too_large(r);
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
				too_large(r);
			else
				fault(r, &f);
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
		too_much(r);
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
		send_out(r);
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
