/*
 * A message of hostile bytes: what is read of it stays within its limits, each feature once, and
 * the answer is probabilities.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/emotion_model.h"
#include "analyze/report.h"
#include "analyze/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] = "LUL\tlol\nKappa\t/s\nE\t-\n\xe2\x9d\xa4\tlove\n\xf0\x9f\x98\x82\tlol\n<3\tlove\nHi\thello\tc1\n";

static struct analysis analysis;
static struct model model;
static struct emotes emotes;

static void start(void)
{
	static struct emotion_word words[] = { { "joyful", 17 }, { "angry", 2 }, { "the", 27 }, { "is", 27 }, { "lol", 1 } };
	struct buf b;
	const char *why;
	size_t line;

	buf_init(&b, 1 << 20);
	emotion_model(&b, words, sizeof words / sizeof words[0], "fuzz");
	if (model_init(&model, b.p, b.len, &why) || emotes_init(&emotes, table, sizeof table - 1, &line, &why))
		abort();
	buf_release(&b);
	analysis_init(&analysis, &model);
}

static void check_text(const struct text *t)
{
	if (t->len > TEXT_MAX || t->n > TEXT_TOKENS)
		abort();
	for (size_t i = 0; i < t->n; i++) {
		const struct token *k = &t->token[i];

		if (k->len == 0 || (size_t)k->off + k->len >= t->len || t->buf[k->off - 1] != ' ' || t->buf[k->off + k->len] != ' ')
			abort();
	}
}

static void check_features(const struct features *f, const struct text *t)
{
	static uint8_t seen[1 << 16];

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < f->n; i++) {
		char name[64];

		feature_name(&f->v[i], t, name, sizeof name);
		if (strlen(name) < 3)
			abort();
		/* Equal hashes have equal low halves: look closer only where those meet. */
		if (seen[f->v[i].hash & 0xffff]++)
			for (size_t k = 0; k < i; k++)
				if (f->v[k].hash == f->v[i].hash)
					abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cleaner how = { .emotes = &emotes, .channel = "c1", .channel_len = 2 };
	struct buf out;

	if (!analysis.model)
		start();
	if (!verdict_of(&analysis, &how, (const char *)data, size))
		return 0;
	check_text(&analysis.text);
	check_features(&analysis.features, &analysis.text);
	for (unsigned c = 0; c < OUTPUTS; c++)
		if (!(analysis.verdict.p[c] >= 0 && analysis.verdict.p[c] <= 1))
			abort();
	buf_init(&out, 1 << 20);
	if (report_json(&analysis, &out) || report_explain(&analysis, &out))
		abort();
	buf_release(&out);
	return 0;
}
