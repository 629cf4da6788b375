/*
 * past: what is remembered of a service: its last deaths, and how often it was started again within the hour. Pure; times come as arguments.
 *
 * It is part of a row of the board, and goes on over a restart of supervise.
 */
#ifndef SUPERVISE_PAST_H
#define SUPERVISE_PAST_H

#include <stdbool.h>
#include <stdint.h>

#define PAST_DEATHS 8
#define PAST_MINUTES 60

struct past_death {
	int64_t at;		/* wall */
	int64_t lived;		/* nanoseconds */
	int32_t status;		/* wait status, or STATE_UNKNOWN */
	uint32_t pid;
	uint32_t asked;		/* 1: it had been sent TERM or KILL by us */
	uint32_t ready;		/* 1: it had said that it was ready */
};

struct past {
	int64_t minute;				/* of the newest count: wall time in minutes */
	uint16_t restarts[PAST_MINUTES];	/* of minute m at m % PAST_MINUTES */
	uint32_t deaths;			/* ever; the last ones are kept, death n at n % PAST_DEATHS */
	struct past_death death[PAST_DEATHS];
};

void past_restart(struct past *p, int64_t wall);
unsigned past_hour(const struct past *p, int64_t wall);		/* restarts in the 60 minutes before */

void past_died(struct past *p, const struct past_death *d);
const struct past_death *past_get(const struct past *p, unsigned back);	/* 0 the last; NULL: not that many */

#endif
