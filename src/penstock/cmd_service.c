/*
 * penstock start, stop, restart, reload NAME...: the letters that runit's sv writes, into supervise/control, and waiting for what was asked for.
 */
#include "penstock/penstock.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"

#define LOOK_MS 50	/* between two looks */
#define SAID_TIME CLOCK_S	/* what a service said comes through its logger, perhaps a moment after its end */
#define INSTANCES_MAX 1000

static int64_t patience = 20 * CLOCK_S, kill_after;
static bool rolling;

#define WAIT_ROW { 'w', "wait", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME", "how long to wait", NULL, 0 }

static const struct arg stop_rows[] = {
	WAIT_ROW,
	{ 'k', "kill-after", ARG_TIME, &kill_after, CLOCK_MS, 86400 * CLOCK_S, "TIME", "KILL what has not ended after TIME (never)", NULL, 0 },
};

/* The last one is restart's alone. */
static const struct arg rows[] = {
	WAIT_ROW,
	{ 'r', "rolling", ARG_FLAG, &rolling, 0, 0, NULL, "the instances of SERVICE one at a time, each ready before the next; stop at the first that fails", NULL, 0 },
};

struct wish {
	const char *letters;
	bool up;		/* wait until it runs and is ready; else until no process is left */
	bool again;		/* ... with one more start than before */
	bool waits;
	bool reloads;		/* route and gateways say what became of it */
};

/* -1 with a message; 1: it was an instance, and there are fewer now. */
static int look(const struct tree *t, const char *name, struct service_seen *s)
{
	if (service_see(t, name, s) < 0)
		return -1;
	if (s->found)
		return 0;
	if (rolling && tree_supervise(t) > 0)
		return 1;
	log_error("%s: no such service (penstock status names them)", name);
	return -1;
}

static bool fulfilled(const struct wish *w, const struct service_seen *before, const struct service_seen *now)
{
	if (!w->up)
		return !now->running;
	/* One that never says that it is ready could die right after its start: where others wait for it, it is given a second. */
	if (rolling && !now->says && now->seconds < 1)
		return false;
	return now->ready && (!w->again || now->restarts > before->restarts);
}

/* It is over and over again started in vain, and what it said is there, or does not come. */
static bool is_hopeless(const struct service_seen *before, const struct service_seen *now, int64_t *since)
{
	/* What it was in before it was asked to start is no answer. */
	if (!now->looping || (before->looping && now->restarts <= before->restarts))
		return false;
	if (!*since)
		*since = clock_mono();
	return *now->said || clock_mono() > *since + SAID_TIME;
}

/* now: how it was seen last. As look(). */
static int one(const struct tree *t, const char *name, const struct wish *w, struct service_seen *now)
{
	struct service_seen before;
	int64_t looping = 0, end = clock_mono() + patience, kill = kill_after ? clock_mono() + kill_after : INT64_MAX;
	int rc = look(t, name, &before);

	if (rc != 0)
		return rc;
	if (w->reloads && !before.running) {
		printf("%s: is not running: what it reads now holds from its start on\n", name);
		return 0;
	}
	if (w->reloads && strcmp(name, "route") == 0)
		return rules_reload(t);
	if (w->reloads && (rc = gateway_reload(t, name, patience)) <= 0)
		return rc;
	if (service_letters(t, name, w->letters) < 0)
		return -1;
	if (!w->waits)
		return 0;
	for (;;) {
		rc = look(t, name, now);
		if (rc != 0)
			return rc;
		if (fulfilled(w, &before, now)) {
			if (w->up)
				accounts_warn(t, name);
			return 0;
		}
		if (w->up && now->fault[0]) {
			log_error("%s: does not stay up: %s", name, now->fault);
			return -1;
		}
		if (w->up && is_hopeless(&before, now, &looping)) {
			log_error("%s: does not stay up: last exit: %s%s", name, now->end, *now->said ? ", and it said:" : "");
			fputs(now->said, stderr);
			return -1;
		}
		if (clock_mono() > kill) {
			log_warn("%s: process %lld has not ended in time: killed", name, (long long)now->pid);
			if (service_letters(t, name, "k") < 0)
				return -1;
			kill = INT64_MAX;
		}
		if (clock_mono() > end) {
			log_error("%s: %s after the time given by --wait", name, w->up ? "is not ready" : "has not ended");
			return -1;
		}
		poll(NULL, 0, LOOK_MS);
	}
}

/* ---- instances, one at a time ---- */

struct instances {
	const char *name;
	const char *v[INSTANCES_MAX];
	int64_t restarts[INSTANCES_MAX];	/* when it was ready again; -1: not restarted here */
	size_t n;
	bool up;	/* only those that are wanted up */
};

static void collect(void *arg, const struct service_view *v)
{
	struct instances *in = arg;
	size_t n = strlen(in->name);

	if (strncmp(v->name, in->name, n) != 0 || v->name[n] != '@' || in->n == INSTANCES_MAX || (in->up && strcmp(v->want, "up") != 0))
		return;
	in->restarts[in->n] = -1;
	in->v[in->n++] = text_of("%s", v->name);
}

