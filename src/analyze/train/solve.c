#include "analyze/train/solve.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/calc.h"
#include "analyze/labels.h"
#include "analyze/train/data.h"

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void shuffle(uint32_t *v, uint32_t n, uint64_t *state)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = (uint32_t)(next_random(state) % i), t = v[i - 1];

		v[i - 1] = v[j];
		v[j] = t;
	}
}

/* r2[j * WIDTH + c] = R(j,c) squared */
static void ratios(const struct problem *p, float *r2)
{
	double total[OUTPUTS] = { 0 };
	uint32_t *df = xrealloc(NULL, p->features, sizeof *df);
	double n = p->rows;

	memset(df, 0, p->features * sizeof *df);
	memset(r2, 0, (size_t)p->features * WIDTH * sizeof *r2);
	for (uint32_t i = 0; i < p->rows; i++) {
		for (unsigned c = 0; c < OUTPUTS; c++)
			total[c] += p->outputs[i] >> c & 1;
		for (size_t k = p->first[i]; k < p->first[i + 1]; k++) {
			df[p->index[k]]++;
			for (uint64_t bits = p->outputs[i]; bits; bits &= bits - 1)
				r2[(size_t)p->index[k] * WIDTH + (unsigned)__builtin_ctzll(bits)]++;
		}
	}
	for (uint32_t j = 0; j < p->features; j++) {
		for (unsigned c = 0; c < OUTPUTS; c++) {
			float *at = &r2[(size_t)j * WIDTH + c];
			double in = *at, out = df[j] - in, share = total[c] / n;
			double p1 = (in + share) / (total[c] + 1), p0 = (out + 1 - share) / (n - total[c] + 1);
			double r = total[c] > 0 && total[c] < n ? calc_log(p1 / p0) : 0;

			r = 0.5 + 0.5 * (r < 0 ? -r : r);
			*at = (float)(r * r);
		}
	}
	free(df);
}

/*
 * One step for one row: for each output the dual variable a in (0, 1) that solves
 * ln(a / (1 - a)) + margin + q (a - old) = 0, by Newton's method on u = logit(a).
 * step[] gets what the weights move by, sign included.
 */
static void dual_step(const float *restrict z, const float *restrict q, const float *restrict y,
	float *restrict alpha, float *restrict step)
{
	float u[WIDTH], a[WIDTH];

	for (unsigned c = 0; c < WIDTH; c++)
		u[c] = -y[c] * z[c];
	for (int round = 0; round < 3; round++) {
		for (unsigned c = 0; c < WIDTH; c++) {
			float s = calc_sigmoid(u[c]);
			float f = u[c] + y[c] * z[c] + q[c] * (s - alpha[c]);

			u[c] -= f / (1 + q[c] * s * (1 - s));
		}
	}
	for (unsigned c = 0; c < WIDTH; c++) {
		a[c] = calc_sigmoid(u[c]);
		step[c] = (a[c] - alpha[c]) * y[c];
		alpha[c] = a[c];
	}
}

static void row_square(const struct problem *p, uint32_t i, const float *r2, float *q)
{
	for (unsigned c = 0; c < WIDTH; c++)
		q[c] = 1;	/* the bias */
	for (size_t k = p->first[i]; k < p->first[i + 1]; k++) {
		const float *r = r2 + (size_t)p->index[k] * WIDTH;
		float x2 = p->value[k] * p->value[k];

		for (unsigned c = 0; c < WIDTH; c++)
			q[c] += x2 * r[c];
	}
}

static void visit(const struct problem *p, uint32_t i, const float *r2, const float *q, float *alpha, float *weight,
	float *bias)
{
	float z[WIDTH], y[WIDTH], step[WIDTH];

	memcpy(z, bias, sizeof z);
	for (size_t k = p->first[i]; k < p->first[i + 1]; k++) {
		const float *w = weight + (size_t)p->index[k] * WIDTH;
		float x = p->value[k];

		for (unsigned c = 0; c < WIDTH; c++)
			z[c] += x * w[c];
	}
	for (unsigned c = 0; c < WIDTH; c++)
		y[c] = p->outputs[i] >> c & 1 ? 1.0f : -1.0f;
	dual_step(z, q, y, alpha, step);
	for (size_t k = p->first[i]; k < p->first[i + 1]; k++) {
		float *restrict w = weight + (size_t)p->index[k] * WIDTH;
		const float *restrict r = r2 + (size_t)p->index[k] * WIDTH;
		float x = p->value[k];

		for (unsigned c = 0; c < WIDTH; c++)
			w[c] += x * step[c] * r[c];
	}
	for (unsigned c = 0; c < WIDTH; c++)
		bias[c] += step[c];
}

void solve(const struct problem *p, unsigned passes, float *weight, float *bias)
{
	size_t cells = (size_t)p->rows * WIDTH;
	float *r2 = xrealloc(NULL, (size_t)p->features * WIDTH, sizeof *r2);
	float *alpha = xrealloc(NULL, cells, sizeof *alpha), *q = xrealloc(NULL, cells, sizeof *q);
	uint32_t *order = xrealloc(NULL, p->rows, sizeof *order);
	uint64_t state = 1;

	ratios(p, r2);
	memset(alpha, 0, cells * sizeof *alpha);
	memset(weight, 0, (size_t)p->features * WIDTH * sizeof *weight);
	memset(bias, 0, WIDTH * sizeof *bias);
	for (uint32_t i = 0; i < p->rows; i++) {
		order[i] = i;
		row_square(p, i, r2, q + (size_t)i * WIDTH);
	}
	for (unsigned pass = 0; pass < passes; pass++) {
		shuffle(order, p->rows, &state);
		for (uint32_t k = 0; k < p->rows; k++) {
			size_t at = (size_t)order[k] * WIDTH;

			visit(p, order[k], r2, q + at, alpha + at, weight, bias);
		}
	}
	free(order);
	free(q);
	free(alpha);
	free(r2);
}
