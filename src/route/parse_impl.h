/* parse_impl: what parse.c (a file of rules) and parse_expr.c (a condition) share. Nobody else includes it. */
#ifndef ROUTE_PARSE_IMPL_H
#define ROUTE_PARSE_IMPL_H

#include "route/lex.h"
#include "route/parse.h"

struct parser {
	struct lex lex;			/* lex's token is the next one, not yet taken */
	struct parse_error *err;
	struct ruleset *set;		/* NULL: a single expression */
	const char *flags, *flags_end;	/* names of those that are on, blanks between them */
	bool failed;
	double percentage;
	unsigned value_line, value_column;	/* of the value or percentage last taken */
	unsigned depth, terms;
};

bool parse_is_word(const char *name);		/* of the language, so no name */
bool parse_next_is(const struct parser *in, enum lex_kind kind);	/* the token behind the next one; a word of the language is no name */
int parse_expected(struct parser *in, const char *what);	/* "expected X", naming what stands there instead; -1 */
struct pred *parse_condition(struct parser *in);	/* an expr; NULL after pred_fail */

#endif
