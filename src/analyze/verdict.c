#include "analyze/verdict.h"

#include <string.h>

#define GATE_WORDS 3	/* from here on half of the words must be known */

/*
 * The share of known words; *words counts them all. Without words: 1 if the model has a smiley,
 * emoji or mark of the text, else 0.
 */
static float known_share(const struct analysis *a, unsigned *words)
{
	unsigned known = 0;
	bool other = false;

	*words = 0;
	for (size_t i = 0; i < a->text.n; i++) {
		const struct token *t = &a->text.token[i];

		uint32_t hash = feature_word_hash(a->text.buf + t->off, t->len);

		if (t->kind != TOKEN_WORD) {
			other |= model_row(a->model, hash) >= 0;
			continue;
		}
		++*words;
		known += model_knows_word(a->model, hash);
	}
	return *words ? (float)known / (float)*words : other;
}

static bool gate_closed(float known, unsigned words)
{
	return known == 0 || (words >= GATE_WORDS && known < 0.5f);
}

static void answer_neutral(struct verdict *v)
{
	float sure = v->p[LABEL_NEUTRAL] < v->known ? v->p[LABEL_NEUTRAL] : v->known;

	memset(v->p, 0, sizeof v->p);
	v->p[LABEL_NEUTRAL] = sure;
}

static unsigned best_class(const struct verdict *v, const struct task_def *t)
{
	unsigned best = t->n - 1;

	for (unsigned i = 0; i < t->n; i++) {
		/* Nothing is probable: neutral, wherever the table has it. */
		bool neutral = t->v[i].output == LABEL_NEUTRAL;

		if (v->p[t->v[i].output] > v->p[t->v[best].output] || (neutral && v->p[t->v[best].output] == 0))
			best = i;
	}
	return best;
}

void analysis_init(struct analysis *a, const struct model *model)
{
	memset(a, 0, sizeof *a);
	a->model = model;
	lexicon_init(&a->lexicon);
}

/* "!x": for a bot, not for people */
static bool is_command(const char *p, size_t n)
{
	return n > 1 && p[0] == '!' && p[1] != '!' && p[1] != '?' && p[1] != ' ';
}

bool verdict_of(struct analysis *a, const struct cleaner *how, const char *p, size_t n)
{
	struct verdict *v = &a->verdict;
	unsigned words;

	if (is_command(p, n))
		return false;
	clean_text(&a->clean, how, p, n);
	text_parse(&a->text, a->clean.buf, a->clean.len);
	if (a->text.n == 0)
		return false;
	features_of(&a->features, &a->text, &a->lexicon);
	model_score(a->model, &a->features, &a->scores);
	memcpy(v->p, a->scores.p, sizeof v->p);
	v->sarcasm = a->clean.sarcasm;
	v->known = known_share(a, &words);
	v->known_language = !gate_closed(v->known, words);
	if (!v->known_language)
		answer_neutral(v);
	for (unsigned t = 0; t < TASKS; t++)
		v->top[t] = best_class(v, &tasks[t]);
	v->confidence = v->p[tasks[TASK_GROUP].v[v->top[TASK_GROUP]].output];
	return true;
}
