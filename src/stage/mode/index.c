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

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool mode_means_event(const char *p, size_t n)
{
	static const char *const names[] = { "\"type\"", "\"specversion\"", "\"data\"" };
	const char *end = p + n;

	while (p < end && is_blank(*p))
		p++;
	if (p == end || *p++ != '{')
		return false;
	while (p < end && is_blank(*p))
		p++;
	if (p == end)
		return true;
	for (size_t i = 0; *p == '"' && i < sizeof names / sizeof *names; i++)
		if (memmem(p, (size_t)(end - p), names[i], strlen(names[i])))
			return true;
	return false;
}
