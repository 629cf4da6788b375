#include "respond/emotion.h"

#include <string.h>

#include "line/scan.h"

/* GoEmotions' labels and groups; Ekman's names are among the labels. */
static const char *const names[] = {
	"admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
	"disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy", "love",
	"nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
	"positive", "negative", "ambiguous",
};

/* Where the best name of a kind stands, and where the probabilities of that kind. */
static const struct { const char *top, *scores; } kinds[] = {
	{"top", "scores"}, {"group", "groups"},
};

bool emotion_probability(struct span data, struct span name, double *out)
{
	char text[64];

	if (name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (scan_is(scan_member(data, kinds[i].top), text) &&
		    scan_number(scan_member(scan_member(data, kinds[i].scores), text), out))
			return true;
	return false;
}

bool emotion_known(struct span name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == name.n && memcmp(names[i], name.p, name.n) == 0)
			return true;
	return false;
}
