/* lane_take: turns. */
#include "route/lane_impl.h"

#include <string.h>

/* ---- the ring of tenants, and a tenant's ready lanes ---- */

static void ring_add(struct lanes *ls, struct tenant *t, unsigned side)
{
	struct tenant_ring *r = &ls->ring[side];
	struct turn *turn = &t->turn[side];

	turn->next = NULL;
	turn->prev = r->last;
	if (r->last)
		r->last->turn[side].next = t;
	else
		r->first = t;
	r->last = t;
}

static void ring_drop(struct lanes *ls, struct tenant *t, unsigned side)
{
	struct tenant_ring *r = &ls->ring[side];
	struct turn *turn = &t->turn[side];

	if (turn->prev)
		turn->prev->turn[side].next = turn->next;
	else
		r->first = turn->next;
	if (turn->next)
		turn->next->turn[side].prev = turn->prev;
	else
		r->last = turn->prev;
}

static void ready_add(struct lane *l)
{
	struct turn *turn = &l->tenant->turn[l->side];

	l->ready_next = NULL;
	l->ready_prev = turn->last;
	if (turn->last)
		turn->last->ready_next = l;
	else
		turn->first = l;
	turn->last = l;
	l->used = 0;
}

static void ready_drop(struct lane *l)
{
	struct turn *turn = &l->tenant->turn[l->side];

	if (l->ready_prev)
		l->ready_prev->ready_next = l->ready_next;
	else
		turn->first = l->ready_next;
	if (l->ready_next)
		l->ready_next->ready_prev = l->ready_prev;
	else
		turn->last = l->ready_prev;
}

void lane_push_ready(struct lanes *ls, struct lane *l)
{
	struct turn *turn = &l->tenant->turn[l->side];

	if (!turn->first) {
		ring_add(ls, l->tenant, l->side);
		turn->deficit = 0;
		turn->begun = false;
	}
	ready_add(l);
	l->ready = true;
	ls->takeable[l->side] += l->n;
	l->tenant->takeable += l->n;
}

void lane_leave_ready(struct lanes *ls, struct lane *l)
{
	ready_drop(l);
	l->ready = false;
	ls->takeable[l->side] -= l->n;
	l->tenant->takeable -= l->n;
	if (!l->tenant->turn[l->side].first)
		ring_drop(ls, l->tenant, l->side);
}

/* ---- taking ---- */

/* How large a batch with this line may be. */
static size_t most_with(const struct item *it)
{
	switch (it->strikes) {
	case 0: case 1: return SIZE_MAX;
	case 2: return 64;
	case 3: return 8;
	default: return 1;
	}
}

/* Puts pieces that are in order together, pair by pair. */
static void sort(struct item **v, size_t n)
{
	size_t i = 1;

	while (i < n && v[i - 1]->seq < v[i]->seq)
		i++;
	if (i >= n)
		return;
	for (size_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11) {
		for (size_t k = gap; k < n; k++) {
			struct item *it = v[k];
			size_t at = k;
			for (; at >= gap && v[at - gap]->seq > it->seq; at -= gap)
				v[at] = v[at - gap];
			v[at] = it;
		}
	}
}

static void lend(struct lanes *ls, struct lane *l)
{
	struct item *it = l->first;

	l->first = it->next;
	if (!l->first)
		l->end = &l->first;
	it->next = NULL;
	l->n--;
	l->out++;
	l->used += it->len;
	l->tenant->queued--;
	l->tenant->bytes -= it->len;
	l->tenant->takeable--;
	ls->takeable[l->side]--;
	ls->out++;
	ls->out_bytes += it->len;
}

size_t lanes_take(struct lanes *ls, unsigned side, struct item **out, size_t max, size_t max_bytes)
{
	struct tenant *t;
	size_t n = 0, bytes = 0;

	while (n < max && (t = ls->ring[side].first)) {
		struct turn *turn = &t->turn[side];
		struct lane *l = turn->first;
		struct item *it = l->first;
		size_t most = most_with(it);
		if (!turn->begun) {
			turn->deficit += LANES_QUANTUM;
			turn->begun = true;
		}
		if (it->len > turn->deficit) {
			turn->begun = false;
			ring_drop(ls, t, side);
			ring_add(ls, t, side);
			continue;
		}
		if (n && (bytes + it->len > max_bytes || n >= most))
			break;
		if (most < max)
			max = most;
		bytes += it->len;
		turn->deficit -= it->len;
		out[n++] = it;
		lend(ls, l);
		/* While it has more it stays ready: the rest may go in the same batch. But not behind a line that was
		 * refused before: it might be again, and what follows would be done before it. */
		if (!l->first || it->attempts) {
			lane_leave_ready(ls, l);
		} else if (l->used >= LANES_LANE_QUANTUM) {
			ready_drop(l);
			ready_add(l);
		}
	}
	/* Now its lanes are busy. */
	for (size_t i = 0; i < n; i++)
		if (out[i]->lane->ready)
			lane_leave_ready(ls, out[i]->lane);
	sort(out, n);
	return n;
}
