#include "route/timer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "route/decide.h"
#include "route/hub_impl.h"
#include "route/metrics.h"
#include "route/segment.h"

#define NAME ".timer"		/* no destination can have that name */
#define READS 32u		/* pieces of the spool read before others get their turn */
#define SAVE_EVERY 65536u	/* lines passed before the cursor is written although nothing was due */
#define LOOK_AGAIN CLOCK_S	/* the wall clock may be set */
#define TRY_AGAIN CLOCK_S
#define CARRY_FILES 3u		/* the one with held lines, one that goes with it, the one being written */

static void step(struct timer *t);

/* ---- which lines are due first ---- */

static bool before(const struct due *a, const struct due *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static int compare(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

static int know(struct timer *t, const struct due *line)
{
	if (t->beyond && !before(line, &t->horizon))
		return 0;
	if (due_add(&t->due, line) < 0)
		return -1;
	if (t->due.n <= TIMER_LINES)
		return 0;
	/* A sorted array is a heap. */
	qsort(t->due.v, t->due.n, sizeof(*t->due.v), compare);
	t->due.n /= 2;
	t->horizon = t->due.v[t->due.n];
	t->beyond = true;
	return 0;
}

/* The first one that is still held; NULL: none that is known. */
static const struct due *first(struct timer *t)
{
	const struct due *d;

	while ((d = due_first(&t->due)) && !held_has(&t->held, d->seq))
		due_drop(&t->due);
	return d;
}

static void forget(struct timer *t, uint64_t seq, uint64_t len)
{
	if (held_drop(&t->held, seq))
		t->bytes -= len < t->bytes ? len : t->bytes;
}

/* ---- cursor ---- */

uint64_t timer_low(const struct timer *t)
{
	uint64_t low = held_low(&t->held, t->pos.seq);

	return low < t->pos.seq ? low : t->pos.seq;
}

static void save(struct timer *t)
{
	t->cursor.low = t->saved = timer_low(t);
	t->cursor.pending = t->held.lines;
	t->unsaved = false;
	cursor_file_save(&t->file, &t->cursor);
}

/* ---- reading ---- */

static bool on_line(void *arg, const struct spool_view *v)
{
	struct timer *t = arg;
	struct spool_line line;
	struct again a;
	int is_new;

	if ((v->known && !v->known->again && !v->known->notbefore) || again_open(v->p, v->n, &a) != 1 || a.to[0])
		return true;
	if (a.of != v->seq && held_has(&t->held, a.of)) {
		forget(t, a.of, v->n);
		/* Said by a hub that was killed before it counted. */
		if (!a.hold && v->seq >= t->cursor.seen)
			t->cursor.delivered++;
	}
	/* Read once more: those that are settled are not held again. */
	if (!a.hold || (v->seq < t->known && !held_has(&t->held, v->seq)))
		return true;
	if (v->known)
		line = *v->known;
	else if (decide_again(t->hub->book.now, v->p, v->n, &line) < 0)
		return true;
	if ((is_new = held_add(&t->held, v->seq)) < 0)
		return false;
	t->bytes += is_new ? v->n : 0;
	return know(t, &(struct due){ .at = line.notbefore, .seq = v->seq, .off = (uint64_t)v->place, .len = (uint32_t)v->n,
		.crc = hash_crc32c(0, v->p, v->n) }) == 0;
}

void timer_read(struct timer *t)
{
	enum spool_read r = SPOOL_AT_END;
	unsigned reads = 0;

	if (!t->hub)
		return;
	while (reads++ < READS && (r = spool_read(t->hub->spool, &t->pos, on_line, t)) == SPOOL_MORE)
		;
	if (t->pos.seq > t->known)
		t->known = t->pos.seq;
	if (r == SPOOL_AT_END) {
		t->reading = false;
		if (!t->nsaid && (t->cursor.pending != t->held.lines || t->unsaved || timer_low(t) - t->saved > SAVE_EVERY))
			save(t);
		step(t);
	} else {
		/* More to read; or no memory, or a disk that cannot be read. */
		t->reading = true;
		loop_timer_in(t->hub->loop, &t->again, r == SPOOL_MORE ? 1 : TRY_AGAIN);
	}
	metric_set(route_metrics[M_HELD], t->held.lines);
}

/* ---- saying ---- */

static bool said_full(const struct timer *t)
{
	return t->nsaid == TIMER_BATCH || t->said_bytes >= TIMER_BATCH_BYTES;
}

/* Adds the line that settles d; text is the one that stands in the spool. false: try later. */
static bool say(struct timer *t, const struct due *d, const char *text, size_t n, bool due)
{
	struct again a;

	if (again_open(text, n, &a) != 1 || !a.hold) {
		log_error("held line %" PRIu64 " is none: it is passed over", d->seq);
		forget(t, d->seq, n);
		return true;
	}
	a.of = d->seq;
	a.hold = !due;
	if (!hub_again(t->hub, &a))
		return false;
	t->said[t->nsaid++] = (struct timer_said){ .line = *d, .len = (uint32_t)n, .due = due };
	t->said_bytes += n;
	return true;
}

struct wanted { uint64_t seq; struct buf *text; bool found; };

static bool on_wanted(void *arg, const struct spool_view *v)
{
	struct wanted *w = arg;

	w->found = v->seq == w->seq && buf_add(w->text, v->p, v->n) == 0;
	return false;
}

static int text_of(struct spool *s, const struct due *d, struct buf *text)
{
	struct wanted w = { .seq = d->seq, .text = text };
	struct spool_pos pos;

	if (spool_glance(s, d->seq, (off_t)d->off, d->len, d->crc, text) == 0 || spool_fetch(s, d->seq, 0, text) == 0)
		return 0;
	/* A damaged file may still be in memory. */
	buf_clear(text);
	spool_seek(&pos, d->seq);
	spool_read(s, &pos, on_wanted, &w);
	return w.found ? 0 : -1;
}

static bool say_due(struct timer *t)
{
	int64_t now = clock_wall();
	const struct due *d;
	struct buf text;
	bool ok = true;

	buf_init(&text, SEGMENT_GROUP_MAX);
	while (ok && !said_full(t) && (d = first(t)) && d->at <= now) {
		/* One that cannot be read is looked for once more when the others are said (look_for_lost). */
		if (text_of(t->hub->spool, d, &text) == 0)
			ok = say(t, d, text.p, text.len, true);
		if (ok)
			due_drop(&t->due);
	}
	buf_release(&text);
	return ok;
}

static bool on_carry(void *arg, const struct spool_view *v)
{
	struct timer *t = arg;
	struct due d = { .seq = v->seq };

	if (v->seq >= t->carry_end || said_full(t))
		return false;
	return !held_has(&t->held, v->seq) || say(t, &d, v->p, v->n, false);
}

static void carry(struct timer *t)
{
	enum spool_read r = SPOOL_MORE;

	for (unsigned reads = 0; reads < READS && r == SPOOL_MORE; reads++)
		r = spool_read(t->hub->spool, &t->carry, on_carry, t);
	/* At the end; or it cannot be done now, then the next trim begins anew. */
	if (r == SPOOL_AT_END || r == SPOOL_ERROR || (r == SPOOL_STOPPED && !said_full(t)))
		t->carry_end = 0;
}

static void told(struct spool_waiter *w, int err)
{
	struct timer *t = (struct timer *)((char *)w - offsetof(struct timer, waiter));
	uint64_t due = 0;

	for (unsigned i = 0; i < t->nsaid; i++) {
		const struct timer_said *s = &t->said[i];
		if (!err)
			forget(t, s->line.seq, s->len);
		else if (s->due && know(t, &s->line) < 0)
			log_error("held line %" PRIu64 ": no memory: it is tried again after a restart", s->line.seq);
		due += s->due;
	}
	t->nsaid = t->said_bytes = 0;
	if (err) {
		t->carry_end = 0;
		loop_timer_in(t->hub->loop, &t->again, TRY_AGAIN);
		return;
	}
	t->cursor.delivered += due;
	t->cursor.seen = t->said_end;
	count(M_DUE, due);
	t->looked = false;
	/* Saved when the lines that were said are read: on_lines comes next. */
	t->unsaved = true;
}

static void read_again(struct timer *t)
{
	t->beyond = false;
	t->reading = true;
	spool_seek(&t->pos, timer_low(t));
	loop_timer_in(t->hub->loop, &t->again, 1);
}

/* Lines are held and no time is known of any. When reading once more does not find them either, they went with a damaged segment. */
static void look_for_lost(struct timer *t)
{
	if (!t->looked) {
		t->looked = true;
		read_again(t);
		return;
	}
	log_error("%" PRIu64 " held lines are gone: the segment that held them was damaged", t->held.lines);
	held_release(&t->held);
	t->bytes = 0;
	save(t);
}

/* Says what is due; else carries; else waits. */
static void step(struct timer *t)
{
	const struct due *d;
	bool ok = true;

	if (t->nsaid || t->reading || t->hub->stopping)
		return;
	if (!first(t) && (t->beyond || t->held.lines)) {
		(t->beyond ? read_again : look_for_lost)(t);
		return;
	}
	ok = say_due(t);
	if (ok && !t->nsaid && t->carry_end)
		carry(t);
	if (t->nsaid) {
		t->said_end = spool_next(t->hub->spool);
		if (!spool_wait(t->hub->spool, &t->waiter))
			told(&t->waiter, 0);
		return;
	}
	if (t->carry_end) {
		loop_timer_in(t->hub->loop, &t->again, 1);
	} else if (!ok) {
		loop_timer_in(t->hub->loop, &t->again, TRY_AGAIN);
	} else if ((d = first(t))) {
		int64_t wait = d->at - clock_wall();
		loop_timer_in(t->hub->loop, &t->again, wait < 1 ? 1 : wait < LOOK_AGAIN ? wait : LOOK_AGAIN);
	}
}

static void on_timer(void *arg)
{
	struct timer *t = arg;

	if (t->reading)
		timer_read(t);
	else
		step(t);
}

void timer_carry(struct timer *t)
{
	uint64_t bytes, end;

	if (!t->hub || t->reading || t->carry_end || !t->held.lines)
		return;
	if (spool_from(t->hub->spool, timer_low(t), &bytes, &end) < CARRY_FILES || t->bytes > bytes / 4)
		return;
	log_debug("%" PRIu64 " held lines: those below %" PRIu64 " are carried forward", t->held.lines, end);
	t->carry_end = end;
	spool_seek(&t->carry, timer_low(t));
	step(t);
}

/* ---- life ---- */

int timer_open(struct timer *t, struct hub *h)
{
	char dir[4096];
	int how;

	memset(t, 0, sizeof(*t));
	cursor_init(&t->cursor, spool_oldest(h->spool));
	snprintf(dir, sizeof(dir), "%s/cursor", h->c->spool.dir);
	if ((how = cursor_file_open(&t->file, dir, NAME, &t->cursor)) < 0)
		goto fail;
	/* From the oldest line on, it finds all that are held and all that are settled. */
	if (how == CURSOR_DAMAGED)
		cursor_init(&t->cursor, spool_oldest(h->spool));
	if (how != CURSOR_READ && cursor_file_make(&t->file, &t->cursor) < 0) {
		cursor_file_close(&t->file);
		goto fail;
	}
	spool_at_least(h->spool, t->cursor.low);
	spool_seek(&t->pos, t->cursor.low);
	t->saved = t->cursor.low;
	t->waiter.told = told;
	t->again = (struct loop_timer){ .fn = on_timer, .arg = t };
	t->reading = true;
	t->hub = h;
	return 0;
fail:
	cursor_release(&t->cursor);
	return -1;
}

void timer_close(struct timer *t)
{
	if (!t->hub)
		return;
	loop_timer_del(t->hub->loop, &t->again);
	if (!t->nsaid)
		save(t);
	cursor_file_sync(&t->file);
	cursor_file_close(&t->file);
	cursor_release(&t->cursor);
	due_release(&t->due);
	held_release(&t->held);
	t->hub = NULL;
}
