#include "analyze/train/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calc.h"
#include "analyze/clean.h"
#include "analyze/lexicon.h"
#include "analyze/train/data.h"
#include "analyze/train/pack.h"
#include "analyze/train/solve.h"
#include "analyze/train/stack.h"
#include "analyze/train/tune.h"
#include "base/log.h"

#define DF_MIN 2	/* texts a feature must stand in to be a candidate */
#define KNOWN_DF 3	/* texts a word must stand in to be known */
#define NOT_CHOSEN UINT32_MAX

/* What is known of the features of some rows before anything is learnt. */
struct census {
	uint32_t *df;		/* by id of the data */
	uint32_t *local;	/* id of the data -> index in the problem, or NOT_CHOSEN */
	uint32_t *id;		/* back */
	uint8_t *x;		/* by index: value as the file has it */
	uint32_t chosen;
};

static void census_init(struct census *c, const struct data *d, const uint32_t *rows, uint32_t n)
{
	c->df = xrealloc(NULL, d->ids, sizeof *c->df);
	c->local = xrealloc(NULL, d->ids, sizeof *c->local);
	memset(c->df, 0, d->ids * sizeof *c->df);
	for (uint32_t i = 0; i < n; i++) {
		const struct data_row *r = &d->row[rows[i]];

		for (uint32_t k = 0; k < r->n; k++)
			c->df[d->feature[r->first + k]]++;
	}
	c->chosen = 0;
	for (uint32_t id = 0; id < d->ids; id++)
		c->local[id] = c->df[id] >= DF_MIN ? c->chosen++ : NOT_CHOSEN;
	c->id = xrealloc(NULL, c->chosen, sizeof *c->id);
	c->x = xrealloc(NULL, c->chosen, sizeof *c->x);
	for (uint32_t id = 0; id < d->ids; id++) {
		double log_n = calc_log(n + 1.0), rare;

		if (c->local[id] == NOT_CHOSEN)
			continue;
		rare = (log_n - calc_log(c->df[id] + 1.0)) / log_n;
		c->id[c->local[id]] = id;
		c->x[c->local[id]] = (uint8_t)(feature_weight[d->kind[id]] * (0.05 + rare) * MODEL_X + 0.5);
	}
}

static void census_release(struct census *c)
{
	free(c->df);
	free(c->local);
	free(c->id);
	free(c->x);
}

static void problem_init(struct problem *p, const struct census *c, const struct data *d,
	const uint32_t *rows, uint32_t n)
{
	size_t room = 0, at = 0;

	for (uint32_t i = 0; i < n; i++)
		room += d->row[rows[i]].n;
	p->rows = n;
	p->features = c->chosen;
	p->first = xrealloc(NULL, n + 1u, sizeof *p->first);
	p->index = xrealloc(NULL, room, sizeof *p->index);
	p->value = xrealloc(NULL, room, sizeof *p->value);
	p->outputs = xrealloc(NULL, n, sizeof *p->outputs);
	for (uint32_t i = 0; i < n; i++) {
		const struct data_row *r = &d->row[rows[i]];
		float square = 0, by;

		p->first[i] = at;
		p->outputs[i] = r->outputs;
		for (uint32_t k = 0; k < r->n; k++) {
			uint32_t j = c->local[d->feature[r->first + k]];

			if (j == NOT_CHOSEN)
				continue;
			p->index[at] = j;
			p->value[at] = (float)c->x[j] / MODEL_X;
			square += p->value[at] * p->value[at];
			at++;
		}
		by = square > 0 ? 1 / sqrtf(square) : 0;
		for (size_t k = p->first[i]; k < at; k++)
			p->value[k] *= by;
	}
	p->first[n] = at;
}

static void problem_release(struct problem *p)
{
	free(p->first);
	free(p->index);
	free(p->value);
	free(p->outputs);
}

struct rank { float worth; uint32_t index; };

