#include "route/fill.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "route/again.h"
#include "route/decide.h"
#include "route/dest.h"

#define FAR 65536u		/* lines: farther ahead than that a file is looked up anew */
#define FILL_PATIENCE (50 * CLOCK_MS)	/* a slice is never longer than this, whoever has the processor */
#define LOOK_EVERY (2 * CLOCK_MS)
#define SAVE_EVERY 65536u	/* lines passed without an acknowledgement before the cursor is written all the same */

void fill_restart(struct dest *d, uint64_t seq)
{
	struct fill *f = &d->fill;

	f->next = seq;
	f->going_back = f->starting = false;
	spool_seek(&f->pos, seq);
	behind_clear(&d->cursor.behind);
	skim_clear(&f->skim);
}

/* What a mirror did not read in time may be removed. */
static void mirror_lost(struct dest *d)
{
	d->cursor.gone |= d->mirror && d->cursor.low < spool_oldest(d->spool);
}

void fill_init(struct dest *d)
{
	struct fill *f = &d->fill;

	skim_init(&f->skim);
	f->next = cursor_top(&d->cursor);
	spool_seek(&f->pos, f->next);
	f->starting = d->cursor.n > 0;
	f->hole = d->cursor.solid;
	spool_seek(&f->back, f->hole);
	mirror_lost(d);
	f->moved = UINT64_MAX / 2;
}

void fill_release(struct dest *d)
{
	skim_release(&d->fill.skim);
	held_release(&d->fill.buried);
}

/* ---- one line ---- */

/* What workers get is the event, also of a line said again. */
static int add(struct dest *d, uint64_t seq, const struct spool_line *line, const char *p, size_t n)
{
	struct again a;
	struct item *it;

	again_open(p, n, &a);
	it = malloc(sizeof(*it) + a.n + 1);
	if (!it)
		return -1;
	memset(it, 0, sizeof(*it));
	it->seq = seq;
	it->len = (uint32_t)a.n + 1;
	memcpy(it->line, a.p, a.n);
	it->line[a.n] = '\n';
	attempts_find(&d->attempts, it);
	if (lanes_add(&d->lanes, line->tenant, line->lane, it) == 0)
		return 0;
	free(it);
	return -1;
}

/* What was decided about a line; NULL: nothing can be (a message was printed), *stop: now. */
static const struct spool_line *decided(struct dest *d, const struct spool_view *v, struct spool_line *scratch, bool *stop)
{
	const struct rules *r;

	*stop = false;
	if (v->known)
		return v->known;
	if (memo_get(&d->book->memo, v->seq, scratch))
		return scratch;
	r = rules_book_get(d->book, v->gen);
	if (!r) {
		*stop = true;
		return NULL;
	}
	int what = decide_again(r, v->p, v->n, scratch);
	if (what == 0) {
		memo_put(&d->book->memo, v->seq, scratch);
		return scratch;
	}
	if (what == DECIDE_LATER) {
		*stop = true;
		return NULL;
	}
	log_error("line %llu of the spool is no event; it is passed over", (unsigned long long)v->seq);
	return NULL;
}

static bool ours(const struct dest *d, const struct spool_line *line)
{
	return line && line->mask >> d->place & 1;
}

static enum lanes_room room(const struct dest *d, const struct spool_line *line)
{
	/* With nobody there one line is enough: the cursor must pass what is none of ours. */
	if (!d->workers && !d->mirror && d->lanes.items)
		return LANES_FULL;
	return lanes_room(&d->lanes, line->tenant, line->lane);
}

/* It is a dead letter already; the hub was killed before the cursor said so. */
static bool buried(struct dest *d, const struct spool_line *line, uint64_t seq)
{
	struct fill *f = &d->fill;

	if (!f->buried.lines || !held_drop(&f->buried, seq))
		return false;
	lanes_settled(&d->lanes, line->lane, seq);
	/* The slot must say so: it has the counts. */
	cursor_done(&d->cursor, seq, seq, true);
	d->cursor.dead++;
	d->cursor.pending -= d->cursor.pending > 0;
	return true;
}

