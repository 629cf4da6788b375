/*
 * supervise [-k TIME] [-F fd] DIR      runs every service directory in DIR
 * supervise -s [--json] DIR            says how they are
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/notify.h"
#include "supervise/extra.h"
#include "supervise/files.h"
#include "supervise/lock.h"
#include "supervise/process.h"
#include "supervise/report.h"
#include "supervise/scan.h"
#include "supervise/service.h"
#include "supervise/spawn.h"
#include "supervise/stop.h"
#include "supervise/supervise.h"

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "supervise/metrics.def"
#undef METRIC
	M_COUNT
};

static int64_t patience = 20 * CLOCK_S;
static bool status, json, echo;
static const char *logs;
static int stamp;
static const char *const stamps[] = { "iso", "tai", "none" };

static const struct arg rows[] = {
	{ 'k', "kill-after", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME",
	  "stopping: KILL what has not ended after TIME", NULL, 0 },
	{ 'l', "logs", ARG_STR, &logs, 0, 0, "DIR", "what services without log/ write goes to DIR/NAME/current (logd)", NULL, 0 },
	{ 't', "stamp", ARG_ENUM, &stamp, 0, 0, NULL, "with -l: stamp of each line", "iso|tai|none", 0 },
	{ 'e', "echo", ARG_FLAG, &echo, 0, 0, NULL, "with -l: to stderr, too", NULL, 0 },
	{ 's', "status", ARG_FLAG, &status, 0, 0, NULL, "print the state of each service of DIR and exit", NULL, ARG_NOFILE },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "with -s: one JSON object a line", NULL, ARG_NOFILE },
};

static const struct args args = {
	.prog = "supervise",
	.synopsis = "[-k TIME] [-l DIR] [-t STAMP] [-e] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v] DIR\n-s [--json] DIR",
	.about = "Starts, restarts and stops the service directories in DIR; runit's sv controls them.",
	.rows = rows, .n = sizeof rows / sizeof *rows,
	.flags = ARGS_DAEMON | ARGS_ANYWHERE, .usage_code = SUPERVISE_USAGE,
};

struct daemon {
	struct host host;
	struct scan scan;
	struct stop stop;
	uint64_t *metric[M_COUNT];
	struct loop_timer look;
	bool settled, ready;
	int exit_code;
};

#define LOOK (2 * CLOCK_MS)	/* until the first records are written */

static void on_child(void *arg, int signo)
{
	struct daemon *d = arg;

	(void)signo;
	host_reap(&d->host);
}

static void on_stop(void *arg, int signo)
{
	struct daemon *d = arg;

	if (d->stop.phase == STOP_NOT) {
		log_info("signal %d: stopping", signo);
		notify_stopping();
		d->exit_code = signo == SIGHUP ? SUPERVISE_SYSTEM : 0;
	}
	stop_begin(&d->stop);
}

static void on_rescan(void *arg, int signo)
{
	struct daemon *d = arg;

	(void)signo;
	scan_now(&d->scan, true);
}

static void on_look(void *arg)
{
	(void)arg;	/* the round ends with on_round */
}

/* When sv can see them, too. */
static void get_ready(struct daemon *d)
{
	d->settled = true;
	if (!writer_idle(&d->host.writer) && loop_timer_in(d->host.loop, &d->look, LOOK) == 0)
		return;
	d->ready = true;
	log_info("%zu services are up", d->scan.n);
	notify_ready();
}

/* The end of a round: everything that had to be forked is forked. Now files, then housekeeping. */
static void on_round(void *arg)
{
	struct daemon *d = arg;

	extra_round(&d->host);
	if (d->stop.phase != STOP_NOT)
		stop_step(&d->stop);
	host_flush(&d->host);
	scan_collect(&d->scan);
	if (d->stop.phase == STOP_NOT && !d->ready && (d->settled || scan_settled(&d->scan)))
		get_ready(d);
	metric_set(d->metric[M_SERVICES], d->scan.n);
	metric_add(d->metric[M_ORPHANS], d->host.orphans);
	metric_add(d->metric[M_TAKEN], d->host.taken);
	d->host.orphans = d->host.taken = 0;
}

