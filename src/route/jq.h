/*
 * jq: the children that answer conditions `jq '...'`: one jq(1) for each, kept from line to line. A line goes in, 1 or 0 comes out.
 *
 * The answer is a function of program and line: jq gets an empty environment and no clock (pred/jq.c). What can go wrong:
 *   - it says an error about a line, or nothing: the condition does not hold.
 *   - a line makes it work for more than JQ_CPU, or end twice: it is killed, a new one is started for the next line, and the
 *     condition does not hold for this line, now and whenever it is read again: its hash is written, synced, into the file
 *     spool/rules/failed before the line is kept. At most JQ_FAILED are remembered, then the older half is forgotten.
 *   - it ends or does not answer for other reasons: a new one is asked. When that does not help either, or none
 *     can be started, the line cannot be decided now: it is refused with retry, or read again later. Tried again after 1 s.
 * Rules whose program jq does not take, or without a jq to run, are refused when they are read (jq_ready).
 *
 * Blocking: whoever asks waits for the answer. In a hub that serves (jq_hurry) that is at most, for each jq:
 *   - JQ_CPU of its processor time for a line that keeps it busy; after the second of these within JQ_FAULTS it rests for JQ_REST, and what
 *     needs it is refused with retry meanwhile;
 *   - JQ_WAIT for one that is stopped, and as long for the start of another, which is gone on with when it takes longer; 4 times that for one
 *     that runs.
 * One thread at a time for each child. SIGPIPE must be ignored (log_init does that).
 */
#ifndef ROUTE_JQ_H
#define ROUTE_JQ_H

#include "base/clock.h"

#define JQ_CPU (100 * CLOCK_MS)		/* of processor time for a line */
#define JQ_WAIT (250 * CLOCK_MS)	/* for an answer, or for the start of a child, while lines come */
#define JQ_PATIENCE (2 * CLOCK_S)	/* the same at the start of the hub, and for new rules */
#define JQ_START (10 * CLOCK_S)		/* a child that has not answered by then is ended */
#define JQ_FAULTS (5 * CLOCK_S)
#define JQ_REST (500 * CLOCK_MS)
#define JQ_MEMORY (512u << 20)		/* address space of a child */
#define JQ_FAILED 65536u

void jq_allow(void);				/* conditions parsed from now on can be asked */
void jq_hurry(void);				/* others wait from now on */
int jq_remember(const char *dir);		/* failed lines of spool/rules are read and kept there; -1 with a message */
void jq_forget(void);

#endif
