/*
 * browser: the chat of web browsers, penstock-browser(7).
 *
 * What a client says goes to the hub; what a room shows comes back from the hub's destination `browser`, for the speaker too. A
 * batch taken from there is acknowledged as soon as it is in the rooms: whoever missed something asks for it by number.
 */
#ifndef GATEWAYD_BROWSER_H
#define GATEWAYD_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/args.h"

struct loop;
struct edge;
struct server;
struct outlet;
struct request;
struct browser;

struct browser_opts {
	const char *tenant;
	const char *take;		/* URL of the destination, NULL: nothing comes back */
	const char *query;		/* URL of store's query socket, NULL: no history */
	struct arg_list origins;	/* pages that may connect besides our own; "*": all */
	uint64_t max_clients;
	uint64_t say_rate, say_burst;	/* of one connection */
	uint64_t history;		/* lines shown to who joins anew */
	uint64_t ring_lines;		/* kept of each room */
	int64_t slow_time;		/* a client that takes nothing of what waits for so long is disconnected, and resumes */
	uint64_t max_rooms;
};

struct browser *browser_open(struct loop *l, struct edge *e, struct server *s, struct outlet *o,
	const struct browser_opts *opts);	/* NULL with a message */
/* Answers GET /chat: takes the connection, or refuses it. */
void browser_chat(struct browser *b, struct request *r);
bool browser_connected(const struct browser *b);	/* to the destination (true when there is none) */
bool browser_history(const struct browser *b);		/* to store */
/* Takes nothing more and says goodbye (1001) to every client. */
void browser_drain(struct browser *b);
size_t browser_clients(const struct browser *b);
/* After the edge is closed. */
void browser_close(struct browser *b);

#endif