static int by_worth(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? 1 : -1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Keeps the features whose weights for the labels are large, with some credit for being common. */
static void census_select(struct census *c, const float *weight, uint32_t keep)
{
	struct rank *v = xrealloc(NULL, c->chosen, sizeof *v);
	uint32_t kept = 0;

	for (uint32_t j = 0; j < c->chosen; j++) {
		float square = 0;

		for (unsigned o = 0; o < LABELS; o++)
			square += weight[(size_t)j * WIDTH + o] * weight[(size_t)j * WIDTH + o];
		v[j] = (struct rank){ sqrtf(square) * (float)c->x[j] * sqrtf(sqrtf((float)c->df[c->id[j]])), j };
	}
	qsort(v, c->chosen, sizeof *v, by_worth);
	for (uint32_t i = keep; i < c->chosen; i++)
		c->local[c->id[v[i].index]] = NOT_CHOSEN;
	for (uint32_t j = 0; j < c->chosen; j++) {
		if (c->local[c->id[j]] == NOT_CHOSEN)
			continue;
		c->local[c->id[j]] = kept;
		c->id[kept] = c->id[j];
		c->x[kept++] = c->x[j];
	}
	c->chosen = kept;
	free(v);
}

static void collect(const struct fit *fit, const struct census *c, const float *weight,
	const float *bias, struct pack *pack)
{
	const struct data *d = fit->data;

	pack_init(pack);
	for (unsigned o = 0; o < OUTPUTS; o++)
		pack->bias[o] = bias[o];
	for (uint32_t j = 0; j < c->chosen; j++)
		pack_row(pack, d->hash[c->id[j]], c->x[j], weight + (size_t)j * WIDTH);
	for (uint32_t id = 0; id < d->ids; id++)
		if (d->word[id] && c->df[id] >= KNOWN_DF)
			pack_word(pack, d->hash[id]);
	pack->text = fit->attribution;
	pack->text_len = fit->attribution_len;
}

/* Leaves the pack for the caller to finish. */
static void learn_first(const struct fit *fit, const uint32_t *rows, uint32_t n, struct pack *pack)
{
	struct census c;
	struct problem p;
	float *weight, bias[WIDTH];

	census_init(&c, fit->data, rows, n);
	weight = xrealloc(NULL, (size_t)c.chosen * WIDTH, sizeof *weight);
	for (int again = 0; again < 2; again++) {
		problem_init(&p, &c, fit->data, rows, n);
		solve(&p, fit->passes, weight, bias);
		problem_release(&p);
		if (!again)
			census_select(&c, weight, fit->rows_kept);
	}
	collect(fit, &c, weight, bias, pack);
	free(weight);
	census_release(&c);
}

void fit_first(const struct fit *fit, const uint32_t *rows, uint32_t n, struct buf *out)
{
	struct pack pack;

	learn_first(fit, rows, n, &pack);
	pack_write(&pack, out);
	pack_release(&pack);
}

static void model_of(struct model *m, const struct buf *b)
{
	const char *why;

	if (model_init(m, b->p, b->len, &why) < 0)
		die(1, "the model just made is refused: %s", why);
}

void fit_score(const struct fit *fit, const struct model *m, const struct cleaner *how,
	const uint32_t *rows, uint32_t n, struct scores *out)
{
	struct clean *clean = xrealloc(NULL, 1, sizeof *clean);
	struct text *t = xrealloc(NULL, 1, sizeof *t);
	struct features *f = xrealloc(NULL, 1, sizeof *f);
	struct lexicon *lexicon = xrealloc(NULL, 1, sizeof *lexicon);

	lexicon_init(lexicon);
	for (uint32_t i = 0; i < n; i++) {
		const struct data_row *r = &fit->data->row[rows[i]];

		clean_text(clean, how, r->text, r->len);
		text_parse(t, clean->buf, clean->len);
		features_of(f, t, lexicon);
		model_score(m, f, &out[i]);
	}
	free(lexicon);
	free(f);
	free(t);
	free(clean);
}

/* The inner folds are cut by other digits of the key than the outer ones. */
static unsigned inner_fold(const struct data *d, uint32_t row)
{
	return d->row[row].key / FIT_FOLDS % FIT_FOLDS;
}

/* First-layer outputs of each row from a model that has not seen it. */
static void out_of_fold(const struct fit *fit, const uint32_t *rows, uint32_t n, struct scores *s)
{
	static const struct cleaner plain;
	uint32_t *in = xrealloc(NULL, n, sizeof *in), *out = xrealloc(NULL, n, sizeof *out);
	uint32_t *place = xrealloc(NULL, n, sizeof *place);
	struct scores *part = xrealloc(NULL, n, sizeof *part);
	struct buf b;

	buf_init(&b, MODEL_FILE_MAX);
	for (unsigned fold = 0; fold < FIT_FOLDS; fold++) {
		uint32_t ins = 0, outs = 0;
		struct model m;

		for (uint32_t i = 0; i < n; i++) {
			if (inner_fold(fit->data, rows[i]) == fold)
				place[outs] = i, out[outs++] = rows[i];
			else
				in[ins++] = rows[i];
		}
		buf_clear(&b);
		fit_first(fit, in, ins, &b);
		model_of(&m, &b);
		fit_score(fit, &m, &plain, out, outs, part);
		for (uint32_t i = 0; i < outs; i++)
			s[place[i]] = part[i];
		model_release(&m);
	}
	buf_release(&b);
	free(part);
	free(place);
	free(out);
	free(in);
}

/*
 * Second layer and thresholds; for the thresholds each fold is scored by a second layer that has
 * not seen it.
 */
static void learn_second(const struct fit *fit, const uint32_t *rows, uint32_t n, struct pack *pack)
{
	struct scores *s = xrealloc(NULL, n, sizeof *s);
	uint64_t *outputs = xrealloc(NULL, n, sizeof *outputs);
	uint8_t *skip = xrealloc(NULL, n, sizeof *skip);
	struct model *m = xrealloc(NULL, 1, sizeof *m);

	out_of_fold(fit, rows, n, s);
	for (uint32_t i = 0; i < n; i++)
		outputs[i] = fit->data->row[rows[i]].outputs;
	for (unsigned fold = 0; fold < FIT_FOLDS; fold++) {
		for (uint32_t i = 0; i < n; i++)
			skip[i] = inner_fold(fit->data, rows[i]) == fold;
		stack_fit(s, outputs, skip, n, m->stack);
		for (uint32_t i = 0; i < n; i++)
			if (skip[i])
				model_stack(m, &s[i]);
	}
	tune_thresholds(s, outputs, n, pack->threshold);
	stack_fit(s, outputs, NULL, n, pack->stack);
	free(m);
	free(skip);
	free(outputs);
	free(s);
}

void fit_whole(const struct fit *fit, const uint32_t *rows, uint32_t n, struct buf *out)
{
	struct pack pack;

	learn_first(fit, rows, n, &pack);
	learn_second(fit, rows, n, &pack);
	pack_write(&pack, out);
	pack_release(&pack);
}