static int by_number(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	long i = strtol(strrchr(x, '@') + 1, NULL, 10), j = strtol(strrchr(y, '@') + 1, NULL, 10);

	return (i > j) - (i < j);
}

/* It has to be ready before it is touched: else the one that is well goes while another is down. */
static int well(const struct tree *t, const char *name)
{
	struct service_seen s;
	int rc = look(t, name, &s);

	if (rc != 0 || s.ready)
		return rc;
	log_error("%s: is not ready: nothing is restarted while it is down", name);
	return -1;
}

struct fallen { const struct instances *in; bool any; };

static void has_stayed(void *arg, const struct service_view *v)
{
	struct fallen *f = arg;

	for (size_t i = 0; i < f->in->n; i++) {
		if (f->in->restarts[i] < 0 || strcmp(f->in->v[i], v->name) != 0 || strcmp(v->want, "exit") == 0)
			continue;
		if (v->restarts == f->in->restarts[i] && v->ready != 0 && strcmp(v->state, "run") == 0)
			continue;
		f->any = true;
		log_error("%s: does not stay up: it was ready, and has ended since (penstock logs tells more)", v->name);
	}
}

/* Those that were restarted run on: else the next one is not touched. */
static int all_stay(const struct tree *t, const struct instances *in)
{
	struct fallen f = { in, false };

	return services_each(t, has_stayed, &f, NULL) < 0 || f.any ? -1 : 0;
}

static int roll_all(const struct tree *t, struct instances *in, const struct wish *w)
{
	size_t done = 0, at = 0;
	struct service_seen now;
	int rc = 0;

	while (rc >= 0 && at < in->n) {
		rc = one(t, in->v[at], w, &now);
		if (rc < 0)
			break;
		if (rc == 0) {
			in->restarts[at] = now.restarts;
			printf("%s: ready again (%zu of %zu)\n", in->v[at], ++done, in->n);
		} else {
			printf("%s: is no instance any more\n", in->v[at]);
		}
		fflush(stdout);
		rc = all_stay(t, in);
		at += rc == 0;
	}
	if (rc < 0)
		log_error("%s: stopped after %zu of %zu: %zu were not touched", in->name, done, in->n, in->n - at - 1);
	return rc;
}

static int roll(const struct tree *t, const char *name, const struct wish *w)
{
	static struct instances in;

	in = (struct instances){ .name = name, .up = true };
	if (services_each(t, collect, &in, NULL) < 0)
		return -1;
	if (in.n == 0) {
		log_error("%s: has no instances that are up: is there a file instances in service/%s?", name, name);
		return -1;
	}
	if (in.n > 1)
		qsort(in.v, in.n, sizeof *in.v, by_number);
	for (size_t i = 0; i < in.n; i++)
		if (well(t, in.v[i]) < 0)
			return -1;
	return roll_all(t, &in, w);
}

/* A service, or all instances of a template. */
static int one_or_all(const struct tree *t, const char *name, const struct wish *w)
{
	static struct instances in;
	struct service_seen s, now;
	int rc = 0;

	if (service_see(t, name, &s) < 0)
		return -1;
	in = (struct instances){ .name = name };
	if (!s.found && services_each(t, collect, &in, NULL) < 0)
		return -1;
	for (size_t i = 0; i < in.n; i++)
		if (one(t, in.v[i], w, &now) < 0)
			rc = -1;
	return in.n ? rc : one(t, name, w, &now);
}

static int run(struct tree *t, int argc, char **argv, const struct args *args, const struct wish *w)
{
	int at = args_parse(args, argc, argv), code = 0;

	if (at == argc)
		args_usage(args, "name a service");
	for (int i = at; i < argc; i++)
		if (!argv[i][0] || argv[i][0] == '.' || strchr(argv[i], '/'))
			args_usage(args, "%s: not a name of a service", argv[i]);
	tree_open(t);
	if (tree_supervise(t) <= 0)
		die(1, "%s: is down (penstock up starts it)", t->dir);
	for (; at < argc && !(rolling && code); at++)
		if ((rolling ? roll(t, argv[at], w) : one_or_all(t, swapped(t, argv[at]), w)) < 0)
			code = 1;
	return code;
}

#define ARGS(name, form, rows_used, count, text) { .prog = "penstock " name, .synopsis = form " SERVICE ...", .about = text, \
	.rows = rows_used, .n = count, .flags = ARGS_ANYWHERE }

int cmd_start(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("start", "[--wait TIME]", rows, 1, "Starts services and waits until they are ready.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "u", .up = true, .waits = true });
}

int cmd_stop(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("stop", "[--wait TIME] [--kill-after TIME]", stop_rows, 2, "Stops services and waits until they have ended; they stay down until started.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "d", .waits = true });
}

int cmd_restart(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("restart", "[--rolling] [--wait TIME]", rows, 2, "Stops services and starts them again, waits until they are ready.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "tcu", .up = true, .again = true, .waits = true });
}

int cmd_reload(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("reload", "[--wait TIME]", rows, 1, "Tells services to read their configuration again (HUP); route and gatewayd say what became of it.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "h", .reloads = true });
}
