/*
 * decide: what is to be done with a line: its destinations, its lane, the time before which it is held. Pure but for the
 * scratch buffer it keeps. One way for a line that comes and for one that is read again.
 */
#ifndef ROUTE_DECIDE_H
#define ROUTE_DECIDE_H

#include "route/rules.h"
#include "route/spool.h"

/* A predicate cannot answer now (a jq that cannot be started): the same line is to be asked for again later. */
#define DECIDE_LATER (-2)
const char *decide_trouble(void);	/* why the last call said so */

/* An event that comes: e is its envelope; p without LF. out->notbefore is the time it asks for, past or not; 0 = none. Counts the hits
 * of rules. 0 or DECIDE_LATER. */
int decide(const struct rules *r, const char *p, size_t n, const struct envelope *e, struct spool_line *out);
/* Only: to which destinations? 0 or DECIDE_LATER. */
int decide_mask(const struct rules *r, const char *p, size_t n, const struct envelope *e, uint64_t *mask);
/* A line of the spool (n with LF), opened when it is one said again (again.h). out->notbefore is set for a held line only, which
 * has no destinations. -1: it is no event; or DECIDE_LATER. */
int decide_again(const struct rules *r, const char *p, size_t n, struct spool_line *out);
/* Only: does the expression match the event of this line of the spool? */
bool decide_where(const struct pred *where, const char *p, size_t n);
void decide_release(void);

#endif
