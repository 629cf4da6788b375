#include "gatewayd/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "gatewayd/binding.h"
#include "gatewayd/http/server.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"

#define RETRY_AFTER 2u		/* seconds a sender should wait */
#define REFUSED_SHOWN 100u	/* refusals listed in an answer */
#define ANSWER_MAX (1u << 20)

/* One request whose events are with the outlet. It lives until each of them has a result, the request may be gone before. */
struct order {
	struct intake *in;
	struct request *r;		/* NULL: answered, or the peer has gone */
	struct loop_timer timer;
	struct buf lines;		/* gathered before the first is given to the outlet, each ended by LF */
	struct buf refused;		/* elements of the list in the answer */
	uint32_t *index;		/* of each gathered line in the request */
	uint32_t nlines, cap, pending, accepted, nrefused, nretry;
	struct problem first;		/* what the first refusal was */
	bool batch, failed;
};

static void order_free(struct order *o)
{
	loop_timer_del(o->in->loop, &o->timer);
	buf_release(&o->lines);
	buf_release(&o->refused);
	free(o->index);
	free(o);
}

static void unavailable(struct problem *p, const char *why)
{
	problem_set(p, 503, "unavailable", "Not accepted now", "%s; send it again", why);
	p->retry_after = RETRY_AFTER;
}

/* ---- the answer ---- */

static void answer_list(struct order *o, struct request *r)
{
	struct problem p;
	struct buf body;
	bool retry = o->nretry == o->nrefused;
	char extra[32] = "Retry-After: 2\r\n";

	problem_set(&p, retry ? 503 : 422, "refused-events", "Some events were refused",
		"%u of %u events were refused; the others are accepted", o->nrefused, o->nrefused + o->accepted);
	buf_init(&body, ANSWER_MAX);
	if (problem_write_open(&p, &body) ||
	    buf_printf(&body, ",\"accepted\":%u,\"refused\":[", o->accepted) ||
	    buf_add(&body, o->refused.p, o->refused.len) || buf_adds(&body, "]}\n"))
		buf_clear(&body);
	request_reply(r, p.status, "application/problem+json", retry ? extra : NULL, body.p, body.len);
	buf_release(&body);
}

static void answer(struct order *o)
{
	struct request *r = o->r;
	char body[40];

	o->r = NULL;
	if (!r)
		return;
	if (o->nrefused && o->batch) {
		answer_list(o, r);
	} else if (o->nrefused) {
		request_problem(r, &o->first);
	} else {
		struct buf b;

		buf_init(&b, sizeof(body));
		if (buf_printf(&b, "{\"accepted\":%u}\n", o->accepted) == 0)
			request_reply(r, 202, "application/json", NULL, b.p, b.len);
		buf_release(&b);
	}
}

static void refuse(struct order *o, uint32_t index, const struct problem *p)
{
	if (o->nrefused++ == 0)
		o->first = *p;
	if (p->retry)
		o->nretry++;
	if (!o->batch || o->nrefused > REFUSED_SHOWN)
		return;
	if (buf_printf(&o->refused, "%s{\"index\":%u,\"error\":", o->refused.len ? "," : "", index) ||
	    buf_add_json(&o->refused, p->detail, strlen(p->detail)) ||
	    (*p->attribute && (buf_adds(&o->refused, ",\"attribute\":") ||
		buf_add_json(&o->refused, p->attribute, strlen(p->attribute)))) ||
	    buf_printf(&o->refused, ",\"retry\":%s}", p->retry ? "true" : "false"))
		o->failed = true;
}

/* ---- results ---- */

static void on_result(void *arg, uint32_t index, enum outcome what, const char *error)
{
	struct order *o = arg;
	struct problem p;

	if (what == OUT_DONE) {
		o->accepted++;
	} else if (what == OUT_RETRY) {
		unavailable(&p, error);
		refuse(o, index, &p);
	} else {
		problem_set(&p, 422, "refused", "Refused by the hub", "%s", error);
		refuse(o, index, &p);
	}
	if (--o->pending)
		return;
	answer(o);
	order_free(o);
}

