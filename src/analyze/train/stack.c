#include "analyze/train/stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calc.h"
#include "analyze/train/data.h"

#define N MODEL_STACK
#define ROUNDS 8

/*
 * Solves h x = g for symmetric positive h (lower half used, overwritten) by Cholesky's method; x
 * replaces g.
 */
static void cholesky_solve(double h[N][N], double g[N])
{
	for (unsigned i = 0; i < N; i++) {
		for (unsigned j = 0; j <= i; j++) {
			double s = h[i][j];

			for (unsigned k = 0; k < j; k++)
				s -= h[i][k] * h[j][k];
			h[i][j] = i == j ? sqrt(s > 1e-9 ? s : 1e-9) : s / h[j][j];
		}
	}
	for (unsigned i = 0; i < N; i++) {
		for (unsigned k = 0; k < i; k++)
			g[i] -= h[i][k] * g[k];
		g[i] /= h[i][i];
	}
	for (unsigned i = N; i-- > 0; ) {
		for (unsigned k = i + 1; k < N; k++)
			g[i] -= h[k][i] * g[k];
		g[i] /= h[i][i];
	}
}

struct sums { double h[N][N], g[N]; };

/* Adds rows in blocks of floats: fast, and the blocks are summed as doubles. */
static void add_block(struct sums *s, const float *in, const float *d, const float *e, unsigned n)
{
	static _Thread_local float h[N][N];
	float g[N] = { 0 };

	memset(h, 0, sizeof h);
	for (unsigned r = 0; r < n; r++) {
		const float *x = in + (size_t)r * N;

		for (unsigned i = 0; i < N; i++) {
			float xi = d[r] * x[i];

			g[i] += e[r] * x[i];
			for (unsigned j = 0; j < N; j++)
				h[i][j] += xi * x[j];
		}
	}
	for (unsigned i = 0; i < N; i++) {
		s->g[i] += g[i];
		for (unsigned j = 0; j <= i; j++)
			s->h[i][j] += h[i][j];
	}
}

#define BLOCK 256

static double newton_step(const float *x, const uint64_t *y, uint32_t n, const struct scores *const *s,
	unsigned c, float w[N])
{
	static _Thread_local struct sums sum;
	float in[BLOCK * N], d[BLOCK], e[BLOCK];
	double largest = 0;
	unsigned fill = 0;

	memset(&sum, 0, sizeof sum);
	for (uint32_t i = 0; i < n; i++) {
		float *row = in + (size_t)fill * N, z = 0, p;

		memcpy(row, x + (size_t)i * OUTPUTS, OUTPUTS * sizeof *row);
		row[OUTPUTS] = s[i]->logit[c] * MODEL_STACK_LOGIT;
		row[OUTPUTS + 1] = 1;
		for (unsigned k = 0; k < N; k++)
			z += row[k] * w[k];
		p = calc_sigmoid(z);
		d[fill] = p * (1 - p);
		e[fill] = (float)(y[i] >> c & 1) - p;
		if (++fill == BLOCK || i + 1 == n) {
			add_block(&sum, in, d, e, fill);
			fill = 0;
		}
	}
	for (unsigned k = 0; k <= OUTPUTS; k++) {
		sum.h[k][k] += 1;
		sum.g[k] -= w[k];
	}
	cholesky_solve(sum.h, sum.g);
	for (unsigned k = 0; k < N; k++) {
		w[k] += (float)sum.g[k];
		largest = fabs(sum.g[k]) > largest ? fabs(sum.g[k]) : largest;
	}
	return largest;
}

void stack_fit(const struct scores *s, const uint64_t *outputs, const uint8_t *skip, uint32_t n,
	float stack[OUTPUTS][MODEL_STACK])
{
	float *x = xrealloc(NULL, (size_t)n * OUTPUTS, sizeof *x);
	uint64_t *y = xrealloc(NULL, n, sizeof *y);
	const struct scores **of = xrealloc(NULL, n, sizeof *of);
	uint32_t used = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (skip && skip[i])
			continue;
		model_stack_input(s[i].logit, x + (size_t)used * OUTPUTS);
		of[used] = &s[i];
		y[used++] = outputs[i];
	}
	for (unsigned c = 0; c < OUTPUTS; c++) {
		memset(stack[c], 0, sizeof stack[c]);
		stack[c][OUTPUTS] = 1 / MODEL_STACK_LOGIT;
		for (unsigned round = 0; round < ROUNDS; round++)
			if (newton_step(x, y, used, of, c, stack[c]) < 1e-3)
				break;
	}
	free(of);
	free(y);
	free(x);
}
