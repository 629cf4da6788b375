/*
 * penstock start, stop, restart, reload NAME...: the letters that runit's sv writes, into supervise/control, and waiting for what was asked for.
 */
#include "penstock/penstock.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"

#define LOOK_MS 50	/* between two looks */

static int64_t patience = 20 * CLOCK_S;

static const struct arg rows[] = {
	{ 'w', "wait", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME", "how long to wait (20s)", NULL, 0 },
};

struct wish {
	const char *letters;
	bool up;		/* wait until it runs and is ready; else until no process is left */
	bool again;		/* ... with one more start than before */
	bool waits;
	bool reloads;		/* route says what became of it */
};

static int look(const struct tree *t, const char *name, struct service_seen *s)
{
	if (service_see(t, name, s) < 0)
		return -1;
	if (!s->found)
		log_error("%s: no such service (penstock status names them)", name);
	return s->found ? 0 : -1;
}

static bool fulfilled(const struct wish *w, const struct service_seen *before, const struct service_seen *now)
{
	if (!w->up)
		return !now->running;
	return now->ready && (!w->again || now->restarts > before->restarts);
}

static int one(const struct tree *t, const char *name, const struct wish *w)
{
	struct service_seen before, now;
	int64_t end = clock_mono() + patience;

	if (look(t, name, &before) < 0)
		return -1;
	if (w->reloads && strcmp(name, "route") == 0 && before.running)
		return rules_reload(t);
	if (service_letters(t, name, w->letters) < 0)
		return -1;
	if (!w->waits)
		return 0;
	for (now = before;;) {
		if (look(t, name, &now) < 0)
			return -1;
		if (fulfilled(w, &before, &now))
			return 0;
		if (clock_mono() > end) {
			log_error("%s: %s after the time given by --wait", name, w->up ? "is not ready" : "has not ended");
			return -1;
		}
		poll(NULL, 0, LOOK_MS);
	}
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
	for (; at < argc; at++)
		if (one(t, swapped(t, argv[at]), w) < 0)
			code = 1;
	return code;
}

#define ARGS(name, text) { .prog = "penstock " name, .synopsis = "[--wait TIME] NAME ...", .about = text, \
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE }

int cmd_start(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("start", "Starts services and waits until they are ready.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "u", .up = true, .waits = true });
}

int cmd_stop(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("stop", "Stops services and waits until they have ended; they stay down until started.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "d", .waits = true });
}

int cmd_restart(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("restart", "Stops services and starts them again, waits until they are ready.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "tcu", .up = true, .again = true, .waits = true });
}

int cmd_reload(struct tree *t, int argc, char **argv)
{
	static const struct args args = ARGS("reload", "Tells services to read their configuration again (HUP); route says what became of it.");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "h", .reloads = true });
}
