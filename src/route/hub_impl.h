/*
 * hub_impl: the inside of the hub, for hub.c and for the verbs, which are the hub's own hands. Nobody else includes it.
 */
#ifndef ROUTE_HUB_IMPL_H
#define ROUTE_HUB_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "route/control.h"
#include "route/dests.h"
#include "route/hub.h"
#include "route/intake.h"
#include "route/rules.h"
#include "route/spool.h"

struct hub {
	const struct hub_config *c;
	struct loop *loop;
	struct spool *spool;
	struct rules_book book;
	char *rules_dir;
	struct intake intake;
	struct dests dests;
	struct control control;
	uint64_t walk_from;			/* at start: lines from here on go into the repeat window */
	bool stopping;
	int64_t give_up;			/* mono ns: end of patience */
	struct loop_timer trim_timer, stop_timer;
};

#endif
