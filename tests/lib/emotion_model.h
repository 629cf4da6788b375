/*
 * emotion_model: the bytes of a small emotion model for checks and fuzzers: a row for each word
 * with weight 3 for one output. The second layer leaves each output as it is, neutral starts at 0
 * and the others at -4, thresholds are 0.5; every word is known.
 */
#ifndef TEST_EMOTION_MODEL_H
#define TEST_EMOTION_MODEL_H

#include <stdlib.h>
#include <string.h>

#include "analyze/model.h"
#include "base/buf.h"
#include "base/hash.h"

struct emotion_word { const char *word; unsigned output; };

static int emotion_order(const void *a, const void *b)
{
	const struct emotion_word *x = a, *y = b;
	uint32_t hx = feature_word_hash(x->word, strlen(x->word)), hy = feature_word_hash(y->word, strlen(y->word));

	return hx < hy ? -1 : hx > hy;
}

static inline void emotion_put(struct buf *b, uint32_t v)
{
	unsigned char p[4] = { v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24 };

	if (buf_add(b, p, 4))
		abort();
}

static inline void emotion_put_float(struct buf *b, float f)
{
	uint32_t bits;

	memcpy(&bits, &f, 4);
	emotion_put(b, bits);
}

/* Writes the checksum of what stands behind the header into it. */
static inline void emotion_seal(char *p, size_t n)
{
	uint32_t crc = hash_crc32c(0, p + MODEL_HEADER, n - MODEL_HEADER);

	for (int i = 0; i < 4; i++)
		p[8 + 4 * MODEL_H_CRC + i] = (char)(crc >> 8 * i);
}

/* words are sorted in place. */
static inline void emotion_model(struct buf *b, struct emotion_word *words, uint32_t n, const char *text)
{
	unsigned scale = model_scale_byte(3);

	qsort(words, n, sizeof *words, emotion_order);
	if (buf_add(b, MODEL_MAGIC, 8))
		abort();
	emotion_put(b, MODEL_FORMAT);
	emotion_put(b, FEATURE_VERSION);
	emotion_put(b, OUTPUTS);
	emotion_put(b, n);
	emotion_put(b, n);
	emotion_put(b, (uint32_t)strlen(text));
	emotion_put(b, 0);
	emotion_put(b, 0);
	for (unsigned c = 0; c < OUTPUTS; c++)
		emotion_put_float(b, c == LABEL_NEUTRAL ? 0 : -4);
	for (unsigned c = 0; c < OUTPUTS; c++)
		for (unsigned k = 0; k < MODEL_STACK; k++)
			emotion_put_float(b, k == OUTPUTS ? 3 : 0);
	for (unsigned c = 0; c < OUTPUTS; c++)
		emotion_put_float(b, 0.5f);
	for (int twice = 0; twice < 2; twice++)
		for (uint32_t i = 0; i < n; i++)
			emotion_put(b, feature_word_hash(words[i].word, strlen(words[i].word)));
	for (uint32_t i = 0; i < n; i++)
		if (buf_addc(b, (char)240))
			abort();
	for (uint32_t i = 0; i < n; i++)
		if (buf_addc(b, (char)scale))
			abort();
	for (uint32_t i = 0; i < n; i++)
		for (unsigned c = 0; c < OUTPUTS; c++)
			if (buf_addc(b, (char)(c == words[i].output ? (int)(3 / model_scale(scale) + 0.5f) : 0)))
				abort();
	if (buf_adds(b, text))
		abort();
	emotion_seal(b->p, b->len);
}

#endif
