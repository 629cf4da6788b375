/* penstock ledger: do the books of each destination add up? route counts (route ledger); this only names the places. */
#include "penstock/penstock.h"

#include <stdbool.h>

#include "base/args.h"
#include "penstock/words.h"

static bool json;

static const struct arg rows[] = {
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "one JSON object", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock ledger", .synopsis = "[--json]",
	.about = "For each destination: accepted = delivered + filtered + dead + pending + shed? Exit code 1 if not.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

int cmd_ledger(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct words w = { .n = 0 };

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	words_route(&w, t, "ledger", NULL);
	if (json)
		words_add(&w, "--json");
	words_exec(&w, program_path("route"));
}
