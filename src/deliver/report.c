#include "deliver/report.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "link/link.h"

#define BATCH_LINES 1024u
#define BATCH_BYTES (1u << 20)

/* The parcel that line n (from 1) of the batch belongs to. */
static struct parcel *of_line(const struct report *r, uint32_t n)
{
	struct parcel *p = r->out;

	while (p && n > p->n) {
		n -= p->n;
		p = p->next;
	}
	return p;
}

static void on_result(void *arg, void *cookie, const struct put_result *res)
{
	struct report *r = arg;
	struct parcel *out = r->out, *again = NULL, **last = &again;

	(void)cookie;
	for (size_t i = 0; i < res->nrefused; i++) {
		struct parcel *p = of_line(r, res->refused[i].n);

		if (res->refused[i].retry && p)
			p->again = true;
		else
			log_error("the hub refused a line for good: %s", res->refused[i].error);
	}
	r->out = NULL;
	r->out_last = &r->out;
	for (struct parcel *p = out, *next; p; p = next) {
		next = p->next;
		p->next = NULL;
		if (p->again) {
			*last = p;
			last = &p->next;
			continue;
		}
		r->pending--;
		p->done(p);
	}
	if (!again) {
		backoff_reset(&r->wait);
		return;
	}
	if (r->wait.tries == 0)
		log_warn("the hub refuses lines for now: putting them again");
	*last = r->first;
	if (!r->first)
		r->last = last;
	r->first = again;
	r->paused = loop_timer_in(r->loop, &r->again, backoff_next(&r->wait, hash_random())) == 0;
}

static void on_again(void *arg)
{
	struct report *r = arg;

	r->paused = false;
}

static void on_room(void *arg)
{
	(void)arg;	/* the round's end flushes */
}

static void on_dead(void *arg)
{
	struct report *r = arg;

	r->dead(r->arg);
}

int report_open(struct report *r, struct loop *l, const char *url, const struct link_opts *o, void (*dead)(void *arg), void *arg)
{
	struct link_opts own = *o;

	*r = (struct report){.loop = l, .dead = dead, .arg = arg, .wait = {.base = 50 * CLOCK_MS, .max = 5 * CLOCK_S}};
	r->last = &r->first;
	r->out_last = &r->out;
	r->again = (struct loop_timer){.fn = on_again, .arg = r};
	buf_init(&r->batch, LINK_MESSAGE_BYTES);
	own.conns = 1;		/* more would mix up the order */
	r->put = link_put_open(l, url, &own, on_result, on_room, on_dead, r);
	return r->put ? 0 : -1;
}

void report_close(struct report *r)
{
	if (r->put)
		link_put_close(r->put);
	if (r->loop)
		loop_timer_del(r->loop, &r->again);
	buf_release(&r->batch);
	*r = (struct report){0};
}

bool report_connected(const struct report *r)
{
	return link_put_connected(r->put);
}

void report_add(struct report *r, struct parcel *p)
{
	p->next = NULL;
	p->again = false;
	*r->last = p;
	r->last = &p->next;
	r->pending++;
}

void report_flush(struct report *r)
{
	struct parcel *end = r->first, **last = &r->first;
	uint32_t n = 0;

	if (r->out || r->paused || !r->first)
		return;
	buf_clear(&r->batch);
	while (end && (n == 0 || (n + end->n <= BATCH_LINES && r->batch.len + end->len <= BATCH_BYTES))) {
		if (buf_add(&r->batch, end->lines, end->len))
			break;
		n += end->n;
		end->again = false;
		last = &end->next;
		end = end->next;
	}
	if (n == 0 || link_put_send(r->put, r->batch.p, r->batch.len, n, NULL) <= 0)
		return;
	r->out = r->first;
	r->out_last = last;
	*last = NULL;
	r->first = end;
	if (!end)
		r->last = &r->first;
}
