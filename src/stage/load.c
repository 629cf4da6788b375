/* One batch: what is to be given next, and what became of what was given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "link/batch.h"
#include "stage/stage.h"

#define PUT_FIRST (50 * CLOCK_MS)
#define PUT_MAX (5 * CLOCK_S)

static void count(const struct load *l, enum metric_id id, uint64_t n)
{
	metric_add(l->run->metric[id], n);
}

static void no_memory(struct run *r)
{
	log_error("%s", strerror(ENOMEM));
	run_fail(r);
}

/* ---- life ---- */

static int fill(struct load *l, struct batch *b)
{
	const char *p, *end, *line;
	size_t n;
	uint32_t i = 0;

	l->own = *b;
	if (l->run->in_stream) {
		l->bytes = malloc(b->len);
		if (!l->bytes)
			return -1;
		memcpy(l->bytes, b->lines, b->len);
		l->own.lines = l->bytes;
		l->own.token = NULL;
	} else {
		l->theirs = b;
	}
	l->at = malloc(((size_t)b->n + 1) * sizeof *l->at);
	if (!l->at)
		return -1;
	p = l->own.lines;
	end = p + l->own.len;
	while ((line = batch_next(&p, end, &n)))
		l->at[i++] = (uint32_t)(line - l->own.lines);
	l->at[i] = (uint32_t)l->own.len;
	return 0;
}

struct load *load_new(struct run *r, struct batch *b)
{
	struct load *l = calloc(1, sizeof *l);

	if (!l)
		goto fail;
	l->run = r;
	l->put_wait = (struct backoff){ .base = PUT_FIRST, .max = PUT_MAX };
	if (b && fill(l, b))
		goto fail;
	l->job = job_new(&l->own);
	if (!l->job)
		goto fail;
	/* Not a must: a program that passes everything on writes as much. */
	if (r->pass && buf_reserve(&l->job->out, l->own.len))
		goto fail;
	halve_init(&l->halve, l->own.n, r->one_by_one);
	events_init(&l->events, l->own.lines, l->at, l->own.n, r->set->name, r->set->max_line, r->in_stream, r->hash_key);
	l->done = !b;
	l->taken = loop_now(r->loop);
	count(l, M_LINES, l->own.n);
	return l;
fail:
	no_memory(r);
	if (l)
		load_free(l);
	return NULL;
}

void load_free(struct load *l)
{
	if (l->job)
		job_free(l->job);
	loop_timer_del(l->run->loop, &l->put_again);
	events_release(&l->events);
	free(l->pending);
	free(l->at);
	free(l->bytes);
	free(l);
}

/* ---- giving ---- */

void load_give(struct load *l, struct copy *c)
{
	const struct mode *m = l->run->set->mode;

	l->in = c;
	l->base = l->halve.from;
	l->fed = 0;
	l->fault = FAULT_NONE;
	l->task = (struct task){ .open = true, .number = ++l->run->tasks, .key = l->run->key, .tail = l->tail };
	if (m->tail)
		l->task.tail_n = m->tail(&l->task, l->tail);
}

size_t load_bytes(const struct load *l)
{
	return l->at[l->halve.to] - l->at[l->base] + l->task.tail_n;
}

bool load_wary(const struct load *l)
{
	return l->halve.strikes > 0 || l->halve.hunting;
}

/* ---- what was made ---- */

static int pend(struct load *l, uint32_t cause)
{
	if (l->npending == l->cappending) {
		uint32_t cap = l->cappending ? l->cappending * 2 : 64;
		uint32_t *v = realloc(l->pending, cap * sizeof *v);
		if (!v)
			return -1;
		l->pending = v;
		l->cappending = cap;
	}
	l->pending[l->npending++] = cause;
	return 0;
}

