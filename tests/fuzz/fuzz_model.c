/*
 * A model file of hostile bytes: refused with a reason, or a model whose answers are probabilities.
 * The first byte says whether the checksum is made good before, so that the bytes behind it are
 * reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/emotion_model.h"
#include "analyze/report.h"
#include "analyze/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct analysis analysis;

static void judge(const struct model *m)
{
	static const char *const texts[] = { "I am NOT happy!!", ":)", "the joyful angry gross", "qwe" };
	struct cleaner how = { .emotes = NULL };

	if (!analysis.model)
		analysis_init(&analysis, m);
	analysis.model = m;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct buf b;

		if (!verdict_of(&analysis, &how, texts[i], strlen(texts[i])))
			abort();
		for (unsigned c = 0; c < OUTPUTS; c++)
			if (!(analysis.verdict.p[c] >= 0 && analysis.verdict.p[c] <= 1))
				abort();
		buf_init(&b, 1 << 20);
		if (report_json(&analysis, &b) || report_explain(&analysis, &b))
			abort();
		buf_release(&b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model m;
	const char *why = NULL;
	char *p;

	if (size < 1)
		return 0;
	p = malloc(size);
	memcpy(p, data + 1, size - 1);
	if ((data[0] & 1) && size - 1 >= MODEL_HEADER)
		emotion_seal(p, size - 1);
	if (model_init(&m, p, size - 1, &why) == 0) {
		judge(&m);
		model_release(&m);
	} else if (!why || m.row.v || m.text) {
		abort();
	}
	free(p);
	return 0;
}
