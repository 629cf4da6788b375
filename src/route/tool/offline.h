/*
 * offline: a spool opened by a tool as the hub would open it, under its lock; and the way to the hub when one runs on it.
 */
#ifndef ROUTE_TOOL_OFFLINE_H
#define ROUTE_TOOL_OFFLINE_H

#include "base/buf.h"
#include "route/cursor_file.h"
#include "route/rules.h"
#include "route/spool.h"

struct loop;

struct offline_dest { char name[RULES_DEST_NAME + 1]; struct cursor c; struct cursor_file f; };

struct offline {
	struct loop *loop;
	struct spool *spool;
	struct rules_book book;		/* place of a name: its index in dests */
	char *rules_dir;
	struct offline_dest *dests; size_t n;
	uint64_t held;			/* lines from here on may be held by the timer */
};

bool offline_in_use(const char *spool);		/* a hub has its lock */
/* Opens it with all cursors; as at the start of a hub, a torn end is cut and damage put in order. -1 with a message. */
int offline_open(struct offline *o, const char *spool);
void offline_close(struct offline *o);
int offline_save(struct offline_dest *d);		/* on disk; -1 with a message */
/* Asks the hub: question is a JSON object; the answer in reply. -1 with a message: it cannot be asked, or said no. */
int offline_ask(const char *run_dir, const char *question, struct buf *reply);

#endif
