/*
 * swap: another stage in the place of a service of the tree, while lines flow. The parts of cmd_swap.c.
 *
 * A service NAME whose run takes from a destination of route and gives to `in` can be replaced. Each replacement is a service directory of
 * its own, service/NAME.N, so that supervise needs to know nothing of it. Those that were replaced stay, with a file `down`.
 * Two workers of one destination beside each other are harmless: route gives a line to one of them, and the outputs of a line
 * that both did have the same id. So nothing here has to be stopped before something else is started.
 *
 * The record, service/.swap/NAME, says what is in force and what was begun. It is replaced whole and durably before each step, so that
 * a `penstock swap` that was killed at any point leaves a state that swap_settle ends: what was tried is taken back, what was decided is
 * completed. Whoever changes anything holds service/.swap/.lock.
 *
 *   phase   means                                                   swap_settle
 *   rest    nothing is under way                                    -
 *   try     `trial` is made or removed; it is not counted on        removes it; starts `aside`, a shadow, again
 *   turn    `trial` has proven itself and takes over                drains the last one, sets it down; removes `aside`
 *   reach   the one before the last is started again, and tried     sets it down again
 *   back    it has proven itself and takes its old place            drains the last one, removes it
 *
 * Forward and back the one that comes gets lines by steps, and is watched, before the other one goes: the workers of a service made here are a set of
 * route's with the service's name, and a split gives that set its share.
 */
#ifndef PENSTOCK_SWAP_H
#define PENSTOCK_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "penstock/penstock.h"

#define SWAP_CHAIN_MAX 64		/* replacements of one service that can be taken back */
#define SWAP_WORDS_MAX 1024		/* words of a program's command line */

enum swap_phase { SWAP_REST, SWAP_TRY, SWAP_TURN, SWAP_REACH, SWAP_BACK };
enum swap_how { SWAP_WHOLE, SWAP_CANARY, SWAP_SHADOW };

/* A stage as the command line has it. Texts live as long as the program. */
struct swap_program {
	char *words[SWAP_WORDS_MAX + 1];	/* NULL ends */
	char *options[SWAP_WORDS_MAX + 1];	/* for stage, in front of the program */
	char *folder;				/* where it was given: its current directory */
	char *mode;				/* eof, line, sync; NULL: native */
};

struct swap {
	const char *name;
	char *dest, *stage;			/* of route; the name in derived ids */
	char *service[SWAP_CHAIN_MAX], *about[SWAP_CHAIN_MAX];	/* oldest first; the last one is in force */
	unsigned n;
	enum swap_phase phase;
	enum swap_how how;			/* what the trial is */
	char *trial;				/* NULL: none */
	char *trial_about;
	char *aside, *aside_about;		/* a shadow that is down while its program is tried in earnest; NULL: none */
	struct swap_program program;		/* of the trial */
	uint64_t percent;			/* of a canary */
	uint64_t from;				/* of a shadow: number of the first line it may have got */
	uint64_t next;				/* number for the next directory */
	int64_t since;				/* wall clock of the last change */
	char *because;				/* why the last one was taken back by itself; NULL */
};

/* ---- swap_do.c: from one phase to the next; an exit code each ---- */

struct swap_asked { const char *probe; bool json; };	/* by the command line: lines of the probe, NULL for ours; the state as JSON */
extern struct swap_asked swap_asked;

void swap_begin(const struct tree *t, const char *name, struct swap *s);	/* locks, loads and settles; a failure ends the program */
int swap_try(const struct tree *t, struct swap *s);		/* s->program, how, dest and stage are set */
int swap_promote(const struct tree *t, struct swap *s);
int swap_back(const struct tree *t, struct swap *s, bool at_once);	/* at_once: not tried alone before */
/* From finish of a trial or of a stage in force: it failed once more. Too often, and another process takes it back. */
int swap_died(const struct tree *t, const char *name, const char *service);
bool swap_interrupted(void);	/* a signal came: what is tried is given up */

/* ---- swap_state.c: the record ---- */

/* Takes the lock; -1 with a message (somebody else swaps), -2 without one when `quietly`. Held until the process ends. */
int swap_lock(const struct tree *t, bool quietly);
/* The record of name; where there is none: the service itself, in force. -1 with a message. */
int swap_load(const struct tree *t, const char *name, struct swap *s);
/* Writes it durably; removes it when there is nothing to tell. -1 with a message. */
int swap_save(const struct tree *t, struct swap *s);
int swap_step(const struct tree *t, struct swap *s, enum swap_phase phase);	/* sets the phase and saves */
/* fn for each record of the tree, by name. How many, -1 with a message. */
int swap_each(const struct tree *t, int (*fn)(void *arg, const struct tree *t, struct swap *s), void *arg);
const char *swap_top(const struct swap *s);		/* the service in force */
const char *swap_phase_word(enum swap_phase p);
const char *swap_how_word(enum swap_how h);

