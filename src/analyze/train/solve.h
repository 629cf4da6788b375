/*
 * solve: one-vs-rest logistic regression, L2 (C = 1), all outputs at once, by dual coordinate
 * descent (Yu, Huang, Lin: Dual coordinate descent methods for logistic regression, 2011).
 *
 * Output c sees feature j times R(j,c) = 0.5 + 0.5 |ln(p1 / p0)|, how much more often j stands in
 * texts with c than in others (Wang, Manning 2012); R is folded into the weights that come out. The
 * bias is a feature of value 1.
 */
#ifndef ANALYZE_TRAIN_SOLVE_H
#define ANALYZE_TRAIN_SOLVE_H

#include <stddef.h>
#include <stdint.h>

#define WIDTH 36	/* OUTPUTS, filled up to whole vectors; the rest stays 0 */

struct problem {
	uint32_t rows, features;
	size_t *first;		/* of each row, and the end */
	uint32_t *index;	/* 0..features - 1 */
	float *value;
	uint64_t *outputs;	/* of each row */
};

/* weight: features x WIDTH, bias: WIDTH; both are filled. Same input, same bits out. */
void solve(const struct problem *p, unsigned passes, float *weight, float *bias);

#endif
