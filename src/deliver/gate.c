/* gates: rate limits, buckets, breakers: when one is open, and who waits there. */
#include "deliver/queue_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define SAME_WINDOW (500 * CLOCK_MS)	/* two answers that name a reset so near to each other speak of the same window */

int64_t gate_opens(struct gate *g, int64_t now)
{
	const struct need *n = &g->need;

	if (now < g->until)
		return g->until;
	/* The next window, as long as the last one, until an answer tells more of it. */
	if (g->told && now >= g->reset) {
		g->left = g->limit;
		g->reset = now + g->window;
	}
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

static struct lane *first(const struct gate *g)
{
	return g->waiting[0].first ? g->waiting[0].first : g->waiting[1].first;
}

void gate_settle(struct gate *g)
{
	struct lane *l;
	int64_t due;

	timer_del(&g->q->timers, &g->timer);
	if (!first(g))
		return;
	due = gate_opens(g, g->q->now);
	if (due && due != QUEUE_NEVER && timer_set(&g->q->timers, &g->timer, due))
		due = 0; /* no memory for it: they ask again and again */
	if (due)
		return;
	for (uint32_t n = room(g); n && (l = first(g)); n--) {
		row_del(&g->waiting[!l->urgent], l);
		l->at = NULL;
		l->woken = g;
		lane_ready(l);
	}
}

static void gate_due(void *arg)
{
	gate_settle(arg);
}

uint64_t queue_hash(const struct queue *q, const char *name)
{
	return sip_hash(q->key, name, strlen(name)).a;
}

static struct gate *gate_find(const struct queue *q, const char *name)
{
	struct gate *g = q->capgates ? q->gates[queue_hash(q, name) & (q->capgates - 1)] : NULL;

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
			struct gate **at = &v[queue_hash(q, g->name) & (cap - 1)];

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
	at = &q->gates[queue_hash(q, name) & (q->capgates - 1)];
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

struct gate *gate_needed(struct queue *q, const struct need *n)
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

	return !first(g) && !g->under_way && !g->probing && now >= g->until && (!g->told || now >= g->reset) &&
		(!g->times || g->times[newest] + g->need.period <= now);
}

void gate_sweep(struct queue *q, int64_t now)
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
	g->window = reset;
	gate_settle(g);
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
	if (!probing && now + wait > g->sure)
		g->sure = now + wait;
	gate_settle(g);
	return 0;
}

void queue_open(struct queue *q, const char *gate, int64_t now)
{
	struct gate *g = gate_find(q, gate);

	if (!g || !g->probing)
		return;
	q->now = now;
	g->probing = false;
	g->until = g->sure;
	gate_settle(g);
}

bool queue_closed(const struct item *i, int64_t now)
{
	for (unsigned k = 0; k < i->ngates; k++)
		if (now < i->gate[k]->until)
			return true;
	return false;
}

bool queue_window(const struct item *i, unsigned k, struct need *to, bool *end)
{
	*end = k >= i->ngates;
	if (*end || !i->gate[k]->times || i->gate[k]->need.period < QUEUE_LONG)
		return false;
	*to = i->gate[k]->need;
	snprintf(to->name, sizeof(to->name), "%s", i->gate[k]->name);
	return true;
}

int queue_used(struct queue *q, const struct need *gate, int64_t at)
{
	struct gate *g = gate_needed(q, gate);

	if (!g || !g->times)
		return -1;
	g->times[g->oldest] = at > 0 ? at : 1;
	g->oldest = (g->oldest + 1) % g->need.n;
	return 0;
}

void gate_free_all(struct queue *q)
{
	for (size_t i = 0; i < q->capgates; i++)
		while (q->gates[i]) {
			struct gate *g = q->gates[i];

			q->gates[i] = g->chain;
			gate_free(g);
		}
	free(q->gates);
}
