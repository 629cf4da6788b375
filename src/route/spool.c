#include "route/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

/* ---- the list of files ---- */

struct seg *spool_add_seg(struct spool *s, uint64_t first, uint64_t gen)
{
	if (s->nsegs == s->segs_cap) {
		size_t cap = s->segs_cap ? s->segs_cap * 2 : 16;
		struct seg *segs = realloc(s->segs, cap * sizeof(*segs));
		if (!segs)
			return NULL;
		s->segs = segs;
		s->segs_cap = cap;
	}
	struct seg *seg = &s->segs[s->nsegs++];
	*seg = (struct seg){ .file = first, .first = first, .end = first, .gen = gen };
	return seg;
}

int spool_replace_seg(struct spool *s, size_t at, const struct seg *v, size_t n)
{
	size_t old = at < s->nsegs ? 1 : 0;

	for (size_t i = 0; i < n; i++) {
		if (!spool_add_seg(s, 0, 0)) {
			log_error("%s: no memory", s->dir);
			return -1;
		}
	}
	/* The new ones were added at the end; what stands behind the old one moves up. */
	s->nsegs -= n;
	for (size_t i = at; i < at + old; i++)
		s->bytes -= s->segs[i].size - s->segs[i].off;
	memmove(s->segs + at + n, s->segs + at + old, (s->nsegs - at - old) * sizeof(*s->segs));
	memcpy(s->segs + at, v, n * sizeof(*v));
	for (size_t i = at; i < at + n; i++)
		s->bytes += v[i - at].size - v[i - at].off;
	s->nsegs += n - old;
	return 0;
}

bool spool_busy_with(const struct spool *s, const struct seg *seg)
{
	return seg == spool_last_seg(s);
}

struct seg *spool_last_seg(const struct spool *s)
{
	return s->nsegs ? &s->segs[s->nsegs - 1] : NULL;
}

struct seg *spool_find_seg(const struct spool *s, uint64_t seq)
{
	size_t lo = 0, hi = s->nsegs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->segs[mid].end <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nsegs ? &s->segs[lo] : NULL;
}

uint64_t spool_next(const struct spool *s)
{
	return s->next;
}

uint64_t spool_end(const struct spool *s)
{
	const struct seg *last = spool_last_seg(s);

	/* Before the first file is there, lines may be on their way to it. */
	return last ? last->end : s->first ? s->first->first : s->next;
}

uint64_t spool_oldest(const struct spool *s)
{
	return s->nsegs ? s->segs[0].first : spool_end(s);
}

uint64_t spool_oldest_gen(const struct spool *s)
{
	return s->nsegs ? s->segs[0].gen : 0;
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->bytes;
}

uint64_t spool_lines(const struct spool *s, uint64_t seq)
{
	const struct seg *seg = spool_find_seg(s, seq), *last = spool_last_seg(s);

	if (seg)
		return seg->lines + (seq > seg->first ? seq - seg->first : 0);
	uint64_t lines = last ? last->lines + (last->end - last->first) : 0;
	/* Those on their way to the disk, too. */
	for (const struct group *g = s->first; g && seq > g->first; g = g->next)
		lines += seq - g->first < g->n ? seq - g->first : g->n;
	return lines;
}

uint64_t spool_back(const struct spool *s, uint64_t lines)
{
	uint64_t total = spool_lines(s, spool_end(s)), want = total > lines ? total - lines : 0;
	const struct seg *seg = spool_last_seg(s);

	while (seg && seg > s->segs && seg->lines > want)
		seg--;
	if (!seg)
		return s->next;
	uint64_t seq = seg->first + (want > seg->lines ? want - seg->lines : 0);
	return seq < seg->end ? seq : seg->end;
}

const struct gap *spool_gap(struct spool *s)
{
	for (size_t i = 0; i < s->gaps.n; i++)
		if (!s->gaps.v[i].said && (gap_note(s->dir, &s->gaps.v[i]), true))
			return &s->gaps.v[i];
	s->gaps_new = false;
	return NULL;
}

void spool_gap_said(struct spool *s, uint64_t from)
{
	for (size_t i = 0; i < s->gaps.n; i++)
		if (s->gaps.v[i].from == from && !s->gaps.v[i].said)
			gap_said(s->dir, &s->gaps.v[i]);
}

bool spool_gap_to_say(const struct spool *s)
{
	return s->gaps_new;
}

void spool_gap_found(struct spool *s, uint64_t from, uint64_t to, const char *file, const char *reason)
{
	s->gaps_new |= gaps_add(&s->gaps, from, to, file, reason, NULL);
}

void spool_needs(struct spool *s, uint64_t low)
{
	if (s->nsegs && low < s->before)
		spool_gap_found(s, low, s->before - 1, "", "the files that held them are missing");
}

bool spool_is_gone(const struct spool *s, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < s->gaps.n; i++)
		if (s->gaps.v[i].from < to && s->gaps.v[i].to >= from)
			return true;
	return false;
}

unsigned spool_from(const struct spool *s, uint64_t seq, uint64_t *bytes, uint64_t *end)
{
	const struct seg *seg = spool_find_seg(s, seq);
	unsigned n = 0;

	*bytes = 0;
	*end = seg ? seg->end : seq;
	for (; seg && seg < s->segs + s->nsegs; seg++, n++)
		*bytes += seg->size - seg->off;
	return n;
}

