#include "analyze/train/tune.h"

#include <stdlib.h>

#include "analyze/train/data.h"

struct point { float p; uint32_t row; };

/* Highest probability first; ties by row, so that the order is always the same. */
static int by_probability(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->p != y->p)
		return x->p < y->p ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

void tune_thresholds(const struct scores *s, const uint64_t *outputs, uint32_t n, float threshold[OUTPUTS])
{
	struct point *v = xrealloc(NULL, n, sizeof *v);

	for (unsigned c = 0; c < OUTPUTS; c++) {
		uint32_t positives = 0, tp = 0;
		double best = -1;

		for (uint32_t i = 0; i < n; i++) {
			v[i] = (struct point){ s[i].p[c], i };
			positives += outputs[i] >> c & 1;
		}
		qsort(v, n, sizeof *v, by_probability);
		threshold[c] = 0.5f;
		for (uint32_t i = 0; i < n; i++) {
			double f1;

			tp += outputs[v[i].row] >> c & 1;
			if (i + 1 < n && v[i + 1].p == v[i].p)
				continue;
			f1 = 2.0 * tp / (i + 1 + positives);
			if (f1 > best) {
				best = f1;
				threshold[c] = i + 1 < n ? (v[i].p + v[i + 1].p) / 2 : v[i].p;
			}
		}
	}
	free(v);
}

void tally_add(struct tally *t, const struct scores *s, const uint64_t *outputs, uint32_t n,
	const float threshold[OUTPUTS])
{
	for (uint32_t i = 0; i < n; i++) {
		for (unsigned c = 0; c < OUTPUTS; c++) {
			int is = outputs[i] >> c & 1, said = s[i].p[c] >= threshold[c];

			t->tp[c] += is && said;
			t->fp[c] += !is && said;
			t->fn[c] += is && !said;
		}
	}
}

double tally_f1(const struct tally *t, unsigned c)
{
	double all = 2.0 * t->tp[c] + t->fp[c] + t->fn[c];

	return all > 0 ? 2.0 * t->tp[c] / all : 0;
}

double tally_macro(const struct tally *t, enum task task)
{
	double sum = 0;

	for (unsigned i = 0; i < tasks[task].n; i++)
		sum += tally_f1(t, tasks[task].v[i].output);
	return 100 * sum / tasks[task].n;
}
