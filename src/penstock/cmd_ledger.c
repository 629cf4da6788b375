/* penstock ledger: do the books of each destination add up? route counts (route ledger); this only names the places. */
#include "penstock/penstock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/log.h"

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
	int at = args_parse(&args, argc, argv), n = 0;
	char *path, *cmd[12];

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	path = program_path("route");
	cmd[n++] = (char *)"penstock";	/* its messages name what was typed */
	cmd[n++] = (char *)"ledger";
	cmd[n++] = (char *)"-L";
	cmd[n++] = (char *)log_form_word();
	cmd[n++] = (char *)"-d";
	cmd[n++] = tree_path(t, "spool");
	cmd[n++] = (char *)"-R";
	cmd[n++] = tree_path(t, "run");
	if (json)
		cmd[n++] = (char *)"--json";
	cmd[n] = NULL;
	execv(path, cmd);
	die(1, "%s: %s", path, strerror(errno));
}