/* ---- swap_make.c: the directory of a trial ---- */

/* The command line that runs the stage, from program.mode on; probe: as a filter between pipes. */
void swap_command(const struct tree *t, const struct swap *s, bool probe, char *argv[], unsigned max);
/* service/TRIAL, complete at once. -1 with a message. */
int swap_make(const struct tree *t, const struct swap *s);

/* ---- swap_probe.c: the program alone, before it sees the stream ---- */

/* Fills in program.mode by what `stage --check` says, if asked to; then gives it the lines of file (NULL: some of ours) and waits for its
 * answers. -1 with a message. */
int swap_check(const struct tree *t, struct swap_program *p, int64_t patience);
int swap_probe(const struct tree *t, const struct swap *s, const char *file, int64_t patience);
/* The same with a service of the tree that is down: its run, with pipes in the place of route's endpoints. */
int swap_probe_service(const struct tree *t, const struct swap *s, const char *service, const char *file, int64_t patience);

/* ---- swap_turn.c: services up and down ---- */

struct swap_times { int64_t wait, drain, watch; };
extern struct swap_times swap_times;

int swap_wait_ready(const struct tree *t, const char *service);		/* -1 with a message: it does not get there */
int swap_up(const struct tree *t, const char *service);			/* no longer down, started, ready */
int swap_down(const struct tree *t, const char *service);		/* down for good, drained; killed when it takes too long */
int swap_remove(const struct tree *t, const char *service);		/* drained, and the directory is gone; harmless when it is */

/* ---- swap_watch.c: the one that comes gets its lines, and how it does; -1 with a message: not well ---- */

int swap_watch(const struct tree *t, const struct swap *s);	/* the trial stays up, and route does not take its share back: for swap_times.watch */
int swap_pour(const struct tree *t, const struct swap *s);	/* by steps the trial gets everything */
int swap_pour_back(const struct tree *t, const struct swap *s);	/* by steps the last one's lines go to the one before */

/* ---- swap_settle.c ---- */

int swap_settle(const struct tree *t, struct swap *s);		/* ends what was begun: see the table above. -1 with a message */

/* ---- swap_split.c: what route is told ---- */

struct swap_tally { int64_t given, done, refused; };		/* lines, since the split was set */
struct swap_split { bool on; int64_t percent, shed; struct swap_tally set_has, others; bool copy; char set[80], because[256]; };
/* The workers of the set get percent of the conversations; or copies, and nothing else, also when route has taken that back; or, held,
 * nothing. With the tree down: from its start on. -1 with a message; -2: route says no. */
int swap_split_share(const struct tree *t, const struct swap *s, const char *set, uint64_t percent);
int swap_split_copy(const struct tree *t, const struct swap *s, const char *set);
int swap_split_hold(const struct tree *t, const struct swap *s, const char *set);
int swap_split_off(const struct tree *t, const struct swap *s);		/* harmless when there is none, or the tree is down */
int swap_split_ask(const struct tree *t, const struct swap *s, struct swap_split *out);	/* -1: it cannot be told; -2: it knows no sets */
int swap_hub_end(const struct tree *t, uint64_t *seq);			/* number of the next line */

/* ---- swap_show.c: what the records say ---- */

int swap_show(const struct tree *t, const char *name, bool json);	/* name NULL: all. An exit code */

/* ---- swap_deaths.c: a stage that keeps failing ---- */

#define SWAP_DEATHS 4u			/* so many failed runs ... */
#define SWAP_DEATHS_TIME 30		/* ... in so many seconds: it is taken back */
unsigned swap_deaths(const struct tree *t, const char *service);	/* notes one more; how many there were in that time, at most SWAP_DEATHS */

/* ---- swap_keep.c, swap_diff.c, swap_equal.c: what a shadow says ---- */

#define SWAP_SHADOW_BYTES (32u << 20)	/* then the newer file becomes the older one */
int swap_keep(const struct tree *t, const char *name);			/* standard input into run/shadow/NAME; an exit code */
char *swap_shadow_file(const struct tree *t, const char *name, const char *which);	/* "old" or "new" */
int swap_shadow_clear(const struct tree *t, const char *name);		/* forgets what was kept */
int swap_diff(const struct tree *t, const struct swap *s);		/* an exit code */
/* Equal in type, subject, tenant, partitionkey and data? The order of members does not count. path[room]: where the first difference is. */
bool swap_equal(const struct json *a, const struct json *b, char path[], size_t room);

#endif
