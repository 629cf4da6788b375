/* penstock export: store's own export of the tree's history. */
#include "penstock/penstock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/log.h"

static const char *tenant;

static const struct arg rows[] = {
	{ 0, "tenant", ARG_STR, &tenant, 0, 0, "TENANT", "of this tenant only", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock export", .synopsis = "[--tenant TENANT]",
	.about = "Writes every stored event, exactly the line that came in, in order; tenant after tenant. The tree may run meanwhile.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

int cmd_export(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	const char *store, *history;

	if (at != argc)
		args_usage(&args, "%s: not expected", argv[at]);
	tree_open(t);
	if (tree_folders(t))
		return 1;
	store = program_path("store");
	history = tree_path(t, "history");
	execl(store, "store", "-x", "-L", log_form_word(), "-d", history, tenant ? "-T" : (char *)NULL, tenant, (char *)NULL);
	die(1, "%s: %s", store, strerror(errno));
}