static struct behind_row *row_of(struct dest *d, const struct spool_line *line, uint64_t lane, uint64_t seq)
{
	struct behind_row *r = behind_find(&d->cursor.behind, line->tenant, lane);

	return r && r->from <= seq ? r : NULL;
}

/* ---- the first reader ---- */

/* Lines from next up to seq are none of ours, settled or passed over. */
static void pass(struct dest *d, uint64_t seq)
{
	if (seq > d->fill.next) {
		cursor_done(&d->cursor, d->fill.next, seq - 1, false);
		d->fill.next = seq;
	}
}

/* A line of ours for which there is no room. false: it cannot be passed over either. */
static bool leave(struct dest *d, const struct spool_line *line, uint64_t seq, enum lanes_room how)
{
	struct behind *b = &d->cursor.behind;

	/* After a kill it must not come again: it is in the counts. */
	if (d->mirror) {
		pass(d, seq);
		dest_shed(d, 1);
		cursor_done(&d->cursor, seq, seq, true);
		d->fill.next = seq + 1;
		return true;
	}
	/* The sketch begins in the middle of what is being read. */
	if (b->n == 0) {
		skim_at(&d->fill.skim, &d->fill.begun);
		skim_add_all(&d->fill.skim);
	}
	d->fill.moved++;
	if (how == LANES_LANE_FULL && behind_add(b, line->tenant, line->lane, seq))
		return true;
	if (!behind_add(b, line->tenant, 0, seq))
		return false;
	d->lanes.others = b->tenants;
	return true;
}

static bool on_front_line(void *arg, const struct spool_view *v)
{
	struct dest *d = arg;
	struct spool_line scratch;
	bool stop;
	const struct spool_line *line = decided(d, v, &scratch, &stop);
	enum lanes_room how;

	if (stop)
		return false;
	if (!ours(d, line) || v->seq < d->fill.next)
		return true;
	skim_add(&d->fill.skim, line->tenant);
	if (behind_covers(&d->cursor.behind, line->tenant, line->lane, v->seq))
		return true;
	how = room(d, line);
	if (how != LANES_ROOM)
		return leave(d, line, v->seq, how);
	if (buried(d, line, v->seq))
		return true;
	pass(d, v->seq);
	if (add(d, v->seq, line, v->p, v->n) < 0)
		return false;
	d->fill.next = v->seq + 1;
	return true;
}

/* false: it is at the end, or cannot go on for now. */
static bool read_front(struct dest *d)
{
	struct fill *f = &d->fill;
	enum spool_read r;

	if (d->cursor.behind.n)
		skim_at(&f->skim, &f->pos);
	mirror_lost(d);
	f->begun = f->pos;
	r = spool_read(d->spool, &f->pos, on_front_line, d);
	pass(d, f->pos.seq);
	cursor_update(&d->cursor);
	/* No memory, no row, or a disk that cannot be read. */
	if (r == SPOOL_ERROR || r == SPOOL_STOPPED)
		f->again = clock_mono() + CLOCK_S / 4;
	return r == SPOOL_MORE;
}

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

/* ---- the second reader ---- */

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
	bool dead = buried(d, line, v->seq);
	enum lanes_room how = dead ? LANES_ROOM : room(d, line);

	if (how == LANES_FULL)
		return false;
	if (how == LANES_LANE_FULL && !row_of(d, line, line->lane, v->seq) && !behind_add(b, line->tenant, line->lane, v->seq))
		how = LANES_TENANT_FULL;
	/* Adding one may have moved the others. */
	rl = row_of(d, line, line->lane, v->seq);
	rt = row_of(d, line, 0, v->seq);
	if (how == LANES_ROOM) {
		if (!dead && add(d, v->seq, line, v->p, v->n) < 0)
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
	line = decided(d, v, &scratch, &stop);
	if (stop)
		return false;
	if (!ours(d, line))
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
	if (f->stuck.seg && f->stuck.seq <= low && low - f->stuck.seq < FAR)
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
	if (low > f->back.seq && !skim_seek(&f->skim, &f->back, low) && low - f->back.seq > FAR)
		spool_seek(&f->back, low);
	skim_next(&f->skim, &f->back, &want, &f->pos);
	return true;
}

