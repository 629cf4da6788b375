/*
 * parse: text to rules and to single expressions. Pure. The language is penstock-rules(5):
 *
 *   file  = { [ rule | setting ] newline }
 *   rule  = expr "->" dest { "," dest } [ "stop" ]      dest = [ "mirror" ] name      setting = "dest" name key=value { key=value }
 *   expr  = both { "or" both }      both = term { "and" term }      term = "not" term | "(" expr ")" | predicate
 *
 * The first error ends it, with its place.
 *
 * Which flags are on stands in the text itself, as its first line, which counts as line 0: `#!flags NAME NAME...`. route puts it there
 * (rules.h), so that a text alone tells what its rules decide.
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
#define RULES_FLAGS 64u			/* flags that a file asks for */
#define RULES_FLAG_NAME 48u
#define RULES_JQ 16u			/* jq predicates in a file: each is a process */
#define RULES_REGEX 1000u		/* regular expressions in a file: each takes some 50 KB once it is used */
#define RULES_FLAGS_LINE "#!flags"

struct rule {
	struct pred *when;
	uint64_t dests;			/* bit i: ruleset.names[i] */
	bool stop;
	unsigned line;			/* in the file */
};

/* What a line `dest NAME key=value ...` says. Only members named in `has` were given; for the others the options of the hub hold. */
enum { SETTING_ATTEMPTS = 1, SETTING_WINDOW = 2, SETTING_DEADLINE = 4, SETTING_KEEP = 8 };
struct dest_settings {
	unsigned has;
	uint64_t attempts;		/* refusals with retry before a line is dead */
	uint64_t window;		/* lines in memory */
	int64_t deadline;		/* ns a batch may be out */
	int64_t keep;			/* ns a line stays in the spool, although it was settled */
	unsigned line, column;		/* where it stands; 0: nowhere */
};

struct rule_flag { char name[RULES_FLAG_NAME + 1]; bool on; };

struct ruleset {
	struct rule *v;
	size_t n;
	char names[RULES_DESTS][RULES_DEST_NAME + 1];
	struct dest_settings settings[RULES_DESTS];	/* of names[i] */
	unsigned ndests;
	uint64_t mirrors;		/* bit i: names[i] gets copies as a mirror; never both */
	struct rule_flag flags[RULES_FLAGS];	/* those that rules ask for */
	unsigned nflags, njq, nregex;
};

struct parse_error { unsigned line, column; char text[200]; };

int parse_rules(struct ruleset *out, const char *p, size_t n, struct parse_error *err);	/* -1: *err filled, nothing to release */
struct pred *parse_expr(const char *p, size_t n, struct parse_error *err);	/* NULL: *err filled; pred_free */
bool rules_dest_name(const char *name, size_t n);	/* could it be the name of a destination? */
bool rules_flag_name(const char *name, size_t n);	/* of a flag? letters, digits, dots, dashes, _ */
int rule_describe(const struct ruleset *set, const struct rule *r, struct buf *out);	/* its text in one line; -1: out is full */
void ruleset_release(struct ruleset *r);

#endif
