/* regex_impl: what regex_tree.c (expression to tree), regex.c (tree to program) and regex_run.c (program on a text) share. Nobody else includes it. */
#ifndef BASE_REGEX_IMPL_H
#define BASE_REGEX_IMPL_H

#include <stdint.h>

#include "base/regex.h"

enum step_kind { STEP_BYTE, STEP_SPLIT, STEP_BEGIN, STEP_END, STEP_MATCH };

/* ---- the tree ---- */

#define REGEX_POINT_MAX 0x10ffffu
#define REGEX_NO_END UINT32_MAX	/* of a repetition */

enum node_kind { NODE_EMPTY, NODE_SET, NODE_BOTH, NODE_EITHER, NODE_REPEAT, NODE_BEGIN, NODE_END };

struct range { uint32_t lo, hi; };

/* SET: ranges[a..a+b). BOTH, EITHER: nodes a and b. REPEAT: node a, min to max times. */
struct node { enum node_kind kind; unsigned a, b, min, max; };

struct maker {
	const char *start, *p, *end;
	struct regex_error *err;
	bool failed, fold;
	unsigned depth, work;
	struct node *nodes;
	unsigned nnodes, cap_nodes;
	struct range *ranges;
	unsigned nranges, cap_ranges;
	struct regex *re;
};

unsigned regex_fail(struct maker *m, const char *why);	/* the first counts; 0 */
unsigned regex_tree(struct maker *m);			/* the root; m->failed tells */

/* ---- the program ---- */

/* A place in the expression. BYTE: a byte from lo to hi, then x. SPLIT: x or y. BEGIN, END: only there, then x. */
struct step { uint8_t kind, lo, hi; uint16_t x, y; };

struct regex_state { uint32_t at; uint16_t n; bool at_end; };	/* its places: sets[at..at+n); at_end: the text may end here */

#define REGEX_WORDS ((REGEX_STEPS + 63) / 64)
enum { STATE_NONE, STATE_DEAD, STATE_MATCH, STATE_FIRST };	/* values of next; from FIRST on: states[next - FIRST] */

struct regex {
	struct step *steps;
	unsigned n, start;
	uint8_t class[256];		/* bytes that no step tells apart are one class */
	unsigned classes;
	uint8_t member[256];		/* a byte of each class */

	/* the cache */
	uint16_t *next;			/* [state][class] */
	struct regex_state *states;
	uint16_t *table;		/* hash of sets to state + 1 */
	uint16_t *sets;
	unsigned nstates, max_states, table_size, nsets, max_sets;
	bool empty;			/* does the empty text match? */
	uint16_t begin;			/* state at the start of a text; 0: not made yet */

	/* scratch */
	uint64_t seen[REGEX_WORDS];
	uint64_t again[REGEX_WORDS];	/* where a match may begin anywhere */
	uint16_t stack[REGEX_STEPS + 1], set[REGEX_STEPS];
};

int regex_run_init(struct regex *re);	/* -1: no memory */
void regex_run_release(struct regex *re);

#endif
