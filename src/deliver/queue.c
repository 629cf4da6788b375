#include "deliver/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define SWEEP (30 * CLOCK_S)		/* between two looks for gates that need not be remembered */
#define SAME_WINDOW (500 * CLOCK_MS)	/* two answers that name a reset so near to each other speak of the same window */

enum place { IDLE, READY, WAITING, PAUSED, BUSY };

struct lane {
	struct lane *chain;
	struct queue *q;
	char *name;
	struct item *first, **last;
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
	int64_t *times, until, reset;	/* times: the last need.n */
	uint32_t oldest, under_way, left, limit;
	bool told, probing;
	struct row waiting;
	struct loop_timer timer;
};

/* ---- rows of lanes ---- */

static void row_add(struct row *r, struct lane *l, bool front)
{
	l->prev = front ? NULL : r->last;
	l->next = front ? r->first : NULL;
	*(l->prev ? &l->prev->next : &r->first) = l;
	*(l->next ? &l->next->prev : &r->last) = l;
}

static void row_del(struct row *r, struct lane *l)
{
	*(l->prev ? &l->prev->next : &r->first) = l->next;
	*(l->next ? &l->next->prev : &r->last) = l->prev;
	l->prev = l->next = NULL;
}

/* ---- gates ---- */

/* 0: open; when it opens; QUEUE_NEVER: when something comes back. */
static int64_t opens(struct gate *g, int64_t now)
{
	const struct need *n = &g->need;

	if (now < g->until)
		return g->until;
	if (g->told && now >= g->reset)
		g->left = g->limit;
	if ((g->probing && g->under_way) || (n->most && g->under_way >= n->most) ||
	    (!g->told && n->unknown && g->under_way >= n->unknown))
		return QUEUE_NEVER;
	if (g->told && g->left == 0)
		return g->reset;
	if (g->times && g->times[g->oldest] && g->times[g->oldest] + n->period > now)
		return g->times[g->oldest] + n->period;
	return 0;
}

static uint32_t room(const struct gate *g)
{
	uint32_t n = UINT32_MAX;

	if (g->probing)
		return 1;
	if (g->need.most)
		n = g->need.most - g->under_way;
	if (!g->told && g->need.unknown && g->need.unknown - g->under_way < n)
		n = g->need.unknown - g->under_way;
	if (g->told && g->left < n)
		n = g->left;
	return g->times && g->need.n < n ? g->need.n : n;
}

static void ready(struct lane *l)
{
	l->place = READY;
	row_add(&l->q->ready[!l->urgent], l, false);
}

/* Wakes whom it has room for, or sets the time when it may. */
static void settle(struct gate *g)
{
	int64_t due;

	timer_del(&g->q->timers, &g->timer);
	if (!g->waiting.first)
		return;
	due = opens(g, g->q->now);
	if (due && due != QUEUE_NEVER && timer_set(&g->q->timers, &g->timer, due))
		due = 0; /* no memory for it: they ask again and again */
	if (due)
		return;
	for (uint32_t n = room(g); n && g->waiting.first; n--) {
		struct lane *l = g->waiting.first;

		row_del(&g->waiting, l);
		l->at = NULL;
		l->woken = g;
		ready(l);
	}
}

static void gate_due(void *arg)
{
	settle(arg);
}

static uint64_t hash(const struct queue *q, const char *name)
{
	return sip_hash(q->key, name, strlen(name)).a;
}

static struct gate *gate_find(const struct queue *q, const char *name)
{
	struct gate *g = q->capgates ? q->gates[hash(q, name) & (q->capgates - 1)] : NULL;

	while (g && strcmp(g->name, name) != 0)
		g = g->chain;
	return g;
}

/* Twice as many places, for as many or more entries than there are. */
static int grow_gates(struct queue *q)
{
	size_t cap = q->capgates ? 2 * q->capgates : 64;
	struct gate **v;

	if (q->ngates < q->capgates)
		return 0;
	v = calloc(cap, sizeof(struct gate *));
	if (!v)
		return -1;
	for (size_t i = 0; i < q->capgates; i++)
		for (struct gate *g = q->gates[i], *next; g; g = next) {
			struct gate **at = &v[hash(q, g->name) & (cap - 1)];

			next = g->chain;
			g->chain = *at;
			*at = g;
		}
	free(q->gates);
	q->gates = v;
	q->capgates = cap;
	return 0;
}

static struct gate *gate_get(struct queue *q, const char *name)
{
	struct gate *g = gate_find(q, name), **at;

	if (g || grow_gates(q) || !(g = calloc(1, sizeof(*g))))
		return g;
	g->name = strdup(name);
	if (!g->name) {
		free(g);
		return NULL;
	}
	g->q = q;
	g->timer = (struct loop_timer){.fn = gate_due, .arg = g};
	at = &q->gates[hash(q, name) & (q->capgates - 1)];
	g->chain = *at;
	*at = g;
	q->ngates++;
	return g;
}

static void gate_free(struct gate *g)
{
	timer_del(&g->q->timers, &g->timer);
	free(g->times);
	free(g->name);
	free(g);
}

static struct gate *gate_needed(struct queue *q, const struct need *n)
{
	struct gate *g = gate_get(q, n->name);

