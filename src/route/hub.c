#include "route/hub.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "route/books.h"
#include "route/decide.h"
#include "route/deliver.h"
#include "route/hub_impl.h"
#include "route/jq.h"

#define STOP_PATIENCE (2 * CLOCK_S)	/* how long the workers' last outcomes are waited for */

/* ---- what the spool says ---- */

static void trim(void *arg)
{
	struct hub *h = arg;
	uint64_t oldest = spool_oldest(h->spool);
	int64_t wait = spool_trim(h->spool, dests_low(&h->dests, timer_low(&h->timer)));

	if (wait)
		loop_timer_in(h->loop, &h->trim_timer, wait);
	if (spool_oldest(h->spool) != oldest)
		rules_book_trim(&h->book, spool_oldest_gen(h->spool));
	metric_set(route_metrics[M_SPOOL_BYTES], spool_bytes(h->spool));
	timer_carry(&h->timer);
}

/* No cursor may stand before what is left, whatever happens: these lines would count as gone. */
static bool on_trim(void *arg)
{
	struct hub *h = arg;

	EACH_DEST(&h->dests, d)
		if (dest_sync(d) < 0)
			return false;
	return cursor_file_sync(&h->timer.file) == 0;
}

/* All that is counted of them is counted before anybody is told that they are kept: who looks then finds it so. */
static void on_kept(void *arg, uint64_t first, const struct spool_line *lines, uint32_t n)
{
	struct hub *h = arg;
	uint64_t counts[RULES_DESTS] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		for (uint64_t mask = lines[i].mask; mask; mask &= mask - 1)
			counts[__builtin_ctzll(mask)]++;
	count(M_ACCEPTED, n);
	metric_set(route_metrics[M_SEQUENCE], first + n - 1);
	EACH_DEST(&h->dests, d)
		dest_count(d, counts[d->place], first, n);
}

/*
 * A process that was killed kept lines and did not come to count them: those behind the last one counted. A number that is
 * not of this spool (it was made anew, or the metrics are those of another one) says nothing.
 */
static void count_uncounted(const struct spool *s)
{
	uint64_t next = metric_get(route_metrics[M_SEQUENCE]) + 1, end = spool_end(s);

	if (next >= spool_oldest(s) && next < end)
		count(M_ACCEPTED, spool_lines(s, end) - spool_lines(s, next));
	/* Numbers that are left out are no lines: counting goes on behind them. */
	metric_set(route_metrics[M_SEQUENCE], spool_next(s) - 1);
}

static void on_lines(void *arg, uint32_t n)
{
	struct hub *h = arg;

	count(M_GROUPS, 1);
	hub_hits_count(h);
	metric_set(route_metrics[M_SPOOL_BYTES], spool_bytes(h->spool));
	if (!h->trim_timer.due && spool_oldest(h->spool) + n < spool_end(h->spool))
		loop_timer_in(h->loop, &h->trim_timer, CLOCK_S);
	intake_flow(&h->intake);
	timer_read(&h->timer);
	EACH_DEST(&h->dests, d)
		deliver_serve(d);
}

static void on_short(void *arg)
{
	struct hub *h = arg;

	loop_timer_in(h->loop, &h->trim_timer, 0);
}

static void on_lost(void *arg, uint64_t next, uint32_t lines)
{
	struct hub *h = arg;

	metric_set(route_metrics[M_SEQUENCE], next - 1);
	intake_lost(&h->intake, lines);
	EACH_DEST(&h->dests, d)
		dest_clamp(d, next);
	intake_flow(&h->intake);
}

/* ---- stop ---- */

static void check_stopped(struct hub *h)
{
	if (!h->stopping || !spool_idle(h->spool))
		return;
	EACH_DEST(&h->dests, d)
		if (deliver_busy(d) && clock_mono() < h->give_up)
			return;
	loop_stop(h->loop);
}

static void on_round(void *arg)
{
	struct hub *h = arg;

	hub_gap_say(h);
	spool_kick(h->spool);
	if (dests_drop_drained(&h->dests))
		rules_book_bind(&h->book);
	check_stopped(h);
}

static void on_stop_timer(void *arg)
{
	check_stopped(arg);
}

static void stop(struct hub *h)
{
	if (h->stopping)
		return;
	h->stopping = true;
	h->give_up = clock_mono() + STOP_PATIENCE;
	notify_stopping();
	intake_stop(&h->intake);
	EACH_DEST(&h->dests, d)
		deliver_stop(d);
	loop_timer_set(h->loop, &h->stop_timer, h->give_up);
}

