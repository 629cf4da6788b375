/*
 * rules: the rules in force, and those of older generations that lines in the spool were decided by.
 *
 * A generation is a number and a text, kept as spool/rules/G while a segment uses it, so that reading a line again decides exactly
 * as was decided when it came. Rules are a pure function of the line and that text.
 *
 * Destinations have places 0 to 63 in the whole process (hub.h); a mask has a bit for each. rules_bind says which name has which place.
 */
#ifndef ROUTE_RULES_H
#define ROUTE_RULES_H

#include <stdint.h>

#include "route/memo.h"
#include "route/parse.h"

#define RULES_TEXT_MAX (1u << 20)	/* bytes of a rules file */
#define RULES_FLAGS_MAX (64u << 10)	/* of a flags file */
#define RULES_WHY 1024			/* of an error's text */

struct rules {
	uint64_t gen;
	struct buf text;
	struct ruleset set;
	uint64_t *masks;		/* of each rule, bound */
	uint64_t *hits;			/* of each rule: lines it held for when they came */
	int places[RULES_DESTS];	/* of set.names, bound; -1: nobody is there */
	struct rules *next;		/* older or newer ones of the same book */
};

/* NULL with why = "file:line:column: message". */
struct rules *rules_parse(const char *file, const char *text, size_t n, char why[RULES_WHY]);
/*
 * The same from a file. Flags: a file with the name of a flag on each line, and comments behind #; NULL: the file "flags" beside the rules.
 * No such file: no flag is on. The text gets a first line (parse.h) with those flags that are on and that a rule asks for.
 */
struct rules *rules_read(const char *file, const char *flags, char why[RULES_WHY]);
/* Starts what conditions need to answer (a jq): before the rules are put in force. -1: why = "file:line:column: message". */
int rules_ready(struct rules *r, const char *file, char why[RULES_WHY]);
void rules_rest(struct rules *r);		/* ends what rules_ready started; a line that is read again starts it anew */
void rules_free(struct rules *r);

/* place_of gives the place of a name, or -1 when nobody is there (its bit is then never set). */
void rules_bind(struct rules *r, int (*place_of)(void *arg, const char *name), void *arg);
/* Where the line goes. Unbound rules: bit i is set.names[i]. */
uint64_t rules_eval(const struct rules *r, const struct pred_line *l);
uint64_t rules_decide(const struct rules *r, const struct pred_line *l);	/* the same for a line that comes: counts hits */
int rules_place(const struct rules *r, const char *name);	/* of one destination, in the same way; -1: not in these rules, or nobody is there */

/* ---- the book: all generations of a spool ---- */
struct rules_book {
	const char *dir;		/* spool/rules */
	struct rules *all;		/* loaded ones */
	struct rules *now;		/* in force; one of them */
	int (*place_of)(void *arg, const char *name);
	void *arg;
	struct memo memo;		/* of lines decided by any of them */
};

/* Puts r in force: as the newest generation in dir if the text is the same, else as a new one. Takes r. -1 with a message: not in
 * force (r freed). */
int rules_book_use(struct rules_book *b, struct rules *r);
/*
 * The same in two steps, for rules that change under way. rules_keep gives r the next generation and writes its text into dir, synced; it
 * looks at nothing but its arguments, so another thread may run it. 1: kept; 0: the text is that of `now`; -1: why.
 * rules_book_enter puts kept rules in force.
 */
int rules_keep(const char *dir, const struct rules *now, struct rules *r, char why[RULES_WHY]);
void rules_book_enter(struct rules_book *b, struct rules *r);
const struct rules *rules_book_get(struct rules_book *b, uint64_t gen);	/* NULL with a message, once for each gen */
void rules_book_bind(struct rules_book *b);		/* after places changed: binds all anew */
void rules_book_trim(struct rules_book *b, uint64_t oldest);	/* forgets generations below oldest, files too */
void rules_book_release(struct rules_book *b);

#endif
