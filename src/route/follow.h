/*
 * follow: `route -T`: prints the committed lines of a spool, live. Only reads files: the hub need not run, and does not know.
 * Only whole groups whose checksum is right are shown.
 */
#ifndef ROUTE_FOLLOW_H
#define ROUTE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

struct follow_opts {
	const char *dir;
	const char *where;		/* an expression of penstock-rules(5); NULL: all */
	uint64_t last;			/* begin so many lines before the end */
	uint64_t from;			/* or at this number; 0: not given */
	bool once;			/* end at the end instead of waiting for more */
};

int follow(const struct follow_opts *o);	/* the exit code; ends with 0 when stdout is closed */

#endif
