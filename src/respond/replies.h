/*
 * replies: the text of a replies file, penstock-replies(5), to triggers and templates. Pure.
 *
 * A line that begins at the margin opens a trigger (command, word, contains, emotion) or sets something; the indented lines
 * below it belong to it (say, help). A file is taken whole or refused with line and column.
 */
#ifndef RESPOND_REPLIES_H
#define RESPOND_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

#include "line/line.h"

#define REPLIES_MAX_BYTES (1u << 20)	/* of a file */
#define REPLIES_MAX_TRIGGERS 1000u
#define REPLIES_MAX_NAMES 64u		/* names of a trigger, parameters of a command, replies of a trigger */

struct template;

enum trigger_kind { TRIGGER_COMMAND, TRIGGER_WORD, TRIGGER_CONTAINS, TRIGGER_EMOTION };

struct param { struct span name; bool optional, rest; };	/* NAME, [NAME], NAME..., [NAME...] */

struct trigger {
	enum trigger_kind kind;
	size_t line;				/* in the file */
	struct span *name; size_t nname;	/* words of WORD and CONTAINS are folded (match.h) */
	struct param *param; size_t nparam;	/* COMMAND */
	struct span usage;			/* COMMAND: the parameters as written, "NAME [HOW...]" */
	double above;				/* EMOTION: the probability must be above it, 0 to 1 */
	struct span help;			/* COMMAND; p NULL: none */
	struct template **say; size_t nsay;
};

struct replies {
	char *text;			/* the file; most spans point into it */
	char *folded;			/* the folded words */
	struct span prefix;		/* "!" */
	struct span bot;		/* {bot}, "penstock" */
	bool others;			/* for tenants without a file of their own; asked of default.conf only */
	bool shared;			/* what was written in another channel of a Shared Chat is answered, too */
	struct trigger *trigger;
	size_t n;
};

/* Line and column from 1; what: the word in question, or "". */
struct replies_error { size_t line, column; const char *why; char what[64]; };

/* Copies p. NULL with *err. */
struct replies *replies_parse(const char *p, size_t n, struct replies_error *err);
void replies_free(struct replies *r);

/* The command of that name, letter case aside; NULL if there is none. */
const struct trigger *replies_command(const struct replies *r, struct span name);

#endif
