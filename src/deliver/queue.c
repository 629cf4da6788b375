/* lanes: messages one after the other, and whose turn it is. */
#include "deliver/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/queue_impl.h"

#define SWEEP (30 * CLOCK_S)		/* between two looks for gates that need not be remembered */

static void lane_due(void *arg)
{
	lane_ready(arg);
}

static int grow_lanes(struct queue *q)
{
	size_t cap = q->caplanes ? 2 * q->caplanes : 64;
	struct lane **v;

	if (q->nlanes < q->caplanes)
		return 0;
	v = calloc(cap, sizeof(struct lane *));
	if (!v)
		return -1;
	for (size_t i = 0; i < q->caplanes; i++)
		for (struct lane *l = q->lanes[i], *next; l; l = next) {
			struct lane **at = &v[queue_hash(q, l->name) & (cap - 1)];

			next = l->chain;
			l->chain = *at;
			*at = l;
		}
	free(q->lanes);
	q->lanes = v;
	q->caplanes = cap;
	return 0;
}

static struct lane *lane_get(struct queue *q, const char *name, bool urgent)
{
	struct lane *l = q->caplanes ? q->lanes[queue_hash(q, name) & (q->caplanes - 1)] : NULL, **at;

	while (l && strcmp(l->name, name) != 0)
		l = l->chain;
	if (l || grow_lanes(q) || !(l = calloc(1, sizeof(*l))))
		return l;
	l->name = strdup(name);
	if (!l->name) {
		free(l);
		return NULL;
	}
	l->q = q;
	l->urgent = urgent;
	l->last = &l->first;
	l->timer = (struct loop_timer){.fn = lane_due, .arg = l};
	at = &q->lanes[queue_hash(q, name) & (q->caplanes - 1)];
	l->chain = *at;
	*at = l;
	q->nlanes++;
	return l;
}

/* Out of wherever it stands. Room that a gate woke it for goes to the next one there. */
static void leave(struct lane *l)
{
	struct gate *woken = l->woken;

	if (l->place == READY)
		row_del(&l->q->ready[!l->urgent], l);
	else if (l->place == WAITING)
		row_del(&l->at->waiting[!l->urgent], l);
	else if (l->place == PAUSED)
		timer_del(&l->q->timers, &l->timer);
	l->place = IDLE;
	l->at = l->woken = NULL;
	if (woken)
		gate_settle(woken);
}

static void lane_free(struct lane *l)
{
	struct queue *q = l->q;
	struct lane **at = &q->lanes[queue_hash(q, l->name) & (q->caplanes - 1)];

	leave(l);
	while (*at != l)
		at = &(*at)->chain;
	*at = l->chain;
	q->nlanes--;
	free(l->name);
	free(l);
}

int queue_add(struct queue *q, const char *lane, bool urgent, struct item *i)
{
	struct lane *l = lane_get(q, lane, urgent);

	if (!l || l->n == QUEUE_LANE_MAX) {
		errno = l ? EAGAIN : ENOMEM;
		return -1;
	}
	l->n++;
	i->lane = l;
	i->next = NULL;
	i->ngates = 0;
	*l->last = i;
	l->last = &i->next;
	q->waiting++;
	if (l->place == IDLE)
		lane_ready(l);
	return 0;
}

/* ---- going ---- */

static void wait_at(struct lane *l, struct gate *g)
{
	struct gate *woken = l->woken;

	l->place = WAITING;
	l->at = g;
	l->woken = NULL;
	row_add(&g->waiting[!l->urgent], l, woken == g);
	gate_settle(g);
	if (woken && woken != g)
		gate_settle(woken);
}

static void go(struct lane *l, struct item *i, struct gate *const *g, unsigned n, int64_t now)
{
	l->place = BUSY;
	for (unsigned k = 0; k < n; k++) {
		g[k]->under_way++;
		if (g[k]->told && g[k]->left)
			g[k]->left--;
		if (g[k]->times) {
			g[k]->times[g[k]->oldest] = now;
			g[k]->oldest = (g[k]->oldest + 1) % g[k]->need.n;
		}
		i->gate[k] = g[k];
	}
	i->ngates = n;
	l->q->waiting--;
	l->q->under_way++;
	if (l->woken) {
		struct gate *woken = l->woken;

		l->woken = NULL;
		gate_settle(woken);
	}
}

