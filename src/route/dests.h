/*
 * dests: all destinations of this process, by place. A place is a bit in the masks of lines (rules.h); it is free again when its
 * destination is forgotten, and then no line that can still be read has that bit.
 */
#ifndef ROUTE_DESTS_H
#define ROUTE_DESTS_H

#include "base/args.h"
#include "route/dest.h"

struct dests {
	struct dest *v[RULES_DESTS];		/* by place; NULL: free */
	struct dest_config config;
	const char *run_dir;			/* each listens on ipc://RUN_DIR/to-NAME; NULL: it does not */
	struct arg_list outlets;		/* NAME=URL */
};

#define EACH_DEST(ds, d) for (struct dest **at_ = (ds)->v, *d; at_ < (ds)->v + RULES_DESTS; at_++) if ((d = *at_))

int dests_place(void *dests, const char *name);		/* -1: there is none; for rules_bind */
/* At start: every destination that has a cursor file. -1 with a message. */
int dests_open_old(struct dests *ds);
/* Those of r that are not there yet; they start with the next line. On failure none of them is left, -1 with a message. */
int dests_open_new(struct dests *ds, const struct rules *r);
int dests_listen(struct dests *ds);			/* those that do not listen yet; -1 with a message */
/* The rules in force changed: their settings hold, and those they no longer name get no line from `from` on. */
void dests_mark_unnamed(struct dests *ds, const struct rules *r, uint64_t from);
bool dests_drop_drained(struct dests *ds);		/* forgets those that are no longer named and have nothing left; true: some */
uint64_t dests_low(const struct dests *ds, uint64_t otherwise);	/* the lowest line that one of them still needs, mirrors excepted */
/* Closes it, lets `change` have its cursor, and opens it again; its workers are disconnected. -1 with a message: the cursor is as it was. */
int dests_renew(struct dests *ds, struct dest *d, int (*change)(void *arg, struct cursor *c), void *arg);
void dests_close(struct dests *ds);

#endif
