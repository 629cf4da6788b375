/*
 * upstream: what carries out the wishes of platforms (../platform/platform.h): the accounts of a folder, their connections, lines to the hub,
 * HTTP requests, what is sent to us, what is to be said.
 *
 *   upstream.c  a folder of accounts, again at SIGHUP     account.c  one of them: begun, changed, ended
 *   conn.c      a connection: life.h carried out          tell.c     what is told of it
 *   budget.c    identifies                                sock.c     its sockets, timers, liveness
 *   line.c      lines to the hub and what comes back of them
 *   state.c     what is kept on disk, saved.c looks at all of it    http.c    requests and tokens
 *   hook.c      POST /hook/...                            say.c      message.send
 *   drain.c     handing over                              show.c     status
 *   faults.c    what is wrong with accounts            owe.c      what is lost with a process, and nobody else would know
 *
 * Lines wait in memory until the hub has acknowledged them; when too many do, sockets are not read any more until it has caught up.
 */
#ifndef GATEWAYD_UPSTREAM_H
#define GATEWAYD_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct loop;
struct outlet;
struct request;
struct upstream;

struct upstream_opts {
	const char *accounts;		/* folder of TENANT/NAME.conf */
	const char *state;		/* folder for states, leases, ledgers */
	const char *say;		/* destination whose message.send lines are said here; NULL: none */
	uint64_t max_body;		/* of a hook */
	int64_t hook_time;		/* for the hub to acknowledge what a hook brought */
	uint64_t max_sent;		/* lines with the outlet at a time: it has others to serve, too */
	uint64_t max_held;		/* bytes of lines that the hub has not acknowledged */
	int64_t stall;			/* wires_open */
	int64_t drain_time;		/* from upstream_drain to the end, whatever is done by then */
};

/* Reads the accounts and begins. NULL with a message. */
struct upstream *upstream_open(struct loop *l, struct outlet *o, const struct upstream_opts *opts);
/* Reads the folder again: what changed is changed, nothing else is touched. -1: not now, it is being drained. */
int upstream_reload(struct upstream *u);
/* Gives every connection to a process that waits for it, or ends it in a way that its session lives on, and saves. upstream_idle says when it is done. */
void upstream_drain(struct upstream *u);
void upstream_round(struct upstream *u);		/* at the end of a round, before outlet_flush */
bool upstream_idle(const struct upstream *u);		/* no connection is up and no line waits for the hub */
size_t upstream_waiting(const struct upstream *u);	/* lines that the hub has not acknowledged */
void upstream_close(struct upstream *u);		/* after outlet_close */

/* Gives connections to other processes of the host that wait for them, one after the other: how many are being given. why: when none. */
size_t upstream_hand_over(struct upstream *u, const char *tenant, const char *account, const char **why);

/* POST /hook/TENANT/ACCOUNT/...: the most bytes of body to take; 0 when it was answered. */
uint64_t upstream_hook_head(struct upstream *u, struct request *r);
void upstream_hook(struct upstream *u, struct request *r);

/* Appends a JSON object of all accounts and connections. -1: no memory. */
int upstream_show(struct upstream *u, struct buf *json);
/* Appends a JSON array: what was wrong with accounts when they were read last, objects with level (error, warn) and text. */
void upstream_faults(const struct upstream *u, struct buf *json);

#endif
