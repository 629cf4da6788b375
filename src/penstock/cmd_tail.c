/* penstock tail: what flows, live. route itself follows its spool: this only names the place. */
#include "penstock/penstock.h"

#include <stdbool.h>

#include "base/args.h"
#include "base/fd.h"
#include "base/log.h"
#include "penstock/words.h"

static const char *where;
static uint64_t lines;
static bool once;

static const struct arg rows[] = {
	{ 'w', "where", ARG_STR, &where, 0, 0, "EXPR", "only lines for which EXPR is true (language of penstock-rules)", NULL, 0 },
	{ 'n', "lines", ARG_U64, &lines, 0, 1000000, "N", "begin with the last N lines (0)", NULL, 0 },
	{ 0, "once", ARG_FLAG, &once, 0, 0, NULL, "stop at the end instead of waiting for more", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock tail", .synopsis = "[--where EXPR] [-n N] [--once]",
	.about = "Prints every line that route accepts, as it comes.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

int cmd_tail(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct words w = { .n = 0 };

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	if (!once && fd_lock_owner(tree_path(t, "spool/lock")) <= 0)
		log_warn("%s: no route runs, so nothing comes yet; penstock up starts it", t->dir);
	words_add(&w, "route");
	words_add(&w, "-T");
	words_option(&w, "-L", log_form_word());
	words_option(&w, "-d", tree_path(t, "spool"));
	words_option(&w, "-w", where);
	words_option(&w, "-n", text_of("%llu", (unsigned long long)lines));
	if (once)
		words_add(&w, "--once");
	words_exec(&w, program_path("route"));
}
