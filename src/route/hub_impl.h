/*
 * hub_impl: the inside of the hub, for hub.c and for the verbs, which are the hub's own hands. Nobody else includes it.
 */
#ifndef ROUTE_HUB_IMPL_H
#define ROUTE_HUB_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "route/again.h"
#include "route/control.h"
#include "route/dests.h"
#include "route/hub.h"
#include "route/hub_gap.h"
#include "route/hub_rules.h"
#include "route/intake.h"
#include "route/rules.h"
#include "route/spool.h"
#include "route/timer.h"

struct hub {
	const struct hub_config *c;
	struct loop *loop;
	struct spool *spool;
	struct rules_book book;
	char *rules_dir;
	struct hub_rules rules;
	struct intake intake;
	struct dests dests;
	struct timer timer;
	struct hub_gap gap;
	struct control control;
	struct letters_said *letters;		/* at start; hub_letters.c */
	uint64_t walk_from;			/* at start: lines from here on go into the repeat window */
	bool stopping;
	bool undecided;				/* at start: a rule could not say where a kept line goes */
	int64_t give_up;			/* mono ns: end of patience */
	struct loop_timer trim_timer, stop_timer;
};

/*
 * Adds a line for an event that came before (again.h; a->p and a->n are the event): the only way such a line comes to be.
 * Its number, or 0: not now (no memory, or the disk takes nothing): try later. It goes on beyond the spool's limit, so
 * that what frees the spool is never stopped by it. When it is on disk is told by a waiter: call spool_wait after the last one.
 */
uint64_t hub_again(struct hub *h, const struct again *a);

#define LETTERS_MOST 1024u		/* dead letters that are said again together (verb/again.c) */
#define LETTERS_BEHIND 131072u		/* lines that two groups can hold at most */
/* At start: a line of the spool; and, when all are seen, the letters that were said again and not marked are marked. -1 with a message. */
void hub_letters_seen(struct hub *h, const struct spool_view *v);
int hub_letters_settle(struct hub *h);

#endif
