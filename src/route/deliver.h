/*
 * deliver: workers, batches, outcomes. A worker is a connection that asks for lines (a take); it is answered when there are some.
 * A batch belongs to its connection until it is reported done, the connection goes, or its deadline passes; then its lines go back to
 * the front of their lanes, each with a strike (lane.h: batches get smaller, so that one that kills workers is found). A `done` that
 * comes after that settles those lines that are still waiting, and does nothing else.
 */
#ifndef ROUTE_DELIVER_H
#define ROUTE_DELIVER_H

#include "link/link.h"
#include "route/dest.h"

extern const struct link_handler deliver_handler;	/* arg: struct dest * */

void deliver_serve(struct dest *d);	/* answers waiting workers as far as there are lines */
void deliver_stop(struct dest *d);	/* gives nothing out any more */
/* Connections of a worker set; those count for the split from now on. */
unsigned deliver_connected(struct dest *d, const char *set);
void deliver_recall(struct dest *d);	/* what the split's workers have of its share is to be done by others; they are heard when they are late */
bool deliver_busy(const struct dest *d);	/* batches are out */
void deliver_release(struct dest *d);	/* forgets batches; before the lanes are released */

#endif
