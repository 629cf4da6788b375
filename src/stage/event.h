/*
 * event: what becomes of a line that a program wrote: passed on, completed, or refused. Pure.
 *
 * A line that is one of the input's lines, byte for byte, is passed on and never looked into. Another one is checked as
 * every line is that enters (envelope.h). One whose source and id are those of an input line is that event passed on, too (law 1: a
 * repeat of the pair is the same event, whatever else was changed).
 *
 * What the program left out of a new event is taken over from its cause: the line it answers (mode line), or else the line whose id
 * its causationid names, or else the only line there is. Missing id and source become those that law 2 asks for, `<id of the
 * cause>.<stage>`, the second one of the same cause `.<stage>.1`; tenant, partitionkey, causationid and the trace are inherited; specversion is 1.0.
 * The program's own bytes stay as they are, the rest is put before them.
 *
 * "The only line there is" counts only for an event that cannot do without: what is complete stays as it is, so that what a program
 * says does not depend on how many lines came together.
 */
#ifndef STAGE_EVENT_H
#define STAGE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/line.h"

#define EVENT_WHY 400u

/* The lines of a batch, and what is known of what was made from them. */
struct events {
	const char *lines;
	const uint32_t *at;		/* at[i]: where line i begins (LF of the one before, plus 1); at[n]: the end */
	uint32_t n;
	const char *stage;		/* name in the ids */
	size_t max;			/* longest line */
	bool strict;			/* nobody has checked the input's lines yet */
	uint32_t next;			/* lines pass mostly in order: where the next one is looked for first */
	unsigned misses;		/* looked for in vain */
	uint16_t *made;			/* events derived from each line; allocated when the first one is */
	struct event_slot *slots;	/* ids of the lines, when they are first asked for */
	uint32_t nslots;
	uint64_t key[2];		/* of the index: random, so that nobody can aim at collisions */
};

void events_init(struct events *v, const char *lines, const uint32_t *at, uint32_t n, const char *stage, size_t max, bool strict,
	const uint64_t key[2]);
void events_release(struct events *v);
void events_again(struct events *v, uint32_t from);	/* what was made from line `from` and those behind it will be made once more */

/* Is it the line that is expected next, if all are passed on in order? Then that is counted as seen. */
bool event_next(struct events *v, uint32_t from, uint32_t to, const char *p, size_t n);

enum event_is {
	EVENT_SAME,		/* *cause is passed on as it is */
	EVENT_CHANGED,		/* it has source and id of *cause, and other bytes: as it stands */
	EVENT_NEW,		/* a new event; as it stands if out is empty, else what is in out */
	EVENT_TWICE,		/* an answer that is the line before the one to be answered */
	EVENT_OTHER,		/* an answer that is a line behind the one to be answered */
	EVENT_STRAY,		/* not meant as an event (mode.h): for the log */
	EVENT_BAD,		/* meant as one, and none; why, and what it is */
	EVENT_ALONE,		/* lacks what only its cause could give, and nobody knows which that is; why */
};

/*
 * Looks at the line p of n bytes, without LF, which was written while lines from to to - 1 (counted from 0) were in the program. answers: it
 * answers line `from`. *cause becomes the number, from 1, of the line that it comes from, 0 if nobody knows. out is appended to, LF included,
 * and may be left as it was. why[EVENT_WHY] tells what is wrong with EVENT_BAD and EVENT_ALONE, for a person.
 */
enum event_is event_look(struct events *v, uint32_t from, uint32_t to, bool answers, const char *p, size_t n, struct buf *out,
	uint32_t *cause, char *why);

#endif
