#include "route/fill_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "route/again.h"
#include "route/decide.h"

#define FILL_PATIENCE (50 * CLOCK_MS)	/* a slice is never longer than this, whoever has the processor */
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
int fill_add(struct dest *d, uint64_t seq, const struct spool_line *line, const char *p, size_t n)
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

const struct spool_line *fill_decided(struct dest *d, const struct spool_view *v, struct spool_line *scratch, bool *stop)
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

bool fill_ours(const struct dest *d, const struct spool_line *line)
{
	return line && line->mask >> d->place & 1;
}

enum lanes_room fill_room(const struct dest *d, const struct spool_line *line)
{
	/* With nobody there one line is enough: the cursor must pass what is none of ours. */
	if (!d->workers && !d->mirror && d->lanes.items)
		return LANES_FULL;
	return lanes_room(&d->lanes, line->tenant, line->lane);
}

bool fill_buried(struct dest *d, const struct spool_line *line, uint64_t seq)
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
	const struct spool_line *line = fill_decided(d, v, &scratch, &stop);
	enum lanes_room how;

	if (stop)
		return false;
	if (!fill_ours(d, line) || v->seq < d->fill.next)
		return true;
	skim_add(&d->fill.skim, line->tenant);
	if (behind_covers(&d->cursor.behind, line->tenant, line->lane, v->seq))
		return true;
	how = fill_room(d, line);
	if (how != LANES_ROOM)
		return leave(d, line, v->seq, how);
	if (fill_buried(d, line, v->seq))
		return true;
	pass(d, v->seq);
	if (fill_add(d, v->seq, line, v->p, v->n) < 0)
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
	if (r == SPOOL_AT_END && !f->at_end) {
		f->at_end = true;
		log_debug("destination %s: all of the spool was read, up to %" PRIu64 "; lines of %zu tenants and lanes were passed over",
			d->name, f->next, d->cursor.behind.n);
	}
	/* No memory, no row, or a disk that cannot be read. */
	if (r == SPOOL_ERROR || r == SPOOL_STOPPED)
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
	line = fill_decided(d, v, &scratch, &stop);
	if (stop)
		return false;
	if (!fill_ours(d, line) || behind_covers(&d->cursor.behind, line->tenant, line->lane, v->seq) || fill_buried(d, line, v->seq)) {
		cursor_done(&d->cursor, v->seq, v->seq, false);
		return true;
	}
	if (fill_add(d, v->seq, line, v->p, v->n) < 0)
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

	if (open > f->back.seq + FILL_FAR)
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
			back = fill_read_back(d);
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
