/* run: the links, and the loads between them. What comes out again: put.c. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/notify.h"
#include "stage/guard.h"
#include "stage/stage.h"

#define WANT_FIRST 4u			/* lines asked for until it is known how fast the program is */
#define KEEP_BYTES (16 << 20)

static void go_on(struct run *r);

void run_moved(struct run *r)
{
	if (!r->soon.due)
		loop_timer_in(r->loop, &r->soon, 0);
}

void run_fail(struct run *r)
{
	r->failed = true;
	loop_stop(r->loop);
}

/* ---- taking ---- */

static void add(struct run *r, struct load *l)
{
	*r->last = l;
	r->last = &l->next;
}

struct load *run_loose(struct run *r)
{
	struct load *l = NULL;

	for (struct load *at = r->first; at; at = at->next)
		if (!at->next && !at->own.n)
			l = at;
	if (!l) {
		l = load_new(r, NULL);
		if (!l)
			return NULL;
		add(r, l);
	}
	if (l->job->out.len - l->job->put_at > LOOSE_MAX)
		copies_pause(r, true);
	return l;
}

static void on_batch(void *arg, struct batch *b)
{
	struct run *r = arg;
	struct load *l = load_new(r, b);

	if (!l)
		return;
	add(r, l);
	r->nloads++;
	if (r->in_stream && r->nloads < r->window)
		link_take_done(r->take, b, NULL, 0);
	else if (r->in_stream)
		r->held = b;
	go_on(r);
}

static void on_input_over(void *arg)
{
	struct run *r = arg;

	r->input_over = true;
	run_moved(r);
}

/* ---- giving to programs ---- */

static void deal(struct run *r)
{
	for (struct load *l = r->first; l; l = l->next) {
		struct copy *c;
		if (l->done || l->in || !(c = copy_for(r, l)))
			continue;
		copy_give(c, l);
	}
}

/* Moves everything on as far as it goes. */
static void go_on(struct run *r)
{
	if (r->stopping)
		return;
	put_all(r);
	deal(r);
	metric_set(r->metric[M_RUNNING], copies_running(r));
	metric_set(r->metric[M_BATCHES], r->nloads);
	/* The program may say something yet when its input ends. */
	if (r->input_over && !r->nloads && copies_end(r) && !r->first) {
		r->stopping = true;
		loop_stop(r->loop);
	}
}

static void soon(void *arg)
{
	go_on(arg);
}

static void on_room(void *arg)
{
	run_moved(arg);
}

static void on_dead(void *arg)
{
	run_fail(arg);
}

/* ---- the outside ---- */

static bool connected(void *arg)
{
	const struct run *r = arg;

	return link_take_connected(r->take) && link_put_connected(r->put);
}

static void on_terminate(void *arg, int signo)
{
	struct run *r = arg;

	(void)signo;
	r->told = true;
	if (r->in_stream)
		copies_hurry(r);
	if (r->draining)
		return;
	r->draining = true;
	notify_stopping();
	if (!r->in_stream)
		alone_watch(&r->alone, r->loop);
	link_take_drain(r->take, on_input_over);
}

static void on_hangup(void *arg, int signo)
{
	(void)signo;
	copies_renew(arg);
}

static void on_round(void *arg)
{
	struct run *r = arg;

	if (r->ready || !connected(r))
		return;
	r->ready = true;
	notify_ready();
}

/* Do both URLs seem to lead to the same hub? Sockets in the same folder, ports of the same host. */
static bool same_hub(const char *a, const char *b)
{
	const char *x = strstr(a, "://"), *y = strstr(b, "://");
	const char *end;

	if (!x || !y || x - a != y - b || strncmp(a, b, (size_t)(x - a)) != 0)
		return false;
	x += 3;
	y += 3;
	if (strncmp(a, "ipc", 3) == 0) {
		end = strrchr(x, '/');
		return (end ? end - x : 0) == (strrchr(y, '/') ? strrchr(y, '/') - y : 0) && strncmp(x, y, end ? (size_t)(end - x) : 0) == 0;
	}
	end = strrchr(x, ':');
	return end && strrchr(y, ':') && end - x == strrchr(y, ':') - y && strncmp(x, y, (size_t)(end - x)) == 0;
}

static int open_all(struct run *r)
{
	const struct settings *set = r->set;
	struct link_opts in = set->link, out = set->link;

	if (loop_signal(r->loop, SIGTERM, on_terminate, r) || loop_signal(r->loop, SIGINT, on_terminate, r) ||
	    loop_signal(r->loop, SIGHUP, on_hangup, r)) {
		log_error("signals: %s", strerror(errno));
		return -1;
	}
	if (copies_open(r))
		return -1;
	in.conns = r->window;
	out.conns = r->ordered ? 1 : r->window;
	r->put = link_put_open(r->loop, set->out, &out, put_result, on_room, on_dead, r);
	if (!r->put)
		return -1;
	r->want = in.take < WANT_FIRST ? in.take : WANT_FIRST;
	if (!r->in_stream)
		in.take = r->want;
	r->take = link_take_open(r->loop, set->in, &in, on_batch, on_input_over, r);
	if (!r->take)
		return -1;
	loop_each_round(r->loop, on_round, r);
	on_round(r);
	return 0;
}

static int open_metrics(struct run *r)
{
	if (metric_open("stage"))
		return -1;
#define METRIC(id, name, kind, unit, help) r->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "stage/metrics.def"
#undef METRIC
	return 0;
}

int run_stage(const struct settings *set)
{
	struct run r = { .set = set, .in_stream = link_is_pipe(set->in) };

	r.ordered = r.in_stream;
	r.pass = set->pass == PASS_YES || (set->pass == PASS_AUTO && !same_hub(set->in, set->out));
	r.window = set->copies * (set->mode->lives ? WINDOW : 2);
	r.last = &r.first;
	r.hash_key[0] = hash_random();
	r.hash_key[1] = hash_random();
	snprintf(r.key, sizeof r.key, "%016llx", (unsigned long long)hash_random());
	r.soon = (struct loop_timer){ .fn = soon, .arg = &r };
	r.alone = (struct alone){ .connected = connected, .gone = on_dead, .arg = &r };
	if (open_metrics(&r))
		return 1;
	/* Batches come and go: their memory is kept for the next ones. */
	mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	guard_start();
	r.loop = loop_new();
	if (!r.loop) {
		log_error("%s", strerror(errno));
		return 1;
	}
	if (open_all(&r)) {
		r.failed = true;
	} else if (loop_run(r.loop)) {
		log_error("waiting: %s", strerror(errno));
		r.failed = true;
	}
	r.stopping = true;
	copies_close(&r);
	if (r.take) {
		r.failed |= link_take_dropped(r.take) > 0;
		link_take_close(r.take);
	}
	if (r.put)
		link_put_close(r.put);
	while (r.first) {
		struct load *l = r.first;
		r.first = l->next;
		load_free(l);
	}
	loop_timer_del(r.loop, &r.soon);
	alone_end(&r.alone);
	loop_free(r.loop);
	guard_stop();
	return r.failed ? 1 : 0;
}
