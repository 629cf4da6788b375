/* penstock spool check|cat|trim|cursors|cursor: the files of the hub. route does it (route spool); this only names the places. */
#include "penstock/penstock.h"

#include <stdbool.h>

#include "base/args.h"
#include "penstock/words.h"

static const char *where, *since;
static uint64_t from, before;
static bool force, commits, json;

static const struct arg rows[] = {
	{ 0, "from", ARG_U64, &from, 0, 0, "SEQ", "cat: begin with this line", NULL, 0 },
	{ 0, "since", ARG_STR, &since, 0, 0, "TIME", "cat: not what is older: RFC 3339, or 10m, 2h, 1d ago", NULL, 0 },
	{ 'w', "where", ARG_STR, &where, 0, 0, "EXPR", "cat: only lines for which EXPR is true (language of penstock-rules)", NULL, 0 },
	{ 0, "commits", ARG_FLAG, &commits, 0, 0, NULL, "cat: the text of the files as it is, commit lines and all", NULL, 0 },
	{ 0, "before", ARG_U64, &before, 1, INT64_MAX, "SEQ", "trim: only segments that end before this line", NULL, 0 },
	{ 0, "force", ARG_FLAG, &force, 0, 0, NULL, "trim --before: those that destinations still need, too", NULL, 0 },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "cursors: an object a line", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock spool",
	.synopsis = "check\ncat [--from SEQ | --since TIME] [-w EXPR | --commits]\ntrim [--before SEQ [--force]]\ncursors [--json]\n"
		"cursor set DEST SEQ",
	.about = "Checks the hub's spool, prints its lines, removes segments, shows and sets the cursors of destinations.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

int cmd_spool(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct words w = { .n = 0 };

	if (at == argc)
		args_usage(&args, "what shall be done?");
	tree_open(t);
	words_route(&w, t, "spool", NULL);
	if (from)
		words_option(&w, "--from", text_of("%llu", (unsigned long long)from));
	words_option(&w, "--since", since);
	words_option(&w, "-w", where);
	if (before)
		words_option(&w, "--before", text_of("%llu", (unsigned long long)before));
	if (commits)
		words_add(&w, "--commits");
	if (force)
		words_add(&w, "--force");
	if (json)
		words_add(&w, "--json");
	words_add(&w, "--");
	for (; at < argc; at++)
		words_add(&w, argv[at]);
	words_exec(&w, program_path("route"));
}