static void on_term(void *arg, int signo)
{
	log_info("signal %d: stopping", signo);
	stop(arg);
}

static void on_pipe_end(void *arg)
{
	struct hub *h = arg;

	if (h->intake.nservers == 0)
		stop(h);
}

/* ---- rules ---- */

static void on_hup(void *arg, int signo)
{
	(void)signo;
	hub_rules_reload(arg, NULL);
}

/* ---- start ---- */

static void on_walk(void *arg, const struct spool_view *v)
{
	struct hub *h = arg;
	struct spool_line line = { .mask = 0 };
	const struct rules *r = NULL;
	int what = 0;

	if (v->seq >= h->walk_from)
		intake_seen(&h->intake, v);
	hub_letters_seen(h, v);
	EACH_DEST(&h->dests, d) {
		if (v->seq < d->cursor.seen && !d->cursor.cut)
			continue;
		if (!r && (!(r = rules_book_get(&h->book, v->gen)) || (what = decide_again(r, v->p, v->n, &line)) < 0)) {
			h->undecided |= what == DECIDE_LATER;
			return;
		}
		bool ours = line.mask >> d->place & 1, open = ours && !cursor_is_done(&d->cursor, v->seq, line.tenant, line.lane);
		d->open += open;
		if (v->seq < d->cursor.seen)
			continue;
		d->cursor.filtered += !ours;
		d->cursor.pending += open;
	}
}

/* Lines that a destination has counted, and no file holds: they came, and their number is not given out again. */
static void miss_end(struct hub *h)
{
	bool any = spool_oldest_gen(h->spool) != 0;
	uint64_t end = any ? spool_end(h->spool) : UINT64_MAX, seen = 0;

	/* One that was just made has counted nothing, wherever it begins. */
	EACH_DEST(&h->dests, d) {
		if (d->cursor.from < d->cursor.seen && d->cursor.seen > seen)
			seen = d->cursor.seen;
		if (!any && d->cursor.low < end)
			end = d->cursor.low;
	}
	if (seen <= end)
		return;
	spool_at_least(h->spool, seen);
	spool_gap_found(h->spool, end, seen - 1, "", "the end of the spool is missing: its last file was removed, or cut");
}

static int walk_spool(struct hub *h)
{
	uint64_t end = spool_end(h->spool), window = h->c->spool.window, counted[RULES_DESTS];
	int64_t start = clock_mono();
	uint64_t from;

	spool_needs(h->spool, dests_low(&h->dests, end));
	miss_end(h);
	h->walk_from = from = spool_back(h->spool, window);
	EACH_DEST(&h->dests, d) {
		counted[d->place] = 0;
		/* Lines that it counted are gone: counted anew. */
		if (d->cursor.seen > end || (!spool_oldest_gen(h->spool) && d->cursor.from < d->cursor.seen)) {
			counted[d->place] = d->cursor.pending;
			d->cursor.seen = d->cursor.low;
			d->cursor.pending = 0;
			d->cursor.base = CURSOR_NO_BASE;
		}
		uint64_t need = d->cursor.cut ? d->cursor.low : d->cursor.seen;
		if (need < from)
			from = need;
	}
	/* No more can stand behind a letter that was said again and not marked. */
	if (from + LETTERS_BEHIND > end)
		from = end > LETTERS_BEHIND ? end - LETTERS_BEHIND : 0;
	if (spool_walk(h->spool, from, on_walk, h) < 0 || hub_letters_settle(h) < 0)
		return -1;
	/* Without them the books would not add up. */
	if (h->undecided) {
		log_error("where kept lines go cannot be told: %s", decide_trouble());
		return -1;
	}
	EACH_DEST(&h->dests, d) {
		uint64_t seen = d->cursor.seen;
		d->cursor.seen = end;
		cursor_recount(&d->cursor, d->open);
		if (counted[d->place] > d->cursor.pending)
			d->cursor.shed += counted[d->place] - d->cursor.pending;
		books_lost(h->spool, &d->cursor, seen);
		/* Books that cannot be told begin with what adds up. */
		if (d->cursor.base == CURSOR_NO_BASE)
			d->cursor.base = spool_lines(h->spool, end) + d->cursor.again - cursor_sum(&d->cursor);
		dest_count(d, 0, end, 0);
		if (spool_is_gone(h->spool, d->cursor.from, end))
			dest_gone(d);
	}
	log_debug("spool read in %" PRId64 " ms: %u ids in the window", (clock_mono() - start) / CLOCK_MS, h->intake.repeat.n);
	return 0;
}

