/* answer: what a request is answered, as bytes. */
#include "gatewayd/http/server_impl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/metrics.h"

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
	request_send(r);
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

void request_fault(struct request *r, const struct http_fault *f)
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

void request_too_large(struct request *r)
{
	struct problem p;

	problem_set(&p, 413, "too-large", "Too large", "the body is over %llu bytes", (unsigned long long)r->body_max);
	r->unread = true;
	request_problem(r, &p);
}

void request_too_much(struct request *r)
{
	struct problem p;

	problem_set(&p, 503, "overloaded", "Overloaded", "too many large requests at once; send it again");
	p.retry_after = 2;
	r->unread = true;
	request_problem(r, &p);
}