/* false: nothing more for now. */
static bool read_back(struct dest *d)
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

/* ---- after a start ---- */

/* Numbers from f->hole up to seq that no line has: nothing will ever settle them. */
static void pass_holes(struct dest *d, uint64_t seq)
{
	struct fill *f = &d->fill;

	if (seq > f->hole)
		cursor_done(&d->cursor, f->hole, seq - 1, false);
	f->hole = seq;
}

static bool on_hole_line(void *arg, const struct spool_view *v)
{
	struct dest *d = arg;
	struct spool_line scratch;
	const struct spool_line *line;
	bool stop;

	if (v->seq >= d->fill.next)
		return false;
	pass_holes(d, v->seq);
	if (cursor_is_passed(&d->cursor, v->seq))
		return true;
	line = decided(d, v, &scratch, &stop);
	if (stop)
		return false;
	if (!ours(d, line) || behind_covers(&d->cursor.behind, line->tenant, line->lane, v->seq) || buried(d, line, v->seq)) {
		cursor_done(&d->cursor, v->seq, v->seq, false);
		return true;
	}
	if (add(d, v->seq, line, v->p, v->n) < 0)
		return false;
	d->fill.hole = v->seq + 1;
	/* Lines that are settled stand between these, up to next: what is given back must be behind them. */
	lanes_settled(&d->lanes, line->lane, d->fill.next);
	return true;
}

static bool read_holes(struct dest *d)
{
	struct fill *f = &d->fill;
	uint64_t open = cursor_next_open(&d->cursor, f->back.seq);
	enum spool_read r = SPOOL_AT_END;

	if (open > f->back.seq + FAR)
		spool_seek(&f->back, open);
	if (open < f->next)
		r = spool_read(d->spool, &f->back, on_hole_line, d);
	if (r == SPOOL_ERROR || (r == SPOOL_STOPPED && f->back.seq < f->next)) {
		f->again = clock_mono() + CLOCK_S / 4;
		return false;
	}
	f->starting = r == SPOOL_MORE && f->back.seq < f->next;
	if (!f->starting)
		pass_holes(d, f->next);
	return true;
}

/*
 * Where others have the processor a slice is this thread's time on it, from the first look on: else a worker would get one
 * line where hundreds wait for it.
 */
static bool slice_is_over(int64_t end, int64_t *own)
{
	int64_t now = clock_mono(), time;
	struct timespec t;

	if (*own && now < end)
		return false;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	time = t.tv_sec * CLOCK_S + t.tv_nsec;
	if (!*own)
		*own = time;
	return now >= end + FILL_PATIENCE || time - *own >= FILL_SLICE;
}

void fill(struct dest *d)
{
	struct fill *f = &d->fill;
	int64_t end = clock_mono() + FILL_SLICE, own = 0;
	bool back = true, front = true;

	f->again = 0;
	d->lanes.max_items = d->limits.window_lines;
	d->lanes.max_bytes = d->limits.window_bytes;
	while (f->starting && (d->workers || d->mirror)) {
		if (!read_holes(d))
			return;
		if (slice_is_over(end, &own))
			break;
	}
	if (f->starting) {
		if (d->workers || d->mirror)
			f->again = end;
		return;
	}
	/* Both by turns: the one brings what workers wait for, the other what is new. */
	while (back || front) {
		if (back)
			back = read_back(d);
		if (front)
			front = read_front(d);
		if ((back || front) && slice_is_over(end, &own)) {
			f->again = end;
			break;
		}
	}
	dest_settle_gone(d);
	if (d->cursor.low - d->saved_low > SAVE_EVERY)
		dest_save(d);
}
