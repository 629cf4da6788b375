/* fill_back: the second reader: what was passed over comes into the window when there is room (fill.h). */
#include "route/fill_impl.h"

#include <stdlib.h>

#include "base/clock.h"

#define LOOK_EVERY (2 * CLOCK_MS)

/* ---- lanes that stand still make room ---- */

static void cut(void *arg, struct lane *l)
{
	struct dest *d = arg;
	struct behind *b = &d->cursor.behind;
	struct behind_row *r;
	struct item *it, *next;

	if (!lane_stands(l) || lane_queued(l) <= LANES_KEEP)
		return;
	r = behind_find(b, lane_tenant(l), lane_key(l));
	if (!r && !(r = behind_add(b, lane_tenant(l), lane_key(l), UINT64_MAX)))
		return;
	it = lanes_cut(&d->lanes, l);
	if (it && it->seq < r->from)
		behind_move(b, r, it->seq);
	r->live = false;
	if (r->from == UINT64_MAX)
		behind_drop(b, r);
	for (; it; it = next) {
		next = it->next;
		cursor_done(&d->cursor, it->seq, it->seq, false);
		attempts_park(&d->attempts, it);
		free(it);
	}
}

/* ---- reading ---- */

static struct behind_row *row_of(struct dest *d, const struct spool_line *line, uint64_t lane, uint64_t seq)
{
	struct behind_row *r = behind_find(&d->cursor.behind, line->tenant, lane);

	return r && r->from <= seq ? r : NULL;
}

static bool none_before(struct dest *d, struct behind_row *r)
{
	behind_drop(&d->cursor.behind, r);
	return true;
}

/* A line that was passed over, and whose rows are live. false: stop here. */
static bool take_up(struct dest *d, const struct spool_line *line, const struct spool_view *v)
{
	struct behind *b = &d->cursor.behind;
	struct behind_row *rl, *rt;
	bool dead = fill_buried(d, line, v->seq);
	enum lanes_room how = dead ? LANES_ROOM : fill_room(d, line);

	if (how == LANES_FULL)
		return false;
	if (how == LANES_LANE_FULL && !row_of(d, line, line->lane, v->seq) && !behind_add(b, line->tenant, line->lane, v->seq))
		how = LANES_TENANT_FULL;
	/* Adding one may have moved the others. */
	rl = row_of(d, line, line->lane, v->seq);
	rt = row_of(d, line, 0, v->seq);
	if (how == LANES_ROOM) {
		if (!dead && fill_add(d, v->seq, line, v->p, v->n) < 0)
			return false;
		if (!dead)
			cursor_open(&d->cursor, v->seq);
		if (rl)
			behind_move(b, rl, v->seq + 1);
		if (rt)
			behind_move(b, rt, v->seq + 1);
		return true;
	}
	if (!d->fill.stuck.seg)
		d->fill.stuck = d->fill.begun;
	/* The tenant's row holds the lane's lines from here on, too. */
	if (how == LANES_TENANT_FULL && rt) {
		behind_move(b, rt, v->seq);
		rt->live = false;
		return rl ? none_before(d, rl) : true;
	}
	behind_move(b, rl, v->seq);
	rl->live = false;
	return true;
}

static bool on_back_line(void *arg, const struct spool_view *v)
{
	struct dest *d = arg;
	struct spool_line scratch;
	struct behind_row *rl, *rt;
	const struct spool_line *line;
	bool stop;

	if (v->seq >= d->fill.next)
		return false;
	line = fill_decided(d, v, &scratch, &stop);
	if (stop)
		return false;
	if (!fill_ours(d, line))
		return true;
	rl = row_of(d, line, line->lane, v->seq);
	rt = row_of(d, line, 0, v->seq);
	if (!rl && !rt)
		return true;
	if (rl && !rl->live)
		return true;
	if (rt && !rt->live)
		/* All of the lane's lines before are given: the rest is the tenant's. */
		return rl ? none_before(d, rl) : true;
	return take_up(d, line, v);
}

