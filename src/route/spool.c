#include "route/spool_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "route/walk.h"

#define TRIM_AGAIN CLOCK_S	/* files are looked at no more often than this */

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
	*seg = (struct seg){ .first = first, .end = first, .gen = gen };
	return seg;
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

	return last ? last->end : s->next;
}

uint64_t spool_oldest(const struct spool *s)
{
	return s->nsegs ? s->segs[0].first : s->next;
}

uint64_t spool_oldest_gen(const struct spool *s)
{
	return s->nsegs ? s->segs[0].gen : 0;
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->bytes;
}

unsigned spool_from(const struct spool *s, uint64_t seq, uint64_t *bytes, uint64_t *end)
{
	const struct seg *seg = spool_find_seg(s, seq);
	unsigned n = 0;

	*bytes = 0;
	*end = seg ? seg->end : seq;
	for (; seg && seg < s->segs + s->nsegs; seg++, n++)
		*bytes += seg->size;
	return n;
}

/* ---- opening ---- */

static int by_first(const void *a, const void *b)
{
	const struct seg *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int list_segs(struct spool *s)
{
	struct stat st;
	uint64_t first;
	DIR *d = opendir(s->dir);

	if (!d) {
		log_error("%s: %s", s->dir, strerror(errno));
		return -1;
	}
	for (const struct dirent *e; (e = readdir(d)); ) {
		if (segment_name_parse(e->d_name, &first) < 0)
			continue;
		struct seg *seg = spool_add_seg(s, first, 0);
		if (!seg || fstatat(s->dirfd, e->d_name, &st, 0) < 0) {
			log_error("%s/%s: %s", s->dir, e->d_name, seg ? strerror(errno) : "no memory");
			closedir(d);
			return -1;
		}
		seg->size = (uint64_t)st.st_size;
		seg->written = (int64_t)st.st_mtim.tv_sec * CLOCK_S + st.st_mtim.tv_nsec;
	}
	closedir(d);
	if (s->nsegs)
		qsort(s->segs, s->nsegs, sizeof(*s->segs), by_first);
	return 0;
}

/* What a killed process wrote and did not sync can be read, so that its repeats are acknowledged: it must be on disk. */
static int sync_seg(const struct spool *s, int fd, const char *name)
{
	if (s->o.sync == SPOOL_NEVER || fdatasync(fd) == 0)
		return 0;
	log_error("%s/%s: fdatasync: %s", s->dir, name, strerror(errno));
	return -1;
}

/* Of a file that is not the last one: it is on disk, and its generation, which stands in its first line, is known. -1 with a message. */
static int check_seg(const struct spool *s, struct seg *seg)
{
	char name[SEGMENT_NAME_MAX], head[SEGMENT_COMMIT_MAX];
	struct commit c;
	const char *lf;
	int fd;

	segment_name(name, seg->first);
	fd = openat(s->dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		log_error("%s/%s: %s", s->dir, name, strerror(errno));
		return -1;
	}
	ssize_t got = pread(fd, head, sizeof(head), 0);
	int synced = sync_seg(s, fd, name);
	close(fd);
	if (synced < 0)
		return -1;
	lf = got > 0 ? memchr(head, '\n', (size_t)got) : NULL;
	if (!lf || commit_parse(head, (size_t)(lf - head), &c) < 0 || c.seq != seg->first) {
		log_error("%s/%s: does not begin with the commit line of a segment; move it away to start without it", s->dir, name);
		return -1;
	}
	seg->gen = c.gen;
	return 0;
}

/* What is cut off although it is no half-written group is kept aside: somebody may want to look at it. */
static int set_aside(const struct spool *s, int fd, const char *name, off_t from)
{
	char path[4096], block[65536];
	ssize_t got;
	int out, r = -1;

	snprintf(path, sizeof(path), "%s/damaged", s->dir);
	if (fd_mkdirs(path, 0700) < 0)
		goto say;
	snprintf(path, sizeof(path), "%s/damaged/%s.%lld", s->dir, name, (long long)from);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		goto say;
	while ((got = pread(fd, block, sizeof(block), from)) > 0 && fd_write_all(out, block, (size_t)got) == 0)
		from += got;
	r = got == 0 && fdatasync(out) == 0 ? 0 : -1;
	close(out);
say:
	if (r < 0)
		log_error("%s: %s", path, strerror(errno));
	return r;
}

/* Reads the whole last file and cuts off what stands behind the last good commit. 1: the file held nothing and is gone. */
static int cut_torn(struct spool *s, struct seg *seg)
{
	char name[SEGMENT_NAME_MAX];
	enum walk_result r;
	struct commit c;
	struct walk w;
	const char *p;
	size_t n;
	int fd, ret = -1;

	segment_name(name, seg->first);
	fd = openat(s->dirfd, name, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		log_error("%s/%s: %s", s->dir, name, strerror(errno));
		return -1;
	}
	walk_init(&w, fd, seg->first);
	while ((r = walk_next(&w, &c, &p, &n)) == WALK_GROUP)
		seg->gen = c.gen;
	if (r == WALK_ERROR) {
		log_error("%s/%s: byte %lld: %s", s->dir, name, (long long)w.off, strerror(errno));
		goto done;
	}
	if (seg->size > (uint64_t)w.off) {
		log_warn("%s/%s: %llu bytes behind the last good commit are cut off (%s)", s->dir, name,
			(unsigned long long)(seg->size - (uint64_t)w.off), r == WALK_BAD ? w.why : "a write that did not end");
		if (r == WALK_BAD && set_aside(s, fd, name, w.off) < 0)
			goto done;
		if (ftruncate(fd, w.off) < 0 || fsync(fd) < 0) {
			log_error("%s/%s: %s", s->dir, name, strerror(errno));
			goto done;
		}
	}
	if (sync_seg(s, fd, name) < 0)
		goto done;
	seg->size = (uint64_t)w.off;
	seg->end = w.seq;
	ret = 0;
	if (seg->end == seg->first) {
		if (unlinkat(s->dirfd, name, 0) < 0) {
			log_error("%s/%s: %s", s->dir, name, strerror(errno));
			ret = -1;
		} else {
			ret = 1;
		}
	}
done:
	walk_release(&w);
	if (ret == 0)
		s->fd = fd;
	else
		close(fd);
	return ret;
}

static int load(struct spool *s)
{
	struct seg *last;
	int r;

	if (list_segs(s) < 0)
		return -1;
	s->next = 0;
	while ((last = spool_last_seg(s))) {
		if (s->next < last->first)
			s->next = last->first;
		r = cut_torn(s, last);
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		s->nsegs--;
	}
	if (last && s->next < last->end)
		s->next = last->end;
	/* A new spool begins at the clock, so that one that was deleted and made anew never uses numbers again. */
	if (s->next == 0)
		s->next = (uint64_t)(clock_wall() / CLOCK_US);
	s->roll = !last || s->next != last->end;
	s->gen = last ? last->gen : 0;
	for (size_t i = 0; i < s->nsegs; i++) {
		struct seg *seg = &s->segs[i];
		s->bytes += seg->size;
		if (i + 1 == s->nsegs)
			break;
		seg->end = s->segs[i + 1].first;
		if (check_seg(s, seg) < 0)
			return -1;
	}
	return 0;
}

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

struct spool *spool_open(struct loop *l, const struct spool_opts *o, const struct spool_events *ev, void *arg)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s || !(s->dir = strdup(o->dir))) {
		log_error("%s: no memory", o->dir);
		free(s);
		return NULL;
	}
	s->o = *o;
	/* The last file never goes: it must not be what fills the spool. */
	if (s->o.limit && s->o.segment_bytes > s->o.limit / 4)
		s->o.segment_bytes = s->o.limit / 4;
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
	if (load(s) < 0)
		goto fail;
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
	spool_write_release(s);
	spool_tail_release(s);
	buf_release(&s->chunk);
	free(s->segs);
	if (s->dirfd >= 0)
		close(s->dirfd);
	if (s->lock >= 0)
		close(s->lock);
	free(s->dir);
	free(s);
}

