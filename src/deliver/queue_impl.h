/* What queue.c (lanes) and gate.c (gates) share. Private to them. */
#ifndef DELIVER_QUEUE_IMPL_H
#define DELIVER_QUEUE_IMPL_H

#include "deliver/queue.h"

enum place { IDLE, READY, WAITING, PAUSED, BUSY };

struct lane {
	struct lane *chain;
	struct queue *q;
	char *name;
	struct item *first, **last;
	size_t n;
	enum place place;
	bool urgent;
	struct gate *at;		/* WAITING: where */
	struct gate *woken;		/* by a gate that has room for one: to be handed on when it is not used */
	struct lane *prev, *next;	/* of the row it stands in */
	struct loop_timer timer;	/* PAUSED */
};

struct gate {
	struct gate *chain;
	struct queue *q;
	char *name;
	struct need need;
	int64_t *times, until, sure, reset, window;	/* times: the last need.n; sure: until when it is closed even if a probe does well */
	uint32_t oldest, under_way, left, limit;
	bool told, probing;
	struct row waiting[2];		/* [0]: urgent */
	struct loop_timer timer;
};

static inline void row_add(struct row *r, struct lane *l, bool front)
{
	l->prev = front ? NULL : r->last;
	l->next = front ? r->first : NULL;
	*(l->prev ? &l->prev->next : &r->first) = l;
	*(l->next ? &l->next->prev : &r->last) = l;
}

static inline void row_del(struct row *r, struct lane *l)
{
	*(l->prev ? &l->prev->next : &r->first) = l->next;
	*(l->next ? &l->next->prev : &r->last) = l->prev;
	l->prev = l->next = NULL;
}

static inline void lane_ready(struct lane *l)
{
	l->place = READY;
	row_add(&l->q->ready[!l->urgent], l, false);
}

uint64_t queue_hash(const struct queue *q, const char *name);

int64_t gate_opens(struct gate *g, int64_t now);		/* 0: open; when it opens; QUEUE_NEVER: when something comes back */
void gate_settle(struct gate *g);				/* wakes whom it has room for, or sets the time when it may */
struct gate *gate_needed(struct queue *q, const struct need *n);	/* made when missing; NULL: no memory */
void gate_sweep(struct queue *q, int64_t now);			/* forgets those of which nothing is to be remembered */
void gate_free_all(struct queue *q);

#endif
