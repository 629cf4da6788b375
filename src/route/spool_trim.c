/* Files of the spool that nobody needs any more go, the oldest first. */
#include "route/spool_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TRIM_AGAIN CLOCK_S	/* files are looked at no more often than this */

/* How long the oldest file is to stay at least; 0: it may go. */
static int64_t stays(const struct spool *s, uint64_t low, int64_t now)
{
	struct seg *seg = &s->segs[0];
	int64_t wait = 0;

	/* The clock was set back: its age counts from now on. */
	if (seg->written > now)
		seg->written = now;
	int64_t age = now - seg->written;
	if (seg->end > low || (s->o.keep_bytes && s->bytes - (seg->size - seg->off) < s->o.keep_bytes))
		return TRIM_AGAIN;
	if (s->o.keep > age)
		wait = s->o.keep - age;
	/* Within the window: needed to know repeats again after a restart. Taking lines matters more. */
	uint64_t behind = spool_lines(s, spool_end(s)) - (seg->lines + (seg->end - seg->first));
	if (!spool_wants_room(s) && behind < s->o.window && s->o.window_time > age && s->o.window_time - age > wait)
		wait = s->o.window_time - age;
	return wait;
}

/* The oldest goes. -1 with a message. */
static int drop_oldest(struct spool *s)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, s->segs[0].file);
	if (s->segs[1].file != s->segs[0].file && unlinkat(s->dirfd, name, 0) < 0 && errno != ENOENT) {
		log_error("%s/%s: %s", s->dir, name, strerror(errno));
		return -1;
	}
	s->bytes -= s->segs[0].size - s->segs[0].off;
	s->nsegs--;
	memmove(s->segs, s->segs + 1, s->nsegs * sizeof(*s->segs));
	gaps_forget(&s->gaps, s->segs[0].first);
	return 0;
}

uint64_t spool_boundary(const struct spool *s, uint64_t seq)
{
	size_t i = 0;

	while (i + 1 < s->nsegs && s->segs[i].end <= seq)
		i++;
	return s->nsegs ? s->segs[i].first : s->next;
}

int spool_remove(struct spool *s, uint64_t seq, uint64_t *files)
{
	*files = 0;
	if (s->nsegs > 1 && s->segs[0].end <= seq && s->ev.on_trim && !s->ev.on_trim(s->arg))
		return -1;
	for (; s->nsegs > 1 && s->segs[0].end <= seq; (*files)++)
		if (drop_oldest(s) < 0)
			return -1;
	return 0;
}

void spool_keep(struct spool *s, int64_t keep)
{
	s->o.keep = keep;
}

int64_t spool_trim(struct spool *s, uint64_t low)
{
	bool asked = false;
	int64_t wait = 0;

	/* The last one always stays: it has the number to go on from. */
	while (s->nsegs > 1 && !(wait = stays(s, low, clock_wall()))) {
		if ((!asked && s->ev.on_trim && !s->ev.on_trim(s->arg)) || drop_oldest(s) < 0) {
			wait = 10 * TRIM_AGAIN;
			break;
		}
		asked = true;
	}
	if (asked)
		spool_has_room(s);
	return wait && wait < TRIM_AGAIN ? TRIM_AGAIN : wait;
}