/* ---- trimming ---- */

/* How long the oldest file is to stay at least; 0: it may go. */
static int64_t stays(const struct spool *s, uint64_t low, int64_t now)
{
	struct seg *seg = &s->segs[0];
	int64_t wait = 0;

	/* The clock was set back: its age counts from now on. */
	if (seg->written > now)
		seg->written = now;
	int64_t age = now - seg->written;
	if (seg->end > low || (s->o.keep_bytes && s->bytes - seg->size < s->o.keep_bytes))
		return TRIM_AGAIN;
	if (s->o.keep > age)
		wait = s->o.keep - age;
	/* Within the window: needed to know repeats again after a restart. Taking lines matters more. */
	if (!spool_refuses(s) && seg->end + s->o.window > s->next && s->o.window_time > age && s->o.window_time - age > wait)
		wait = s->o.window_time - age;
	return wait;
}

int64_t spool_trim(struct spool *s, uint64_t low)
{
	char name[SEGMENT_NAME_MAX];
	int64_t wait;

	/* The last one always stays: it has the number to go on from. */
	while (s->nsegs > 1) {
		wait = stays(s, low, clock_wall());
		if (wait)
			return wait < TRIM_AGAIN ? TRIM_AGAIN : wait;
		segment_name(name, s->segs[0].first);
		if (unlinkat(s->dirfd, name, 0) < 0 && errno != ENOENT) {
			log_error("%s/%s: %s", s->dir, name, strerror(errno));
			return 10 * TRIM_AGAIN;
		}
		s->bytes -= s->segs[0].size;
		s->nsegs--;
		memmove(s->segs, s->segs + 1, s->nsegs * sizeof(*s->segs));
	}
	return 0;
}
