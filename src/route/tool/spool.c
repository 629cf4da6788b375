/* route spool check|cat|trim|cursors|cursor: the files of a spool. penstock spool is its face. */
#include "route/tool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "route/segment.h"
#include "route/tool/tool.h"

static struct spool_tool t;

static const struct arg rows[] = {
	{ 'd', "spool", ARG_STR, &t.dir, 0, 0, "DIR", "the spool", NULL, ARG_NOFILE },
	{ 'R', "run-dir", ARG_STR, &t.run_dir, 0, 0, "DIR", "where the hub's control socket is, if one runs", NULL, ARG_NOFILE },
	{ 0, "from", ARG_U64, &t.from, 0, 0, "SEQ", "cat: begin with this line", NULL, ARG_NOFILE },
	{ 0, "since", ARG_STR, &t.since, 0, 0, "TIME", "cat: not what is older: RFC 3339, or 10m, 2h, 1d ago", NULL, ARG_NOFILE },
	{ 'w', "where", ARG_STR, &t.where, 0, 0, "EXPR", "cat: only lines that match: penstock-rules(5)", NULL, ARG_NOFILE },
	{ 0, "commits", ARG_FLAG, &t.commits, 0, 0, NULL, "cat: the text of the files as it is, commit lines and all", NULL, ARG_NOFILE },
	{ 0, "before", ARG_U64, &t.before, 1, INT64_MAX, "SEQ", "trim: only segments that end before this line", NULL, ARG_NOFILE },
	{ 0, "force", ARG_FLAG, &t.force, 0, 0, NULL, "trim --before: those that destinations still need, too", NULL, ARG_NOFILE },
	{ 'j', "json", ARG_FLAG, &t.json, 0, 0, NULL, "cursors: an object a line", NULL, ARG_NOFILE },
};

static struct args args = {
	.synopsis = "check -d SPOOL\ncat -d SPOOL [--from SEQ | --since TIME] [-w EXPR | --commits]\n"
		"trim -d SPOOL [-R RUNDIR] [--before SEQ [--force]]\ncursors -d SPOOL [-R RUNDIR] [--json]\n"
		"cursor set -d SPOOL [-R RUNDIR] DEST SEQ",
	.about = "Checks a spool, prints its lines, removes segments, shows and sets cursors.",
	.rows = rows, .n = sizeof(rows) / sizeof(*rows), .flags = ARGS_ANYWHERE,
};

static int by_first(const void *a, const void *b)
{
	const struct shelf *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

struct shelf *shelf_read(const char *dir, size_t *n)
{
	struct shelf *v = NULL, *more;
	size_t cap = 0;
	struct stat st;
	uint64_t first;
	DIR *d = opendir(dir);

	*n = 0;
	if (!d) {
		log_error("%s: %s", dir, errno == ENOENT ? "there is no spool" : strerror(errno));
		return NULL;
	}
	if (!(v = malloc((cap = 64) * sizeof(*v))))
		goto no_memory;
	for (const struct dirent *e; (e = readdir(d)); ) {
		if (segment_name_parse(e->d_name, &first) < 0)
			continue;
		if (*n == cap) {
			if (!(more = realloc(v, cap * 2 * sizeof(*v))))
				goto no_memory;
			v = more;
			cap *= 2;
		}
		int64_t at = fstatat(dirfd(d), e->d_name, &st, 0) == 0 ? (int64_t)st.st_mtim.tv_sec * CLOCK_S + st.st_mtim.tv_nsec : 0;
		v[(*n)++] = (struct shelf){ .first = first, .written = at };
	}
	closedir(d);
	qsort(v, *n, sizeof(*v), by_first);
	return v;
no_memory:
	log_error("%s: no memory", dir);
	free(v);
	closedir(d);
	return NULL;
}

int shelf_open(const char *dir, uint64_t first)
{
	char name[SEGMENT_NAME_MAX], path[4096];

	segment_name(name, first);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int run(int argc, char **argv)
{
	args.prog = argv[0];

	int at = args_parse(&args, argc, argv), n = argc - at;
	char **v = argv + at;

	if (n == 0)
		args_usage(&args, "what shall be done?");
	if (!t.dir)
		args_usage(&args, "-d is missing: the spool");
	if (t.force && !t.before)
		args_usage(&args, "--force goes with --before: up to where?");
	if (t.commits && t.where)
		args_usage(&args, "--commits prints the files as they are: -w chooses no lines of them");
	if (strcmp(v[0], "cursor") == 0 && n == 4 && strcmp(v[1], "set") == 0)
		return spool_set(&t, v[2], v[3]);
	if (strcmp(v[0], "cursor") == 0)
		args_usage(&args, "cursor: as in cursor set DEST SEQ");
	if (n > 1)
		args_usage(&args, "%s: not expected", v[1]);
	if (strcmp(v[0], "check") == 0)
		return spool_check(&t);
	if (strcmp(v[0], "cat") == 0)
		return spool_cat(&t);
	if (strcmp(v[0], "trim") == 0)
		return spool_trim_now(&t);
	if (strcmp(v[0], "cursors") == 0)
		return spool_cursors(&t);
	args_usage(&args, "%s: there is check, cat, trim, cursors, cursor", v[0]);
}

const struct tool tool_spool = { "spool", run };
