/*
 * pred: the contract of a routing predicate, and what it may ask of the parser. The recipe for adding one is README.md.
 *
 * A predicate parses its arguments once, answers for a line, and describes itself. Answering allocates nothing, has no side
 * effect and depends on nothing but the line: the same line gets the same answer after a restart. (It may use the scratch
 * buffer, which keeps its memory from line to line.)
 */
#ifndef ROUTE_PRED_PRED_H
#define ROUTE_PRED_PRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/scan.h"

/* The line a question is about. */
struct pred_line {
	struct span raw;		/* the whole line, checked, without LF */
	const struct envelope *e;
	struct buf *scratch;		/* for decoded text; any predicate may overwrite it */
	const char **trouble;		/* a predicate that cannot answer now says why here (a static text); the line is to wait. May be NULL */
};

/* What stands left of an operator: an attribute, or a path into data. */
struct operand {
	char *name;			/* as written: "type", "data.user.name" */
	int attr;			/* enum line_attr, or -1: an attribute that penstock does not know */
	const char *path;		/* into name: behind "data."; NULL: the attribute itself */
};
/* The raw value, p NULL when the line has none. An absent tenant is "default". A JSON null is absent. */
struct span operand_get(const struct operand *o, const struct pred_line *l);

enum value_kind { VALUE_STRING, VALUE_NUMBER, VALUE_BOOL };
struct value { enum value_kind kind; char *text; size_t n; double number; };	/* text: NUL-terminated, decoded; for bool "true", "false" */

struct parser;
struct pred_kind;

#define PRED_WHY 400	/* bytes of a reason */

struct pred {
	const struct pred_kind *kind;
	int op;				/* what kind->ops entry it was written with */
	struct operand left;
	struct value *v;		/* arguments */
	size_t nv;
	struct pred *a, *b;		/* logic only */
	unsigned line, column;		/* where it stands in its text */
	void *own;			/* what the part made of its arguments; kind->release gives it back */
};

struct pred_kind {
	const char *name;		/* as in penstock-rules(5) */
	/* The tokens it is called by, ended by NULL. Behind an operand if `infix`, else at the start of a term. */
	const char *const *ops;
	bool infix;
	/* Called behind the token. Reads its arguments from the parser into p (given zeroed but for kind, op and left).
	 * -1 after pred_fail; what p holds then is released by the caller. */
	int (*parse)(struct pred *p, struct parser *in);
	bool (*match)(const struct pred *p, const struct pred_line *l);
	int (*describe)(const struct pred *p, struct buf *out);	/* as text that parses to the same; -1: out is full */
	/* Appends what the line has that decides, as "the flag is off"; NULL: the operand's value is told. -1: out is full. */
	int (*fact)(const struct pred *p, const struct pred_line *l, struct buf *out);
	/* Starts what the part needs to answer. Called from whatever thread reads rules, before the first match. -1: why. NULL: needs nothing. */
	int (*ready)(struct pred *p, char why[PRED_WHY]);
	void (*rest)(struct pred *p);		/* ends what ready started; the next match starts it again. NULL: nothing */
	void (*release)(struct pred *p);	/* of p->own, which may be NULL; NULL: there is none */
};

/* ---- the parts (index.c) ---- */
extern const struct pred_kind *const pred_kinds[];	/* ended by NULL */
/* The part that is called by the token, or NULL; *op is the place of the token among its ops. */
const struct pred_kind *pred_find(const char *token, bool infix, int *op);
int pred_check_parts(void);				/* -1 with a message: a part has a hole */

bool pred_match(const struct pred *p, const struct pred_line *l);
int pred_describe(const struct pred *p, struct buf *out);
void pred_rest(struct pred *p);
int pred_ready(struct pred *p, const struct pred **bad, char why[PRED_WHY]);	/* p and all in it; -1: *bad cannot answer */
void pred_free(struct pred *p);				/* NULL is fine */

/* ---- what logic.c offers the parser ---- */
struct pred *pred_not(struct pred *a);			/* these take their arguments; NULL: no memory, arguments freed */
struct pred *pred_both(bool is_and, struct pred *a, struct pred *b);
extern const struct pred_kind pred_logic;
enum { LOGIC_ALL, LOGIC_NOT, LOGIC_AND, LOGIC_OR };	/* its op */

/* Who runs the programs of jq conditions (route/jq.h); NULL: nobody, they cannot answer. ask: 1 yes, 0 no, -1 not now: *why. */
struct pred_jq_runner {
	void *(*open)(const char *program, unsigned line, unsigned column);	/* where it stands in the rules */
	int (*ready)(void *jq, char why[PRED_WHY]);
	int (*ask)(void *jq, const char *p, size_t n, const char **why);
	void (*rest)(void *jq);
	void (*close)(void *jq);
};
extern const struct pred_jq_runner *pred_jq;

/* ---- what a predicate may ask of the parser (parse.c); all return -1 after telling the place ---- */
int pred_value(struct parser *in, struct pred *p);	/* appends one value to p->v */
int pred_operand(struct parser *in, struct operand *o);	/* a name or path */
bool pred_accept(struct parser *in, const char *token);	/* takes the token if it is next */
int pred_expect(struct parser *in, const char *token);
int pred_word(struct parser *in, struct pred *p);	/* appends the name that is next, as a text */
int pred_flag(struct parser *in, const char *name, bool *on);	/* is the flag on in this text? -1: there are none here */
int pred_jq_one_more(struct parser *in);			/* a file has room for so many; -1: not for this one */
int pred_regex_one_more(struct parser *in);
double pred_percentage(struct parser *in);		/* the number of the % token just taken */
int pred_fail(struct parser *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));		/* at the next token */
int pred_fail_value(struct parser *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));	/* at the value just taken */

/* ---- shared by parts (value.c) ---- */
int value_describe(const struct value *v, struct buf *out);
bool value_equal(const struct value *v, struct span raw);	/* raw p NULL: false */
/* The decoded text of a raw string: inside the line, or in l->scratch when it has escapes. false: no string. */
bool value_text(struct span raw, const struct pred_line *l, struct span *out);

#endif
