#include "analyze/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calc.h"
#include "base/hash.h"

#define BUCKET_BITS 14
#define BUCKETS (1u << BUCKET_BITS)

/* Reads on from p; the sizes have been checked before. */
struct from { const unsigned char *p; };

static uint32_t get_u32(struct from *f)
{
	const unsigned char *p = f->p;

	f->p += 4;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int get_floats(struct from *f, float *out, size_t n, float min, float max)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = get_u32(f);

		memcpy(&out[i], &bits, sizeof bits);
		if (!(out[i] >= min && out[i] <= max))	/* NaN too */
			return -1;
	}
	return 0;
}

static int get_hashes(struct from *f, struct hashes *h, uint32_t n)
{
	h->n = n;
	h->v = malloc((n ? n : 1) * sizeof *h->v);
	h->first = malloc((BUCKETS + 1) * sizeof *h->first);
	if (!h->v || !h->first)
		return -1;
	for (uint32_t i = 0, b = 0; i <= n; i++) {
		uint32_t bucket = BUCKETS;

		if (i < n) {
			h->v[i] = get_u32(f);
			if (i && h->v[i] <= h->v[i - 1])
				return -1;
			bucket = h->v[i] >> (32 - BUCKET_BITS);
		}
		while (b <= bucket)
			h->first[b++] = i;
	}
	return 0;
}

static long find(const struct hashes *h, uint32_t hash)
{
	const uint32_t *first = &h->first[hash >> (32 - BUCKET_BITS)];

	for (uint32_t i = first[0]; i < first[1]; i++)
		if (h->v[i] == hash)
			return (long)i;
	return -1;
}

unsigned model_scale_byte(float largest)
{
	unsigned byte = 0;

	while (byte < 255 && model_scale(byte) * 127 < largest)
		byte++;
	return byte;
}

float model_scale(unsigned byte)
{
	/* e^(x ln 2) by our own exponential: the same on every machine */
	return calc_expf((float)((int)byte - MODEL_SCALE0) / MODEL_SCALE1 * 0.69314718f) / 127;
}

static int get_rows(struct model *m, struct from *f)
{
	uint32_t n = m->row.n;

	m->x = malloc((n + 1) * sizeof *m->x);
	m->scale = malloc((n + 1) * sizeof *m->scale);
	m->weight = calloc((size_t)n + 1, MODEL_WIDTH);
	if (!m->x || !m->scale || !m->weight)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		m->x[i] = (float)*f->p++ / MODEL_X;
	for (uint32_t i = 0; i < n; i++)
		m->scale[i] = model_scale(*f->p++);
	for (uint32_t i = 0; i < n; i++, f->p += OUTPUTS)
		memcpy(m->weight + (size_t)i * MODEL_WIDTH, f->p, OUTPUTS);
	return 0;
}

/* Returns the reason, or NULL. */
static const char *read_header(const unsigned char *bytes, size_t n, uint32_t h[MODEL_H_CRC + 1])
{
	struct from f = { bytes + sizeof MODEL_MAGIC - 1 };
	uint64_t want;

	if (n < MODEL_HEADER || memcmp(bytes, MODEL_MAGIC, sizeof MODEL_MAGIC - 1) != 0)
		return "not an emotion model";
	for (unsigned i = 0; i <= MODEL_H_CRC; i++)
		h[i] = get_u32(&f);
	if (h[MODEL_H_FORMAT] != MODEL_FORMAT)
		return "model of another format";
	if (h[MODEL_H_FEATURE] != FEATURE_VERSION)
		return "model for another version of the features";
	if (h[MODEL_H_OUTPUTS] != OUTPUTS)
		return "model with another set of labels";
	if (h[MODEL_H_ROWS] > MODEL_ROWS_MAX || h[MODEL_H_KNOWN] > MODEL_ROWS_MAX || h[MODEL_H_TEXT] > MODEL_TEXT_MAX)
		return "model beyond the limits";
	want = MODEL_HEADER + 4u * OUTPUTS * (MODEL_STACK + 2) + (uint64_t)h[MODEL_H_ROWS] * (4 + 2 + OUTPUTS) +
		(uint64_t)h[MODEL_H_KNOWN] * 4 + h[MODEL_H_TEXT];
	if (n != want)
		return "model cut short or too long";
	if (hash_crc32c(0, bytes + MODEL_HEADER, n - MODEL_HEADER) != h[MODEL_H_CRC])
		return "model damaged: its checksum is wrong";
	return NULL;
}

