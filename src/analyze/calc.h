/*
 * calc: exponential and logarithm of our own. Pure.
 *
 * The C library's differ in the last bit between machines (it picks an FMA version where there is
 * one); these give the same bits everywhere, so that training gives the same model file and a
 * replay gives the same scores. Relative error below 3e-7 (calc_expf) and 1e-12 (calc_log).
 * Compiled with -ffp-contract=off.
 */
#ifndef ANALYZE_CALC_H
#define ANALYZE_CALC_H

#include <stdint.h>
#include <string.h>

/*
 * e^x; x is held within -80..80, so the result is neither 0 nor infinite. NaN gives NaN or a
 * number.
 */
static inline float calc_expf(float x)
{
	float t, r, p;
	int32_t k, bits;

	x = x > 80.0f ? 80.0f : x;
	x = x < -80.0f ? -80.0f : x;
	t = x * 1.44269504f;
	k = (int32_t)(t + (t < 0 ? -0.5f : 0.5f));
	r = x - (float)k * 0.693359375f;
	r = r + (float)k * 2.12194440e-4f;
	/* Taylor series of e^r, |r| <= ln(2) / 2 */
	p = 1.0f + r * (1.0f + r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720))))));
	bits = (k + 127) * (1 << 23);
	memcpy(&t, &bits, sizeof t);
	return p * t;
}

static inline float calc_sigmoid(float x)
{
	return 1.0f / (1.0f + calc_expf(-x));
}

/* Natural logarithm of x, normal and > 0. */
double calc_log(double x);

#endif
