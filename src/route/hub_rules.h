/*
 * hub_rules: the hub's rules: those it starts with, and new ones while it runs.
 *
 * New rules are read, judged and kept on disk by a thread of their own, so that neither a slow disk nor a long file makes lines
 * wait; the loop then puts them in force between two lines. What changes them is SIGHUP or the verb reload; asked for while
 * one is under way, it is done once more afterwards.
 */
#ifndef ROUTE_HUB_RULES_H
#define ROUTE_HUB_RULES_H

#include "base/loop.h"
#include "route/rules.h"

struct hub;
struct call;

#define RULES_METRICS 128u		/* rules with a row in the metrics; all are in the answer of the verb `rules` */

struct hub_rules {
	uint64_t from;			/* first line that those in force decided about in this process; */
	struct rules *first;		/* read, not in force yet */
	struct loop_io io;		/* the thread's eventfd */
	struct reload *under_way;	/* with the thread */
	struct reload *next;		/* asked for meanwhile */
	uint64_t *cells[RULES_METRICS];	/* of the rules in force; NULL: no row */
	uint64_t counted[RULES_METRICS];
};

int hub_rules_read(struct hub *h);	/* before anything is opened: are there rules without a fault? -1 with a message */
int hub_rules_start(struct hub *h);	/* puts them in force, destinations opened; -1 with a message */
void hub_rules_reload(struct hub *h, struct call *c);	/* c is answered when it is done; NULL: nobody asks */
/* hub_hits.c: hits of rules to the metrics; find: the rules in force are others. */
void hub_hits_find(struct hub *h);
void hub_hits_count(struct hub *h);
void hub_rules_release(struct hub *h);	/* waits for the thread; calls get no answer any more */

#endif
