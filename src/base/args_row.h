/*
 * args_row: the values of option rows: from text, to text, from a configuration file. Private to args.c.
 */
#ifndef BASE_ARGS_ROW_H
#define BASE_ARGS_ROW_H

#include "base/args.h"

#define ROW_WHY 512	/* bytes for a reason */

struct value {
	bool flag;
	int choice;
	uint64_t u;
	int64_t ns;
	const char *s;
	struct arg_list list;
};

struct row {
	const struct arg *arg;
	struct value initial;	/* what stood in arg->to before anything was read */
	struct value now;	/* from the command line, when given */
	bool given;		/* on the command line: the file may not change it */
};

void row_load(const struct row *r, struct value *v);		/* from arg->to */
void row_store(const struct row *r, const struct value *v);	/* to arg->to */

/* Text to v (a list grows by it). -1 with the reason in why. */
int row_parse(const struct arg *a, const char *text, struct value *v, char why[ROW_WHY]);

/* Reads the file into all rows that were not given; those it does not name get their initial value back. -1 with the
 * reason, file and line in why, and no row changed. */
int row_file(const char *path, struct row *rows, size_t n, bool (*known_key)(const char *word), char why[ROW_WHY]);

/* What --help says in the place of the value: "FILE", "json|text"; NULL for a flag. */
const char *row_value(const struct arg *a);

void row_help(const struct args *a, const struct row *rows, size_t n);

#endif
