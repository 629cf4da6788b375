#include "analyze/calc.h"

#include <math.h>

double calc_log(double x)
{
	int e;
	double m = frexp(x, &e), s, s2, sum = 0;

	if (m < 0.70710678118654752)
		m *= 2, e--;
	/* ln m = 2 artanh((m-1)/(m+1)), |s| < 0.172 */
	s = (m - 1) / (m + 1);
	s2 = s * s;
	for (int i = 19; i >= 1; i -= 2)
		sum = sum * s2 + 1.0 / i;
	return 2 * s * sum + e * 0.69314718055994531;
}
