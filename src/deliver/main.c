/* deliver: says things on the platforms. Manual: deliver(8). */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/notify.h"
#include "deliver/courier.h"
#include "link/alone.h"
#include "link/work_args.h"

#define DRAIN_CALLS (8 * CLOCK_S)	/* for requests under way, when told to stop */
#define DRAIN_REST (3 * CLOCK_S)	/* behind that, for outbox and hub */

static struct work_args stage = WORK_ARGS_INIT;
static const char *dir = "etc/accounts", *outbox = "state/deliver/outbox.db", *ca;
static uint64_t conns = 16;
static int64_t give_up = 600 * CLOCK_S;
static bool test;

static const struct arg rows[] = {
	WORK_ARGS_ROWS(stage),
	{'A', "accounts", ARG_STR, &dir, 0, 0, "DIR", "accounts, DIR/TENANT/NAME.conf (etc/accounts)", NULL, 0},
	{'b', "outbox", ARG_STR, &outbox, 0, 0, "FILE", "database of what is to be said (state/deliver/outbox.db)", NULL, 0},
	{'g', "give-up", ARG_TIME, &give_up, CLOCK_S, 86400 * CLOCK_S, "TIME", "a message that could not be said for so long fails (10m)", NULL, 0},
	{'p', "parallel", ARG_U64, &conns, 1, 256, "N", "requests to one host at a time (16)", NULL, 0},
	{0, "ca", ARG_STR, &ca, 0, 0, "FILE", "more certificates to trust on https", NULL, 0},
	{'t', "test", ARG_FLAG, &test, 0, 0, NULL, "check the accounts and exit", NULL, ARG_NOFILE},
};

