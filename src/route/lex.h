/*
 * lex: the text of rules to tokens. Pure. Columns count bytes from 1, as editors' `goto` does.
 */
#ifndef ROUTE_LEX_H
#define ROUTE_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum lex_kind {
	LEX_END,	/* of the text */
	LEX_NEWLINE,	/* end of a rule; not given inside round brackets */
	LEX_NAME,	/* attribute, path, destination or word of the language */
	LEX_STRING,	/* "..." with JSON's escapes, or '...' as it stands; quotes included */
	LEX_NUMBER,	/* as in JSON */
	LEX_PERCENT,	/* a number directly followed by % */
	LEX_SIGN,	/* ( ) , -> and the operators */
	LEX_BAD,	/* why says what */
};

#define LEX_WORD_MAX 256

struct lex {
	const char *p, *end;		/* what is left */
	const char *line_start;
	unsigned line;			/* of p */
	unsigned depth;			/* open round brackets */
	/* the current token */
	enum lex_kind kind;
	const char *at;
	size_t n;
	unsigned at_line, at_column;
	char word[LEX_WORD_MAX];	/* names and signs, NUL-terminated */
	const char *why;
};

void lex_init(struct lex *l, const char *p, size_t n);
void lex_next(struct lex *l);
void lex_next_word(struct lex *l);	/* the same, but whatever stands up to the next blank, line end or # is one LEX_NAME */
bool lex_is(const struct lex *l, const char *word);	/* the current token is this sign or unquoted word */

#endif
