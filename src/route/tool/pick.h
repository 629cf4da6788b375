/*
 * pick: the dead letters that a command line means. Reads files only.
 *
 * An operand is a letter's number, DESTINATION:NUMBER, or a DESTINATION. Numbers choose letters; destinations and the expression narrow what is
 * chosen; without a number all letters are chosen.
 */
#ifndef ROUTE_TOOL_PICK_H
#define ROUTE_TOOL_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "route/dead.h"

struct pick_id { char dest[RULES_DEST_NAME + 1]; uint64_t seq; bool found; };	/* dest "": any; seq 0: any */

struct pick {
	const char *spool;
	struct pred *where;		/* NULL: all */
	struct pick_id *ids;
	size_t nids;
	unsigned numbers;		/* so many of them have a number */
	uint64_t most;			/* letters with a higher number are not meant; UINT64_MAX at first */
	struct buf event;		/* private */
};

/* Reads operands and the expression (may be NULL); ends the program with code 2 when one is wrong. */
struct args;
void pick_init(struct pick *k, const struct args *a, const char *spool, const char *where, char **operands, int n);
void pick_release(struct pick *k);

struct picked {
	const char *dest;		/* whose file it is in */
	struct dead_ref ref;
	const struct letter *letter;
	const char *event; size_t n;	/* its text with LF */
};
/* fn for each letter that is alive and meant, by destination, in the order they died; stops when fn returns false. -1 with a message. */
int pick_each(struct pick *k, bool (*fn)(void *arg, const struct picked *l), void *arg);
/* After pick_each: names the numbers that were not found, and the destinations that there are not; how many. */
unsigned pick_missing(const struct pick *k);

#endif
