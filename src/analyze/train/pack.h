/*
 * pack: writes a model file; the format is in analyze/model.h.
 */
#ifndef ANALYZE_TRAIN_PACK_H
#define ANALYZE_TRAIN_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/model.h"
#include "base/buf.h"

struct pack_row { uint32_t hash; uint8_t x, scale; int8_t weight[OUTPUTS]; };

struct pack {
	float bias[OUTPUTS], stack[OUTPUTS][MODEL_STACK], threshold[OUTPUTS];
	struct pack_row *row;
	uint32_t rows;
	uint32_t *known;
	uint32_t knowns;
	const char *text;	/* attribution, borrowed */
	size_t text_len;
};

void pack_init(struct pack *p);		/* no rows; second layer: each output as it is; thresholds 0.5 */
void pack_release(struct pack *p);
void pack_row(struct pack *p, uint32_t hash, uint8_t x, const float *weight);	/* rounds OUTPUTS weights */
void pack_word(struct pack *p, uint32_t hash);
void pack_write(struct pack *p, struct buf *out);	/* sorts; dies when beyond the format's limits */

#endif
