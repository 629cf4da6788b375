#include "route/lane.h"

#include <stdlib.h>
#include <string.h>

struct lane {
	struct lane *next;		/* in its place of the table, or among the spare ones */
	uint64_t key;
	struct item *first, **end;	/* lines that wait here */
	size_t n;
	size_t out;			/* items on loan */
	int64_t due;			/* of the back-off asked for while items were on loan */
	size_t at;			/* place in the heap of ready lanes; NOWHERE */
	bool waiting;			/* in the heap of waiting ones */
};

#define FIRST_PLACES 64u
#define NOWHERE SIZE_MAX

int lanes_init(struct lanes *ls)
{
	memset(ls, 0, sizeof(*ls));
	ls->places = FIRST_PLACES;
	ls->table = calloc(ls->places, sizeof(struct lane *));
	return ls->table ? 0 : -1;
}

void lanes_release(struct lanes *ls)
{
	struct lane *l, *next;

	for (size_t i = 0; ls->table && i < ls->places; i++) {
		for (l = ls->table[i]; l; l = next) {
			next = l->next;
			for (struct item *it = l->first, *after; it; it = after) {
				after = it->next;
				free(it);
			}
			free(l);
		}
	}
	for (l = ls->spare; l; l = next) {
		next = l->next;
		free(l);
	}
	free(ls->table);
	free(ls->ready);
	due_release(&ls->waiting);
	memset(ls, 0, sizeof(*ls));
}

/* Keys are hashes already, but of strangers' text under a fixed key: mixing spreads what aims at the low bits. */
static size_t place(const struct lanes *ls, uint64_t key)
{
	key ^= key >> 31;
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 32) & (ls->places - 1);
}

static void widen(struct lanes *ls)
{
	size_t old = ls->places;
	struct lane **table = calloc(old * 2, sizeof(struct lane *)), **was = ls->table;

	if (!table)
		return;		/* longer chains, nothing worse */
	ls->table = table;
	ls->places = old * 2;
	for (size_t i = 0; i < old; i++) {
		for (struct lane *l = was[i], *next; l; l = next) {
			size_t to = place(ls, l->key);
			next = l->next;
			l->next = table[to];
			table[to] = l;
		}
	}
	free(was);
}

static struct lane *find_or_make(struct lanes *ls, uint64_t key)
{
	struct lane *l;

	for (l = ls->table[place(ls, key)]; l; l = l->next)
		if (l->key == key)
			return l;
	/* The heap has room for every lane, so that making one ready cannot fail. */
	if (ls->lanes == ls->ready_cap) {
		size_t cap = ls->ready_cap ? ls->ready_cap * 2 : FIRST_PLACES;
		struct lane **ready = realloc(ls->ready, cap * sizeof(struct lane *));
		if (!ready)
			return NULL;
		ls->ready = ready;
		ls->ready_cap = cap;
	}
	l = ls->spare;
	if (l)
		ls->spare = l->next;
	else if (!(l = malloc(sizeof(*l))))
		return NULL;
	if (ls->lanes >= ls->places)
		widen(ls);
	memset(l, 0, sizeof(*l));
	l->at = NOWHERE;
	l->key = key;
	l->end = &l->first;
	size_t at = place(ls, key);
	l->next = ls->table[at];
	ls->table[at] = l;
	ls->lanes++;
	return l;
}

static void drop(struct lanes *ls, struct lane *l)
{
	struct lane **at = &ls->table[place(ls, l->key)];

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	ls->lanes--;
	l->next = ls->spare;
	ls->spare = l;
}

/* ---- the ready lanes ---- */

static void put_at(struct lanes *ls, size_t i, struct lane *l)
{
	ls->ready[i] = l;
	l->at = i;
}

static void sift_up(struct lanes *ls, size_t i, struct lane *l)
{
	for (; i && ls->ready[(i - 1) / 2]->first->seq > l->first->seq; i = (i - 1) / 2)
		put_at(ls, i, ls->ready[(i - 1) / 2]);
	put_at(ls, i, l);
}

static void sift_down(struct lanes *ls, size_t i, struct lane *l)
{
	for (;;) {
		size_t kid = 2 * i + 1;
		if (kid >= ls->nready)
			break;
		if (kid + 1 < ls->nready && ls->ready[kid + 1]->first->seq < ls->ready[kid]->first->seq)
			kid++;
		if (ls->ready[kid]->first->seq >= l->first->seq)
			break;
		put_at(ls, i, ls->ready[kid]);
		i = kid;
	}
	put_at(ls, i, l);
}

static void push_ready(struct lanes *ls, struct lane *l)
{
	sift_up(ls, ls->nready++, l);
	ls->takeable += l->n;
}

