/*
 * route -d SPOOL -r RULES [-R RUNDIR] [-i URL]... [-o NAME=URL]...     the hub
 * route -r RULES -D DEST                                                a filter: the lines of one destination
 * route -t -r RULES                                                     where would each line go?
 * route -x -r RULES [--json]                                            and why?
 * route WORD ...                                                        looks at and changes files of a spool: tool/tool.h
 * route -T -d SPOOL [-w EXPR] [-n N | --from SEQ]                       follows the spool
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "route/follow.h"
#include "route/hub.h"
#include "route/jq.h"
#include "route/metrics.h"
#include "route/pred/pred.h"
#include "route/repeat.h"
#include "route/tool/tool.h"
#include "route/try.h"

#define DAY (86400 * CLOCK_S)

static struct hub_config config = {
	.spool = { .sync = SPOOL_ALWAYS, .interval = 100 * CLOCK_MS, .segment_bytes = 64u << 20, .window = REPEAT_WINDOW,
		.window_time = 600 * CLOCK_S, .reserve = 1 << 20 },
	.limits = { .window_lines = 8192, .window_bytes = DEST_WINDOW_BYTES, .attempts = 8, .deadline = 60 * CLOCK_S },
};
static struct follow_opts tail;
static const char *filter;
static bool test, do_explain, as_json, do_tail;

static const struct arg rows[] = {
	{ 'd', "spool", ARG_STR, &config.spool.dir, 0, 0, "DIR", "keep lines in DIR", NULL, 0 },
	{ 'r', "rules", ARG_STR, &config.rules, 0, 0, "FILE", "where lines go: penstock-rules(5)", NULL, 0 },
	{ 0, "flags", ARG_STR, &config.flags, 0, 0, "FILE", "flags that are on, one a line; by default the file flags beside the rules",
	  NULL, 0 },
	{ 'R', "run-dir", ARG_STR, &config.run_dir, 0, 0, "DIR", "listen on ipc://DIR/in and ipc://DIR/to-NAME", NULL, 0 },
	{ 'i', "in", ARG_LIST, &config.intakes, 0, 0, "URL", "take batches here too; - is stdin", NULL, 0 },
	{ 'o', "out", ARG_LIST, &config.outlets, 0, 0, "NAME=URL", "workers of destination NAME may dial here too", NULL, 0 },
	{ 's', "sync", ARG_ENUM, &config.spool.sync, 0, 0, NULL, "acknowledge after fdatasync (always), or after write with "
	  "an fdatasync now and then (interval) or none (never)", "always|interval|never", 0 },
	{ 0, "sync-interval", ARG_TIME, &config.spool.interval, CLOCK_MS, DAY, "TIME", "for -s interval", NULL, 0 },
	{ 'k', "keep", ARG_TIME, &config.spool.keep, 0, 3650 * DAY, "TIME", "keep segments so long after all is delivered", NULL, 0 },
	{ 0, "keep-size", ARG_SIZE, &config.spool.keep_bytes, 0, 0, "SIZE", "keep so much of what is delivered", NULL, 0 },
	{ 0, "limit", ARG_SIZE, &config.spool.limit, 1 << 20, 0, "SIZE", "refuse batches when the spool is this large", NULL, 0 },
	{ 0, "segment", ARG_SIZE, &config.spool.segment_bytes, 4096, 1 << 30, "SIZE", "begin a new file at this size", NULL, 0 },
	{ 0, "repeat-window", ARG_U64, &config.spool.window, 0, REPEAT_MAX, "N", "events whose source and id are remembered",
	  NULL, 0 },
	{ 0, "repeat-time", ARG_TIME, &config.spool.window_time, 0, 3650 * DAY, "TIME",
	  "and for at least so long over a restart", NULL, 0 },
	{ 0, "reserve", ARG_SIZE, &config.spool.reserve, 0, 1 << 30, "SIZE", "room held back for when the disk is full", NULL, 0 },
	{ 0, "window-lines", ARG_U64, &config.limits.window_lines, 1, 1 << 20, "N", "lines in memory for a destination", NULL, 0 },
	{ 0, "attempts", ARG_U64, &config.limits.attempts, 1, 1000, "N", "refusals with retry before a line is dead", NULL, 0 },
	{ 0, "deadline", ARG_TIME, &config.limits.deadline, CLOCK_MS, DAY, "TIME", "a batch is taken back after this", NULL, 0 },
	{ 0, "tls-ca", ARG_STR, &config.link.tls_ca, 0, 0, "FILE", "tls+tcp: who may connect", NULL, 0 },
	{ 0, "tls-cert", ARG_STR, &config.link.tls_cert, 0, 0, "FILE", "tls+tcp: own certificate", NULL, 0 },
	{ 0, "tls-key", ARG_STR, &config.link.tls_key, 0, 0, "FILE", "tls+tcp: its key", NULL, 0 },
	{ 'D', "dest", ARG_STR, &filter, 0, 0, "DEST", "no spool: pass the lines of this destination to stdout", NULL, ARG_NOFILE },
	{ 't', "test", ARG_FLAG, &test, 0, 0, NULL, "say where each line of stdin would go", NULL, ARG_NOFILE },
	{ 'x', "explain", ARG_FLAG, &do_explain, 0, 0, NULL, "say why, rule by rule", NULL, ARG_NOFILE },
	{ 0, "json", ARG_FLAG, &as_json, 0, 0, NULL, "with -x: as JSON, an object for each line", NULL, ARG_NOFILE },
	{ 'T', "tail", ARG_FLAG, &do_tail, 0, 0, NULL, "print the spool's lines as they come", NULL, ARG_NOFILE },
	{ 'w', "where", ARG_STR, &tail.where, 0, 0, "EXPR", "with -T: only lines that match", NULL, ARG_NOFILE },
	{ 'n', "last", ARG_U64, &tail.last, 0, 0, "N", "with -T: begin N lines before the end", NULL, ARG_NOFILE },
	{ 0, "from", ARG_U64, &tail.from, 0, 0, "SEQ", "with -T: begin at line SEQ", NULL, ARG_NOFILE },
	{ 0, "once", ARG_FLAG, &tail.once, 0, 0, NULL, "with -T: stop at the end", NULL, ARG_NOFILE },
};

static const struct args args = {
	.prog = "route",
	.synopsis = "-d SPOOL -r RULES [-R RUNDIR] [-i URL]... [-o NAME=URL]... [-s MODE] [-k TIME] [-F N] [-M FILE]\n"
		"-r RULES -D DEST\n-t -r RULES\n-x -r RULES [--json]\n-T -d SPOOL [-w EXPR] [-n N | --from SEQ] [--once]\n"
		"spool check|cat|trim|cursors|cursor -d SPOOL [OPTION ...]\nledger -d SPOOL [OPTION ...]\n"
		"dead list|show|retry|drop|replace -d SPOOL [OPTION ...]",
	.about = "The hub: keeps every line on disk and hands it to the destinations that the rules name.",
	.rows = rows, .n = sizeof(rows) / sizeof(*rows), .flags = ARGS_DAEMON,
};

/* -o NAME=URL, each with a name that could be a destination. */
static void check_outlets(void)
{
	for (size_t i = 0; i < config.outlets.n; i++) {
		const char *o = config.outlets.v[i], *eq = strchr(o, '=');
		if (!eq || eq == o || !eq[1])
			args_usage(&args, "-o %s: must be NAME=URL, as in -o store=tcp://127.0.0.1:7001", o);
	}
}

