#include "deliver/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "line/err.h"
#include "link/batch.h"

struct refused { uint32_t n; bool retry; char why[LINE_ERR_TEXT]; };

/* A batch that is not acknowledged. */
struct intake {
	struct courier *c;
	struct link_take *from;
	struct intake *next;
	struct batch *batch;
	const char *at;			/* the next line */
	uint32_t line, left;		/* lines looked at; messages that are not in the outbox yet, and the parcel */
	struct refused *refused;
	size_t nrefused;
	struct parcel parcel;		/* the lines themselves, when they go on */
};

bool intake_busy(const struct courier *c)
{
	return c->batches != NULL;
}

static void done(struct intake *in)
{
	struct courier *c = in->c;
	struct refusal *v = calloc(in->nrefused ? in->nrefused : 1, sizeof(*v));
	struct intake **at = &c->batches;

	while (*at != in)
		at = &(*at)->next;
	*at = in->next;
	if (c->batches_last == &in->next)
		c->batches_last = at;
	for (size_t i = 0; v && i < in->nrefused; i++)
		v[i] = (struct refusal){.n = in->refused[i].n, .retry = in->refused[i].retry, .error = in->refused[i].why};
	if (!v && in->nrefused)
		log_error("no memory to tell the hub of %zu refused lines", in->nrefused);
	link_take_done(in->from, in->batch, v, v ? in->nrefused : 0);
	free(v);
	free(in->refused);
	free(in);
}

static void look(struct intake *in)
{
	if (in->line == in->batch->n && in->left == 0)
		done(in);
}

void intake_kept(struct intake *in)
{
	in->left--;
	look(in);
}

static void refuse(struct intake *in, bool retry, const struct line_err *err)
{
	struct refused *v;

	if ((in->nrefused & (in->nrefused - 1)) == 0) {
		v = realloc(in->refused, (in->nrefused ? 2 * in->nrefused : 1) * sizeof(*v));
		if (!v)
			die(1, "no memory"); /* what was not acknowledged comes again */
		in->refused = v;
	}
	v = &in->refused[in->nrefused++];
	v->n = in->line;
	v->retry = retry;
	if (retry)
		snprintf(v->why, sizeof(v->why), "%s", err->why);
	else
		line_err_text(err, v->why);
	metric_add(in->c->metric[M_REFUSED], 1);
}

/* false: not now. */
static bool take(struct intake *in, const char *line, size_t n)
{
	struct courier *c = in->c;
	struct line_err err = {0, NULL};
	struct message *m, *old;
	struct say s;
	int known;

	if (say_parse(&s, line, n, c->strict, &err)) {
		in->line++;
		refuse(in, false, &err);
		return true;
	}
	if (s.kind == SAY_OTHER || (s.kind == SAY_COMMAND && (!*s.interaction || strcmp(s.platform, "discord") != 0))) {
		say_release(&s);
		in->line++;
		return true;
	}
	if (!c->outbox) {
		log_error("a message has to be said, and another deliver has the outbox: give this one its own (--outbox)");
		c->failed = true;
		loop_stop(c->loop);
		say_release(&s);
		return false;
	}
	old = message_find(c, s.key);
	known = old || spill_has(&c->spill, s.key) ? 1 : outbox_known(c->outbox, s.key);
	say_release(&s);
	if (known < 0 && !c->again.due)
		loop_timer_in(c->loop, &c->again, CLOCK_S);	/* the outbox cannot be read: a round then */
	/* A repeat of what is only in memory is not acknowledged before that is on the disk. */
	if (known < 0 || (old && ((old->marks | old->syncing) & MARK_TAKE)))
		return false;
	in->line++;
	if (known) {
		metric_add(c->metric[M_REPEATS], 1);
		return true;
	}
	m = message_new(c, line, n, clock_wall(), &err);
	if (!m) {
		refuse(in, true, &err);
		return true;
	}
	m->batch = in;
	in->left++;
	message_mark(m, MARK_TAKE);
	metric_add(c->metric[M_TAKEN], 1);
	m->spill = !c->stream && message_may_spill(m) && spill_must(&c->spill, m->say.tenant, courier_full(c)) &&
		spill_coming(&c->spill, m->say.tenant) == 0;
	if (!m->spill)
		message_wait(m);
	return true;
}

static bool room(const struct courier *c)
{
	return c->bytes < 2 * COURIER_BYTES && (c->stream ? c->n < COURIER_STREAM : c->n < 2 * COURIER_MESSAGES && c->spill.n < SPILL_MAX);
}

/* As far as it goes. */
static void work(struct intake *in)
{
	const char *end = in->batch->lines + in->batch->len;
	static const struct line_err stopping = {0, "deliver is stopping"};
	size_t n;

	while (in->line < in->batch->n) {
		const char *next = in->at, *line = batch_next(&next, end, &n);

		if (in->c->draining) {
			in->line++;
			refuse(in, true, &stopping);
		} else if (!room(in->c) || !take(in, line, n)) {
			return;
		}
		in->at = next;
	}
}

static void passed(struct parcel *p)
{
	intake_kept((struct intake *)((char *)p - offsetof(struct intake, parcel)));
}

void intake_batch(void *arg, struct batch *b)
{
	struct inlet *inlet = arg;
	struct courier *c = inlet->c;
	struct intake *in = calloc(1, sizeof(*in));

	if (!in)
		die(1, "no memory"); /* what was not acknowledged comes again */
	in->c = c;
	in->from = inlet->take;
	in->batch = b;
	in->at = b->lines;
	*c->batches_last = in;
	c->batches_last = &in->next;
	if (c->pass) {
		in->parcel = (struct parcel){.lines = b->lines, .len = b->len, .n = b->n, .done = passed};
		in->left++;
		report_add(&c->report, &in->parcel);
	}
	work(in);
	look(in);
}

void intake_more(struct courier *c)
{
	for (struct intake *in = c->batches, *next; in; in = next) {
		next = in->next;
		if (in->line < in->batch->n) {
			work(in);
			look(in);
		}
	}
}

void intake_free(struct courier *c)
{
	while (c->batches) {
		struct intake *in = c->batches;

		c->batches = in->next;
		free(in->refused);
		free(in);
	}
	c->batches_last = &c->batches;
}
