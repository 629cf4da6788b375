/*
 * queue: which message goes out next. Pure.
 *
 * Messages with the same lane (a channel of an account, an interaction) go out one after the other, in the order they were added. Before one goes,
 * every gate it needs has to be open: a gate is a rate limit, a bucket of a platform, a breaker, the connections to a host. A lane that finds
 * one closed waits there, with the others, in order; those that need other gates go on. Urgent lanes (interactions) are asked first, also
 * among those that wait at a gate.
 *
 * now is clock_mono() nanoseconds. Nothing here is called back but needs(). Gates and lanes are made when they are first named and forgotten
 * when nothing is to be remembered of them.
 */
#ifndef DELIVER_QUEUE_H
#define DELIVER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timer.h"
#include "deliver/target/target.h"

#define QUEUE_NEVER INT64_MAX
#define QUEUE_LANE_MAX 4096u		/* no lane takes the place of all */
#define QUEUE_NEEDS (NEEDS_MAX + 4)	/* those of a target, and four of whoever carries out */

struct lane;
struct gate;

/* The caller's, in its own struct; zeroed. */
struct item {
	struct item *next;
	struct lane *lane;
	struct gate *gate[QUEUE_NEEDS];	/* while it is under way: those it holds */
	unsigned ngates;
};

struct queue {
	struct lane **lanes;		/* hash tables */
	struct gate **gates;
	size_t nlanes, caplanes, ngates, capgates;
	struct row { struct lane *first, *last; } ready[2];	/* [0]: urgent */
	struct timer_heap timers;
	size_t waiting, under_way;	/* items */
	int64_t now, swept;
	uint64_t key[2];		/* of the tables: names are strangers' */
	/* The gates that item needs, at most QUEUE_NEEDS; their number. */
	unsigned (*needs)(void *arg, struct item *i, struct need *to);
	void *arg;
};

void queue_init(struct queue *q, const uint64_t key[2], unsigned (*needs)(void *arg, struct item *i, struct need *to), void *arg);
void queue_release(struct queue *q);	/* items are the caller's */

/* Behind the others. -1: ENOMEM, EAGAIN QUEUE_LANE_MAX wait there already. */
int queue_add(struct queue *q, const char *lane, bool urgent, struct item *i);
/* The next one that may go, which is then under way; NULL: none now. urgent: of those only. */
struct item *queue_next(struct queue *q, bool urgent, int64_t now);
/* An item under way comes back: its request has ended. It stays the first of its lane until queue_off; not before due (0: at once). */
void queue_back(struct queue *q, struct item *i, int64_t now, int64_t due);
/* Takes an item that is not under way out. */
void queue_off(struct queue *q, struct item *i);
/* When queue_next will give something that it does not now, unless something comes back before; QUEUE_NEVER. */
int64_t queue_due(const struct queue *q, bool urgent);

/* What a platform says about a gate: so many may go until `reset` ns from now, then `limit` again. A gate that nobody told lets one go at a time, if
 * its need says so. -1: no memory. */
int queue_told(struct queue *q, const char *gate, uint32_t left, uint32_t limit, int64_t reset, int64_t now);
/* Closed for so long at least; probing: one request at a time from then on, until queue_open. -1: no memory. */
int queue_close(struct queue *q, const char *gate, int64_t wait, bool probing, int64_t now);
void queue_open(struct queue *q, const char *gate, int64_t now);
/* Is one of the gates that an item under way went through closed now? */
bool queue_closed(const struct item *i, int64_t now);
/* Of an item under way: the k-th of its gates, if that has a limit within a time of QUEUE_LONG or more; false: it has none, or there is no k-th
 * (*end). Shorter ones are not worth remembering over a restart. */
bool queue_window(const struct item *i, unsigned k, struct need *to, bool *end);
/* Somebody went through that gate then, which lies behind. -1: no memory. */
int queue_used(struct queue *q, const struct need *gate, int64_t at);
#define QUEUE_LONG (5 * CLOCK_S)

#endif
