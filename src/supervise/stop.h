/*
 * stop: the end of supervise, in order, leaving no process behind.
 *
 *   1 services   each gets TERM and CONT, its finish runs; after `patience` whatever still runs gets KILL, group by group
 *   2 orphans    processes that services left behind (supervise is their subreaper, see ghost.h for others): TERM and CONT, KILL when patience is over
 *   3 loggers    their pipe has no writer any more: they read to its end and leave; `patience` anew, then KILL
 *   4 rest       what loggers left behind: KILL
 *
 * The services' files are written when all are gone, or after a moment: what would write them is needed by what dies.
 *
 * stop_step is called at the end of every round; each death wakes the loop, so nothing is polled.
 */
#ifndef SUPERVISE_STOP_H
#define SUPERVISE_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "supervise/scan.h"

enum stop_phase { STOP_NOT, STOP_SERVICES, STOP_ORPHANS, STOP_LOGGERS, STOP_REST, STOP_DONE };

#define STOP_ASKED_MAX 1024

struct stop {
	struct host *host;
	struct scan *scan;
	int64_t patience;
	enum stop_phase phase;
	bool overdue;		/* patience is over: KILL */
	struct loop_timer timer, look, write;
	bool blind;		/* /proc cannot be read: said */
	pid_t asked[STOP_ASKED_MAX];	/* orphans that got their TERM; a full list sends one another */
	unsigned nasked;
	unsigned strangers;	/* found by the last look */
};

void stop_init(struct stop *s, struct host *h, struct scan *scan, int64_t patience);
void stop_begin(struct stop *s);	/* harmless when begun */
void stop_step(struct stop *s);		/* ends the loop when all is done */

#endif