int model_init(struct model *m, const void *bytes, size_t n, const char **why)
{
	struct from f = { (const unsigned char *)bytes + MODEL_HEADER };
	uint32_t h[MODEL_H_CRC + 1];

	memset(m, 0, sizeof *m);
	*why = read_header(bytes, n, h);
	if (*why)
		return -1;
	*why = "model with a number that is none";
	if (get_floats(&f, m->bias, OUTPUTS, -1e6f, 1e6f) < 0 ||
	    get_floats(&f, &m->stack[0][0], OUTPUTS * MODEL_STACK, -1e6f, 1e6f) < 0 ||
	    get_floats(&f, m->threshold, OUTPUTS, 0, 1) < 0)
		goto err;
	*why = "model with hashes out of order, or no memory";
	if (get_hashes(&f, &m->row, h[MODEL_H_ROWS]) < 0 || get_hashes(&f, &m->known, h[MODEL_H_KNOWN]) < 0)
		goto err;
	*why = "no memory";
	if (get_rows(m, &f) < 0)
		goto err;
	m->text = malloc(h[MODEL_H_TEXT] + 1u);
	if (!m->text)
		goto err;
	memcpy(m->text, f.p, h[MODEL_H_TEXT]);
	m->text[h[MODEL_H_TEXT]] = '\0';
	snprintf(m->id, sizeof m->id, "emotion-%08x", (unsigned)h[MODEL_H_CRC]);
	return 0;
err:
	model_release(m);
	return -1;
}

void model_release(struct model *m)
{
	free(m->row.v);
	free(m->row.first);
	free(m->known.v);
	free(m->known.first);
	free(m->x);
	free(m->scale);
	free(m->weight);
	free(m->text);
	memset(m, 0, sizeof *m);
}

long model_row(const struct model *m, uint32_t hash)
{
	return find(&m->row, hash);
}

bool model_knows_word(const struct model *m, uint32_t hash)
{
	return find(&m->known, hash) >= 0;
}

#define BLOCK 32	/* features looked up together, so that the memory they need is on its way when it is needed */

/* Rows of at most BLOCK features that the model has; returns how many. */
static unsigned find_rows(const struct model *m, const struct feature *f, size_t n, uint32_t *row)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&m->row.first[f[i].hash >> (32 - BUCKET_BITS)]);
	for (size_t i = 0; i < n; i++) {
		long at = find(&m->row, f[i].hash);

		if (at < 0)
			continue;
		row[found++] = (uint32_t)at;
		__builtin_prefetch(m->weight + (size_t)at * MODEL_WIDTH);
	}
	return found;
}

void model_logits(const struct model *m, const struct features *f, struct scores *s)
{
	float sum[MODEL_WIDTH] = { 0 }, square = 0, by;

	for (size_t at = 0; at < f->n; at += BLOCK) {
		uint32_t row[BLOCK];
		unsigned n = find_rows(m, f->v + at, f->n - at < BLOCK ? f->n - at : BLOCK, row);

		for (unsigned i = 0; i < n; i++) {
			const int8_t *w = m->weight + (size_t)row[i] * MODEL_WIDTH;
			float a = m->x[row[i]] * m->scale[row[i]];

			square += m->x[row[i]] * m->x[row[i]];
			for (unsigned c = 0; c < MODEL_WIDTH; c++)
				sum[c] += a * (float)w[c];
		}
	}
	s->norm = sqrtf(square);
	by = square > 0 ? 1 / s->norm : 0;
	for (unsigned c = 0; c < OUTPUTS; c++)
		s->logit[c] = m->bias[c] + sum[c] * by;
}

void model_stack_input(const float *logit, float *in)
{
	for (unsigned c = 0; c < OUTPUTS; c++)
		in[c] = calc_sigmoid(logit[c]);
}

void model_stack(const struct model *m, struct scores *s)
{
	float in[OUTPUTS];

	model_stack_input(s->logit, in);
	for (unsigned c = 0; c < OUTPUTS; c++) {
		const float *w = m->stack[c];
		float z = w[OUTPUTS + 1] + w[OUTPUTS] * (s->logit[c] * MODEL_STACK_LOGIT);

		for (unsigned k = 0; k < OUTPUTS; k++)
			z += w[k] * in[k];
		s->p[c] = calc_sigmoid(z);
	}
}
