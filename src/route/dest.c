#include "route/dest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "route/deliver.h"

#define SAVE_PAUSE (CLOCK_MS)	/* between two saves, for each SAVE_TEXT of a slot but the first: a long one costs */
#define SAVE_TEXT (16u << 10)

static void on_timer(void *arg)
{
	deliver_serve(arg);
}

/* It was put among the dead letters by a hub that was killed before its cursor said so. */
static void on_letter(void *arg, const struct dead_ref *ref, bool alive)
{
	struct dest *d = arg;

	(void)alive;
	if (ref->seq < d->cursor.low || ref->seq >= spool_next(d->spool))
		return;
	/* It may come to be read, or be one of those passed over: fill knows when it meets it. */
	if (d->cursor.behind.n || !cursor_is_passed(&d->cursor, ref->seq))
		held_add(&d->fill.buried, ref->seq);
}

void dest_show_letters(struct dest *d)
{
	metric_set(d->metrics[D_LETTERS], d->dead.alive);
}

static bool room_for_letters(void *spool, uint64_t n)
{
	return spool_give_room(spool, n);
}

/* What is on disk of it: cursor, dead letters, attempts. -1 with a message, with nothing held. */
static int open_files(struct dest *d, const char *spool_dir)
{
	char dir[4096];
	int how;

	snprintf(dir, sizeof(dir), "%s/cursor", spool_dir);
	how = cursor_file_open(&d->file, dir, d->name, &d->cursor);
	if (how < 0)
		return -1;
	if (how == CURSOR_DAMAGED)
		cursor_init(&d->cursor, spool_oldest(d->spool));
	d->mirror = d->cursor.mirror;
	if (how != CURSOR_READ)
		d->cursor.base = spool_lines(d->spool, d->cursor.from);
	if (how != CURSOR_READ && cursor_file_make(&d->file, &d->cursor) < 0)
		goto fail;
	if (dead_init(&d->dead, spool_dir, d->name) < 0)
		goto fail;
	d->dead.room = room_for_letters;
	d->dead.arg = d->spool;
	if (dead_scan(&d->dead, on_letter, d) < 0) {
		dead_release(&d->dead);
		goto fail;
	}
	attempts_open(&d->attempts, spool_dir, d->name, d->cursor.low);
	return 0;
fail:
	cursor_file_close(&d->file);
	return -1;
}

struct dest *dest_new(const struct dest_config *c, const char *name, unsigned place, uint64_t start)
{
	struct dest *d = calloc(1, sizeof(*d));

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
	d->limits = *c->limits;
	d->link = c->link;
	d->until = UINT64_MAX;
	d->end = &d->first;
	d->out_end = &d->out;
	d->timer = (struct loop_timer){ .fn = on_timer, .arg = d };
	cursor_init(&d->cursor, start);
	if (open_files(d, c->spool_dir) < 0)
		goto fail;
	fill_init(d);
	route_metrics_dest(d->metrics, name);
	if (split_init(d, c->spool_dir) < 0)
		goto fail_files;
	dest_show_letters(d);
	d->saved_low = d->cursor.low;
	return d;
fail_files:
	attempts_close(&d->attempts);
	dead_release(&d->dead);
	cursor_file_close(&d->file);
fail:
	fill_release(d);
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
	split_release(d);
	lanes_release(&d->lanes);
	fill_release(d);
	dead_release(&d->dead);
	metric_set(d->metrics[D_WORKERS], 0);
}

static int save(struct dest *d)
{
	dest_show_letters(d);
	d->unsaved = cursor_file_save(&d->file, &d->cursor) < 0;
	d->saved_low = d->cursor.low;
	d->save_at = 0;
	return d->unsaved ? -1 : 0;
}

void dest_free(struct dest *d)
{
	close_parts(d);
	attempts_close(&d->attempts);
	save(d);
	cursor_file_sync(&d->file);
	cursor_file_close(&d->file);
	cursor_release(&d->cursor);
	free(d);
}

void dest_forget(struct dest *d)
{
	close_parts(d);
	metric_set(d->metrics[D_PENDING], 0);
	attempts_remove(&d->attempts);
	cursor_file_remove(&d->file);
	cursor_release(&d->cursor);
	free(d);
}

void dest_save(struct dest *d)
{
	int64_t now = clock_mono(), pause = (int64_t)(d->file.slot / SAVE_TEXT) * SAVE_PAUSE;

	if (pause && now < d->saved_at + pause) {
		d->save_at = d->saved_at + pause;
		return;
	}
	save(d);
	d->saved_at = now;
}

int dest_sync(struct dest *d)
{
	/* A mirror may lose lines now that it has counted. */
	bool behind = d->cursor.low != d->saved_low || d->save_at || d->unsaved || d->mirror;

	return (behind && save(d) < 0) || cursor_file_sync(&d->file) < 0 ? -1 : 0;
}

void dest_set_limits(struct dest *d, const struct dest_limits *limits, bool mirror)
{
	d->limits = *limits;
	d->mirror = mirror;
	if (d->cursor.mirror == mirror)
		return;
	d->cursor.mirror = mirror;
	save(d);
}

/* When all is read, what the counts have more than the window has can only be lines that are gone. */
void dest_settle_gone(struct dest *d)
{
	if (!d->cursor.gone || d->fill.starting || d->cursor.behind.n || d->fill.next < spool_end(d->spool))
		return;
	d->cursor.gone = false;
	if (d->cursor.pending <= d->lanes.items)
		return;
	log_warn("destination %s: lines of its own that are gone: %llu", d->name, (unsigned long long)(d->cursor.pending - d->lanes.items));
	d->cursor.shed += d->cursor.pending - d->lanes.items;
	d->cursor.pending = d->lanes.items;
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
	dest_save(d);
}

void dest_gone(struct dest *d)
{
	d->cursor.gone = true;
	dest_settle_gone(d);
}

void dest_count(struct dest *d, uint64_t ours, uint64_t first, uint64_t n)
{
	uint64_t from = first < d->cursor.from ? d->cursor.from : first, end = first + n;

	d->cursor.pending += ours;
	/* It may begin in the middle of a group that was open then. */
	if (from < end)
		d->cursor.filtered += end - from - ours;
	d->cursor.seen = spool_end(d->spool);
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
	dest_settle_gone(d);
}

void dest_clamp(struct dest *d, uint64_t next)
{
	/* Only a destination that was to start with lines which then were given up can stand so high. */
	if (d->fill.next <= next)
		return;
	fill_restart(d, next);
	d->cursor.solid = d->cursor.low = d->cursor.from = d->cursor.seen = next;
	d->cursor.base = spool_lines(d->spool, next);
	save(d);
	/* After a power loss it must not stand above lines that came since. */
	cursor_file_sync(&d->file);
}

bool dest_drained(const struct dest *d)
{
	return d->until != UINT64_MAX && (d->mirror || (d->cursor.low >= d->until && d->lanes.items == 0 && !d->out));
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
	d->fill.moved++;
	attempts_drop(&d->attempts, it);
	free(it);
}

void dest_shed(struct dest *d, uint64_t lines)
{
	d->cursor.shed += lines;
	d->cursor.pending -= lines < d->cursor.pending ? lines : d->cursor.pending;
	metric_add(d->metrics[D_SHED], lines);
	metric_set(d->metrics[D_PENDING], d->cursor.pending);
}