static const struct args args = {
	.prog = "deliver",
	.synopsis = "[-i URL] [-o URL] [-A DIR] [-b FILE] [-g TIME] [-p N] [-n N] [-a NAME] [-c FILE] [-F N] [-M FILE] [-L FORM] [-v]\n-t [-A DIR]",
	.about = "Carries out message.send on Discord, Twitch and webhooks, and tells what became of it.",
	.rows = rows,
	.n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

struct deliver {
	struct courier c;
	struct alone alone;
	struct loop_timer drain_end;
	bool ready, drained, cancelled;
};

static bool connected(void *arg)
{
	const struct deliver *d = arg;

	return link_take_connected(d->c.take) && report_connected(&d->c.report);
}

static void stop(struct deliver *d, bool failed)
{
	d->c.failed |= failed;
	loop_stop(d->c.loop);
}

/* The hub is gone. What was not acknowledged it gives out again; what is in the outbox is said or told by the next process. */
static void on_gone(void *arg)
{
	struct deliver *d = arg;

	stop(d, intake_busy(&d->c));
}

static void on_dead(void *arg)
{
	stop(arg, true);
}

static void on_end(void *arg)
{
	struct deliver *d = arg;

	d->c.ended = true;
}

static void on_drained(void *arg)
{
	struct deliver *d = arg;

	d->drained = true;
}

static void on_drain_end(void *arg)
{
	struct deliver *d = arg;

	/* What is still not done then cannot be: the outbox cannot be written, or the hub takes nothing. The next process goes on. */
	if (d->cancelled) {
		stop(d, intake_busy(&d->c));
		return;
	}
	d->cancelled = true;
	courier_cancel(&d->c);
	loop_timer_in(d->c.loop, &d->drain_end, DRAIN_REST);
}

static void on_terminate(void *arg, int signo)
{
	struct deliver *d = arg;

	(void)signo;
	if (d->c.draining)
		return;
	d->c.draining = true;
	notify_stopping();
	if (!d->c.stream)
		alone_watch(&d->alone, d->c.loop);
	link_take_drain(d->c.take, on_drained);
	loop_timer_in(d->c.loop, &d->drain_end, DRAIN_CALLS);
}

static void on_hangup(void *arg, int signo)
{
	struct deliver *d = arg;

	(void)signo;
	courier_reload(&d->c);
}

static void on_round(void *arg)
{
	struct deliver *d = arg;

	courier_round(&d->c);
	if (!d->ready && connected(d)) {
		d->ready = true;
		notify_ready();
	}
	if (d->drained && courier_idle(&d->c))
		stop(d, false);
	if (d->c.ended && courier_empty(&d->c))
		stop(d, false);
}

static bool is_pipe(const char *url)
{
	return strcmp(url, "-") == 0;
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

static int open_all(struct deliver *d, const struct link_opts *o)
{
	struct courier *c = &d->c;
	struct http_opts h = {.ca = ca, .max_host = (unsigned)conns};

	if (!c->loop || loop_signal(c->loop, SIGTERM, on_terminate, d) || loop_signal(c->loop, SIGINT, on_terminate, d) ||
	    loop_signal(c->loop, SIGHUP, on_hangup, d)) {
		log_error("cannot start the loop: %s", strerror(errno));
		return -1;
	}
	c->http = http_open(c->loop, &h);
	c->urgent = c->http ? http_open(c->loop, &h) : NULL;
	if (!c->urgent)
		return -1;
	c->places = (struct places){.dir = dir, .loop = c->loop, .http = c->http, .conns = (unsigned)conns};
	if (places_read(&c->places))
		return -1;
	c->outbox = outbox_open(outbox);
	if (!c->outbox)
		return -1;
	if (report_open(&c->report, c->loop, stage.out, o, on_dead, d) || courier_load(c))
		return -1;
	c->take = link_take_open(c->loop, stage.in, o, intake_batch, on_end, c);
	if (!c->take)
		return -1;
	loop_each_round(c->loop, on_round, d);
	return 0;
}

static int check_accounts(void)
{
	struct loop *l = loop_new();
	struct http *h = l ? http_open(l, NULL) : NULL;
	struct places p = {.dir = dir, .loop = l, .http = h};
	int code = 1;

	if (!h)
		die(1, "cannot start the loop: %s", strerror(errno));
	if (places_read(&p) == 0 && p.bad == 0) {
		log_info("%zu accounts in %s are good", p.n, dir);
		code = 0;
	}
	places_release(&p);
	http_close(h);
	loop_free(l);
	return code;
}

int main(int argc, char **argv)
{
	static struct deliver d;
	struct courier *c = &d.c;
	struct work link;
	int at = args_parse(&args, argc, argv);
	const uint64_t key[2] = {hash_random(), hash_random()};

	if (at < argc)
		args_usage(&args, "deliver takes no operand: %s", argv[at]);
	if (test)
		return check_accounts();
	if (open_metrics(c))
		return 1;
	work_args_fill(&link, &stage);
	c->loop = loop_new();
	c->conns = (unsigned)conns;
	c->give_up = give_up;
	c->strict = c->stream = is_pipe(stage.in);
	c->pass = c->stream || is_pipe(stage.out);
	c->marked_last = &c->marked;
	c->batches_last = &c->batches;
	c->interactions.key[0] = key[0];
	c->interactions.key[1] = key[1];
	queue_init(&c->queue, key, call_needs, c);
	d.alone = (struct alone){.connected = connected, .gone = on_gone, .arg = &d};
	d.drain_end = (struct loop_timer){.fn = on_drain_end, .arg = &d};
	if (open_all(&d, &link.opts)) {
		c->failed = true;
	} else {
		courier_told(c);
		if (loop_run(c->loop)) {
			log_error("waiting: %s", strerror(errno));
			c->failed = true;
		}
	}
	if (c->take) {
		c->failed |= link_take_dropped(c->take) > 0;
		link_take_close(c->take);
	}
	if (c->loop) {
		loop_timer_del(c->loop, &d.drain_end);
		alone_end(&d.alone);
	}
	courier_free(c);
	loop_free(c->loop);
	return c->failed ? 1 : 0;
}
