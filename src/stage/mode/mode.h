/*
 * mode: how a program says that it is done with what it was given. A room: one part for each way (README.md).
 *
 * A *task* is some lines of one batch, in order, in one program. The parts are pure: they look at one line that the program wrote while
 * the task was the oldest in it, and say what that means. What lines hold is not their business (event.h).
 */
#ifndef STAGE_MODE_MODE_H
#define STAGE_MODE_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODE_TAIL_MAX 256u

struct task {
	bool open;		/* false: nothing is outstanding */
	uint64_t number;	/* counts the tasks that programs were given */
	const char *key;	/* 16 hex digits, other ones for each process of stage: nobody else's lines hold them */
	const char *tail;	/* what `tail` wrote for it */
	size_t tail_n;
};

enum mode_says {
	MODE_OUT,		/* belongs to the task; nobody knows to which line */
	MODE_ANSWER,		/* answers the task's first line without an answer */
	MODE_NOTHING,		/* the same; it says that there is nothing to say */
	MODE_DONE,		/* everything of the task was said before this line, which is none of the program's own */
	MODE_STRAY,		/* is for the log */
	MODE_WRONG,		/* the program breaks the rules of this mode */
};

struct mode {
	const char *name;
	const char *about;	/* for --help and messages: what a program must do */
	bool lives;		/* one program for many tasks. Otherwise one run each: stdin ends behind the task, and exit is its end */
	/* What is given behind the lines: whole lines, into out; their length, 0 nothing. NULL: nothing. */
	size_t (*tail)(const struct task *t, char out[MODE_TAIL_MAX]);
	/* One line, without its LF. */
	enum mode_says (*line)(const struct task *t, const char *p, size_t n);
};

extern const struct mode *const modes[];	/* ends with NULL */
extern const struct mode mode_eof, mode_line, mode_sync;

/* Is a line meant as an event? It begins with { and holds "type", "specversion" or "data", in quotes; or { is all there is: an event that stands
 * on several lines. Anything else is stray output: {'a': 1}, {"level":"info"}. */
bool mode_means_event(const char *p, size_t n);

const struct mode *mode_find(const char *name);	/* NULL: there is none; checks that no part has a hole */

#endif
