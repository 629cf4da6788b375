/*
 * parse: text to rules and to single expressions. Pure. The language is penstock-rules(5):
 *
 *   file  = { [ expr "->" name { "," name } [ "stop" ] ] newline }
 *   expr  = both { "or" both }      both = term { "and" term }      term = "not" term | "(" expr ")" | predicate
 *
 * The first error ends it, with its place.
 */
#ifndef ROUTE_PARSE_H
#define ROUTE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/pred/pred.h"

#define RULES_MAX 10000u		/* rules in a file */
#define RULES_DESTS 64u			/* destinations in a file */
#define RULES_DEST_NAME 48u		/* bytes of a destination's name: it becomes part of a socket's and a file's name */
#define RULES_DEPTH 64u			/* nested brackets and nots */
#define RULES_TERMS 1000u		/* and, or in one rule */

struct rule {
	struct pred *when;
	uint64_t dests;			/* bit i: ruleset.names[i] */
	bool stop;
	unsigned line;			/* in the file */
};

struct ruleset {
	struct rule *v;
	size_t n;
	char names[RULES_DESTS][RULES_DEST_NAME + 1];
	unsigned ndests;
};

struct parse_error { unsigned line, column; char text[200]; };

int parse_rules(struct ruleset *out, const char *p, size_t n, struct parse_error *err);	/* -1: *err filled, nothing to release */
struct pred *parse_expr(const char *p, size_t n, struct parse_error *err);	/* NULL: *err filled; pred_free */
bool rules_dest_name(const char *name, size_t n);	/* could it be the name of a destination? */
void ruleset_release(struct ruleset *r);

#endif
