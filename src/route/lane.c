#include "route/lane_impl.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 64u

int lanes_init(struct lanes *ls)
{
	memset(ls, 0, sizeof(*ls));
	ls->max_items = ls->max_bytes = SIZE_MAX;
	ls->places = ls->tenant_places = FIRST_PLACES;
	ls->table = calloc(ls->places, sizeof(struct lane *));
	ls->tenant_table = calloc(ls->tenant_places, sizeof(struct tenant *));
	if (ls->table && ls->tenant_table)
		return 0;
	free(ls->table);
	free(ls->tenant_table);
	return -1;
}

void lanes_release(struct lanes *ls)
{
	for (size_t i = 0; ls->table && i < ls->places; i++) {
		for (struct lane *l = ls->table[i], *next; l; l = next) {
			next = l->next;
			for (struct item *it = l->first, *after; it; it = after) {
				after = it->next;
				free(it);
			}
			free(l);
		}
	}
	for (size_t i = 0; ls->tenant_table && i < ls->tenant_places; i++) {
		for (struct tenant *t = ls->tenant_table[i], *next; t; t = next) {
			next = t->next;
			free(t);
		}
	}
	for (struct lane *l = ls->spare, *next; l; l = next) {
		next = l->next;
		free(l);
	}
	for (struct tenant *t = ls->spare_tenant, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	free(ls->table);
	free(ls->tenant_table);
	due_release(&ls->waiting);
	memset(ls, 0, sizeof(*ls));
}

/* ---- the two tables ---- */

/* Keys are hashes already, but of strangers' text under a fixed key: mixing spreads what aims at the low bits. */
static size_t place(uint64_t key, size_t places)
{
	key ^= key >> 31;
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 32) & (places - 1);
}

struct lane *lanes_lookup(const struct lanes *ls, uint64_t key)
{
	struct lane *l = ls->table[place(key, ls->places)];

	while (l && l->key != key)
		l = l->next;
	return l;
}

struct tenant *lanes_lookup_tenant(const struct lanes *ls, uint64_t key)
{
	struct tenant *t = ls->tenant_table[place(key, ls->tenant_places)];

	while (t && t->key != key)
		t = t->next;
	return t;
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
			size_t to = place(l->key, ls->places);
			next = l->next;
			l->next = table[to];
			table[to] = l;
		}
	}
	free(was);
}

static void widen_tenants(struct lanes *ls)
{
	size_t old = ls->tenant_places;
	struct tenant **table = calloc(old * 2, sizeof(struct tenant *)), **was = ls->tenant_table;

	if (!table)
		return;
	ls->tenant_table = table;
	ls->tenant_places = old * 2;
	for (size_t i = 0; i < old; i++) {
		for (struct tenant *t = was[i], *next; t; t = next) {
			size_t to = place(t->key, ls->tenant_places);
			next = t->next;
			t->next = table[to];
			table[to] = t;
		}
	}
	free(was);
}

static struct tenant *make_tenant(struct lanes *ls, uint64_t key)
{
	struct tenant *t = ls->spare_tenant;

	if (t)
		ls->spare_tenant = t->next;
	else if (!(t = malloc(sizeof(*t))))
		return NULL;
	if (ls->tenants >= ls->tenant_places)
		widen_tenants(ls);
	size_t at = place(key, ls->tenant_places);
	*t = (struct tenant){ .next = ls->tenant_table[at], .key = key };
	ls->tenant_table[at] = t;
	ls->tenants++;
	return t;
}

static void drop_tenant(struct lanes *ls, struct tenant *t)
{
	struct tenant **at = &ls->tenant_table[place(t->key, ls->tenant_places)];

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	ls->tenants--;
	t->next = ls->spare_tenant;
	ls->spare_tenant = t;
}

/* Which lanes are on side 1: always the same ones for a percentage, and more of them for a higher one. */
static uint8_t side_of(const struct lanes *ls, uint64_t key)
{
	uint64_t h = (key ^ UINT64_C(0x63616e6172790001)) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (h >> 32) % 100 < ls->percent;
}

static struct lane *make(struct lanes *ls, struct tenant *t, uint64_t key)
{
	struct lane *l = ls->spare;

	if (l)
		ls->spare = l->next;
	else if (!(l = malloc(sizeof(*l))))
		return NULL;
	if (ls->lanes >= ls->places)
		widen(ls);
	size_t at = place(key, ls->places);
	*l = (struct lane){ .next = ls->table[at], .key = key, .tenant = t, .side = side_of(ls, key), .sister = t->lanes,
		.at = &t->lanes, .end = &l->first };
	ls->table[at] = l;
	if (t->lanes)
		t->lanes->at = &l->sister;
	t->lanes = l;
	t->nlanes++;
	ls->lanes++;
	return l;
}

