/*
 * logd [-t STAMP] [-e] DIR              what comes on stdin, as lines into the log directory DIR: for log/run
 * logd --control FD [-t STAMP] DIR      the logs of all services that supervise names on FD, each in a directory under DIR
 *
 * One process for all services, beside supervise and not in it. A disk that is slow or full so holds up logd, never a restart. A thread would share
 * its faults with supervise and its memory with a thread's stack; a logger for each service costs more than the service's whole
 * supervision (113 KiB with svlogd). Here a service costs three descriptors and less than a kilobyte. supervise holds each pipe open at both
 * ends and hands the reading end over: logd may be killed at any time, and the next one goes on where it was. The price is that
 * one disk that hangs holds up the logs of services on other disks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/args.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/notify.h"
#include "logd/control.h"
#include "logd/source.h"

#define LOGD_FAILED 111
#define ROOT_LOCK ".logd"	/* in DIR, with --control */
#define ROOT_TRIES 100		/* of 50 ms: the one before is to end */

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "logd/metrics.def"
#undef METRIC
	M_COUNT
};

static uint64_t control_fd;
static int stamp = STAMP_ISO;
static bool echo_lines;

static const struct arg rows[] = {
	{ 't', "stamp", ARG_ENUM, &stamp, 0, 0, NULL, "stamp of each line", "iso|tai|none", 0 },
	{ 'e', "echo", ARG_FLAG, &echo_lines, 0, 0, NULL, "lines go to stderr, too", NULL, 0 },
	{ 0, "control", ARG_U64, &control_fd, 3, 65535, "FD", "supervise names the services on this socket", NULL, ARG_NOFILE },
};

static const struct args args = {
	.prog = "logd", .synopsis = "[-t STAMP] [-e] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v] DIR\n--control FD [-t STAMP] [-e] DIR",
	.about = "Writes lines into a directory of rotated files, as svlogd lays it out.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_DAEMON | ARGS_ANYWHERE, .usage_code = 100,
};

static struct desk desk;
static struct control control;

static void on_end(void *arg, int signo)
{
	(void)arg;
	(void)signo;
	if (control_fd && !control.orphan)
		return;
	for (struct source *s = desk.all; s; s = s->next)
		source_drain(s);
	loop_stop(desk.loop);
}

static void on_hup(void *arg, int signo)
{
	(void)signo;
	desk_configure(arg);
}

static void on_alrm(void *arg, int signo)
{
	(void)signo;
	desk_rotate(arg);
}

static void on_ended(struct desk *d)
{
	if (d->open == 0 && (!control_fd || control.orphan))
		loop_stop(d->loop);
}

/* One logd for a directory. The descriptor is held to the end of the process. */
static void lock_root(const char *dir)
{
	struct timespec pause = { 0, 50 * CLOCK_MS };	/* no event tells when a lock is free (base/fd.h) */
	pid_t owner = 0;
	int fd;

	for (int i = 0; i < ROOT_TRIES; i++) {
		if (fd_lock(ROOT_LOCK) >= 0)
			return;
		if (errno != EWOULDBLOCK)
			die(LOGD_FAILED, "%s/" ROOT_LOCK ": %s", dir, strerror(errno));
		owner = fd_lock_owner(ROOT_LOCK);
		/* The logd of a supervise that was killed is told that its time is over. */
		fd = i % 20 == 0 ? fd_lock_signal(ROOT_LOCK, SIGTERM) : -1;
		if (fd >= 0)
			close(fd);
		nanosleep(&pause, NULL);
	}
	die(LOGD_FAILED, "%s: process %ld logs into it already; is another supervise running?", dir, (long)owner);
}

static void desk_prepare(struct desk *d)
{
	uint64_t *cell[M_COUNT];

	d->loop = loop_new();
	if (!d->loop)
		die(LOGD_FAILED, "no event loop: %s", strerror(errno));
	if (metric_open("logd") < 0)
		die(LOGD_FAILED, "no counters");
#define METRIC(id, name, kind, unit, help) cell[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "logd/metrics.def"
#undef METRIC
	d->bytes = cell[M_BYTES];
	d->rotations = cell[M_ROTATIONS];
	d->held = cell[M_HELD];
	d->stamp = (enum stamp)stamp;
	d->echo = echo_lines;
	d->ended = on_ended;
	if (desk_open(d) < 0)
		die(LOGD_FAILED, "no desk");
	if (loop_signal(d->loop, SIGTERM, on_end, d) < 0 || loop_signal(d->loop, SIGINT, on_end, d) < 0 ||
	    loop_signal(d->loop, SIGHUP, on_hup, d) < 0 || loop_signal(d->loop, SIGALRM, on_alrm, d) < 0)
		die(LOGD_FAILED, "signals: %s", strerror(errno));
}

static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur != l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void serve_many(const char *dir)
{
	if (fcntl((int)control_fd, F_SETFD, FD_CLOEXEC) < 0)
		args_usage(&args, "--control %d: that descriptor is not open", (int)control_fd);
	if (fd_mkdirs(dir, 0755) < 0 || chdir(dir) < 0)
		die(LOGD_FAILED, "%s: %s", dir, strerror(errno));
	lock_root(dir);
	raise_limit();
	desk_prepare(&desk);
	if (control_open(&control, &desk, (int)control_fd) < 0)
		die(LOGD_FAILED, "--control %d: %s", (int)control_fd, strerror(errno));
}

/* A directory that cannot be written at the start is a fault of the configuration: it is said at once. */
static void serve_one(const char *dir)
{
	desk_prepare(&desk);
	if (source_add(&desk, dir, STDIN_FILENO) < 0 || !desk.all->opened)
		die(LOGD_FAILED, "%s: cannot be logged into", dir);
}

int main(int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);

	if (argc - at != 1)
		args_usage(&args, argc == at ? "name the log directory" : "one directory only");
	if (control_fd)
		serve_many(argv[at]);
	else
		serve_one(argv[at]);
	notify_ready();
	if (loop_run(desk.loop) < 0)
		die(LOGD_FAILED, "waiting: %s", strerror(errno));
	desk_close(&desk);
	loop_free(desk.loop);
	return 0;
}
