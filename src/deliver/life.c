#include "deliver/life.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/notify.h"
#include "deliver/courier.h"
#include "deliver/hold.h"
#include "link/alone.h"

#define DRAIN_REPEATABLE (1 * CLOCK_S)	/* when told to stop: for requests under way that the next process can make again; */
#define DRAIN_CALLS (8 * CLOCK_S)	/* for the others; */
#define DRAIN_REST (3 * CLOCK_S)	/* behind that, for outbox and hub */

struct life {
	const struct life_opts *o;
	struct courier c;
	struct hold hold;
	struct alone alone;
	struct loop_timer drain_end;
	unsigned cancelled;		/* 1: what can be repeated, 2: all */
	bool works, ready, stopping;
};

static bool connected(void *arg)
{
	const struct life *f = arg;

	for (size_t i = 0; i < sizeof(f->c.in) / sizeof(*f->c.in); i++)
		if (f->c.in[i].take && !link_take_connected(f->c.in[i].take))
			return false;
	return report_connected(&f->c.report);
}

static void stop(struct life *f, bool failed)
{
	f->c.failed |= failed;
	loop_stop(f->c.loop);
}

/* The hub is gone. What was not acknowledged it gives out again; what is in the outbox is said or told by the next process. */
static void on_gone(void *arg)
{
	struct life *f = arg;

	stop(f, intake_busy(&f->c));
}

static void on_dead(void *arg)
{
	stop(arg, true);
}

static void on_end(void *arg)
{
	struct inlet *in = arg;

	in->c->ended = true;
}

/* ---- its work ---- */

static int open_take(struct life *f, unsigned i, const struct link_opts *o)
{
	struct courier *c = &f->c;

	c->in[i] = (struct inlet){.c = c};
	c->in[i].take = link_take_open(c->loop, f->o->link.in, o, intake_batch, on_end, &c->in[i]);
	return c->in[i].take ? 0 : -1;
}

static int work(struct life *f, bool outbox)
{
	struct courier *c = &f->c;
	struct link_opts rest = f->o->link.opts;

	courier_begin(c);
	if (outbox && !(c->outbox = outbox_open(f->o->outbox, c->loop, courier_synced, c)))
		return -1;
	if (fetch_all(c) || open_take(f, 0, &f->o->link.opts))
		return -1;
	rest.set = NULL;
	if (f->o->link.opts.set && !c->stream && open_take(f, 1, &rest))
		return -1;
	f->works = true;
	f->cancelled = 0;
	return 0;
}

static void on_ours(void *arg)
{
	struct life *f = arg;

	log_info("%s: the outbox is ours", f->o->outbox);
	if (work(f, true))
		stop(f, true);
}

static int begin(struct life *f)
{
	struct courier *c = &f->c;
	int rc;

	if (hold_open(&f->hold, c->loop, f->o->outbox, on_ours, f))
		return -1;
	rc = c->stream ? hold_take_now(&f->hold) : hold_take(&f->hold);
	if (rc == 0 && c->stream)
		return work(f, false);
	if (rc)
		return rc < 0 ? -1 : work(f, true);
	log_info("%s: another deliver (pid %d) has this outbox: waiting for it", f->o->outbox, (int)hold_owner(&f->hold));
	return 0;
}

/* ---- the end of it ---- */

static void on_drained(void *arg)
{
	struct inlet *in = arg;

	in->drained = true;
}

static bool all_drained(const struct life *f)
{
	return f->c.in[0].drained && (f->c.in[1].drained || !f->c.in[1].take);
}

/* Another process works now, until it ends. */
static void give_away(struct life *f)
{
	struct courier *c = &f->c;

	loop_timer_del(c->loop, &f->drain_end);
	f->works = false;
	if (c->report.pending) {
		report_close(&c->report);
		if (report_open(&c->report, c->loop, f->o->link.out, &f->o->link.opts, on_dead, f)) {
			stop(f, true);
			return;
		}
	}
	courier_end(c);
	hold_yield(&f->hold);
	log_info("%s: another deliver has this outbox now: standing by", f->o->outbox);
}

static void on_drain_end(void *arg)
{
	static const int64_t next[] = {DRAIN_CALLS - DRAIN_REPEATABLE, DRAIN_REST};
	struct life *f = arg;

	if (f->cancelled < 2) {
		f->c.closing = true;
		courier_cancel(&f->c, f->cancelled == 1);
		loop_timer_in(f->c.loop, &f->drain_end, next[f->cancelled++]);
		return;
	}
	/* What is still not done then cannot be: the outbox cannot be written, or the hub takes nothing. The next process goes on. */
	if (f->stopping)
		stop(f, intake_busy(&f->c));
	else
		give_away(f);
}

