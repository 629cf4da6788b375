/*
 * config: options and configuration file to one struct; every default and range stands here. gatewayd.8 describes them.
 */
#ifndef GATEWAYD_CONFIG_H
#define GATEWAYD_CONFIG_H

#include "base/args.h"
#include "gatewayd/browser/browser.h"
#include "gatewayd/edge.h"
#include "gatewayd/http/server.h"
#include "gatewayd/intake.h"
#include "gatewayd/upstream/upstream.h"

struct config {
	const char *output;
	uint64_t backlog, backlog_bytes;	/* events taken in that the hub has not acknowledged */
	struct arg_list hosts;
	const char *webhook_rate;
	int64_t drain_time;
	struct server_opts server;
	struct edge_opts edge;
	struct browser_opts browser;
	struct intake intake;
	struct upstream_opts upstream;		/* accounts NULL: none */
	const char *control;			/* NULL: no control socket */
};

/* Ends the program with code 2 and a message when something is wrong. */
void config_read(struct config *c, int argc, char **argv);

#endif
