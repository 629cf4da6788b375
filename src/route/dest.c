#include "route/dest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "route/again.h"
#include "route/decide.h"
#include "route/deliver.h"
#include "route/segment.h"

#define SAVE_EVERY 65536u	/* lines passed without an acknowledgement before the cursor is written all the same */

static void on_timer(void *arg)
{
	deliver_serve(arg);
}

/* It was put among the dead letters by a hub that was killed before its cursor said so. */
static void on_letter(void *arg, const struct dead_ref *ref, bool alive)
{
	struct dest *d = arg;

	(void)alive;
	if (ref->seq < d->cursor.low || ref->seq >= spool_next(d->spool) || cursor_is_done(&d->cursor, ref->seq))
		return;
	cursor_done(&d->cursor, ref->seq, ref->seq, true);
	d->cursor.dead++;
	if (ref->seq < d->cursor.seen && d->cursor.pending)
		d->cursor.pending--;
}

void dest_show_letters(struct dest *d)
{
	metric_set(d->metrics[D_LETTERS], d->dead.alive);
}

struct dest *dest_new(const struct dest_config *c, const char *name, unsigned place, uint64_t start)
{
	struct dest *d = calloc(1, sizeof(*d));
	char dir[4096];
	int how;

	if (!d || lanes_init(&d->lanes) < 0) {
		log_error("destination %s: no memory", name);
		free(d);
		return NULL;
	}
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->place = place;
	d->loop = c->loop;
	d->spool = c->spool;
	d->book = c->book;
	d->limits = c->limits;
	d->link = c->link;
	d->until = UINT64_MAX;
	d->end = &d->first;
	d->out_end = &d->out;
	d->timer = (struct loop_timer){ .fn = on_timer, .arg = d };
	cursor_init(&d->cursor, start);
	snprintf(dir, sizeof(dir), "%s/cursor", c->spool_dir);
	how = cursor_file_open(&d->file, dir, name, &d->cursor);
	if (how < 0)
		goto fail;
	if (how == CURSOR_DAMAGED)
		cursor_init(&d->cursor, spool_oldest(d->spool));
	if (how != CURSOR_READ)
		d->cursor.base = spool_lines(d->spool, d->cursor.from);
	if (how != CURSOR_READ && cursor_file_make(&d->file, &d->cursor) < 0)
		goto fail_file;
	if (dead_init(&d->dead, c->spool_dir, d->name) < 0)
		goto fail_file;
	if (dead_scan(&d->dead, on_letter, d) < 0) {
		dead_release(&d->dead);
		goto fail_file;
	}
	d->next = d->cursor.low;
	spool_seek(&d->pos, d->cursor.low);
	route_metrics_dest(d->metrics, name);
	dest_show_letters(d);
	d->saved_low = d->cursor.low;
	return d;
fail_file:
	cursor_file_close(&d->file);
fail:
	cursor_release(&d->cursor);
	lanes_release(&d->lanes);
	free(d);
	return NULL;
}

int dest_listen(struct dest *d, const char *url)
{
	if (d->nservers == DEST_LISTENERS) {
		log_error("destination %s: more than %u listeners", d->name, DEST_LISTENERS);
		return -1;
	}
	struct link_server *s = link_listen(d->loop, url, d->link, &deliver_handler, d);
	if (!s)
		return -1;
	d->servers[d->nservers++] = s;
	return 0;
}

static void close_parts(struct dest *d)
{
	d->stopped = true;
	for (unsigned i = 0; i < d->nservers; i++)
		link_server_close(d->servers[i]);
	free(d->url);
	deliver_release(d);
	loop_timer_del(d->loop, &d->timer);
	lanes_release(&d->lanes);
	dead_release(&d->dead);
	metric_set(d->metrics[D_WORKERS], 0);
}

void dest_free(struct dest *d)
{
	close_parts(d);
	dest_save(d);
	cursor_file_sync(&d->file);
	cursor_file_close(&d->file);
	cursor_release(&d->cursor);
	free(d);
}

void dest_forget(struct dest *d)
{
	close_parts(d);
	metric_set(d->metrics[D_PENDING], 0);
	cursor_file_remove(&d->file);
	cursor_release(&d->cursor);
	free(d);
}

void dest_save(struct dest *d)
{
	dest_show_letters(d);
	cursor_file_save(&d->file, &d->cursor);
	d->saved_low = d->cursor.low;
}

/* When all is read, what the counts have more than the window has can only be lines that are gone. */
static void settle_gone(struct dest *d)
{
	if (!d->gone || d->next < spool_end(d->spool))
		return;
	d->gone = false;
	if (d->cursor.pending <= d->lanes.items)
		return;
	log_warn("destination %s: %llu lines of its own are gone", d->name, (unsigned long long)(d->cursor.pending - d->lanes.items));
	d->cursor.shed += d->cursor.pending - d->lanes.items;
	d->cursor.pending = d->lanes.items;
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
	dest_save(d);
}

