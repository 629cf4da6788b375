/* The ways to acknowledge. */
#include "stage/mode/mode.h"

#include <string.h>

const struct mode *const modes[] = { &mode_eof, &mode_line, &mode_sync, NULL };

const struct mode *mode_find(const char *name)
{
	for (const struct mode *const *m = modes; *m; m++)
		if ((*m)->name && (*m)->about && (*m)->line && strcmp((*m)->name, name) == 0)
			return *m;
	return NULL;
}
