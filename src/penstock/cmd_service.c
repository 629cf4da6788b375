/*
 * penstock start, stop, restart, reload NAME...: the letters that runit's sv writes, into supervise/control, and waiting for what was asked for.
 */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/fd.h"
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
};

/* One service as seen by the last look. */
struct seen { const char *name; bool found, running, ready; int64_t restarts; };

static void see(void *arg, const struct service_view *v)
{
	struct seen *s = arg;

	if (strcmp(v->name, s->name) != 0)
		return;
	s->found = true;
	s->running = v->pid > 0;
	s->ready = strcmp(v->state, "run") == 0 && v->ready != 0;
	s->restarts = v->restarts;
}

static int look(const struct tree *t, struct seen *s)
{
	s->found = false;
	if (services_each(t, see, s, NULL) < 0)
		return -1;
	if (!s->found)
		log_error("%s: no such service (penstock status names them)", s->name);
	return s->found ? 0 : -1;
}

static int write_letters(const struct tree *t, const char *name, const char *letters)
{
	char *path = text_of("%s/service/%s/supervise/control", t->dir, name);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), rc = -1;

	if (fd < 0)
		log_error("%s: %s", name, errno == ENXIO ? "nobody supervises it" : strerror(errno));
	else if (fd_write_all(fd, letters, strlen(letters)) < 0)
		log_error("%s: %s", path, strerror(errno));
	else
		rc = 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool fulfilled(const struct wish *w, const struct seen *before, const struct seen *now)
{
	if (!w->up)
		return !now->running;
	return now->ready && (!w->again || now->restarts > before->restarts);
}

static int one(const struct tree *t, const char *name, const struct wish *w)
{
	struct seen before = { .name = name }, now;
	int64_t end = clock_mono() + patience;

	if (look(t, &before) < 0 || write_letters(t, name, w->letters) < 0)
		return -1;
	if (!w->waits)
		return 0;
	for (now = before;;) {
		if (look(t, &now) < 0)
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
		if (one(t, argv[at], w) < 0)
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
	static const struct args args = ARGS("reload", "Tells services to read their configuration again (HUP).");

	return run(t, argc, argv, &args, &(struct wish){ .letters = "h" });
}