static struct item *try(struct lane *l, int64_t now)
{
	struct queue *q = l->q;
	struct item *i = l->first;
	struct need need[QUEUE_NEEDS];
	struct gate *g[QUEUE_NEEDS];
	unsigned n = q->needs(q->arg, i, need);

	for (unsigned k = 0; k < n; k++) {
		g[k] = gate_needed(q, &need[k]);
		if (!g[k]) {
			/* No memory now. */
			l->place = PAUSED;
			if (timer_set(&q->timers, &l->timer, now + CLOCK_S))
				lane_ready(l);
			return NULL;
		}
		if (gate_opens(g[k], now)) {
			wait_at(l, g[k]);
			return NULL;
		}
	}
	go(l, i, g, n, now);
	return i;
}

struct item *queue_next(struct queue *q, bool urgent, int64_t now)
{
	q->now = now;
	for (struct loop_timer *t; (t = timer_first(&q->timers)) && t->due <= now; ) {
		timer_del(&q->timers, t);
		t->fn(t->arg);
	}
	for (int r = 0; r < (urgent ? 1 : 2); r++) {
		struct lane *l;

		while ((l = q->ready[r].first)) {
			struct item *i;

			row_del(&q->ready[r], l);
			l->place = IDLE;
			i = try(l, now);
			if (i)
				return i;
			if (l->place == READY)
				break; /* no memory at all: later */
		}
	}
	/* Nobody is on the way from one: what it was woken by must stay. */
	if (now - q->swept > SWEEP && !q->ready[0].first && !q->ready[1].first)
		gate_sweep(q, now);
	return NULL;
}

static void give_back(struct item *i)
{
	unsigned n = i->ngates;

	i->ngates = 0;
	for (unsigned k = 0; k < n; k++)
		i->gate[k]->under_way--;
	for (unsigned k = 0; k < n; k++)
		gate_settle(i->gate[k]);
}

void queue_back(struct queue *q, struct item *i, int64_t now, int64_t due)
{
	struct lane *l = i->lane;

	q->now = now;
	q->under_way--;
	q->waiting++;
	l->place = IDLE;
	give_back(i);
	if (due > now && timer_set(&q->timers, &l->timer, due) == 0)
		l->place = PAUSED;
	else
		lane_ready(l);
}

void queue_off(struct queue *q, struct item *i)
{
	struct lane *l = i->lane;
	bool head = l->first == i;
	struct item **at = &l->first;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	if (l->last == &i->next)
		l->last = at;
	i->next = NULL;
	i->lane = NULL;
	l->n--;
	q->waiting--;
	if (!l->first) {
		lane_free(l);
	} else if (head && l->place != BUSY && l->place != READY) {
		/* The next one may need other gates. */
		leave(l);
		lane_ready(l);
	}
}

int64_t queue_due(const struct queue *q, bool urgent)
{
	const struct loop_timer *t = timer_first(&q->timers);

	if (q->ready[0].first || (q->ready[1].first && !urgent))
		return 1;
	return t ? t->due : QUEUE_NEVER;
}

void queue_init(struct queue *q, const uint64_t key[2], unsigned (*needs)(void *arg, struct item *i, struct need *to), void *arg)
{
	*q = (struct queue){.needs = needs, .arg = arg, .key = {key[0], key[1]}};
}

void queue_release(struct queue *q)
{
	for (size_t i = 0; i < q->caplanes; i++)
		while (q->lanes[i]) {
			struct lane *l = q->lanes[i];

			q->lanes[i] = l->chain;
			timer_del(&q->timers, &l->timer);
			free(l->name);
			free(l);
		}
	gate_free_all(q);
	free(q->lanes);
	timer_release(&q->timers);
	*q = (struct queue){0};
}
