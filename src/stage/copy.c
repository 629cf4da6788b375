/* Running programs: what goes in, what comes out, and how long that may take. */
#include "stage/copy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "line/scan.h"
#include "stage/hint.h"

#define QUIET_SURE (50 * CLOCK_MS)	/* silent, and seen waiting for input: it holds back */
#define QUIET_TERMINAL (500 * CLOCK_MS)	/* the same: what is said to a terminal a thread of the kernel's brings here, in its turn */
#define QUIET (1 * CLOCK_S)		/* silent, and nothing can be seen */
#define QUIET_MAX (5 * 60 * CLOCK_S)
#define END_TIME (5 * CLOCK_S)		/* from the end of its input to being killed */
#define SHORT_WAIT (20 * CLOCK_MS)	/* between tries when a bad line is looked for, or stage is to end */
#define START_FIRST (50 * CLOCK_MS)
#define START_MAX (5 * CLOCK_S)

static int64_t now(const struct copy *c)
{
	return loop_now(c->run->loop);
}

void copy_kill(struct copy *c, const char *fmt, ...)
{
	va_list ap;

	if (c->killed[0] || !c->child)
		return;
	va_start(ap, fmt);
	vsnprintf(c->killed, sizeof c->killed, fmt, ap);
	va_end(ap);
	metric_add(c->run->metric[M_KILLED], 1);
	child_kill(c->child);
}

/* ---- what goes in ---- */

static int on_feed(void *arg, struct iovec v[CHILD_PARTS])
{
	struct copy *c = arg;
	int n = 0;

	for (unsigned i = c->feeding; i < c->n && n + 2 <= CHILD_PARTS; i++) {
		struct load *l = c->q[i];
		size_t from = l->at[l->base], len = l->at[l->halve.to] - from, at = l->fed;
		if (at < len) {
			v[n++] = (struct iovec){ (char *)(uintptr_t)l->own.lines + from + at, len - at };
			at = len;
		}
		if (at - len < l->task.tail_n)
			v[n++] = (struct iovec){ l->tail + (at - len), l->task.tail_n - (at - len) };
	}
	return n;
}

static void on_fed(void *arg, size_t n)
{
	struct copy *c = arg;

	c->written = now(c);
	while (n > 0) {
		struct load *l = c->q[c->feeding];
		size_t left = load_bytes(l) - l->fed, take = n < left ? n : left;
		l->fed += take;
		n -= take;
		if (take == left)
			c->feeding++;
	}
}

/* ---- what comes out ---- */

void copy_pop(struct copy *c)
{
	c->n--;
	if (c->feeding)
		c->feeding--;
	memmove(c->q, c->q + 1, c->n * sizeof *c->q);
	c->began = now(c);
}

static void oldest_done(struct copy *c)
{
	struct load *l = c->q[0];

	c->moved = true;
	copy_pop(c);
	load_passed(l);
}

/* Mode line: what it writes cannot be matched with what it was given. */
static void out_of_step(struct copy *c, const char *what)
{
	c->misfit = true;
	copy_kill(c, "it wrote %s; for -a line it must answer each line with one line (a filter wants -a eof)", what);
}

static bool take(struct copy *c, struct load *l, const char *p, size_t n, bool answers)
{
	switch (load_take(l, p, n, answers, &c->said, c->who)) {
	case LOAD_TOO_MUCH:
		copy_kill(c, "it wrote more than %u MiB for one batch", OUT_MAX >> 20);
		return false;
	case LOAD_OUT_OF_STEP:
		out_of_step(c, "another line of the input than the one it was to answer");
		return false;
	}
	return true;
}

static void answer(struct copy *c, const char *p, size_t n, const char *fault)
{
	struct load *l = c->q[0];

	if (l->fed < l->at[l->halve.from + 1] - l->at[l->base]) {
		out_of_step(c, "more lines than it was given");
		return;
	}
	if (fault)
		load_bad(l, true, fault);
	else if (n > 0 && !take(c, l, p, n, true))
		return;
	c->began = now(c);
	c->moved = true;
	if (l->halve.from + 1 == l->halve.to)
		oldest_done(c);
	else
		load_answered(l);
}