	if (!g)
		return NULL;
	if (n->n && !g->times && !(g->times = calloc(n->n, sizeof(*g->times))))
		return NULL;
	if (!g->need.n)
		g->need.n = n->n, g->need.period = n->period;
	g->need.most = n->most;
	g->need.unknown = n->unknown;
	return g;
}

/* Is there anything to remember? */
static bool gate_idle(struct gate *g, int64_t now)
{
	uint32_t newest = g->need.n ? (g->oldest + g->need.n - 1) % g->need.n : 0;

	return !g->waiting.first && !g->under_way && !g->probing && now >= g->until && (!g->told || now >= g->reset) &&
		(!g->times || g->times[newest] + g->need.period <= now);
}

static void sweep(struct queue *q, int64_t now)
{
	q->swept = now;
	for (size_t i = 0; i < q->capgates; i++)
		for (struct gate **at = &q->gates[i], *g; (g = *at); ) {
			if (!gate_idle(g, now)) {
				at = &g->chain;
				continue;
			}
			*at = g->chain;
			gate_free(g);
			q->ngates--;
		}
}

int queue_told(struct queue *q, const char *gate, uint32_t left, uint32_t limit, int64_t reset, int64_t now)
{
	struct gate *g = gate_get(q, gate);
	uint32_t others;

	if (!g)
		return -1;
	q->now = now;
	/* Those still under way are not in the platform's count yet; the one whose answer this is is in it. */
	others = g->under_way ? g->under_way - 1 : 0;
	left = left > others ? left - others : 0;
	if (g->told && now < g->reset && g->left < left && now + reset < g->reset + SAME_WINDOW)
		left = g->left;
	g->told = true;
	g->left = left;
	g->limit = limit ? limit : 1;
	g->reset = now + reset;
	settle(g);
	return 0;
}

int queue_close(struct queue *q, const char *gate, int64_t wait, bool probing, int64_t now)
{
	struct gate *g = gate_get(q, gate);

	if (!g)
		return -1;
	q->now = now;
	g->probing |= probing;
	if (now + wait > g->until)
		g->until = now + wait;
	settle(g);
	return 0;
}

void queue_open(struct queue *q, const char *gate, int64_t now)
{
	struct gate *g = gate_find(q, gate);

	if (!g || !g->probing)
		return;
	q->now = now;
	g->probing = false;
	g->until = 0;
	settle(g);
}

/* ---- lanes ---- */

static void lane_due(void *arg)
{
	ready(arg);
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
			struct lane **at = &v[hash(q, l->name) & (cap - 1)];

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
	struct lane *l = q->caplanes ? q->lanes[hash(q, name) & (q->caplanes - 1)] : NULL, **at;

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
	at = &q->lanes[hash(q, name) & (q->caplanes - 1)];
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
		row_del(&l->at->waiting, l);
	else if (l->place == PAUSED)
		timer_del(&l->q->timers, &l->timer);
	l->place = IDLE;
	l->at = l->woken = NULL;
	if (woken)
		settle(woken);
}

static void lane_free(struct lane *l)
{
	struct queue *q = l->q;
	struct lane **at = &q->lanes[hash(q, l->name) & (q->caplanes - 1)];

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

	if (!l) {
		errno = ENOMEM;
		return -1;
	}
	i->lane = l;
	i->next = NULL;
	i->ngates = 0;
	*l->last = i;
	l->last = &i->next;
	q->waiting++;
	if (l->place == IDLE)
		ready(l);
	return 0;
}

/* ---- going ---- */

static void wait_at(struct lane *l, struct gate *g)
{
	struct gate *woken = l->woken;

	l->place = WAITING;
	l->at = g;
	l->woken = NULL;
	row_add(&g->waiting, l, woken == g);
	settle(g);
	if (woken && woken != g)
		settle(woken);
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
		settle(woken);
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
				ready(l);
			return NULL;
		}
		if (opens(g[k], now)) {
			wait_at(l, g[k]);
			return NULL;
		}
	}
	go(l, i, g, n, now);
	return i;
}

struct item *queue_next(struct queue *q, int64_t now)
{
	q->now = now;
	for (struct loop_timer *t; (t = timer_first(&q->timers)) && t->due <= now; ) {
		timer_del(&q->timers, t);
		t->fn(t->arg);
	}
	for (int r = 0; r < 2; r++) {
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
	if (now - q->swept > SWEEP)
		sweep(q, now);
	return NULL;
}

static void give_back(struct item *i)
{
	unsigned n = i->ngates;

	i->ngates = 0;
	for (unsigned k = 0; k < n; k++)
		i->gate[k]->under_way--;
	for (unsigned k = 0; k < n; k++)
		settle(i->gate[k]);
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
		ready(l);
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
	q->waiting--;
	if (!l->first) {
		lane_free(l);
	} else if (head && l->place != BUSY && l->place != READY) {
		/* The next one may need other gates. */
		leave(l);
		ready(l);
	}
}

int64_t queue_due(const struct queue *q)
{
	const struct loop_timer *t = timer_first(&q->timers);

	if (q->ready[0].first || q->ready[1].first)
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
	for (size_t i = 0; i < q->capgates; i++)
		while (q->gates[i]) {
			struct gate *g = q->gates[i];

			q->gates[i] = g->chain;
			gate_free(g);
		}
	free(q->lanes);
	free(q->gates);
	timer_release(&q->timers);
	*q = (struct queue){0};
}
