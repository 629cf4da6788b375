/* lane_room: who may have how much of the memory. */
#include "route/lane_impl.h"

/* Seven eighths for those who have something here; the last eighth for the first lines of others. */
static size_t common(size_t most)
{
	return most - most / 8;
}

/* Nobody alone takes more than three quarters, even if nobody else is there yet. */
static size_t share_of(const struct lanes *ls, size_t most, size_t least)
{
	size_t sharers = ls->tenants > ls->others ? ls->tenants : ls->others;
	size_t share = (most - most / 4) / (sharers ? sharers : 1);

	return share > least ? share : least;
}

size_t lanes_share(const struct lanes *ls)
{
	return share_of(ls, ls->max_items, LANES_LEAST);
}

static size_t lane_share(const struct lanes *ls, const struct lane *l)
{
	size_t share = lanes_share(ls) / 2;

	return l->cut || l->waiting || (l->first && l->first->attempts) ? LANES_KEEP : share > LANES_KEEP ? share : LANES_KEEP;
}

enum lanes_room lanes_room(const struct lanes *ls, uint64_t tenant, uint64_t key)
{
	size_t queued = ls->items - ls->out, bytes = ls->bytes - ls->out_bytes;
	const struct lane *l;
	const struct tenant *t;

	if (queued >= ls->max_items || bytes >= ls->max_bytes)
		return LANES_FULL;
	l = lanes_lookup(ls, key);
	t = l ? l->tenant : lanes_lookup_tenant(ls, tenant);
	if (!t || t->queued == 0)
		return LANES_ROOM;
	if (queued >= common(ls->max_items) || bytes >= common(ls->max_bytes) || t->queued >= lanes_share(ls) ||
	    t->bytes >= share_of(ls, ls->max_bytes, 0))
		return LANES_TENANT_FULL;
	return l && l->n >= lane_share(ls, l) ? LANES_LANE_FULL : LANES_ROOM;
}

bool lanes_wants(const struct lanes *ls, uint64_t tenant, uint64_t key)
{
	const struct tenant *t = lanes_lookup_tenant(ls, tenant);
	const struct lane *l = key ? lanes_lookup(ls, key) : NULL;

	if (!t || t->queued == 0)
		return true;
	if (t->queued > lanes_share(ls) / 4 * 3 || t->bytes > share_of(ls, ls->max_bytes, 0) / 4 * 3)
		return false;
	return !l || l->n <= lane_share(ls, l) / 4 * 3;
}

bool lanes_hungry(const struct lanes *ls)
{
	size_t takeable = ls->takeable[0] + ls->takeable[1], bytes = ls->bytes - ls->out_bytes;

	/* Few large lines may be all there is room for. */
	return takeable <= ls->max_items / 4 && bytes <= ls->max_bytes / 2;
}

bool lanes_starves(const struct lanes *ls, uint64_t tenant)
{
	const struct tenant *t = lanes_lookup_tenant(ls, tenant);

	return !t || t->queued == 0;
}

bool lanes_clogged(const struct lanes *ls, uint64_t tenant)
{
	const struct tenant *t = lanes_lookup_tenant(ls, tenant);

	return t && t->takeable == 0 && (t->queued > lanes_share(ls) / 2 || t->bytes > share_of(ls, ls->max_bytes, 0) / 2);
}

struct item *lanes_cut(struct lanes *ls, struct lane *l)
{
	struct item **from = &l->first, *cut, *it;
	size_t keep = 0, n = 0;

	for (it = l->first; it; it = it->next)
		if (++n <= LANES_KEEP || it->seq < l->settled || ((it->attempts || it->strikes) && !it->note))
			keep = n;
	if (keep == l->n)
		return NULL;
	bool ready = l->ready;
	if (ready)
		lane_leave_ready(ls, l);
	for (n = 0; n < keep; n++)
		from = &(*from)->next;
	cut = *from;
	*from = NULL;
	l->end = from;
	for (it = cut; it; it = it->next) {
		it->lane = NULL;
		l->n--;
		l->tenant->queued--;
		l->tenant->bytes -= it->len;
		ls->items--;
		ls->bytes -= it->len;
	}
	l->cut = true;
	if (ready)
		lane_push_ready(ls, l);
	return cut;
}

uint64_t lane_key(const struct lane *l)
{
	return l->key;
}

uint64_t lane_tenant(const struct lane *l)
{
	return l->tenant->key;
}

bool lane_stands(const struct lane *l)
{
	return !l->ready;
}

size_t lane_queued(const struct lane *l)
{
	return l->n;
}

void lanes_each(struct lanes *ls, uint64_t tenant, void (*fn)(void *arg, struct lane *l), void *arg)
{
	struct tenant *t = lanes_lookup_tenant(ls, tenant);

	for (struct lane *l = t ? t->lanes : NULL; l; l = l->sister)
		fn(arg, l);
}