static int open_intakes(struct hub *h)
{
	/* A listener borrows its URL. */
	static char url[4096], control[4096];

	if (h->c->run_dir) {
		snprintf(url, sizeof(url), "ipc://%s/in", h->c->run_dir);
		if (intake_listen(&h->intake, url) < 0)
			return -1;
		snprintf(control, sizeof(control), "ipc://%s/control", h->c->run_dir);
		if (control_listen(&h->control, h, h->loop, control, &h->c->link) < 0)
			return -1;
	}
	for (size_t i = 0; i < h->c->intakes.n; i++)
		if (intake_listen(&h->intake, h->c->intakes.v[i]) < 0)
			return -1;
	return 0;
}

/* Everything in the order that a half-started hub can be left in at any point. */
static int start(struct hub *h)
{
	static const struct spool_events events = { .on_kept = on_kept, .on_lines = on_lines, .on_trim = on_trim, .on_lost = on_lost,
		.on_short = on_short };

	/* A fault in the rules is told before anything is touched. */
	if (hub_rules_read(h) < 0)
		return -1;
	h->spool = spool_open(h->loop, &h->c->spool, &events, h);
	if (!h->spool || asprintf(&h->rules_dir, "%s/rules", h->c->spool.dir) < 0)
		return -1;
	h->dests = (struct dests){ .run_dir = h->c->run_dir, .outlets = h->c->outlets, .config = { .spool_dir = h->c->spool.dir,
		.loop = h->loop, .spool = h->spool, .book = &h->book, .limits = &h->c->limits, .link = &h->c->link } };
	h->book = (struct rules_book){ .dir = h->rules_dir, .place_of = dests_place, .arg = &h->dests };
	intake_init(&h->intake, h->loop, h->spool, &h->book, &h->c->link, (uint32_t)h->c->spool.window);
	h->intake.on_pipe_end = on_pipe_end;
	h->intake.arg = h;
	if (h->c->run_dir && fd_mkdirs(h->c->run_dir, 0755) < 0) {
		log_error("%s: %s", h->c->run_dir, strerror(errno));
		return -1;
	}
	if (timer_open(&h->timer, h) < 0 || dests_open_old(&h->dests) < 0)
		return -1;
	if (hub_rules_start(h) < 0 || walk_spool(h) < 0)
		return -1;
	count_uncounted(h->spool);
	if (dests_listen(&h->dests) < 0)
		return -1;
	EACH_DEST(&h->dests, d)
		deliver_serve(d);
	if (open_intakes(h) < 0)
		return -1;
	timer_read(&h->timer);
	trim(h);
	return 0;
}

int hub_run(const struct hub_config *c)
{
	struct hub h = { .c = c, .loop = loop_new() };
	int code = 1;

	if (!h.loop)
		die(1, "loop: %s", strerror(errno));
	h.trim_timer = (struct loop_timer){ .fn = trim, .arg = &h };
	h.stop_timer = (struct loop_timer){ .fn = on_stop_timer, .arg = &h };
	if (loop_signal(h.loop, SIGTERM, on_term, &h) < 0 || loop_signal(h.loop, SIGINT, on_term, &h) < 0 ||
	    loop_signal(h.loop, SIGHUP, on_hup, &h) < 0)
		die(1, "signals: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	loop_each_round(h.loop, on_round, &h);
	if (start(&h) == 0) {
		jq_hurry();
		notify_ready();
		log_info("ready: generation %" PRIu64 " of %s, next line %" PRIu64, h.book.now->gen, c->rules, spool_next(h.spool));
		code = loop_run(h.loop) < 0;
		if (h.intake.waiting || (h.intake.pipe && link_take_dropped(h.intake.pipe)))
			code = 1;
	}
	control_close(&h.control);
	hub_rules_release(&h);
	if (h.spool) {
		hub_gap_release(&h);
		timer_close(&h.timer);
		dests_close(&h.dests);
		intake_release(&h.intake);
		rules_book_release(&h.book);
		spool_close(h.spool);
	}
	decide_release();
	free(h.rules_dir);
	loop_free(h.loop);
	return code;
}
