/*
 * child: one running program: bytes in, lines out, what it says, its end.
 *
 * Life: child_start; feed, line ... ; ended, once, as the last call. Then child_free. No callback comes from inside child_start or
 * child_free; all others may call back. Callbacks may call everything here but child_free, which `ended` may call, too.
 *
 * A program is at its end when it has exited and nothing more can be read from it. When something it started holds its output open,
 * that is waited for CHILD_LINGER; then the whole process group is killed. The group is always killed in the end: nothing is left over.
 */
#ifndef STAGE_CHILD_H
#define STAGE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "stage/said.h"
#include "stage/spawn.h"

#define CHILD_LINGER (1 * CLOCK_S)
#define CHILD_PARTS 16

struct loop;
struct child;

struct child_ops {
	/* The bytes to be written next, borrowed until `fed` or the next call; how many parts, at most CHILD_PARTS; 0: none for now. */
	int (*feed)(void *arg, struct iovec v[CHILD_PARTS]);
	void (*fed)(void *arg, size_t n);	/* so many of them were */
	/* A line of stdout without its LF. fault: NULL, or why it is none (too long: the first bytes of it). half: without LF at the end. */
	void (*line)(void *arg, const char *p, size_t n, const char *fault, bool half);
	void (*heard)(void *arg);		/* after some lines were given: none is at hand now */
	void (*mute)(void *arg);		/* it closed its stdout, and runs on as far as is known */
	void (*ended)(void *arg, int status);	/* as waitpid has it */
};

/* NULL with a message. said and who are borrowed. */
struct child *child_start(struct loop *l, const struct spawn *s, bool terminal, size_t max_line, struct said *said, const char *who,
	const struct child_ops *ops, void *arg);
void child_free(struct child *c);		/* kills what is left */

pid_t child_pid(const struct child *c);
int64_t child_cpu(const struct child *c);	/* when it has ended: the processor time it used, ns */
void child_feed(struct child *c);		/* there is something to be fed, again */
void child_close(struct child *c);		/* its input ends here */
bool child_closed(const struct child *c);
void child_kill(struct child *c);		/* SIGKILL to the group; ended follows */
void child_pause(struct child *c, bool on);	/* nothing is read from its stdout */
int64_t child_said(const struct child *c);	/* when bytes of its stdout came last, as loop_now; 0: none have */
/* Does it wait for input, having read everything, and has all that it said been taken? 1 yes, 0 no, -1 it seems so, and more cannot be
 * told. */
int child_waits(const struct child *c);

#endif
