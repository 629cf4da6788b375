/*
 * fit: rows of the data to a model, as the bytes of its file.
 *
 * fit_first   learns the first layer: all features that two rows have, then the best FIT_ROWS of them once more,
 *             rounded to int8. The bytes hold an empty second layer and thresholds of 0.5.
 * fit_whole   fit_first, the second layer on out-of-fold outputs of the first, thresholds on out-of-fold probabilities.
 *
 * A row of the data that is not in rows[] is not looked at in any way.
 */
#ifndef ANALYZE_TRAIN_FIT_H
#define ANALYZE_TRAIN_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/model.h"
#include "base/buf.h"

struct data;
struct cleaner;

#define FIT_FOLDS 5

struct fit {
	const struct data *data;
	uint32_t rows_kept;	/* rows of the model's table */
	unsigned passes;
	const char *attribution;
	size_t attribution_len;
};

void fit_first(const struct fit *fit, const uint32_t *rows, uint32_t n, struct buf *out);
void fit_whole(const struct fit *fit, const uint32_t *rows, uint32_t n, struct buf *out);

/* Scores rows with the program's own code. */
void fit_score(const struct fit *fit, const struct model *m, const struct cleaner *how,
	const uint32_t *rows, uint32_t n, struct scores *out);

#endif