/* Its line and LF to the output, if they are not there yet. */
static int keep(struct load *l, const char *p, size_t n, size_t before, bool answers, uint32_t cause)
{
	struct buf *out = &l->job->out;

	if (out->len == before && (buf_add(out, p, n) || buf_addc(out, '\n')))
		return -1;
	if (answers || !l->own.n ? job_keep(l->job, cause) : pend(l, cause)) {
		out->len = before;
		return -1;
	}
	return 0;
}

static void tell_changed(struct run *r)
{
	if (r->told_changed)
		return;
	r->told_changed = true;
	log_warn("%s changed an event and left its id as it was: for the hub that is the event it knows already. Give what it makes another "
		"id, or none: stage makes one", r->set->program);
}

bool load_passes(struct load *l, const char *p, size_t n)
{
	if (l->fault || !event_next(&l->events, l->halve.from, l->halve.to, p, n))
		return false;
	l->passed++;
	if (l->run->pass && keep(l, p, n, l->job->out.len, false, l->events.next))
		no_memory(l->run);
	return true;
}

enum load_fault load_take(struct load *l, const char *p, size_t n, bool answers, struct said *said, const char *who)
{
	struct run *r = l->run;
	size_t before = l->job->out.len;
	uint32_t cause;
	char why[EVENT_WHY];
	enum event_is is;

	if (l->fault)
		return 0;
	is = event_look(&l->events, l->halve.from, l->halve.to, answers, p, n, &l->job->out, &cause, why);
	switch (is) {
	case EVENT_STRAY:
		said_stray(said, who, loop_now(r->loop), p, n);
		count(l, M_STRAY, 1);
		return 0;
	case EVENT_TWICE:
	case EVENT_OTHER:
		return LOAD_OUT_OF_STEP;
	case EVENT_BAD:
		if (!l->own.n)
			goto loose;
		load_bad(l, answers, why);
		return 0;
	case EVENT_ALONE:
		if (!l->own.n)
			goto loose;
		l->fault = FAULT_ALONE;
		memcpy(l->why, why, sizeof l->why);
		return 0;
	case EVENT_SAME:
	case EVENT_CHANGED:
		l->passed++;
		if (is == EVENT_CHANGED && !r->pass)
			tell_changed(r);
		if (!r->pass)
			return 0;
		break;
	case EVENT_NEW:
		count(l, M_MADE, 1);
		break;
	}
	if (keep(l, p, n, before, answers, cause)) {
		no_memory(r);
		return LOAD_TOO_MUCH;
	}
	return l->job->out.len - l->job->put_at > OUT_MAX ? LOAD_TOO_MUCH : 0;
loose:
	/* Nothing that could be refused caused it. */
	log_error("%s: written while no line was in it, and dropped: %s: %.*s", who, why, n > 200 ? 200 : (int)n, p);
	count(l, M_STRAY, 1);
	return 0;
}

static void refuse(struct load *l, uint32_t line, bool retry, const char *why, const char *detail)
{
	count(l, M_REFUSED, 1);
	if (job_refuse(l->job, line, retry, why) || (detail && *detail && job_explain(l->job, line, detail)))
		no_memory(l->run);
}

void load_bad(struct load *l, bool answers, const char *why)
{
	if (answers) {
		refuse(l, l->halve.from + 1, false, why, NULL);
		return;
	}
	l->fault = FAULT_BAD;
	snprintf(l->why, sizeof l->why, "%s", why);
}

/* ---- what became of it ---- */

/* Lines were singled out and nothing else went well either: it may be the program, and then a later try may be better. */
static void settle_doubts(struct load *l)
{
	for (unsigned i = 0; i < l->ndoubts; i++)
		for (size_t k = 0; k < l->job->refused.n; k++)
			if (l->job->refused.v[k].n == l->doubts[i])
				l->job->refused.v[k].retry = true;
	l->ndoubts = 0;
}