static void on_late(void *arg)
{
	struct order *o = arg;
	struct request *r = o->r;
	struct problem p;

	o->r = NULL;
	if (!r)
		return;
	problem_set(&p, 503, "unavailable", "Not acknowledged in time",
		"the hub did not answer in time: the event may be accepted yet; sending it again with the same id is safe");
	p.retry_after = RETRY_AFTER;
	request_problem(r, &p);
}

static void on_gone(void *arg)
{
	struct order *o = arg;

	o->r = NULL;
}

/* ---- requests ---- */

uint64_t intake_head(struct intake *in, struct request *r)
{
	const char *away = outlet_room(in->outlet, 1, 0);
	struct problem p;

	if (binding_head(request_head(r), &p)) {
		metric_add(metrics[M_EVENTS_REFUSED], 1);
		request_problem(r, &p);
		return 0;
	}
	if (away) {
		metric_add(metrics[M_EVENTS_RETRY], 1);
		unavailable(&p, away);
		request_problem(r, &p);
		return 0;
	}
	return in->max_body;
}

static int on_line(void *arg, uint32_t index, const char *line, size_t n)
{
	struct order *o = arg;

	if (o->nlines == o->cap) {
		uint32_t cap = o->cap ? o->cap * 2 : 1;
		uint32_t *v = reallocarray(o->index, cap, sizeof(*v));

		if (!v) {
			o->failed = true;
			return 1;
		}
		o->index = v;
		o->cap = cap;
	}
	if (buf_add(&o->lines, line, n) || buf_addc(&o->lines, '\n')) {
		o->failed = true;
		return 1;
	}
	o->index[o->nlines++] = index;
	return 0;
}

static int on_fault(void *arg, uint32_t index, const struct problem *p)
{
	metric_add(metrics[M_EVENTS_REFUSED], 1);
	refuse(arg, index, p);
	return 0;
}

/* Gives what was gathered to the outlet: 0, or -1 with *p when not one line was given. */
static int hand_on(struct order *o, struct problem *p)
{
	const char *why = outlet_room(o->in->outlet, o->nlines, o->lines.len);
	const char *at = o->lines.p, *lf;

	if (!why && o->failed)
		why = "no memory for this request";
	if (why) {
		metric_add(metrics[M_EVENTS_RETRY], o->nlines);
		unavailable(p, why);
		return -1;
	}
	for (uint32_t i = 0; i < o->nlines; i++, at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(o->lines.p + o->lines.len - at));
		if (outlet_add(o->in->outlet, at, (size_t)(lf - at), on_result, o, o->index[i])) {
			unavailable(p, "no memory for this request");
			if (o->pending == 0 && !o->batch)
				return -1;
			refuse(o, o->index[i], p);
			continue;
		}
		o->pending++;
	}
	buf_release(&o->lines);
	return 0;
}

static struct order *order_new(struct intake *in, struct request *r)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->in = in;
	o->r = r;
	o->batch = binding_mode(http_field(request_head(r), "content-type")) == BINDING_BATCHED;
	o->timer = (struct loop_timer){.fn = on_late, .arg = o};
	buf_init(&o->lines, in->max_body * 2 + in->max_line * 2);
	buf_init(&o->refused, ANSWER_MAX / 2);
	return o;
}

void intake_post(struct intake *in, struct request *r)
{
	struct order *o = order_new(in, r);
	struct binding b = {.tenant = in->tenant, .max_line = in->max_line, .max_events = in->max_events,
		.now = clock_wall(), .random = hash_random, .arg = o, .on_line = on_line, .on_fault = on_fault};
	struct problem p;
	const char *body;
	size_t n;

	if (!o) {
		unavailable(&p, "no memory for this request");
		request_problem(r, &p);
		return;
	}
	body = request_body(r, &n);
	if (binding_read(&b, request_head(r), body, n, &p)) {
		metric_add(metrics[M_EVENTS_REFUSED], 1);
		request_problem(r, &p);
		order_free(o);
		return;
	}
	if (o->nlines && hand_on(o, &p)) {
		request_problem(r, &p);
		order_free(o);
		return;
	}
	if (o->pending == 0) {
		answer(o);
		order_free(o);
		return;
	}
	request_on_gone(r, on_gone, o);
	loop_timer_in(in->loop, &o->timer, in->ack_time);
}
