#include "route/lane.h"

#include <stdlib.h>
#include <string.h>

struct lane {
	struct lane *next;		/* in its place of the table, or among the spare ones */
	struct lane *ready_next;
	uint64_t key;
	struct item *first, **end;	/* lines that wait here */
	size_t n;
	size_t out;			/* items on loan */
	int64_t due;			/* of the back-off asked for while items were on loan */
	bool queued;			/* in the ready queue */
	bool waiting;			/* in the heap */
};

#define FIRST_PLACES 64u

int lanes_init(struct lanes *ls)
{
	memset(ls, 0, sizeof(*ls));
	ls->ready_end = &ls->ready;
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
	l = ls->spare;
	if (l)
		ls->spare = l->next;
	else if (!(l = malloc(sizeof(*l))))
		return NULL;
	if (ls->lanes >= ls->places)
		widen(ls);
	memset(l, 0, sizeof(*l));
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

static void make_ready(struct lanes *ls, struct lane *l)
{
	l->queued = true;
	l->ready_next = NULL;
	*ls->ready_end = l;
	ls->ready_end = &l->ready_next;
	ls->takeable += l->n;
}

static struct lane *pop_ready(struct lanes *ls)
{
	struct lane *l = ls->ready;

	ls->ready = l->ready_next;
	if (!ls->ready)
		ls->ready_end = &ls->ready;
	l->queued = false;
	ls->takeable -= l->n;
	return l;
}

/* Decides what a lane is after its items or its state changed: gone, out, waiting or ready. */
static void settle_lane(struct lanes *ls, struct lane *l)
{
	if (l->out || l->waiting || l->queued)
		return;
	if (!l->first) {
		drop(ls, l);
		return;
	}
	if (l->due) {
		struct due d = { .at = l->due, .p = l };
		l->due = 0;
		/* Without memory for the heap the lane does not wait: tried again at once is better than never. */
		if (due_add(&ls->waiting, &d) == 0) {
			l->waiting = true;
			return;
		}
	}
	make_ready(ls, l);
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
	if (l->queued)
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
	struct lane *again = NULL, **again_end = &again;
	size_t n = 0, bytes = 0;
	bool full = max == 0;

	/* The lanes that had their turn and have more stand in `again`: they get another when no lane is ready. */
	while (!full && (ls->ready || again)) {
		struct lane *l;
		if (ls->ready) {
			l = pop_ready(ls);
			if (!l->first) {
				drop(ls, l);	/* lanes_find took its last line */
				continue;
			}
		} else {
			l = again;
			again = l->ready_next;
			if (!again)
				again_end = &again;
		}
		for (size_t turn = LANE_TURN; turn && l->first && !full; turn--) {
			if (n && bytes + l->first->len > max_bytes) {
				full = true;
				break;
			}
			bytes += l->first->len;
			out[n++] = shift(l);
			full = n == max;
		}
		if (l->out == 0) {
			/* Its first line did not fit: it keeps its place in the queue. */
			l->queued = true;
			l->ready_next = ls->ready;
			if (!ls->ready)
				ls->ready_end = &l->ready_next;
			ls->ready = l;
			ls->takeable += l->n;
		} else if (l->first) {
			l->ready_next = NULL;
			*again_end = l;
			again_end = &l->ready_next;
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

struct item *lanes_find(struct lanes *ls, uint64_t seq, uint64_t batch)
{
	for (size_t i = 0; i < ls->places; i++) {
		for (struct lane *l = ls->table[i]; l; l = l->next) {
			for (struct item **at = &l->first, *it; (it = *at); at = &it->next) {
				if (it->seq != seq || it->batch != batch)
					continue;
				*at = it->next;
				if (!it->next)
					l->end = at;
				l->n--;
				if (l->queued)
					ls->takeable--;
				ls->items--;
				ls->bytes -= it->len;
				it->lane = NULL;
				return it;	/* an empty lane in the queue gives nothing in its turn and is dropped then */
			}
		}
	}
	return NULL;
}
