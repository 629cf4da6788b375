/*
 * verdict: what the model says of one message, with the gate for what it cannot judge. Pure.
 *
 * The gate: the model knows English chat. When fewer than half of three or more words are known to
 * it, or none of any number (no word at all: no smiley, emoji or mark either), its answer is
 * neutral, in an unknown language, and no surer than the share of words it knows.
 */
#ifndef ANALYZE_VERDICT_H
#define ANALYZE_VERDICT_H

#include <stdbool.h>

#include "analyze/clean.h"
#include "analyze/feature.h"
#include "analyze/lexicon.h"
#include "analyze/model.h"
#include "analyze/text.h"

struct verdict {
	bool known_language;		/* false: the gate answered */
	bool sarcasm;			/* an emote of the message says so */
	float known;			/* share of the words that the model knows, 0 to 1 */
	float p[OUTPUTS];		/* probability of each output; after the gate, neutral alone */
	unsigned top[TASKS];		/* for each task the index in tasks[].v of the most probable class */
	float confidence;		/* probability of the most probable group */
};

/* What a verdict works in; about 300 KiB, so one for the life of the program. */
struct analysis {
	const struct model *model;	/* borrowed */
	struct lexicon lexicon;
	struct clean clean;
	struct text text;
	struct features features;
	struct scores scores;
	struct verdict verdict;
};

void analysis_init(struct analysis *a, const struct model *model);

/*
 * Fills a->verdict for the n bytes of a message (UTF-8, decoded). false: nothing is left to judge
 * once emotes that say nothing, links and the like are dropped, or it is a command ("!x").
 */
bool verdict_of(struct analysis *a, const struct cleaner *how, const char *p, size_t n);

#endif