void dest_gone(struct dest *d)
{
	d->gone = true;
	settle_gone(d);
}

void dest_count(struct dest *d, uint64_t ours, uint64_t first, uint64_t n)
{
	d->cursor.pending += ours;
	if (first >= d->cursor.from)
		d->cursor.filtered += n - ours;
	d->cursor.seen = spool_end(d->spool);
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
	settle_gone(d);
}

void dest_clamp(struct dest *d, uint64_t next)
{
	/* Only a destination that was to start with lines which then were given up can stand so high. */
	if (d->next <= next)
		return;
	d->next = next;
	d->cursor.low = d->cursor.from = d->cursor.seen = next;
	d->cursor.base = spool_lines(d->spool, next);
	spool_seek(&d->pos, next);
	dest_save(d);
	/* After a power loss it must not stand above lines that came since. */
	cursor_file_sync(&d->file);
}

bool dest_drained(const struct dest *d)
{
	return d->until != UINT64_MAX && d->cursor.low >= d->until && d->lanes.items == 0 && !d->out;
}

void dest_settled(struct dest *d, struct item *it, bool delivered)
{
	cursor_done(&d->cursor, it->seq, it->seq, true);
	if (d->cursor.pending)
		d->cursor.pending--;
	if (delivered)
		d->cursor.delivered++;
	else
		d->cursor.dead++;
	metric_add(d->metrics[delivered ? D_DELIVERED : D_DEAD], 1);
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
	free(it);
}

/* ---- filling the window ---- */

static bool window_full(const struct dest *d)
{
	/* With nobody there it is enough to find the first line of ours: the cursor must pass what is not. */
	if (!d->workers && d->lanes.items)
		return true;
	return d->lanes.items >= d->limits->window_lines || d->lanes.bytes >= d->limits->window_bytes;
}

/* A full window is filled again when a good part of it is free, not for each line that went. */
static bool worth_filling(struct dest *d)
{
	if (d->was_full && (d->lanes.items > d->limits->window_lines / 4 * 3 || d->lanes.bytes > d->limits->window_bytes / 4 * 3))
		return false;
	d->was_full = window_full(d);
	return !d->was_full;
}

/* What workers get is the event, also of a line said again. */
static int add(struct dest *d, uint64_t seq, uint64_t lane, const char *p, size_t n)
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
	if (lanes_add(&d->lanes, lane, it) == 0)
		return 0;
	free(it);
	return -1;
}

/* Lines from d->next up to seq are none of ours, or settled. */
static void pass(struct dest *d, uint64_t seq)
{
	if (seq > d->next) {
		cursor_done(&d->cursor, d->next, seq - 1, false);
		d->next = seq;
	}
}

static bool on_line(void *arg, const struct spool_view *v)
{
	struct dest *d = arg;
	struct spool_line again;
	const struct spool_line *line = v->known;

	if (window_full(d))
		return false;
	if (!line) {
		const struct rules *r = rules_book_get(d->book, v->gen);
		if (!r)
			return false;
		int what = decide_again(r, v->p, v->n, &again);
		if (what == DECIDE_LATER)
			return false;
		if (what < 0) {
			log_error("line %llu of the spool is no event; it is passed over", (unsigned long long)v->seq);
			return true;
		}
		line = &again;
	}
	if (!(line->mask >> d->place & 1) || cursor_is_done(&d->cursor, v->seq))
		return true;
	pass(d, v->seq);
	if (add(d, v->seq, line->lane, v->p, v->n) < 0)
		return false;
	d->next = v->seq + 1;
	return true;
}

void dest_fill(struct dest *d)
{
	enum spool_read r = SPOOL_AT_END;
	unsigned reads = 0;

	while (worth_filling(d) && reads++ < DEST_READS && (r = spool_read(d->spool, &d->pos, on_line, d)) == SPOOL_MORE)
		if (d->lanes.takeable >= LINK_BATCH_LINES)
			break;
	/* Stopped by something else than a full window: no memory, or a disk that cannot be read. */
	if (r == SPOOL_ERROR || (r == SPOOL_STOPPED && !window_full(d)))
		d->read_again = clock_mono() + CLOCK_S;
	else
		d->read_again = r == SPOOL_MORE && !d->was_full ? clock_mono() : 0;
	pass(d, d->pos.seq);
	settle_gone(d);
	if (d->cursor.low - d->saved_low > SAVE_EVERY)
		dest_save(d);
}
