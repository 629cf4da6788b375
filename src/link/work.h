/*
 * work: the skeleton of every stage: take a batch, do it, give what it made, acknowledge last (law 3).
 *
 *   work_run opens -i and -o, and for each batch calls begin, line for each line, commit; `line` appends what it makes to `out` (whole lines) or refuses the
 *   line. What was made is put on -o; only when that is acknowledged is the taken batch reported done, with the refusals.
 *   A line of the output that the next hop refuses with retry is put again with back-off. One it refuses for good makes the input
 *   line that caused it refused for good, with that reason: it goes to the dead letters of this stage, where a person sees it.
 *
 * Law 1: when either side is a pipe, the stage is a filter in a stream: with work.filter set, every input line goes to the
 * output unchanged, in order, before what was made from it. Between the hub's endpoints only what was made is given.
 * The stage is called a line at a time (`line`); one that works by the batch (store: one transaction) also sets `begin` and `commit`.
 *
 * SIGTERM, SIGINT: drain: finish what was taken, report it, exit 0. End of stdin: the same. When a hub is gone for 3 seconds meanwhile,
 * what was taken stays unreported, and the exit code is 1. SIGHUP calls reload.
 * Ready (notify_ready) when both sides are connected once (a pipe is at once).
 */
#ifndef LINK_WORK_H
#define LINK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/link.h"

struct buf;
struct loop;

struct work {
	const char *in, *out;		/* URLs; out NULL: a sink (store) */
	struct link_opts opts;		/* for the taking side; conns 2 keeps the next batch ready */
	bool filter;			/* pass lines on when a side is a pipe */
	/* A batch for which begin returns -1 is kept and begun again with back-off, and not given back to the hub: for a cause that is no fault
	 * of the lines (a full disk), which would make them dead letters. A stream's batch always is. */
	bool hold;
	void *arg;			/* handed to all below */
	int (*begin)(void *arg, const struct batch *b);			/* may be NULL; -1: the whole batch is refused with retry */
	/* One line without its LF. Appends whole lines to out. 0; or -1 = refused: *why static or valid until the next call, *retry. A stage that
	 * refuses a line with retry refuses those of its conversation (id_lane) behind it in the batch too: only so their order is kept. */
	int (*line)(void *arg, const char *p, size_t n, uint64_t seq, struct buf *out, const char **why, bool *retry);
	int (*commit)(void *arg);					/* may be NULL; -1: the whole batch is refused with retry */
	void (*reload)(void *arg);					/* SIGHUP; may be NULL */
	void (*start)(void *arg, struct loop *l);			/* once, before the loop runs: more sockets, timers; may be NULL */
	void (*stop)(void *arg);					/* once, after draining; may be NULL */
};

/* Runs until told to stop; returns the exit code (0 drained, 1 failure). */
int work_run(const struct work *w);

#endif
