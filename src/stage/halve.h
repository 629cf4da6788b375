/*
 * halve: which lines of a batch a program gets next, and which one it dies of. Pure.
 *
 * A batch is given whole. When the program fails on it three times in a row, the *hunt* begins: what is left is given in halves (or
 * a line at a time, if the caller says so), and the part that fails is halved again, until it is one line. That line is condemned:
 * the caller refuses it and says halve_skip. Where one bad line was there may be more: of what is behind it one line is given, then four, then
 * sixteen, as long as all goes well, and they are hunted through at the first failure. So a batch of nothing but bad lines costs a run for each,
 * not a hunt. Nobody is condemned with fewer than three failures behind him.
 *
 *   halve_init(&h, n);
 *   while (!halve_over(&h)) give lines h.from to h.to - 1 (from 0), then
 *       halve_pass(&h)                          all of them are done; or
 *       halve_answer(&h)                        the first of them is done (more than one left), or
 *       if (halve_fail(&h, ...)) { refuse line h.from; halve_skip(&h); }
 */
#ifndef STAGE_HALVE_H
#define STAGE_HALVE_H

#include <stdbool.h>
#include <stdint.h>

#define HALVE_STRIKES 3u

struct halve {
	uint32_t n;		/* lines of the batch */
	uint32_t from, to;	/* lines to be given now */
	uint32_t end;		/* hunt: the bad line is before this one */
	unsigned strikes;	/* failures in a row */
	unsigned limit;		/* so many begin the hunt */
	uint32_t room;		/* behind a condemned line: so many at most; 0: any number */
	bool hunting;
	bool one_by_one;	/* set by the caller, for good: only one line is given at a time */
};

void halve_init(struct halve *h, uint32_t n, bool one_by_one);
static inline bool halve_over(const struct halve *h) { return h->from == h->n; }
void halve_pass(struct halve *h);
void halve_answer(struct halve *h);

/*
 * The program failed on what it was given. true: line h->from is condemned.
 * sure: it is the lines' fault, the program said so itself: no three strikes. single: the hunt gives a line at a time, which costs more
 * runs when nothing else is wrong and far fewer failures; halves are better when each run is a new program.
 */
bool halve_fail(struct halve *h, bool sure, bool single);
void halve_skip(struct halve *h);	/* the next line goes alone: a witness for or against the program, too */
void halve_singly(struct halve *h);	/* from now on, whatever comes: one line at a time */

#endif
