/*
 * token: escapes, numbers and literals of JSON, checked. Private to the scanner. Each function takes the place where
 * its token begins and returns the byte behind it, or NULL with *err filled.
 */
#ifndef LINE_TOKEN_H
#define LINE_TOKEN_H

#include "line/line.h"

struct token {				/* the text */
	const char *start, *end;
	struct line_err *err;
};

const char *token_fail(const struct token *t, const char *at, const char *why);	/* always NULL */
const char *token_escape(const struct token *t, const char *p);			/* p at a backslash inside a string */
const char *token_value(const struct token *t, const char *p);			/* a value that is no string, object or array */

#endif
