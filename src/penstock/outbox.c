#include "penstock/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "line/id.h"
#include "line/scan.h"
#include "link/batch.h"
#include "link/link.h"

#define RETRY_BASE (50 * CLOCK_MS)
#define RETRY_MAX (2 * CLOCK_S)

/* Lines and the number of each. */
struct load { struct buf lines; uint64_t number[OUTBOX_LINES]; uint32_t n; };

struct lane {
	struct outbox *box;
	struct link_put *put;
	struct load filling, flying;	/* flying.n > 0: in flight, or waiting for the timer */
	struct loop_timer retry;
	struct backoff backoff;
};

struct outbox {
	struct loop *loop;
	struct outbox_calls calls;
	struct lane lane[OUTBOX_LANES];
	uint64_t acked, refused, waiting;
};

static void send(struct lane *l)
{
	int rc = link_put_send(l->put, l->flying.lines.p, l->flying.lines.len, l->flying.n, l);

	/* No room, or no memory: once more a little later. */
	if (rc <= 0)
		loop_timer_in(l->box->loop, &l->retry, backoff_next(&l->backoff, hash_random()));
}

static void on_retry(void *arg)
{
	send(arg);
}

static void flush(struct lane *l)
{
	struct load free_load = l->flying;

	if (l->flying.n > 0 || l->filling.n == 0)
		return;
	l->flying = l->filling;
	l->filling = free_load;
	send(l);
}

/* Keeps of the flying lines those that are refused for now, in order; tells of the others. */
static const char *sort_refused(struct lane *l, const struct put_result *r, uint32_t *kept)
{
	const char *p = l->flying.lines.p, *end = p + l->flying.lines.len, *line, *why = NULL;
	char *to = l->flying.lines.p;
	size_t n, at = 0;

	*kept = 0;
	for (uint32_t i = 0; (line = batch_next(&p, end, &n)) != NULL; i++) {
		const struct refusal *ref;

		while (at < r->nrefused && r->refused[at].n < i + 1)
			at++;
		if (at == r->nrefused || r->refused[at].n != i + 1) {
			l->box->acked++;
			continue;
		}
		ref = &r->refused[at];
		if (!ref->retry) {
			l->box->refused++;
			l->box->calls.refused(l->box->calls.arg, l->flying.number[i], ref->error);
			continue;
		}
		why = ref->error;
		l->flying.number[(*kept)++] = l->flying.number[i];
		memmove(to, line, n + 1);
		to += n + 1;
	}
	l->flying.lines.len = (size_t)(to - l->flying.lines.p);
	return why;
}

static int by_number(const void *a, const void *b)
{
	const struct refusal *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

static void on_result(void *arg, void *cookie, const struct put_result *r)
{
	struct lane *l = cookie;
	struct put_result sorted = *r;
	struct refusal *copy = NULL;
	uint32_t before = l->flying.n, kept;
	const char *why;

	(void)arg;
	/* route names them in order; another hub might not. */
	if (r->nrefused > 0) {
		copy = malloc(r->nrefused * sizeof *copy);
		if (!copy)
			die(1, "no memory");
		memcpy(copy, r->refused, r->nrefused * sizeof *copy);
		qsort(copy, r->nrefused, sizeof *copy, by_number);
		sorted.refused = copy;
	}
	why = sort_refused(l, &sorted, &kept);
	l->flying.n = kept;
	l->box->waiting -= before - kept;
	if (kept > 0) {
		l->box->calls.later(l->box->calls.arg, why);
		loop_timer_in(l->box->loop, &l->retry, backoff_next(&l->backoff, hash_random()));
	} else {
		buf_clear(&l->flying.lines);
		backoff_reset(&l->backoff);
		flush(l);
	}
	free(copy);
	if (before > kept)
		l->box->calls.progress(l->box->calls.arg);
}

static void on_nothing(void *arg)
{
	(void)arg;
}

struct outbox *outbox_open(struct loop *loop, const char *url, const struct outbox_calls *calls)
{
	struct outbox *o = calloc(1, sizeof *o);

	if (!o) {
		log_error("no memory");
		return NULL;
	}
	o->loop = loop;
	o->calls = *calls;
	for (int i = 0; i < OUTBOX_LANES; i++) {
		struct lane *l = &o->lane[i];

		l->box = o;
		l->retry = (struct loop_timer){ .fn = on_retry, .arg = l };
		l->backoff = (struct backoff){ .base = RETRY_BASE, .max = RETRY_MAX };
		buf_init(&l->filling.lines, LINK_BATCH_BYTES);
		buf_init(&l->flying.lines, LINK_BATCH_BYTES);
		l->put = link_put_open(loop, url, NULL, on_result, on_nothing, on_nothing, o);
		if (!l->put) {
			outbox_close(o);
			return NULL;
		}
	}
	return o;
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	for (int i = 0; i < OUTBOX_LANES; i++) {
		struct lane *l = &o->lane[i];

		if (!l->box)
			break;
		loop_timer_del(o->loop, &l->retry);
		if (l->put)
			link_put_close(l->put);
		buf_release(&l->filling.lines);
		buf_release(&l->flying.lines);
	}
	free(o);
}

int outbox_add(struct outbox *o, const char *p, size_t n, uint64_t number)
{
	struct envelope e;
	struct line_err err;
	struct lane *l;

	/* What is no event is refused by route, by whatever way it comes. */
	l = &o->lane[scan_strict(p, n, &e, &err) == 0 ? id_lane(&e) % OUTBOX_LANES : 0];
	if (l->filling.n == OUTBOX_LINES || (l->filling.n > 0 && l->filling.lines.len + n + 1 > LINK_BATCH_BYTES)) {
		flush(l);
		if (l->filling.n > 0)
			return 0;
	}
	if (buf_reserve(&l->filling.lines, n + 1) < 0)
		return -1;
	buf_add(&l->filling.lines, p, n);
	buf_addc(&l->filling.lines, '\n');
	l->filling.number[l->filling.n++] = number;
	o->waiting++;
	return 1;
}

void outbox_flush(struct outbox *o)
{
	for (int i = 0; i < OUTBOX_LANES; i++)
		flush(&o->lane[i]);
}

uint64_t outbox_acked(const struct outbox *o)
{
	return o->acked;
}

uint64_t outbox_refused(const struct outbox *o)
{
	return o->refused;
}

uint64_t outbox_waiting(const struct outbox *o)
{
	return o->waiting;
}

bool outbox_connected(const struct outbox *o)
{
	for (int i = 0; i < OUTBOX_LANES; i++)
		if (link_put_connected(o->lane[i].put))
			return true;
	return false;
}
