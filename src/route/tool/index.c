#include "route/tool/tool.h"

#include <stddef.h>

const struct tool *const tools[] = {
	&tool_dead,
	&tool_ledger,
	&tool_spool,
	NULL,
};