static void drop(struct lanes *ls, struct lane *l)
{
	struct lane **at = &ls->table[place(l->key, ls->places)];
	struct tenant *t = l->tenant;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	*l->at = l->sister;
	if (l->sister)
		l->sister->at = l->at;
	ls->lanes--;
	l->next = ls->spare;
	ls->spare = l;
	if (--t->nlanes == 0)
		drop_tenant(ls, t);
}

/* ---- the life of a lane ---- */

void lane_settle_state(struct lanes *ls, struct lane *l)
{
	if (l->out || l->waiting || l->ready)
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
	lane_push_ready(ls, l);
}

int lanes_add(struct lanes *ls, uint64_t tenant, uint64_t key, struct item *it)
{
	struct lane *l = lanes_lookup(ls, key);
	struct tenant *t = l ? l->tenant : lanes_lookup_tenant(ls, tenant);

	if (!t && !(t = make_tenant(ls, tenant)))
		return -1;
	if (!l && !(l = make(ls, t, key))) {
		if (t->nlanes == 0)
			drop_tenant(ls, t);
		return -1;
	}
	it->next = NULL;
	it->lane = l;
	*l->end = it;
	l->end = &it->next;
	l->n++;
	t->queued++;
	t->bytes += it->len;
	ls->items++;
	ls->bytes += it->len;
	if (l->ready) {
		ls->takeable[l->side]++;
		t->takeable++;
	} else {
		lane_settle_state(ls, l);
	}
	return 0;
}

static void off_loan(struct lanes *ls, struct item *it)
{
	it->lane->out--;
	ls->out--;
	ls->out_bytes -= it->len;
}

static void note_settled(struct lane *l, uint64_t seq)
{
	if (seq > l->settled)
		l->settled = seq;
}

void lanes_settle(struct lanes *ls, struct item *it)
{
	struct lane *l = it->lane;

	off_loan(ls, it);
	l->cut = false;
	note_settled(l, it->seq);
	ls->items--;
	ls->bytes -= it->len;
	it->lane = NULL;
	lane_settle_state(ls, l);
}

void lanes_settled(struct lanes *ls, uint64_t key, uint64_t seq)
{
	struct lane *l = lanes_lookup(ls, key);

	if (l)
		note_settled(l, seq);
}

void lanes_return(struct lanes *ls, struct item *it, int64_t due)
{
	struct lane *l = it->lane;

	off_loan(ls, it);
	it->next = l->first;
	if (!l->first)
		l->end = &it->next;
	l->first = it;
	l->n++;
	l->tenant->queued++;
	l->tenant->bytes += it->len;
	if (due > l->due)
		l->due = due;
	lane_settle_state(ls, l);
}

int64_t lanes_wake(struct lanes *ls, int64_t now)
{
	const struct due *d;

	while ((d = due_first(&ls->waiting)) && d->at <= now) {
		struct lane *l = d->p;
		due_drop(&ls->waiting);
		l->waiting = false;
		lane_settle_state(ls, l);
	}
	return d ? d->at : 0;
}

/* The item whose address stands at *at leaves its lane. */
static struct item *pick(struct lanes *ls, struct lane *l, struct item **at)
{
	struct item *it = *at;

	if (l->ready)
		lane_leave_ready(ls, l);
	*at = it->next;
	if (!it->next)
		l->end = at;
	l->n--;
	l->cut = false;
	note_settled(l, it->seq);
	l->tenant->queued--;
	l->tenant->bytes -= it->len;
	ls->items--;
	ls->bytes -= it->len;
	it->lane = NULL;
	lane_settle_state(ls, l);
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

/* Puts a lane on the side where it belongs now. Did it change? */
static bool change_side(const struct lanes *ls, struct lane *l)
{
	uint8_t side = side_of(ls, l->key);
	bool changes = side != l->side;

	l->side = side;
	return changes;
}

static void change_waiting(struct lanes *ls)
{
	size_t n = ls->waiting.n;

	/* In its own memory: what is read is never behind what is written. */
	ls->waiting.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct due d = ls->waiting.v[i];
		struct lane *l = d.p;
		if (change_side(ls, l)) {
			l->waiting = false;
			lane_settle_state(ls, l);
		} else {
			due_add(&ls->waiting, &d);
		}
	}
}

void lanes_split(struct lanes *ls, unsigned percent)
{
	ls->percent = percent;
	change_waiting(ls);
	for (size_t i = 0; i < ls->places; i++) {
		for (struct lane *l = ls->table[i]; l; l = l->next) {
			bool ready = l->ready;
			if (ready)
				lane_leave_ready(ls, l);
			if (change_side(ls, l))
				l->due = 0;
			if (ready)
				lane_push_ready(ls, l);
		}
	}
}
