#include "supervise/past.h"

#include <stddef.h>

#include "base/clock.h"

static int64_t minute_of(int64_t wall)
{
	return wall / (60 * CLOCK_S);
}

/* Counts of minutes that have passed since are cleared. A clock that was set back counts into the newest minute. */
static void turn(struct past *p, int64_t now)
{
	if (p->minute < 0)	/* no count of ours */
		p->minute = 0;
	if (now - p->minute >= PAST_MINUTES)
		p->minute = now - PAST_MINUTES;
	while (p->minute < now)
		p->restarts[++p->minute % PAST_MINUTES] = 0;
}

void past_restart(struct past *p, int64_t wall)
{
	uint16_t *n;

	turn(p, minute_of(wall));
	n = &p->restarts[p->minute % PAST_MINUTES];
	if (*n < UINT16_MAX)
		++*n;
}

unsigned past_hour(const struct past *p, int64_t wall)
{
	int64_t now = minute_of(wall);
	unsigned n = 0;

	if (p->minute < 0 || p->minute - PAST_MINUTES > now)
		now = p->minute;	/* the clock was set back */
	for (int64_t m = p->minute, i = 0; m >= 0 && m > now - PAST_MINUTES && i < PAST_MINUTES; m--, i++)
		n += p->restarts[m % PAST_MINUTES];
	return n;
}

void past_died(struct past *p, const struct past_death *d)
{
	p->death[p->deaths++ % PAST_DEATHS] = *d;
}

const struct past_death *past_get(const struct past *p, unsigned back)
{
	if (back >= PAST_DEATHS || back >= p->deaths)
		return NULL;
	return &p->death[(p->deaths - 1 - back) % PAST_DEATHS];
}