/* Before the current directory changes. */
static const char *absolute(const char *path)
{
	static char out[2 * 4096];
	char cwd[4096];

	if (!path || path[0] == '/')
		return path;
	if (!getcwd(cwd, sizeof cwd) || snprintf(out, sizeof out, "%s/%s", cwd, path) >= (int)sizeof out)
		die(SUPERVISE_SYSTEM, "%s: %s", path, strerror(errno));
	return out;
}

static void enter_dir(const char *dir)
{
	pid_t owner;

	if (chdir(dir) < 0)
		die(SUPERVISE_SYSTEM, "%s: %s", dir, strerror(errno));
	if (files_folder(AT_FDCWD, SUPERVISE_FOLDER) < 0)
		die(SUPERVISE_SYSTEM, "%s/" SUPERVISE_FOLDER ": %s", dir, strerror(errno));
	if (lock_take(AT_FDCWD, SUPERVISE_LOCK, &owner) >= 0)
		return;
	if (errno != EWOULDBLOCK)
		die(SUPERVISE_SYSTEM, "%s/" SUPERVISE_LOCK ": %s", dir, strerror(errno));
	die(SUPERVISE_SYSTEM, "%s: process %ld supervises it already", dir, (long)owner);
}

static void daemon_open(struct daemon *d, const char *dir)
{
	struct loop *l = loop_new();

	if (!l)
		die(SUPERVISE_SYSTEM, "no event loop: %s", strerror(errno));
	host_init(&d->host, l);
	d->look = (struct loop_timer){ .fn = on_look };
	if (metric_open("supervise") < 0)
		die(SUPERVISE_SYSTEM, "no counters");
#define METRIC(id, name, kind, unit, help) d->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "supervise/metrics.def"
#undef METRIC
	d->host.restarts = d->metric[M_RESTARTS];
	if (board_open(&d->host.board, SUPERVISE_STATE) < 0 || keep_open(&d->host.keep, SUPERVISE_KEEP) < 0)
		die(SUPERVISE_SYSTEM, "no state");
	if (loop_signal(l, SIGCHLD, on_child, d) < 0 || loop_signal(l, SIGTERM, on_stop, d) < 0 ||
	    loop_signal(l, SIGINT, on_stop, d) < 0 || loop_signal(l, SIGHUP, on_stop, d) < 0 ||
	    loop_signal(l, SIGALRM, on_rescan, d) < 0)
		die(SUPERVISE_SYSTEM, "signals: %s", strerror(errno));
	loop_each_round(l, on_round, d);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		log_warn("not a subreaper: %s: what services leave behind goes to init", strerror(errno));
	spawn_init();
	extra_begin(&d->host, logs, stamps[stamp], echo);
	scan_init(&d->scan, &d->host, dir);
	stop_init(&d->stop, &d->host, &d->scan, patience);
}

static void daemon_close(struct daemon *d)
{
	scan_release(&d->scan);
	extra_end();
	host_release(&d->host, d->stop.phase == STOP_DONE);
	loop_free(d->host.loop);
}

/* From the lock on it is taken for a supervisor: what is sent before its loop runs waits until then. */
static void hold_signals(void)
{
	static const int held[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGALRM };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	static struct daemon d;
	int at = args_parse(&args, argc, argv);

	if (argc - at != 1)
		args_usage(&args, argc == at ? "name the directory of services" : "one directory only");
	if (status)
		return report(argv[at], json);
	if (json)
		args_usage(&args, "--json goes with -s");
	if (state_check() < 0)
		die(SUPERVISE_SYSTEM, "the table of states has a hole");
	logs = absolute(logs);
	notify_keep();
	hold_signals();
	enter_dir(argv[at]);
	daemon_open(&d, argv[at]);
	if (scan_now(&d.scan, true) < 0)
		return SUPERVISE_SYSTEM;
	board_settled(&d.host.board);
	on_round(&d);
	if (loop_run(d.host.loop) < 0)
		die(SUPERVISE_SYSTEM, "waiting: %s", strerror(errno));
	daemon_close(&d);
	return d.exit_code;
}
