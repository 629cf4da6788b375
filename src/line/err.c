#include "line/err.h"

#include <stdio.h>

const char *line_err_text(const struct line_err *err, char out[LINE_ERR_TEXT])
{
	snprintf(out, LINE_ERR_TEXT, "byte %zu: %s", err->at, err->why);
	return out;
}