static void loose(struct copy *c, const char *p, size_t n)
{
	struct load *l = run_loose(c->run);

	if (l && take(c, l, p, n, false))
		run_moved(c->run);
}

static void stray(struct copy *c, const char *p, size_t n)
{
	said_stray(&c->said, c->who, now(c), p, n);
}

/* It wrote what is no line of a stream at all. */
static void faulty(struct copy *c, struct load *l, const char *p, size_t n, const char *fault)
{
	char why[EVENT_WHY];

	snprintf(why, sizeof why, "the program's output is no event: %s", fault);
	if (c->run->set->mode == &mode_line)
		answer(c, p, n, why);
	else
		load_bad(l, false, why);
}

/* The mode has no place for what it wrote. What it wrote before may have been taken for something else. */
static void wrong(struct copy *c)
{
	if (c->run->set->mode == &mode_sync)
		copy_kill(c, "it returned the penstock.sync lines in another order, or twice; -a sync wants lines to stay in order");
	else
		out_of_step(c, "a line that answers none");
	c->run->failed |= c->run->in_stream;
}

static void on_line(void *arg, const char *p, size_t n, const char *fault, bool half)
{
	struct copy *c = arg;
	struct load *l = c->n ? c->q[0] : NULL;
	struct task none = { .key = c->run->key };
	struct envelope e;
	struct line_err err;

	if (c->killed[0])
		return;
	if (l && !fault && !half && c->run->set->mode != &mode_line && load_passes(l, p, n))
		return;
	/* The last words of a program that died in the middle of them are no answer. */
	if (half && scan_strict(p, n, &e, &err)) {
		stray(c, p, n);
		return;
	}
	if (fault && l) {
		faulty(c, l, p, n, fault);
		return;
	}
	switch (fault ? MODE_STRAY : c->run->set->mode->line(l ? &l->task : &none, p, n)) {
	case MODE_OUT:
		if (!l)
			loose(c, p, n);
		else
			take(c, l, p, n, false);
		break;
	case MODE_ANSWER:
		answer(c, p, n, NULL);
		break;
	case MODE_NOTHING:
		answer(c, p, 0, NULL);
		break;
	case MODE_DONE:
		oldest_done(c);
		break;
	case MODE_STRAY:
		if (n == 0)
			break;
		metric_add(c->run->metric[M_STRAY], 1);
		stray(c, p, n);
		break;
	case MODE_WRONG:
		wrong(c);
		break;
	}
}

static void on_heard(void *arg)
{
	struct copy *c = arg;

	c->heard = now(c);
}

static void on_mute(void *arg)
{
	struct copy *c = arg;

	if (c->run->set->mode->lives && !c->flushing && !c->stopping)
		copy_kill(c, "it closed its standard output and ran on");
}

static const struct child_ops ops = {
	.feed = on_feed, .fed = on_fed, .line = on_line, .heard = on_heard, .mute = on_mute, .ended = copy_ended,
};

/* ---- starting ---- */

void copy_later(struct copy *c, bool soon)
{
	int64_t t = backoff_next(&c->wait, hash_random());

	/* Behind a pipe's end nobody else gets the lines: they may still wait long for their program. */
	if ((soon || (c->run->draining && !c->run->in_stream)) && t > SHORT_WAIT)
		t = SHORT_WAIT;
	loop_timer_in(c->run->loop, &c->again, t);
}

void copy_start(struct copy *c)
{
	const struct settings *set = c->run->set;
	bool terminal = set->mode->lives && (set->terminal == TERMINAL_YES || (set->terminal == TERMINAL_AUTO && c->run->terminal));

	c->moved = c->flushing = c->sure = c->renew = c->misfit = false;
	c->terminal = terminal;
	c->killed[0] = '\0';
	snprintf(c->who, sizeof c->who, "%s", set->program);
	c->child = child_start(c->run->loop, &set->spawn, terminal, set->max_line, &c->said, c->who, &ops, c);
	if (!c->child) {
		copy_later(c, false);
		if (c->run->draining || (c->run->in_stream && !c->run->works))
			run_fail(c->run);
		return;
	}
	snprintf(c->who, sizeof c->who, "%.60s[%d]", set->program, (int)child_pid(c->child));
	c->began = c->heard = c->written = now(c);
	metric_add(c->run->metric[M_STARTS], 1);
	run_moved(c->run);
}

