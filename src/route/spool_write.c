/* spool_write: adding lines, group commit, and what happens when the disk fails. */
#include "route/spool_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void submit(struct spool *s);

static void group_free(struct group *g)
{
	if (!g)
		return;
	buf_release(&g->bytes);
	free(g->lines);
	free(g);
}

void spool_group_done(struct spool *s, struct group *g)
{
	if (s->spare) {
		group_free(g);
		return;
	}
	buf_clear(&g->bytes);
	g->n = 0;
	s->spare = g;
}

static struct group *group_open(struct spool *s)
{
	struct group *g = s->spare;

	s->spare = NULL;
	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return NULL;
		buf_init(&g->bytes, SEGMENT_GROUP_MAX);
		/* As much as the last one had: growing step by step copies it over and over. If there is no memory, it will be said. */
		buf_reserve(&g->bytes, s->last_bytes);
	}
	g->next = NULL;
	g->waiters = NULL;
	g->waiters_end = &g->waiters;
	g->first = s->next;
	g->gen = s->gen;
	*s->end = g;
	s->end = &g->next;
	s->open = g;
	return g;
}

uint64_t spool_add(struct spool *s, const char *p, size_t n, const struct spool_line *line)
{
	struct group *g = s->open;

	if (g && g->n && g->bytes.len + n + SEGMENT_COMMIT_MAX > SPOOL_GROUP)
		g = s->open = NULL;
	if (!g && !(g = group_open(s)))
		return 0;
	if (g->n == g->cap) {
		uint32_t cap = g->cap ? g->cap * 2 : 64;
		struct spool_line *lines = realloc(g->lines, cap * sizeof(*lines));
		if (!lines)
			return 0;
		g->lines = lines;
		g->cap = cap;
	}
	/* Room for the commit line is made now, so that nothing can fail when the group is closed. */
	if (buf_reserve(&g->bytes, n + SEGMENT_COMMIT_MAX) < 0)
		return 0;
	g->lines[g->n] = *line;
	g->lines[g->n].off = (uint32_t)g->bytes.len;
	g->lines[g->n].len = (uint32_t)n;
	g->n++;
	memcpy(g->bytes.p + g->bytes.len, p, n);
	g->bytes.len += n;
	return s->next++;
}

bool spool_wait(struct spool *s, struct spool_waiter *w)
{
	struct group *g = s->first;

	if (!g)
		return false;
	while (g->next)
		g = g->next;
	w->next = NULL;
	*g->waiters_end = w;
	g->waiters_end = &w->next;
	return true;
}

bool spool_full(const struct spool *s)
{
	size_t waiting = 0;

	for (const struct group *g = s->busy && s->first ? s->first->next : s->first; g; g = g->next)
		waiting += g->bytes.len;
	return waiting >= SPOOL_WAITING;
}

bool spool_idle(const struct spool *s)
{
	return !s->first && !s->busy;
}

void spool_generation(struct spool *s, uint64_t gen)
{
	const struct seg *last = spool_last_seg(s);

	if (s->gen == gen)
		return;
	s->gen = gen;
	s->open = NULL;
	if (!last || last->gen != gen)
		s->roll = true;
}

void spool_at_least(struct spool *s, uint64_t seq)
{
	if (s->next >= seq)
		return;
	s->next = seq;
	s->open = NULL;
	s->roll = true;
}

/* ---- the job of the thread ---- */

static void begin_file(struct spool *s, const struct group *g)
{
	struct sync_job *j = &s->job;
	const struct seg *last = spool_last_seg(s);
	struct commit empty = { .seq = g->first, .gen = g->gen, .head = true, .prev = last ? last->end : g->first,
		.lines = last ? last->lines + (last->end - last->first) : 0 };

	segment_name(j->name, g->first);
	j->fd = -1;
	j->old_fd = s->fd;
	j->old_dirty = s->dirty && s->o.sync != SPOOL_NEVER;
	j->head = s->head;
	j->nhead = commit_write(s->head, &empty);
}

/* Gives the first group to the thread, or (none there) only asks for a sync. */
static void submit(struct spool *s)
{
	struct sync_job *j = &s->job;
	struct group *g = s->first;
	const struct seg *last = spool_last_seg(s);

	memset(j, 0, sizeof(*j));
	j->fd = s->fd;
	j->old_fd = -1;
	j->dirfd = s->dirfd;
	j->sync = s->o.sync == SPOOL_ALWAYS || s->sync_wanted;
	if (g) {
		j->commit = (struct commit){ .seq = g->first, .n = g->n, .bytes = g->bytes.len, .gen = g->gen };
		s->last_bytes = g->bytes.len;
		if (g == s->open)
			s->open = NULL;
		j->body = g->bytes.p;
		j->nbody = g->bytes.len;
		if (s->fd < 0 || s->roll || last->gen != g->gen || last->size >= s->o.segment_bytes)
			begin_file(s, g);
		else
			j->off = (off_t)last->size;
	}
	s->sync_wanted = false;
	s->busy = true;
	syncer_submit(s->syncer, j);
}

void spool_kick(struct spool *s)
{
	if (!s->busy && s->first)
		submit(s);
}

void spool_push(struct spool *s)
{
	if (s->busy)
		syncer_collect(s->syncer);
	if (!s->busy && s->first && (s->first->next || s->first->bytes.len >= SPOOL_MUCH))
		submit(s);
}

static void tell(struct group *g, int err)
{
	for (struct spool_waiter *w = g->waiters, *next; w; w = next) {
		next = w->next;
		w->told(w, err);
	}
}

static struct group *shift(struct spool *s)
{
	struct group *g = s->first;

	s->first = g->next;
	if (!s->first)
		s->end = &s->first;
	if (s->open == g)
		s->open = NULL;
	return g;
}