/* ---- opening ---- */

static int make_dirs(const struct spool *s)
{
	static const char *const SUB[] = { "", "/cursor", "/rules", "/dead" };
	char path[4096];

	for (size_t i = 0; i < sizeof(SUB) / sizeof(*SUB); i++) {
		snprintf(path, sizeof(path), "%s%s", s->dir, SUB[i]);
		if (fd_mkdirs(path, 0700) < 0) {
			log_error("%s: %s", path, strerror(errno));
			return -1;
		}
	}
	/* A spool whose own name a power loss takes back would be lost as a whole. */
	if (fd_sync_dir(s->dir) < 0) {
		log_error("the folder of %s: %s", s->dir, strerror(errno));
		return -1;
	}
	return 0;
}

static int take_lock(struct spool *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/lock", s->dir);
	s->lock = fd_lock(path);
	if (s->lock < 0 && errno == EWOULDBLOCK) {
		pid_t owner = fd_lock_owner(path);
		log_error("%s: another route (pid %ld) uses this spool; stop it or give another directory with -d", s->dir, (long)owner);
	} else if (s->lock < 0) {
		log_error("%s: %s", path, strerror(errno));
	}
	return s->lock < 0 ? -1 : 0;
}

/* ---- the mark of a run that does not sync each line ---- */

static void boot_id(struct buf *b)
{
	if (fd_read_file("/proc/sys/kernel/random/boot_id", b) < 0)
		buf_clear(b);
}

static void mark_path(const struct spool *s, char path[4096])
{
	snprintf(path, 4096, "%s/unsynced", s->dir);
}

/* How the last run ended. */
static void read_mark(struct spool *s)
{
	char path[4096];
	struct buf was, now;

	mark_path(s, path);
	buf_init(&was, 256);
	buf_init(&now, 256);
	boot_id(&now);
	s->unclean = access(path, F_OK) == 0;
	s->after_power_loss = s->unclean && (fd_read_file(path, &was) < 0 || was.len != now.len || memcmp(was.p, now.p, now.len) != 0);
	buf_release(&was);
	buf_release(&now);
}

/* This run is under way. */
static void mark(struct spool *s)
{
	char path[4096];
	struct buf now;

	mark_path(s, path);
	s->jumped = s->unclean ? s->next : 0;
	if (s->o.sync == SPOOL_ALWAYS && !s->unclean)
		return;
	buf_init(&now, 256);
	boot_id(&now);
	s->marked = fd_replace(path, now.p, now.len, 0600) == 0;
	if (!s->marked && s->o.sync != SPOOL_ALWAYS) {
		log_warn("%s: %s; every line is synced in this run", path, strerror(errno));
		s->o.sync = SPOOL_ALWAYS;
	}
	buf_release(&now);
}

/* All lines are on disk, and the files tell which numbers were given out. */
static void unmark(struct spool *s)
{
	char path[4096];

	if (!s->marked || (s->jumped && spool_end(s) <= s->jumped))
		return;
	mark_path(s, path);
	if (syncfs(s->dirfd) < 0 || (unlink(path) < 0 && errno != ENOENT))
		log_warn("%s: %s; numbers are left out at the next start", path, strerror(errno));
}

/* The last file never goes: it must not be what fills the spool, or the whole of a small disk. */
static void bound_segments(struct spool *s)
{
	struct statvfs disk;
	uint64_t most = s->o.limit ? s->o.limit / 4 : UINT64_MAX;

	if (fstatvfs(s->dirfd, &disk) == 0 && disk.f_blocks && disk.f_blocks * disk.f_frsize / 8 < most)
		most = disk.f_blocks * disk.f_frsize / 8;
	if (s->o.segment_bytes > most)
		s->o.segment_bytes = most;
}

struct spool *spool_open(struct loop *l, const struct spool_opts *o, const struct spool_events *ev, void *arg)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s || !(s->dir = strdup(o->dir))) {
		log_error("%s: no memory", o->dir);
		free(s);
		return NULL;
	}
	s->o = *o;
	s->ev = *ev;
	s->arg = arg;
	s->loop = l;
	s->lock = s->dirfd = s->fd = -1;
	s->end = &s->first;
	buf_init(&s->chunk, SEGMENT_GROUP_MAX * 2);
	if (make_dirs(s) < 0 || take_lock(s) < 0)
		goto fail;
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0) {
		log_error("%s: %s", s->dir, strerror(errno));
		goto fail;
	}
	bound_segments(s);
	s->gaps.dir = s->dir;
	read_mark(s);
	if (spool_load(s) < 0)
		goto fail;
	mark(s);
	if (fsync(s->dirfd) < 0) {
		log_error("%s: fsync: %s", s->dir, strerror(errno));
		goto fail;
	}
	if (spool_write_init(s) < 0)
		goto fail;
	return s;
fail:
	spool_close(s);
	return NULL;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	spool_tail_release(s);
	spool_write_release(s);
	buf_release(&s->chunk);
	unmark(s);
	gaps_release(&s->gaps);
	free(s->segs);
	if (s->dirfd >= 0)
		close(s->dirfd);
	if (s->lock >= 0)
		close(s->lock);
	free(s->dir);
	free(s);
}
