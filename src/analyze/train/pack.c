#include "analyze/train/pack.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/train/data.h"
#include "base/hash.h"
#include "base/log.h"

void pack_init(struct pack *p)
{
	memset(p, 0, sizeof *p);
	for (unsigned c = 0; c < OUTPUTS; c++) {
		p->stack[c][OUTPUTS] = 1 / MODEL_STACK_LOGIT;
		p->threshold[c] = 0.5f;
	}
}

void pack_release(struct pack *p)
{
	free(p->row);
	free(p->known);
	memset(p, 0, sizeof *p);
}

void pack_row(struct pack *p, uint32_t hash, uint8_t x, const float *weight)
{
	struct pack_row *r;
	float largest = 0, unit;

	if ((p->rows & (p->rows - 1)) == 0)
		p->row = xrealloc(p->row, p->rows ? 2u * p->rows : 1, sizeof *p->row);
	r = &p->row[p->rows++];
	r->hash = hash;
	r->x = x;
	for (unsigned c = 0; c < OUTPUTS; c++)
		largest = largest < weight[c] ? weight[c] : largest < -weight[c] ? -weight[c] : largest;
	r->scale = (uint8_t)model_scale_byte(largest);
	unit = model_scale(r->scale);
	for (unsigned c = 0; c < OUTPUTS; c++) {
		float v = weight[c] / unit;

		v = v > 127 ? 127 : v < -127 ? -127 : v;
		r->weight[c] = (int8_t)(v + (v < 0 ? -0.5f : 0.5f));
	}
}

void pack_word(struct pack *p, uint32_t hash)
{
	if ((p->knowns & (p->knowns - 1)) == 0)
		p->known = xrealloc(p->known, p->knowns ? 2u * p->knowns : 1, sizeof *p->known);
	p->known[p->knowns++] = hash;
}

static int row_order(const void *a, const void *b)
{
	uint32_t x = ((const struct pack_row *)a)->hash, y = ((const struct pack_row *)b)->hash;

	return x < y ? -1 : x > y;
}

static int word_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void must(int failed)
{
	if (failed)
		die(1, "no memory for the model, or it is over %u bytes", MODEL_FILE_MAX);
}

static void put_u32(struct buf *b, uint32_t v)
{
	unsigned char p[4] = { v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24 };

	must(buf_add(b, p, sizeof p));
}

static void put_floats(struct buf *b, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &v[i], sizeof bits);
		put_u32(b, bits);
	}
}

static void put_body(const struct pack *p, struct buf *b)
{
	put_floats(b, p->bias, OUTPUTS);
	put_floats(b, &p->stack[0][0], OUTPUTS * MODEL_STACK);
	put_floats(b, p->threshold, OUTPUTS);
	for (uint32_t i = 0; i < p->rows; i++)
		put_u32(b, p->row[i].hash);
	for (uint32_t i = 0; i < p->knowns; i++)
		put_u32(b, p->known[i]);
	for (uint32_t i = 0; i < p->rows; i++)
		must(buf_addc(b, (char)p->row[i].x));
	for (uint32_t i = 0; i < p->rows; i++)
		must(buf_addc(b, (char)p->row[i].scale));
	for (uint32_t i = 0; i < p->rows; i++)
		must(buf_add(b, p->row[i].weight, sizeof p->row[i].weight));
	must(buf_add(b, p->text, p->text_len));
}

void pack_write(struct pack *p, struct buf *out)
{
	struct buf body;

	if (p->rows > MODEL_ROWS_MAX || p->knowns > MODEL_ROWS_MAX || p->text_len > MODEL_TEXT_MAX)
		die(1, "the model is beyond the limits of its format: %u rows, %u words, %zu bytes of attribution",
			p->rows, p->knowns, p->text_len);
	if (p->rows)
		qsort(p->row, p->rows, sizeof *p->row, row_order);
	if (p->knowns)
		qsort(p->known, p->knowns, sizeof *p->known, word_order);
	buf_init(&body, MODEL_FILE_MAX);
	put_body(p, &body);
	must(buf_add(out, MODEL_MAGIC, sizeof MODEL_MAGIC - 1));
	put_u32(out, MODEL_FORMAT);
	put_u32(out, FEATURE_VERSION);
	put_u32(out, OUTPUTS);
	put_u32(out, p->rows);
	put_u32(out, p->knowns);
	put_u32(out, (uint32_t)p->text_len);
	put_u32(out, hash_crc32c(0, body.p, body.len));
	put_u32(out, 0);
	must(buf_add(out, body.p, body.len));
	buf_release(&body);
}