static void kept(struct spool *s)
{
	struct sync_job *j = &s->job;
	struct group *g = shift(s);
	struct seg *seg = spool_last_seg(s);
	uint64_t lines = seg ? seg->lines + (seg->end - seg->first) : 0;

	if (j->nhead) {
		/* What could not be cut off the old file when it failed may be cut off now. */
		if (s->uncut && ftruncate(s->fd, (off_t)seg->size) < 0)
			log_error("%s: the segment before line %llu ends in lines that were refused: %s", s->dir,
				(unsigned long long)g->first, strerror(errno));
		s->uncut = false;
		if (s->fd >= 0)
			close(s->fd);
		s->fd = j->fd;
		s->roll = false;
		seg = spool_add_seg(s, g->first, g->gen);
		if (!seg)
			die(1, "%s: no memory", s->dir);
		seg->lines = lines;
	} else if (seg->size != (uint64_t)j->off) {
		/* Meanwhile the file was found damaged, and is in pieces. */
		struct seg piece = { .file = seg->file, .first = g->first, .end = g->first, .gen = g->gen, .lines = lines,
			.off = (uint64_t)j->off, .size = (uint64_t)j->off };
		if (spool_replace_seg(s, s->nsegs, &piece, 1) < 0)
			die(1, "%s: no memory", s->dir);
		seg = spool_last_seg(s);
	}
	off_t off = j->off + (off_t)j->nhead;
	seg->size += j->nhead + j->nbody;
	seg->end = g->first + g->n;
	seg->written = clock_wall();
	s->bytes += j->nhead + j->nbody;
	spool_room_kept(s);
	s->ev.on_kept(s->arg, g->first, g->lines, g->n);
	bool taken = spool_tail_add(s, g, seg->first, off, j->off + (off_t)(j->nhead + j->nbody));
	tell(g, 0);
	s->ev.on_lines(s->arg, g->n);
	if (!taken)
		spool_group_done(s, g);
}

/* Takes back what the failed job may have left in the files. false: it cannot be taken back. */
static bool cut_back(struct spool *s)
{
	struct sync_job *j = &s->job;
	const struct seg *last = spool_last_seg(s);

	if (j->nhead) {
		if (j->fd < 0)
			return true;
		close(j->fd);
		if (unlinkat(s->dirfd, j->name, 0) == 0)
			return true;
		log_error("%s/%s: cannot be removed: %s", s->dir, j->name, strerror(errno));
		return false;
	}
	if (j->failed == SYNC_SYNC)
		s->roll = true;
	if (ftruncate(s->fd, (off_t)last->size) == 0)
		return true;
	log_error("%s: cannot be cut back to the last good commit: %s", s->dir, strerror(errno));
	s->roll = s->uncut = true;
	return false;
}

static void lost(struct spool *s)
{
	struct sync_job *j = &s->job;
	struct group *all = s->first, *g;
	uint64_t first = all->first;
	uint32_t lines = 0;
	int err = j->err;

	if (!s->refused)
		log_error("%s: %s: %s; batches are refused until it works again", s->dir,
			j->failed == SYNC_OPEN ? "a new segment" : j->failed == SYNC_WRITE ? "write" : "fdatasync", strerror(err));
	s->refused = err;
	s->probing = false;
	/* Numbers are used again only if nobody can ever read the lines that had them. */
	if (cut_back(s))
		s->next = first;
	else
		s->roll = true;
	s->first = s->open = NULL;
	s->end = &s->first;
	for (g = all; g; g = g->next)
		for (uint32_t i = 0; i < g->n; i++)
			lines += !g->lines[i].again;
	s->ev.on_lost(s->arg, s->next, lines);
	while ((g = all)) {
		all = g->next;
		tell(g, err);
		spool_group_done(s, g);
	}
	spool_room_lost(s);
}

static void on_done(void *arg, struct sync_job *j)
{
	struct spool *s = arg;

	s->busy = false;
	if (j->body && j->failed == SYNC_ALL_DONE) {
		s->dirty = !j->sync;
		kept(s);
	} else if (j->body) {
		lost(s);
	} else if (j->failed == SYNC_ALL_DONE) {
		s->dirty = false;
	} else {
		/* These lines were acknowledged already, that is what -s interval means; the next ones go elsewhere. */
		log_error("%s: fdatasync: %s; lines of the last moments may not be on disk", s->dir, strerror(j->err));
		s->dirty = false;
		s->roll = true;
	}
	if (s->dirty && s->o.sync == SPOOL_INTERVAL && !s->sync_timer.due)
		loop_timer_in(s->loop, &s->sync_timer, s->o.interval);
	spool_kick(s);
}

static void on_sync_timer(void *arg)
{
	struct spool *s = arg;

	s->sync_wanted = true;
	if (!s->busy && s->fd >= 0)
		submit(s);
}

int spool_write_init(struct spool *s)
{
	s->end = &s->first;
	s->sync_timer.fn = on_sync_timer;
	s->sync_timer.arg = s;
	spool_room_init(s);
	s->syncer = syncer_new(s->loop, on_done, s);
	if (!s->syncer)
		log_error("%s: the sync thread cannot start: %s", s->dir, strerror(errno));
	return s->syncer ? 0 : -1;
}

void spool_write_release(struct spool *s)
{
	syncer_free(s->syncer);
	loop_timer_del(s->loop, &s->sync_timer);
	spool_room_release(s);
	while (s->first)
		group_free(shift(s));
	group_free(s->spare);
	if (s->fd >= 0 && s->o.sync != SPOOL_NEVER && s->dirty && fdatasync(s->fd) < 0)
		log_error("%s: fdatasync: %s", s->dir, strerror(errno));
	if (s->fd >= 0)
		close(s->fd);
}
