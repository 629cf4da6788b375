/*
 * tune: thresholds, and how good answers are.
 */
#ifndef ANALYZE_TRAIN_TUNE_H
#define ANALYZE_TRAIN_TUNE_H

#include <stdint.h>

#include "analyze/model.h"

/* For each output the threshold on p that maximises its F1. */
void tune_thresholds(const struct scores *s, const uint64_t *outputs, uint32_t n, float threshold[OUTPUTS]);

/* True and false positives, false negatives of each output; may be added to over several calls. */
struct tally { uint32_t tp[OUTPUTS], fp[OUTPUTS], fn[OUTPUTS]; };
void tally_add(struct tally *t, const struct scores *s, const uint64_t *outputs, uint32_t n,
	const float threshold[OUTPUTS]);
double tally_f1(const struct tally *t, unsigned output);
double tally_macro(const struct tally *t, enum task task);	/* times 100 */

#endif