/* l's own first line need not be there any more, and its takeable ones are the caller's count. */
static void leave_ready(struct lanes *ls, struct lane *l)
{
	size_t i = l->at;
	struct lane *last = ls->ready[--ls->nready];

	l->at = NOWHERE;
	if (last == l)
		return;
	if (i && ls->ready[(i - 1) / 2]->first->seq > last->first->seq)
		sift_up(ls, i, last);
	else
		sift_down(ls, i, last);
}

/* Decides what a lane is after its items or its state changed: gone, out, waiting or ready. */
static void settle_lane(struct lanes *ls, struct lane *l)
{
	if (l->out || l->waiting || l->at != NOWHERE)
		return;
	if (!l->first) {
		drop(ls, l);
		return;
	}
	if (l->due) {
		struct due d = { .at = l->due, .p = l };
		l->due = 0;
		/* Without memory for this heap the lane does not wait: tried again at once is better than never. */
		if (due_add(&ls->waiting, &d) == 0) {
			l->waiting = true;
			return;
		}
	}
	push_ready(ls, l);
}

int lanes_add(struct lanes *ls, uint64_t key, struct item *it)
{
	struct lane *l = find_or_make(ls, key);

	if (!l)
		return -1;
	it->next = NULL;
	it->lane = l;
	*l->end = it;
	l->end = &it->next;
	l->n++;
	ls->items++;
	ls->bytes += it->len;
	if (l->at != NOWHERE)
		ls->takeable++;
	else
		settle_lane(ls, l);
	return 0;
}

static struct item *shift(struct lane *l)
{
	struct item *it = l->first;

	l->first = it->next;
	if (!l->first)
		l->end = &l->first;
	l->n--;
	l->out++;
	it->next = NULL;
	return it;
}

size_t lanes_take(struct lanes *ls, struct item **out, size_t max, size_t max_bytes)
{
	size_t n = 0, bytes = 0;

	while (n < max && ls->nready) {
		struct lane *l = ls->ready[0];
		if (n && bytes + l->first->len > max_bytes)
			break;
		bytes += l->first->len;
		ls->takeable--;
		out[n++] = shift(l);
		/* While it has more it stays among the ready ones: the rest may go in the same batch. But not behind a line that
		 * was refused before: it might be again, and what follows would be done before it. */
		if (l->first && out[n - 1]->attempts == 0) {
			sift_down(ls, 0, l);
		} else {
			leave_ready(ls, l);
			ls->takeable -= l->n;
		}
	}
	/* Now its lanes are busy. */
	for (size_t i = 0; i < n; i++) {
		struct lane *l = out[i]->lane;
		if (l->at != NOWHERE) {
			leave_ready(ls, l);
			ls->takeable -= l->n;
		}
	}
	return n;
}

void lanes_settle(struct lanes *ls, struct item *it)
{
	struct lane *l = it->lane;

	l->out--;
	ls->items--;
	ls->bytes -= it->len;
	it->lane = NULL;
	settle_lane(ls, l);
}

void lanes_return(struct lanes *ls, struct item *it, int64_t due)
{
	struct lane *l = it->lane;

	it->next = l->first;
	if (!l->first)
		l->end = &it->next;
	l->first = it;
	l->n++;
	l->out--;
	if (due > l->due)
		l->due = due;
	settle_lane(ls, l);
}

int64_t lanes_wake(struct lanes *ls, int64_t now)
{
	const struct due *d;

	while ((d = due_first(&ls->waiting)) && d->at <= now) {
		struct lane *l = d->p;
		due_drop(&ls->waiting);
		l->waiting = false;
		settle_lane(ls, l);
	}
	return d ? d->at : 0;
}

/* The item whose address stands at *at leaves its lane. */
static struct item *pick(struct lanes *ls, struct lane *l, struct item **at)
{
	struct item *it = *at;
	bool ready = l->at != NOWHERE;

	/* The heap goes by first lines: out of it while that changes. */
	if (ready) {
		leave_ready(ls, l);
		ls->takeable -= l->n;
	}
	*at = it->next;
	if (!it->next)
		l->end = at;
	l->n--;
	ls->items--;
	ls->bytes -= it->len;
	it->lane = NULL;
	settle_lane(ls, l);
	return it;
}

struct item *lanes_find(struct lanes *ls, uint64_t seq, uint64_t batch)
{
	for (size_t i = 0; i < ls->places; i++)
		for (struct lane *l = ls->table[i]; l; l = l->next)
			for (struct item **at = &l->first; *at; at = &(*at)->next)
				if ((*at)->seq == seq && (*at)->batch == batch)
					return pick(ls, l, at);
	return NULL;
}
