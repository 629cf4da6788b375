/*
 * stage: what its parts share. Private to this folder.
 *
 *   run     links; loads in the order they came
 *   put     what was made is put, what is done is reported, acknowledged last
 *   load    one batch: which lines are to be given next (halve), what was made of them (event, link/job)
 *   copy    one running program: the loads in it, its answers, deadlines, its death
 *   fit     does the program keep to its mode?
 *
 * A load waits, is in one copy, or is done with; when all that was made from it is acknowledged it is reported and freed. Calls go down (run, put, copy, load)
 * but for run_moved: something changed, see what can go on.
 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/loop.h"
#include "link/alone.h"
#include "link/job.h"
#include "link/link.h"
#include "stage/child.h"
#include "stage/event.h"
#include "stage/halve.h"
#include "stage/mode/mode.h"
#include "stage/said.h"
#include "stage/spawn.h"

#define WINDOW 4u			/* loads in a program that lives */
#define OUT_MAX (64u << 20)		/* most that a program may write for one batch, bytes */
#define BROKEN_AFTER 8u			/* so many lines singled out one after the other: it is not the lines */
#define LOOSE_MAX (4u << 20)		/* output without a batch that waits to be put; then the program waits, too */

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "stage/metrics.def"
#undef METRIC
	M_COUNT
};

enum terminal { TERMINAL_AUTO, TERMINAL_NO, TERMINAL_YES };
enum pass { PASS_AUTO, PASS_NO, PASS_YES };

/* What the command line says. */
struct settings {
	const char *in, *out;
	struct link_opts link;
	const struct mode *mode;
	const char *name;		/* of the stage: in the ids of what it makes */
	const char *program;		/* argv[0] without its folder */
	unsigned copies;
	int64_t deadline, expect;	/* 0: none */
	bool ok[256];			/* exit codes that mean "done" */
	int terminal, pass;
	size_t max_line;
	struct spawn spawn;
};

struct run;
struct copy;

struct load {
	struct load *next;
	struct run *run;
	struct batch *theirs;		/* the hub's, to be reported; NULL: a copy of lines from a stream, or nothing (loose) */
	struct batch own;
	char *bytes;
	uint32_t *at;			/* at[i]: where line i begins */
	struct job *job;
	struct halve halve;
	struct events events;
	struct copy *in;
	int64_t taken;			/* when it came */
	bool done;			/* the program has nothing more to do with it */
	struct loop_timer put_again;
	struct backoff put_wait;

	/* while it is in a copy */
	uint32_t base;			/* first line given */
	struct task task;
	char tail[MODE_TAIL_MAX];
	size_t fed;			/* bytes of lines and tail that are written */
	uint32_t *pending;		/* causes of the lines behind job->counted, which count when the task is done */
	uint32_t npending, cappending;
	uint32_t finished, passed;	/* not counted in the metrics yet */
	uint32_t doubts[BROKEN_AFTER];	/* lines singled out since the program last finished something: the lines' fault, or its? */
	unsigned ndoubts;
	uint32_t blamed;		/* the line on which the program last broke the mode's rule; from 1 */
	uint32_t suspect;		/* it did so three times: what if this one is alone? from 1, 0: none */
	enum { FAULT_NONE, FAULT_BAD, FAULT_ALONE } fault;
	char why[EVENT_WHY];
};

struct run {
	const struct settings *set;
	struct loop *loop;
	struct link_take *take;
	struct link_put *put;
	bool in_stream;			/* the input can't be asked to send a line again */
	bool ordered;			/* the output is a stream's, in the order of the input's */
	bool pass;			/* lines that the program passes on are put */
	bool ready, draining, input_over, failed, stopping;
	bool told;	/* to end, by a signal */
	struct batch *held;		/* from a stream: copied, and asked for no more until there is room */
	struct load *first, **last;
	unsigned nloads, window;
	unsigned want;			/* lines asked for at a time: few of them from a slow program, so that the hub need not take them back */
	struct copy *copies;
	uint64_t tasks;			/* numbers */
	char key[17];			/* of the sync lines */
	uint64_t hash_key[2];
	struct loop_timer soon;
	struct alone alone;