static void again(void *arg)
{
	struct copy *c = arg;

	if (c->stopping)
		return;
	if (c->run->set->mode->lives)
		copy_start(c);
	else
		run_moved(c->run);
}

/* ---- time ---- */

static void flush(struct copy *c, bool sure)
{
	c->flushing = true;
	c->sure = sure;
	c->flushed = now(c);
	metric_add(c->run->metric[M_FLUSHED], 1);
	child_close(c->child);
}

static int64_t quiet_time(const struct copy *c)
{
	int64_t t = QUIET;

	for (unsigned i = 0; i < c->slow && t < QUIET_MAX; i++)
		t *= 8;
	return t;
}

static void look_for_silence(struct copy *c)
{
	/* A part of a long line is no silence. */
	int64_t said = child_said(c->child), since = said > c->written ? said : c->written, quiet;
	int waits;

	if (since < c->began)
		since = c->began;
	quiet = now(c) - since;
	if (c->flushing || c->feeding < c->n || quiet < (c->terminal ? QUIET_TERMINAL : QUIET_SURE))
		return;
	waits = child_waits(c->child);
	if (waits > 0)
		flush(c, true);
	else if (waits < 0 && quiet >= quiet_time(c))
		flush(c, false);
}

static void look(void *arg)
{
	struct copy *c = arg;
	const struct settings *set = c->run->set;
	int64_t t = now(c), heard = c->heard > c->began ? c->heard : c->began;

	if (!c->child || c->killed[0])
		return;
	if (c->stopping || c->renew) {
		if (child_closed(c->child) && t - c->flushed >= END_TIME)
			copy_kill(c, "it did not end within %d s after its input did", (int)(END_TIME / CLOCK_S));
	} else if (!c->n) {
		return;
	}
	if (c->n && set->deadline && t - c->began >= set->deadline)
		copy_kill(c, "it did not finish within %g s (--deadline)", (double)set->deadline / (double)CLOCK_S);
	else if (c->n && set->expect && t - heard >= set->expect)
		copy_kill(c, "it said nothing for %g s (--expect-every)", (double)set->expect / (double)CLOCK_S);
	else if (c->n && set->mode->lives)
		look_for_silence(c);
	loop_timer_in(c->run->loop, &c->watch, QUIET_SURE);
}

void copy_watch(struct copy *c)
{
	if (!c->watch.due)
		loop_timer_in(c->run->loop, &c->watch, QUIET_SURE);
}

/* ---- loads ---- */

void copy_init(struct copy *c, struct run *r)
{
	c->run = r;
	c->watch = (struct loop_timer){ .fn = look, .arg = c };
	c->again = (struct loop_timer){ .fn = again, .arg = c };
	c->wait = (struct backoff){ .base = START_FIRST, .max = START_MAX };
}

bool copy_has_room(const struct copy *c, const struct load *l)
{
	const struct run *r = c->run;

	if (c->stopping || c->renew || c->flushing || c->killed[0] || c->again.due)
		return false;
	if (!r->set->mode->lives)
		return !c->child;
	if (!c->child || c->n == WINDOW)
		return false;
	if (c->n == 0)
		return true;
	return !load_wary(l) && !load_wary(c->q[0]) && !r->swallows;
}

void copy_give(struct copy *c, struct load *l)
{
	if (!c->run->set->mode->lives) {
		copy_start(c);
		if (!c->child)
			return;
	}
	load_give(l, c);
	if (c->n == 0)
		c->began = now(c);
	c->q[c->n++] = l;
	if (c->run->set->mode->lives)
		child_feed(c->child);
	else
		child_close(c->child);
	copy_watch(c);
}