/* A connection is a descriptor, and without one left no segment can be opened. */
static void raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int hub(void)
{
	if (!config.spool.dir)
		args_usage(&args, "-d is missing: the directory that lines are kept in");
	if (!config.rules)
		args_usage(&args, "-r is missing: the rules file");
	if (!config.run_dir && config.intakes.n == 0)
		args_usage(&args, "neither -R nor -i: there is nowhere to take lines from");
	if (config.spool.limit && config.spool.keep_bytes > config.spool.limit / 2)
		args_usage(&args, "--keep-size is more than half of --limit: the spool would refuse batches for ever");
	check_outlets();
	config.limits.window_bytes = DEST_WINDOW_BYTES;
	if (route_metrics_open() < 0)
		return 1;
	raise_files();
	return hub_run(&config);
}

/* What it says of itself is what the user typed: penstock WORD, when that is who started us. */
static int run_tool(const struct tool *t, int argc, char **argv, const char *caller)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s %s", strcmp(caller, "penstock") == 0 ? caller : "route", t->name);
	argv[0] = name;
	return t->run(argc, argv);
}

int main(int argc, char **argv)
{
	for (const struct tool *const *t = tools; argc > 1 && *t; t++)
		if (strcmp((*t)->name, argv[1]) == 0)
			return run_tool(*t, argc - 1, argv + 1, argv[0]);

	int at = args_parse(&args, argc, argv);

	if (at < argc)
		args_usage(&args, "%s: route takes no operands", argv[at]);
	if (pred_check_parts() < 0)
		return 1;
	jq_allow();
	if (do_tail) {
		if (!config.spool.dir)
			args_usage(&args, "-T needs -d: the spool to follow");
		tail.dir = config.spool.dir;
		return follow(&tail);
	}
	if ((test || do_explain || filter) && !config.rules)
		args_usage(&args, "-r is missing: the rules file");
	if (do_explain)
		return try_explain(config.rules, config.flags, as_json);
	if (test)
		return try_rules(config.rules, config.flags);
	if (filter && config.spool.dir)
		args_usage(&args, "-D is a filter without a spool; leave out -d, or use -R and let a worker take from to-%s", filter);
	if (filter)
		return try_filter(config.rules, config.flags, filter);
	return hub();
}
