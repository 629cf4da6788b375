/*
 * state: the life of one supervised process, as a table of state x event. Pure: time, randomness and what happened come
 * as arguments; what must be done comes back as bits, carried out by service.c in the order of the bits.
 *
 *   DOWN    no process, none wanted          PREP    a start is due and held: control/u runs, or others come first
 *   WAIT    no process, next start is due    RUN     ./run lives
 *   GONE    told to exit, nothing is left    FINISH  ./finish lives (or is about to be forked)
 *
 * Every service is one struct state, its logger (log/run) a second one with `logger` set: no ./finish, exit is ignored; instead
 * SV_EOF says that its input has ended.
 *
 * When a run is over (after finish): wanted up, it starts again at once if it was started at least a second ago. Else it
 * waits: a full second, as runit does; and from the second failure in a row on (exit not 0 or a signal, not asked for) with exponential
 * back-off, STATE_BACKOFF_BASE to STATE_BACKOFF_MAX. A run of a second or more ends the row. Commands work during a wait.
 * A finish that exits with STATE_PERMANENT says that it is of no use: the service is then wanted down (s6).
 *
 * In RUN and FINISH the timer is the caller's (timeout-kill, timeout-finish): SV_DUE is answered with ACT_KILL.
 *
 * Adding an event: a row in the enum, a slot in each state of the table (state_check refuses a hole), tests/unit/test_sv_state.c.
 */
#ifndef SUPERVISE_STATE_H
#define SUPERVISE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/clock.h"

#define STATE_SECOND CLOCK_S			/* the rule of one second */
#define STATE_BACKOFF_BASE (2 * CLOCK_S)
#define STATE_BACKOFF_MAX (10 * CLOCK_S)

enum sv_at { SV_DOWN, SV_WAIT, SV_PREP, SV_RUN, SV_FINISH, SV_GONE, SV_STATES };
enum sv_want { WANT_UP, WANT_DOWN, WANT_EXIT };

enum sv_event {
	SV_UP, SV_STOP, SV_ONCE, SV_EXIT,			/* u d o x */
	SV_TERM, SV_KILL, SV_PAUSE, SV_CONT,			/* t k p c */
	SV_ALRM, SV_HUP, SV_INT, SV_QUIT, SV_USR1, SV_USR2,	/* a h i q 1 2 */
	SV_ABRT, SV_WINCH,					/* b y */
	SV_AGAIN,		/* r: what down-signal says, and start again */
	SV_AT_MOST,		/* O: do not start it, nor again */
	SV_DIED,	/* the process of this state ended (status = wait status), or could not be started (STATE_FAILED_STATUS) */
	SV_DUE,		/* the wait, or the patience with a process, is over */
	SV_GO,		/* what held the start is done */
	SV_READY,	/* run wrote a newline to its notification descriptor */
	SV_EOF,		/* loggers: nothing more will be written to the pipe */
	SV_EVENTS
};

/* What to do, lowest bit first. The signals up to ACT_CONT may each be taken over by a script of control/. */
enum sv_act {
	ACT_TERM = 1 << 0,
	ACT_STOP = 1 << 1,	/* TERM, or what down-signal says */
	ACT_AGAIN = 1 << 2,	/* TERM, or what down-signal says, without timeout-kill */
	ACT_KILL = 1 << 3, ACT_PAUSE = 1 << 4,
	ACT_ALRM = 1 << 5, ACT_HUP = 1 << 6, ACT_INT = 1 << 7, ACT_QUIT = 1 << 8, ACT_USR1 = 1 << 9, ACT_USR2 = 1 << 10,
	ACT_ABRT = 1 << 11, ACT_WINCH = 1 << 12,
	ACT_CONT = 1 << 13,	/* behind the others: a stopped process then sees them */
	ACT_WAKE = 1 << 14,	/* CONT, after a TERM to what is to end */
	ACT_AFTER = 1 << 15,	/* control/d or control/x */
	ACT_UNWAIT = 1 << 16,	/* disarm the timer */
	ACT_FINISH = 1 << 17,	/* fork ./finish; when there is none, SV_DIED again */
	ACT_PREPARE = 1 << 18,	/* SV_GO when nothing holds the start (any more) */
	ACT_START = 1 << 19,	/* fork ./run; when that fails, SV_DIED with STATE_FAILED_STATUS */
	ACT_WAIT = 1 << 20,	/* arm the timer for `due` */
	ACT_GONE = 1 << 21,
	ACT_SHOW = 1 << 22,	/* the status changed */
};
#define ACT_SIGNALS (ACT_UNWAIT - 1)
#define STATE_FAILED_STATUS (111 << 8)		/* wait status of a run that could not be started */
#define STATE_UNKNOWN (-1)			/* for a wait status: the process was not our child, nobody told */
#define STATE_PERMANENT 125

struct state {
	enum sv_at at;
	enum sv_want want;
	bool logger;
	bool paused;		/* STOP was sent; the next start clears it */
	bool term_sent;		/* TERM was sent to this run; set by the caller when it sends it */
	bool stopping;		/* this run was told to end for good */
	bool ready;
	bool loop;		/* in WAIT: the wait is a back-off, two or more failures in a row */
	bool failed;		/* finish said that it is of no use to start it again */
	int64_t started;	/* monotonic: the last start of run */
	int64_t since;		/* wall: begin of RUN or of being down; what sv shows */
	int64_t ready_since;	/* wall */
	int64_t due;		/* monotonic: end of WAIT */
	uint64_t starts;	/* of run */
	int died;		/* wait status of the last run, or STATE_UNKNOWN */
	int64_t died_at;	/* wall; 0: no run has died yet */
	bool died_asked;	/* it had been sent TERM or KILL */
	struct backoff backoff;
	unsigned failures;	/* short failed runs in a row */
};

struct state_now { int64_t mono, wall; uint64_t random; };

/* DOWN, wanted up or down; the first SV_UP starts it. */
void state_init(struct state *s, bool want_up, bool logger, const struct state_now *now);

/* What an earlier supervisor left, with its process alive or not (run, or finish): what is to be done to go on from there. 0 and s as
 * it was when s, which comes from a file, is none. */
enum state_alive { STATE_NONE, STATE_RUN_LIVES, STATE_FINISH_LIVES };
unsigned state_resume(struct state *s, enum state_alive alive, const struct state_now *now);
bool state_fits(const struct state *s);		/* its enums are in range */

/* One event. status is for SV_DIED only. Returns bits of enum sv_act. */
unsigned state_event(struct state *s, enum sv_event ev, int status, const struct state_now *now);

/* The want as runit's status says it: 'u' or 'd'. While it backs off a service shows 'd', since sv writes
 * no u to a service that shows 'u', and nobody could end the wait. */
char state_want_byte(const struct state *s);

const char *state_word(enum sv_at at);		/* "down" "wait" "starting" "run" "finish" "exited" */
const char *state_want_word(enum sv_want want);	/* "up" "down" "exit" */

/* What became of a process, from its wait status: "exited with code 1", "was killed by signal 9", "ended; nobody told how". Returns out. */
#define STATE_HOW_MAX 48
const char *state_how(int status, char out[STATE_HOW_MAX]);

/* The first two arguments of finish for a wait status: exit code (-1: a signal, or not known), and the status' low byte: the signal, +128 with
 * a core; 0: not known. */
void state_finish_args(int status, int *code, int *sig);
void state_finish_args_s6(int status, int *code, int *sig);	/* as s6 has them: 256: a signal, or not known; the bare signal */

int state_check(void);	/* 0: the table has no hole */

#endif
