/*
 * command: "!hug "Ann Lee" now" to a name and arguments. Pure.
 *
 * A command is text that begins with the prefix and, right behind it, a name. Arguments are separated by blanks; one in
 * double quotes may hold blanks (a quote that is not closed goes to the end; there is no escape).
 */
#ifndef RESPOND_COMMAND_H
#define RESPOND_COMMAND_H

#include <stdbool.h>

#include "line/line.h"

#define COMMAND_ARGS 32		/* words told apart; what is behind is in `rest` of the last */
#define COMMAND_NAME_MAX 32	/* bytes */

struct command {
	struct span name;			/* without the prefix, as typed */
	struct span args;			/* all behind the name, blanks at both ends removed */
	size_t n;
	struct span arg[COMMAND_ARGS];		/* without quotes */
	struct span rest[COMMAND_ARGS];		/* from the argument to the end, as typed */
};

/* Is text a command? Spans point into text. */
bool command_parse(struct span text, struct span prefix, struct command *out);

bool command_name_ok(struct span name);		/* may it stand in a replies file? */

#endif
