/*
 * stack: fits the second layer, a logistic regression for each output over the sigmoids of all
 * outputs and a third of its own logit; L2 1 on the weights, none on the bias. Newton's method from
 * "the output itself".
 */
#ifndef ANALYZE_TRAIN_STACK_H
#define ANALYZE_TRAIN_STACK_H

#include <stdint.h>

#include "analyze/model.h"

/* s[i].logit belongs to outputs[i]; skip[i] != 0 leaves a row out (skip may be NULL). */
void stack_fit(const struct scores *s, const uint64_t *outputs, const uint8_t *skip, uint32_t n,
	float stack[OUTPUTS][MODEL_STACK]);

#endif
