/*
 * hub: spool, intake and destinations together: start, reload, stop. One per process.
 */
#ifndef ROUTE_HUB_H
#define ROUTE_HUB_H

#include "base/args.h"
#include "route/dest.h"
#include "route/spool.h"

struct hub_config {
	const char *run_dir;		/* listens on ipc://RUN_DIR/in and ipc://RUN_DIR/to-NAME; NULL: only on what is listed */
	const char *rules;		/* file */
	const char *flags;		/* file of flags; NULL: "flags" beside the rules */
	struct arg_list intakes;	/* URLs, "-" = stdin */
	struct arg_list outlets;	/* NAME=URL */
	struct spool_opts spool;
	struct dest_limits limits;
	struct link_opts link;			/* of listeners: TLS files */
};

/* Runs until SIGTERM, SIGINT, or the end of stdin when that is the only intake; returns the exit code. */
int hub_run(const struct hub_config *c);

#endif
