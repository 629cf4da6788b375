/* When lines are accepted: not when the disk is full or fails, nor beyond the limit. The disk is asked again until it has room. */
#include "route/spool_impl.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

const char *spool_fails(const struct spool *s)
{
	if (s->short_of_room)
		return strerror(ENOSPC);
	return s->refused && !s->probing ? strerror(s->refused) : NULL;
}

static bool at_limit(const struct spool *s)
{
	return s->o.limit && s->bytes >= s->o.limit;
}

const char *spool_refuses(const struct spool *s)
{
	if (spool_fails(s))
		return spool_fails(s);
	return at_limit(s) ? "the spool has reached its limit" : NULL;
}

bool spool_wants_room(const struct spool *s)
{
	return s->refused || s->short_of_room || at_limit(s);
}

static void tell_short(struct spool *s)
{
	if (s->ev.on_short)
		s->ev.on_short(s->arg);
}

void spool_has_room(struct spool *s)
{
	if (!s->refused && !s->short_of_room)
		return;
	backoff_reset(&s->backoff);
	loop_timer_in(s->loop, &s->probe_timer, 0);
}

/* The disk is asked again after a while: first for the room that is held back, then with the next group. */
static void on_probe_timer(void *arg)
{
	struct spool *s = arg;

	if (s->short_of_room || !reserve_whole(&s->reserve)) {
		s->short_of_room = !reserve_fill(&s->reserve);
		if (s->short_of_room) {
			loop_timer_in(s->loop, &s->probe_timer, backoff_next(&s->backoff, hash_random()));
			return;
		}
		if (!s->refused) {
			log_warn("%s: accepting again", s->dir);
			backoff_reset(&s->backoff);
		}
	}
	s->probing = s->refused != 0;
}

static void be_short(struct spool *s, const char *what)
{
	if (!s->short_of_room && !s->refused)
		log_error("%s: %s: %s; batches are refused until there is room", s->dir, what, strerror(errno));
	s->short_of_room = true;
	if (!s->probe_timer.due)
		loop_timer_in(s->loop, &s->probe_timer, backoff_next(&s->backoff, hash_random()));
	tell_short(s);
}

bool spool_give_room(struct spool *s, uint64_t n)
{
	/* Whole blocks, and some for the file system's own. */
	if (!reserve_give(&s->reserve, n + 16384))
		return false;
	errno = ENOSPC;
	be_short(s, "room that is held back is in use");
	return true;
}

/* ---- groups ---- */

void spool_room_kept(struct spool *s)
{
	if (at_limit(s))
		tell_short(s);
	if (!s->refused)
		return;
	log_warn("%s: accepting again", s->dir);
	s->refused = 0;
	s->probing = false;
	backoff_reset(&s->backoff);
}

void spool_room_lost(struct spool *s)
{
	loop_timer_in(s->loop, &s->probe_timer, backoff_next(&s->backoff, hash_random()));
	tell_short(s);
}

void spool_room_init(struct spool *s)
{
	s->backoff = (struct backoff){ .base = 200 * CLOCK_MS, .max = 5 * CLOCK_S };
	s->probe_timer.fn = on_probe_timer;
	s->probe_timer.arg = s;
	s->reserve = (struct reserve){ .dir = s->dir, .size = s->o.reserve };
	if (!reserve_fill(&s->reserve))
		be_short(s, "reserve");
}

void spool_room_release(struct spool *s)
{
	loop_timer_del(s->loop, &s->probe_timer);
}
