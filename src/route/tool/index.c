#include "route/tool/tool.h"

#include <stddef.h>
#include <string.h>

const struct tool tools[] = {
	{ "dead", tool_dead },
	{ NULL, NULL },
};

const struct tool *tool_find(const char *name)
{
	for (const struct tool *t = tools; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}