/* Is it time to go back? When little is left that workers can take, or when a tenant has nothing here and lines behind. */
static bool worth_it(struct dest *d)
{
	struct fill *f = &d->fill;
	const struct behind *b = &d->cursor.behind;
	int64_t now = clock_mono();

	if (b->n == 0 || f->moved == 0 || (!d->workers && d->lanes.items))
		return false;
	/* To look costs a step for each row. */
	if (now < f->looked + LOOK_EVERY && f->moved < b->n) {
		f->again = f->looked + LOOK_EVERY;
		return false;
	}
	f->looked = now;
	f->moved = 0;
	if (lanes_hungry(&d->lanes))
		return true;
	for (size_t i = 0; i < b->n; i++)
		if (lanes_starves(&d->lanes, b->v[i].tenant))
			return true;
	return false;
}

/* Which rows have room now? false: none. */
static bool go_back(struct dest *d)
{
	struct fill *f = &d->fill;
	struct behind *b = &d->cursor.behind;
	uint64_t low = UINT64_MAX;

	if (!worth_it(d))
		return false;
	f->live = 0;
	d->lanes.others = b->tenants;
	for (size_t i = 0; i < b->n; i++)
		if (lanes_clogged(&d->lanes, b->v[i].tenant))
			lanes_each(&d->lanes, b->v[i].tenant, cut, d);
	for (size_t i = 0; i < b->n; i++) {
		struct behind_row *r = &b->v[i];
		r->live = lanes_wants(&d->lanes, r->tenant, r->lane);
		f->live += r->live;
		if (r->live && r->from < low)
			low = r->from;
	}
	if (low == UINT64_MAX)
		return false;
	/* Mostly it goes on where a row's share was used up last time. */
	if (f->stuck.seg && f->stuck.seq <= low && low - f->stuck.seq < FILL_FAR)
		f->back = f->stuck;
	else
		spool_seek(&f->back, low);
	f->stuck.seg = 0;
	return f->going_back = true;
}

/* It has met the first reader: who is live has nothing more behind. */
static void met(struct dest *d)
{
	struct behind *b = &d->cursor.behind;

	for (size_t i = b->n; i--; )
		if (b->v[i].live)
			behind_drop(b, &b->v[i]);
	d->lanes.others = b->tenants;
	if (b->n == 0)
		skim_clear(&d->fill.skim);
}

/*
 * Moves it to where the live rows have something. false: there are none; or so few that it is better to begin again: where half of them have
 * their share, all that is read for the others is read again for those. But not while all of the others begin farther on: nothing is
 * read twice on the way there, and they would not come to their turn before the last of those.
 */
static bool next_place(struct dest *d)
{
	struct fill *f = &d->fill;
	struct behind *b = &d->cursor.behind;
	struct skim_bits want = { .w = { 0 } };
	uint64_t low = UINT64_MAX;
	size_t live = 0;
	bool starving = false;

	for (size_t i = 0; i < b->n; i++) {
		const struct behind_row *r = &b->v[i];
		if (!r->live)
			continue;
		live++;
		skim_bit(&want, r->tenant);
		starving = starving || lanes_starves(&d->lanes, r->tenant);
		if (r->from < low)
			low = r->from;
	}
	if (live == 0)
		return false;
	if (low > f->back.seq)
		f->live = live;
	if (live <= f->live / 2 && !starving && !lanes_hungry(&d->lanes)) {
		for (size_t i = 0; i < b->n; i++)
			if (b->v[i].live && b->v[i].from < f->back.seq)
				behind_move(b, &b->v[i], f->back.seq);
		return false;
	}
	if (low > f->back.seq && !skim_seek(&f->skim, &f->back, low) && low - f->back.seq > FILL_FAR)
		spool_seek(&f->back, low);
	skim_next(&f->skim, &f->back, &want, &f->pos);
	return true;
}

bool fill_read_back(struct dest *d)
{
	struct fill *f = &d->fill;
	enum spool_read r = SPOOL_MORE;

	if (!f->going_back && !go_back(d))
		return false;
	if (!next_place(d)) {
		f->going_back = false;
		cursor_update(&d->cursor);
		return true;
	}
	f->begun = f->back;
	if (f->back.seq < f->next)
		r = spool_read(d->spool, &f->back, on_back_line, d);
	if (f->back.seq >= f->next) {
		met(d);
		f->going_back = false;
		r = SPOOL_MORE;
	}
	cursor_update(&d->cursor);
	skim_forget(&f->skim, d->cursor.low);
	if (r == SPOOL_ERROR)
		f->again = clock_mono() + CLOCK_S / 4;
	return r == SPOOL_MORE;
}
