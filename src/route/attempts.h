/*
 * attempts: how often lines were tried, so that a kill of the hub does not forget it: spool/attempts/NAME.
 *
 * A table of text in a mapped file, a line for each event line that is with a worker or was refused or taken back:
 *   SEQ(20 digits) ATTEMPTS(5) STRIKES(5) L|-          L: a worker has it
 * or blanks where the place is free. What is in the map survives the process, not a loss of power; nothing is synced, and a
 * line costs no system call. After a start a line that still says L was with a worker when the hub died: that is a strike.
 * A full table, or a file that cannot be made, only means that attempts of further lines are counted anew after a kill.
 */
#ifndef ROUTE_ATTEMPTS_H
#define ROUTE_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/lane.h"

#define ATTEMPTS_PLACES 8192u
#define ATTEMPTS_ROW 35u

struct attempts_old { uint64_t seq; uint32_t place; };

struct attempts {
	char *map;		/* NULL: there is no table */
	char *path;
	uint32_t *free;		/* places */
	size_t nfree;
	struct attempts_old *old;	/* of an earlier process and parked ones, by number */
	size_t nold, left;		/* `left` of them were not asked for yet */
};

/* Rows below low are dropped. Without the file (a message) all works on, but forgets. */
void attempts_open(struct attempts *a, const char *spool, const char *name, uint64_t low);
void attempts_close(struct attempts *a);
void attempts_remove(struct attempts *a);		/* closes, and removes the file */

/* item.note is the line's place in the table + 1, or 0. */
void attempts_find(struct attempts *a, struct item *it);	/* it comes into memory: what an earlier process knew of it */
void attempts_note(struct attempts *a, struct item *it, bool lent);	/* writes its attempts (without trials) and strikes; nothing if they are 0 and it is not lent */
void attempts_drop(struct attempts *a, struct item *it);
void attempts_park(struct attempts *a, struct item *it);	/* it leaves memory and comes again: what is known of it stays */

#endif
