/*
 * hub_gap: says in-band which lines of the spool are gone: an event spool.gap (penstock-events(5)) for each range, put into the spool as an
 * ordinary line and routed by the rules. Its id is the range; so it is said once, whatever is killed when.
 */
#ifndef ROUTE_HUB_GAP_H
#define ROUTE_HUB_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "route/spool.h"

struct hub;

struct hub_gap {
	struct spool_waiter waiter;	/* first: told() gets it */
	struct hub *hub;
	uint64_t from;			/* the gap that is being said */
	bool busy;
	struct loop_timer again;
};

void hub_gap_say(struct hub *h);	/* if there is something to say and nothing in the way; cheap otherwise */
void hub_gap_release(struct hub *h);

#endif
