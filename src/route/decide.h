/*
 * decide: what is to be done with a line: its destinations, its lane, the time before which it is held. Pure but for the
 * scratch buffer it keeps. One way for a line that comes and for one that is read again.
 */
#ifndef ROUTE_DECIDE_H
#define ROUTE_DECIDE_H

#include "route/rules.h"
#include "route/spool.h"

/* e is the line's envelope; p without LF. */
void decide(const struct rules *r, const char *p, size_t n, const struct envelope *e, struct spool_line *out);
/* The same for a line of the spool (n with LF): scans it first; -1: it is no event. */
int decide_again(const struct rules *r, const char *p, size_t n, struct spool_line *out);
/* Only: does the expression match this line of the spool? */
bool decide_where(const struct pred *where, const char *p, size_t n);
void decide_release(void);

#endif