	/* what is learnt of the program */
	bool works;			/* it has finished something */
	unsigned condemned;		/* lines singled out since then */
	bool one_by_one;		/* what it writes can only be completed when it is given one line at a time */
	bool swallows;			/* it does not return the sync lines */
	bool terminal;			/* it holds back what goes to a pipe: give it a terminal */
	bool holds;			/* and on a terminal, too, or said already */
	bool told_changed, told_hint, told_misfit;
	bool misused;			/* it is no program for this mode */
	unsigned misfits;		/* lines on which it broke the mode's rule, and */
	uint64_t answered;		/* lines done since the first of them */
	double credit;			/* for saying how it ended; counted until */
	int64_t credit_at;
	uint64_t unsaid;
	uint64_t *metric[M_COUNT];
};

/* run.c */
int run_stage(const struct settings *set);	/* the exit code */
void run_moved(struct run *r);			/* soon: looks what can go on */
void run_fail(struct run *r);			/* a message was printed: ends with code 1 */
struct load *run_loose(struct run *r);		/* for output that belongs to no batch; NULL: no memory, said */

/* put.c */
void put_all(struct run *r);			/* puts what there is room for, and reports what is done */
void put_result(void *arg, void *cookie, const struct put_result *res);	/* of a run's link_put; the cookie is a load */

/* load.c */
struct load *load_new(struct run *r, struct batch *b);	/* b NULL: loose. A stream's batch is copied. NULL: no memory, said */
void load_free(struct load *l);
void load_give(struct load *l, struct copy *c);	/* is given to c now: fills task */
size_t load_bytes(const struct load *l);	/* of what is given now, tail included */
/* The program wrote a line for it. 0, or why it cannot go on like this. */
enum load_fault { LOAD_TOO_MUCH = 1, LOAD_OUT_OF_STEP };
enum load_fault load_take(struct load *l, const char *p, size_t n, bool answers, struct said *said, const char *who);
/* The usual case of it, sooner: the line that is next if the program passes all of them on. false: look closer. */
bool load_passes(struct load *l, const char *p, size_t n);
void load_bad(struct load *l, bool answers, const char *why);	/* it wrote something that cannot be taken */
void load_answered(struct load *l);		/* the first line given has its answer; there are others */
void load_passed(struct load *l);		/* what was given is done, whatever may be wrong with the output */
/* The program failed on it; why is for people, detail (its last words on stderr) rides along; NULL: none. */
void load_failed(struct load *l, bool sure, const char *why, const char *detail);
void load_later(struct load *l, const char *why, const char *detail);	/* it asks for it to be given again later */
void load_back(struct load *l);			/* not done, and nobody's fault */
void load_misfit(struct load *l, const char *why, const char *detail);	/* the program broke the rule of its mode */
bool load_wary(const struct load *l);		/* something is wrong with it: it goes in alone */

/* fit.c: is it a program for this mode at all? A line that it trips over is the line's fault; many of them are not. */
void fit_broken(struct load *l, const char *why);	/* the mode's rule was broken on the first line given */
void fit_done(struct load *l, uint32_t n);		/* the first n lines given are done */
bool fit_tell(struct run *r);				/* may one more of the messages that come again and again be said now? */

/* copy.c, copies.c */
int copies_open(struct run *r);			/* -1: the program cannot be started, said */
void copies_close(struct run *r);
struct copy *copy_for(struct run *r, const struct load *l);	/* one that has room for it; NULL: none */
void copy_give(struct copy *c, struct load *l);
void copies_hurry(struct run *r);		/* what waits for its next try is tried now */
void copies_renew(struct run *r);		/* start each anew when it has finished what it has */
bool copies_end(struct run *r);			/* their input is over; true: all have ended */
void copies_pause(struct run *r, bool on);
unsigned copies_running(const struct run *r);

#endif