static void drain(struct life *f)
{
	if (f->c.draining)
		return;
	message_defer_all(&f->c);
	f->c.draining = true;
	for (size_t i = 0; i < sizeof(f->c.in) / sizeof(*f->c.in); i++)
		if (f->c.in[i].take)
			link_take_drain(f->c.in[i].take, on_drained);
	loop_timer_in(f->c.loop, &f->drain_end, DRAIN_REPEATABLE);
}

static void on_terminate(void *arg, int signo)
{
	struct life *f = arg;

	(void)signo;
	if (f->stopping)
		return;
	f->stopping = true;
	notify_stopping();
	if (!f->works) {
		stop(f, false);
		return;
	}
	if (!f->c.stream)
		alone_watch(&f->alone, f->c.loop);
	drain(f);
}

static void on_asked(void *arg, int signo)
{
	struct life *f = arg;

	(void)signo;
	if (!f->works || f->c.stream || f->c.draining)
		return;
	log_info("%s: another deliver asks for this outbox: it gets it when what is under way has ended", f->o->outbox);
	drain(f);
}

static void on_hangup(void *arg, int signo)
{
	struct life *f = arg;

	(void)signo;
	courier_reload(&f->c);
}

static void on_round(void *arg)
{
	struct life *f = arg;
	struct courier *c = &f->c;

	if (!f->works) {
		/* It could do its work: accounts are read, the hub is there. */
		if (report_connected(&c->report))
			hold_ask(&f->hold);
		return;
	}
	courier_round(c);
	if (!f->ready && connected(f)) {
		f->ready = true;
		notify_ready();
	}
	if (c->draining && all_drained(f) && courier_idle(c)) {
		if (f->stopping)
			stop(f, false);
		else
			give_away(f);
	} else if (c->ended && courier_empty(c)) {
		stop(f, false);
	}
}

/* ---- from start to end ---- */

static int open_all(struct life *f)
{
	const struct life_opts *o = f->o;
	struct courier *c = &f->c;
	struct http_opts h = {.ca = o->ca, .max_host = o->conns};

	if (!c->loop || loop_signal(c->loop, SIGTERM, on_terminate, f) || loop_signal(c->loop, SIGINT, on_terminate, f) ||
	    loop_signal(c->loop, SIGHUP, on_hangup, f) || loop_signal(c->loop, HOLD_SIGNAL, on_asked, f)) {
		log_error("cannot start the loop: %s", strerror(errno));
		return -1;
	}
	c->http = http_open(c->loop, &h);
	c->urgent = c->http ? http_open(c->loop, &h) : NULL;
	if (!c->urgent)
		return -1;
	c->places = (struct places){.dir = o->accounts, .loop = c->loop, .http = c->http, .conns = o->conns};
	if (places_read(&c->places) || report_open(&c->report, c->loop, o->link.out, &o->link.opts, on_dead, f) || begin(f))
		return -1;
	loop_each_round(c->loop, on_round, f);
	return 0;
}

static int open_metrics(struct courier *c)
{
	if (metric_open("deliver"))
		return -1;
#define METRIC(id, name, kind, unit, help) c->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "deliver/metrics.def"
#undef METRIC
	return 0;
}

int life_run(const struct life_opts *o)
{
	static struct life f;
	struct courier *c = &f.c;

	if (open_metrics(c))
		return 1;
	f.o = o;
	c->loop = loop_new();
	c->conns = o->conns;
	c->give_up = o->give_up;
	c->strict = c->stream = link_is_pipe(o->link.in);
	c->pass = c->stream || link_is_pipe(o->link.out);
	f.alone = (struct alone){.connected = connected, .gone = on_gone, .arg = &f};
	f.drain_end = (struct loop_timer){.fn = on_drain_end, .arg = &f};
	if (open_all(&f)) {
		c->failed = true;
	} else {
		courier_told(c);
		if (loop_run(c->loop)) {
			log_error("waiting: %s", strerror(errno));
			c->failed = true;
		}
	}
	if (c->loop) {
		loop_timer_del(c->loop, &f.drain_end);
		alone_end(&f.alone);
	}
	report_close(&c->report);
	courier_end(c);
	hold_close(&f.hold);
	places_release(&c->places);
	http_close(c->urgent);
	http_close(c->http);
	loop_free(c->loop);
	return c->failed ? 1 : 0;
}
