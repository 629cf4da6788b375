/* penstock stage: the program stage, with paths and URLs relative to the tree if one was named. */
#include "penstock/penstock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

int cmd_stage(struct tree *t, int argc, char **argv)
{
	const char *stage = program_path("stage");

	(void)argc;
	if (t->asked) {
		tree_open(t);
		if (chdir(t->dir))
			die(1, "%s: %s", t->dir, strerror(errno));
	}
	execv(stage, argv);
	die(1, "%s: %s", stage, strerror(errno));
}
