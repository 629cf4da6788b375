/*
 * split: a destination's workers in two sets. One split at most for each destination; kept as spool/split/NAME over restarts.
 *
 *   share  (canary)  percent of the lanes, always the same ones, go only to workers of the set, the others only to the other workers
 *   copy   (shadow)  every line goes to the other workers, and a copy of it to a worker of the set, as far as they keep up; what
 *                    they say of it is counted and has no consequence
 *
 * Held, the set gets nothing at all, as before it is ready.
 *
 * What the workers of a share refuse with retry does not count towards a line's attempts: others may do it.
 *
 * A share is taken back by itself when the set refuses too much (more than SPLIT_BAD lines and more than 5 % of the last SPLIT_LAST; lines
 * that it does not do in time count), or one line as often as attempts allow (SPLIT_WORN times, if that is more), when a batch is taken back from it and it did nothing else in that time, and any split when none of its
 * workers was connected for SPLIT_ALONE. Then its workers get nothing: they are bad, or what they say of copies goes nowhere. What they have is
 * taken back, and others do it at once. Only when it is told to be off they are workers like all others.
 */
#ifndef ROUTE_SPLIT_H
#define ROUTE_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "link/ack.h"
#include "route/lane.h"

#define SPLIT_LAST 200u
#define SPLIT_BAD 10u
#define SPLIT_WORN 3u
#define SPLIT_ALONE (5 * CLOCK_S)

struct buf;
struct dest;
struct json;

struct split {
	bool on, copy;
	bool barred;			/* off by itself: workers of the set get nothing */
	char set[ACK_NAME_MAX + 1];	/* "": there never was one */
	unsigned percent;
	uint64_t given, done, refused, shed;	/* lines, since it is on */
	uint64_t others_given, others_done, others_refused;	/* the same of all other workers */
	uint64_t worn;			/* number of a line that the set refused too often; 0: none */
	char off_because[160];
	unsigned workers;		/* connections of the set */
	int64_t alone_since;		/* mono ns; 0: there are workers */
	struct lanes copies;		/* what workers of the set are to get */
	bool last[SPLIT_LAST];		/* of the last lines: refused? */
	unsigned at, nlast, nbad;
	int64_t done_at;		/* when the last one was done, or this began, mono ns */
	bool mute;			/* it did nothing for as long as a batch may be out */
};

int split_init(struct dest *d, const char *spool);	/* what the file says; -1 with a message */
void split_release(struct dest *d);

/* On with another set or share (0: held), or off. NULL, or why not (static). */
const char *split_set(struct dest *d, const char *set, unsigned percent, bool copy);
void split_off(struct dest *d, const char *because);
int split_say(const struct dest *d, struct buf *out);	/* its members as JSON, without brackets */

bool split_has(const struct dest *d, const char *set);	/* does a worker of this set belong to the set of the split? */
void split_workers(struct dest *d, int more);		/* so many connections of the set came or went */
void split_copy(struct dest *d, const struct item *it);	/* a line is given out for the first time */
void split_outcome(struct dest *d, bool of_set, bool refused);	/* of a line that a worker of the set had, or another one */
void split_worn(struct dest *d, const struct item *it);	/* workers of the set refused it once more */
void split_late(struct dest *d, uint32_t n, int64_t since);	/* so many lines, given out then, are taken back from a worker of the set */
bool split_gives(const struct dest *d);			/* may workers of the set get lines at all? */
int64_t split_due(struct dest *d, int64_t now);		/* takes it back when it is time; the next time to ask, 0: none */

#endif
