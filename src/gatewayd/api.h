/*
 * api: which request goes where.
 *
 *   /  /chat.css  /chat.js  /icon.svg    the chat page
 *   /chat                                WebSocket, penstock-browser(7)
 *   POST /events                         CloudEvents in; OPTIONS: the webhook handshake
 *   POST /hook/TENANT/ACCOUNT...         requests of platforms
 *   /livez  /readyz                      health
 */
#ifndef GATEWAYD_API_H
#define GATEWAYD_API_H

#include <stdbool.h>

#include "base/args.h"
#include "gatewayd/http/server.h"

struct browser;
struct intake;
struct outlet;
struct upstream;

struct api {
	struct intake *intake;
	struct browser *browser;
	struct outlet *outlet;
	struct upstream *upstream;	/* NULL: no accounts */
	struct arg_list hosts;		/* names this server answers to, besides numbers and localhost; "*": all */
	const char *webhook_rate;	/* "*" or a number a minute, for the webhook handshake */
};

/* Are the links up that the gateway cannot work without? */
bool api_ready(const struct api *a);

extern const struct server_handler api_handler;		/* arg: struct api */

#endif
