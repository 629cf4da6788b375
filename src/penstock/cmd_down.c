/* penstock down: TERM to the supervise that holds the tree's lock, and waiting until it is gone. */
#include "penstock/penstock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

static int64_t patience = 60 * CLOCK_S;

static const struct arg rows[] = {
	{ 'w', "wait", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME", "how long to wait for the end", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock down", .synopsis = "[--wait TIME]",
	.about = "Stops the tree: every service drains and ends, loggers last. Fine when it is down already.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

static void say_running(void *arg, const struct service_view *v)
{
	(void)arg;
	if (v->pid)
		fprintf(stderr, "  %s: %s, process %lld\n", v->name, v->state, (long long)v->pid);
}

/* A descriptor of the process, so that neither signal nor wait can hit another that got its number. */
static int hold(const struct tree *t, int64_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

	if (fd < 0 && errno != ESRCH)
		die(1, "process %lld: %s", (long long)pid, strerror(errno));
	if (fd >= 0 && tree_supervise(t) != pid) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* ---- without a supervise ---- */

#define LOOK_MS 20	/* between two looks: they are not children of this process */

static void end_leftover(void *arg, const char *name, int64_t pid, int pidfd)
{
	int *sig = arg;

	if (*sig == SIGTERM)
		log_warn("%s: process %lld still runs, although its supervise was killed: it is told to end", name, (long long)pid);
	else if (*sig)
		log_warn("%s: process %lld does not end: killed", name, (long long)pid);
	if (*sig && syscall(SYS_pidfd_send_signal, pidfd, *sig, NULL, 0) < 0 && errno != ESRCH)
		log_error("%s: process %lld: %s", name, (long long)pid, strerror(errno));
}

/* logd goes by itself when the last pipe ends; it is told, so that nothing is left when this ends. */
static void end_logger(const struct tree *t, int64_t end)
{
	int fd = fd_lock_signal(tree_path(t, "log/.logd"), SIGTERM);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	while (clock_mono() < end && poll(&p, 1, LOOK_MS) == 0)
		;
	close(fd);
}

/* TERM to each, and KILL when the time is over. */
static int end_leftovers(const struct tree *t)
{
	int64_t end = clock_mono() + patience;
	int sig = SIGTERM, n = leftover_each(t, end_leftover, &sig);

	for (sig = 0; n > 0 && clock_mono() < end; n = leftover_each(t, end_leftover, &sig))
		poll(NULL, 0, LOOK_MS);
	if (n > 0) {
		sig = SIGKILL;
		n = leftover_each(t, end_leftover, &sig);
		return -1;
	}
	end_logger(t, end);
	return n;
}

static int say_down(const struct tree *t)
{
	printf("%s: is down\n", t->dir);
	return fflush(stdout) == 0 ? 0 : 1;
}

int cmd_down(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct pollfd p = { .events = POLLIN };
	int64_t pid;
	int rc;

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	pid = tree_supervise(t);
	if (pid < 0)
		return 1;
	p.fd = pid > 0 ? hold(t, pid) : -1;
	if (p.fd < 0)
		return end_leftovers(t) < 0 ? 1 : say_down(t);
	if (syscall(SYS_pidfd_send_signal, p.fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		die(1, "process %lld: %s", (long long)pid, strerror(errno));
	while ((rc = poll(&p, 1, (int)(patience / CLOCK_MS))) < 0 && errno == EINTR)
		;
	close(p.fd);
	/* It may have been killed, and have left its services. */
	if (rc > 0)
		return end_leftovers(t) < 0 ? 1 : say_down(t);
	log_error("%s: has not ended yet (process %lld); still running:", t->dir, (long long)pid);
	services_each(t, say_running, NULL, NULL);
	return 1;
}
