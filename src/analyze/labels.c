#include "analyze/labels.h"

enum {
	EKMAN_ANGER = LABELS, EKMAN_FEAR, EKMAN_JOY, EKMAN_SADNESS, EKMAN_SURPRISE, GROUP_NEGATIVE,
	GROUP_POSITIVE = EKMAN_JOY, GROUP_AMBIGUOUS = EKMAN_SURPRISE, LABEL_DISGUST = 11,
};
_Static_assert(GROUP_NEGATIVE == OUTPUTS - 1, "outputs are counted");

static const struct task_class label_class[] = {
	{ "admiration", 0 }, { "amusement", 1 }, { "anger", 2 }, { "annoyance", 3 }, { "approval", 4 }, { "caring", 5 },
	{ "confusion", 6 }, { "curiosity", 7 }, { "desire", 8 }, { "disappointment", 9 }, { "disapproval", 10 },
	{ "disgust", LABEL_DISGUST }, { "embarrassment", 12 }, { "excitement", 13 }, { "fear", 14 }, { "gratitude", 15 },
	{ "grief", 16 }, { "joy", 17 }, { "love", 18 }, { "nervousness", 19 }, { "optimism", 20 }, { "pride", 21 },
	{ "realization", 22 }, { "relief", 23 }, { "remorse", 24 }, { "sadness", 25 }, { "surprise", 26 },
	{ "neutral", LABEL_NEUTRAL },
};
_Static_assert(sizeof label_class / sizeof label_class[0] == LABELS, "labels are counted");

static const struct task_class ekman_class[] = {
	{ "anger", EKMAN_ANGER }, { "disgust", LABEL_DISGUST }, { "fear", EKMAN_FEAR }, { "joy", EKMAN_JOY },
	{ "sadness", EKMAN_SADNESS }, { "surprise", EKMAN_SURPRISE }, { "neutral", LABEL_NEUTRAL },
};

static const struct task_class group_class[] = {
	{ "positive", GROUP_POSITIVE }, { "negative", GROUP_NEGATIVE }, { "neutral", LABEL_NEUTRAL },
	{ "ambiguous", GROUP_AMBIGUOUS },
};

#define TASK(name, v) { name, v, sizeof(v) / sizeof((v)[0]) }
const struct task_def tasks[TASKS] = {
	[TASK_LABEL] = TASK("labels", label_class),
	[TASK_EKMAN] = TASK("ekman", ekman_class),
	[TASK_GROUP] = TASK("sentiment", group_class),
};

#define L(n) (UINT64_C(1) << (n))
/*
 * The union of ekman_mapping.json and sentiment_mapping.json of the data set, turned round: output
 * -> labels.
 */
static const uint64_t members[OUTPUTS - LABELS] = {
	[EKMAN_ANGER - LABELS] = L(2) | L(3) | L(10),
	[EKMAN_FEAR - LABELS] = L(14) | L(19),
	[EKMAN_JOY - LABELS] = L(0) | L(1) | L(4) | L(5) | L(8) | L(13) | L(15) | L(17) | L(18) | L(20) | L(21) | L(23),
	[EKMAN_SADNESS - LABELS] = L(9) | L(12) | L(16) | L(24) | L(25),
	[EKMAN_SURPRISE - LABELS] = L(6) | L(7) | L(22) | L(26),
	[GROUP_NEGATIVE - LABELS] = L(2) | L(3) | L(9) | L(10) | L(11) | L(12) | L(14) | L(16) | L(19) | L(24) | L(25),
};

uint64_t labels_outputs(uint32_t label_bits)
{
	uint64_t bits = label_bits;

	for (unsigned c = LABELS; c < OUTPUTS; c++)
		if (label_bits & members[c - LABELS])
			bits |= UINT64_C(1) << c;
	return bits;
}
