/*
 * model: the trained classifier: features to probabilities. Pure; the file's bytes come as an
 * argument.
 *
 * A linear model (one-vs-rest logistic regression, a row of int8 weights for each feature it knows)
 * with a second layer that corrects each output by the sigmoids of all, and a threshold for each
 * output. The recipe and what it reaches are in analyze.8 and printed by scripts/train-emotion.
 *
 * File, little-endian, sections without gaps:
 *
 *   bytes   what
 *   8       magic "PSEMOTE\n"
 *   4 x 8   format 1 · FEATURE_VERSION · outputs · rows · known words · bytes of attribution · CRC-32C of all behind
 *           the header · 0
 *   4 x 34  bias, float
 *   4 x 34 x 36  second layer, float: for each output 34 weights of sigmoids, 1 of its own logit, 1 bias
 *   4 x 34  threshold, float, 0..1
 *   4 x rows     hash of the feature, strictly ascending
 *   4 x known    hash of a word seen 3 times in training, strictly ascending
 *   rows    value of the feature, byte / MODEL_X
 *   rows    scale of the row, 2^((byte - MODEL_SCALE0) / MODEL_SCALE1) / 127
 *   34 x rows    weights, int8
 *   n       attribution, UTF-8 text
 *
 * Limits: 65,535 rows and words, 8 KiB of attribution; hence below 3 MiB. Every float must be
 * finite and within +-1e6.
 */
#ifndef ANALYZE_MODEL_H
#define ANALYZE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/feature.h"
#include "analyze/labels.h"

#define MODEL_MAGIC "PSEMOTE\n"
#define MODEL_FORMAT 1
#define MODEL_HEADER 40
#define MODEL_ROWS_MAX 65535
#define MODEL_TEXT_MAX 8192
#define MODEL_FILE_MAX (3u << 20)
#define MODEL_X 240.0f
#define MODEL_SCALE0 160
#define MODEL_SCALE1 16
#define MODEL_STACK (OUTPUTS + 2)
#define MODEL_WIDTH 36		/* weights of a row in memory: OUTPUTS, filled up with 0 to whole vectors */

enum model_header {
	MODEL_H_FORMAT, MODEL_H_FEATURE, MODEL_H_OUTPUTS, MODEL_H_ROWS, MODEL_H_KNOWN, MODEL_H_TEXT, MODEL_H_CRC
};

/* Hashes, ascending, with an index by their top bits. */
struct hashes {
	uint32_t *v;
	uint32_t n;
	uint32_t *first;	/* where the hashes of a bucket begin; one more than there are buckets */
};

struct model {
	struct hashes row, known;
	float bias[OUTPUTS];
	float stack[OUTPUTS][MODEL_STACK];
	float threshold[OUTPUTS];
	float *x;		/* of each row */
	float *scale;		/* of each row, divided by 127 */
	int8_t *weight;		/* rows x MODEL_WIDTH */
	char *text;		/* attribution, NUL-terminated */
	char id[24];		/* "emotion-" and the checksum: names the model in what it says */
};

struct scores {
	float logit[OUTPUTS];	/* of the first layer */
	float p[OUTPUTS];	/* calibrated probability */
	float norm;		/* length of the vector of values that were found; 0 if none was */
};

/*
 * Copies what it needs; -1 with a static reason in *why, and *m empty, if the bytes are no sound
 * model.
 */
int model_init(struct model *m, const void *bytes, size_t n, const char **why);
void model_release(struct model *m);

/* The first layer alone fills logit and norm. */
void model_logits(const struct model *m, const struct features *f, struct scores *s);
void model_stack(const struct model *m, struct scores *s);
static inline void model_score(const struct model *m, const struct features *f, struct scores *s)
{
	model_logits(m, f, s);
	model_stack(m, s);
}

/*
 * Row of a feature, -1 when the model does not know it; its weight for an output, before division
 * by the norm.
 */
long model_row(const struct model *m, uint32_t hash);
static inline float model_weight(const struct model *m, long row, unsigned output)
{
	return m->x[row] * m->scale[row] * (float)m->weight[(size_t)row * MODEL_WIDTH + output];
}

bool model_knows_word(const struct model *m, uint32_t hash);

/*
 * The inputs of the second layer for logits: what the trainer fits and model_stack multiplies.
 * in[OUTPUTS] is the own logit's place.
 */
void model_stack_input(const float *logit, float *in);
#define MODEL_STACK_LOGIT (1.0f / 3)

/* Rounding of a row for the file: the scale byte for its largest weight, and the weight as int8. */
unsigned model_scale_byte(float largest);
float model_scale(unsigned byte);

#endif
