/* penstock spool check|cat|trim|cursors|cursor: the files of the hub. route does it (route spool); this only names the places. */
#include "penstock/penstock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/log.h"

#define WORDS_MOST 32

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

struct words { char *v[WORDS_MOST]; int n; };

static void add(struct words *w, const char *word)
{
	if (w->n == WORDS_MOST - 1)
		args_usage(&args, "%s: too many words", word);
	w->v[w->n++] = (char *)(uintptr_t)word;
	w->v[w->n] = NULL;
}

static void add_option(struct words *w, const char *name, const char *value)
{
	add(w, name);
	add(w, value);
}

int cmd_spool(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct words w = { .n = 0 };
	char *path;

	if (at == argc)
		args_usage(&args, "what shall be done?");
	tree_open(t);
	path = program_path("route");
	add(&w, "penstock");	/* its messages name what was typed */
	add(&w, "spool");
	add_option(&w, "-L", log_form_word());
	add_option(&w, "-d", tree_path(t, "spool"));
	add_option(&w, "-R", tree_path(t, "run"));
	if (from)
		add_option(&w, "--from", text_of("%llu", (unsigned long long)from));
	if (since)
		add_option(&w, "--since", since);
	if (where)
		add_option(&w, "-w", where);
	if (before)
		add_option(&w, "--before", text_of("%llu", (unsigned long long)before));
	if (commits)
		add(&w, "--commits");
	if (force)
		add(&w, "--force");
	if (json)
		add(&w, "--json");
	add(&w, "--");
	for (; at < argc; at++)
		add(&w, argv[at]);
	execv(path, w.v);
	die(1, "%s: %s", path, strerror(errno));
}