static void out_of_copy(struct load *l)
{
	l->in = NULL;
	count(l, M_DONE, l->finished);
	count(l, M_PASSED, l->passed);
	l->finished = l->passed = 0;
	l->npending = 0;
	l->job->out.len = l->job->counted;
	l->fault = FAULT_NONE;
	l->done = halve_over(&l->halve);
	if (l->done)
		settle_doubts(l);
	else
		events_again(&l->events, l->halve.from);
	run_moved(l->run);
}

void load_back(struct load *l)
{
	/* What line mode has answered since is done; the rest is given as it would have been. */
	out_of_copy(l);
}

/* Line h.from is singled out. */
static void condemn(struct load *l, bool sure, const char *why, const char *detail)
{
	struct run *r = l->run;

	count(l, M_CONDEMNED, 1);
	if (!r->in_stream)
		log_warn("line %u of a batch is singled out: %s", l->halve.from + 1, why);
	refuse(l, l->halve.from + 1, false, why, detail);
	if (sure) {
		halve_skip(&l->halve);
		return;
	}
	r->condemned++;
	if (l->ndoubts < BROKEN_AFTER && (!r->works || r->condemned >= BROKEN_AFTER))
		l->doubts[l->ndoubts++] = l->halve.from + 1;
	halve_skip(&l->halve);
	if (r->condemned < BROKEN_AFTER)
		return;
	if (r->in_stream) {
		log_error("%s does not work: %s", r->set->program, why);
		run_fail(r);
	} else {
		for (uint32_t i = l->halve.from; i < l->own.n; i++)
			refuse(l, i + 1, true, why, detail);
		l->halve.from = l->halve.to = l->own.n;
	}
}

void load_failed(struct load *l, bool sure, const char *why, const char *detail)
{
	/* Told to end: the hub gives the lines to somebody else. */
	if (l->run->draining && !l->run->in_stream && !sure) {
		load_later(l, why, detail);
		return;
	}
	if (halve_fail(&l->halve, sure, l->run->set->mode->lives))
		condemn(l, sure, why, detail);
	out_of_copy(l);
}

void load_misfit(struct load *l, const char *why, const char *detail)
{
	bool hunting = l->halve.hunting;

	fit_broken(l, why);
	if (l->run->misused) {
		load_later(l, why, detail);
		return;
	}
	load_failed(l, false, why, detail);
	if (!hunting && l->halve.hunting)
		l->suspect = l->halve.from + 1;
}

static void works(struct load *l, uint32_t n)
{
	fit_done(l, n);
	l->run->works = true;
	l->run->condemned = 0;
	l->ndoubts = 0;
}

static void alone(struct load *l)
{
	struct run *r = l->run;

	if (!r->one_by_one)
		log_warn("%s: %s. From now on it is given one line at a time, which is slower", r->set->program, l->why);
	r->one_by_one = true;
	halve_singly(&l->halve);
	out_of_copy(l);
}

void load_answered(struct load *l)
{
	works(l, 1);
	l->finished++;
	halve_answer(&l->halve);
}

void load_passed(struct load *l)
{
	works(l, l->halve.to - l->halve.from);
	if (l->fault == FAULT_ALONE && l->halve.to - l->base > 1) {
		alone(l);
		return;
	}
	if (l->fault) {
		load_failed(l, true, l->why, NULL);
		return;
	}
	for (uint32_t i = 0; i < l->npending; i++)
		if (job_keep(l->job, l->pending[i]))
			no_memory(l->run);
	l->npending = 0;
	l->finished += l->halve.to - l->halve.from;
	halve_pass(&l->halve);
	out_of_copy(l);
}

void load_later(struct load *l, const char *why, const char *detail)
{
	if (!l->run->in_stream) {
		for (uint32_t i = l->halve.from; i < l->own.n; i++)
			refuse(l, i + 1, true, why, detail);
		l->halve.from = l->halve.to = l->own.n;
	} else if (l->run->told) {
		log_error("told to end, and %u lines of standard input are not done: %s", l->own.n - l->halve.from, why);
		run_fail(l->run);
	}
	out_of_copy(l);
}
