/* halve: whatever lines are bad, all others pass, each bad one is condemned once, in order, and few runs are needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/halve.h"

#define CHECK(x) do { if (!(x)) { fprintf(stderr, "%s:%d: %s (n %u, bad %x, way %d)\n", __FILE__, __LINE__, #x, n, bad, way); exit(1); } } while (0)

/* way: bit 0: a line at a time when hunting; bit 1: lines are answered one by one; bit 2: one_by_one from the start; bit 3: sure */
static unsigned play(unsigned n, unsigned bad, int way)
{
	struct halve h;
	unsigned runs = 0, condemned = 0, next = 0;

	halve_init(&h, n, way & 4);
	while (!halve_over(&h)) {
		bool failed = false;
		CHECK(h.from == next && h.to > h.from && h.to <= n);
		CHECK(!(way & 4) || h.to == h.from + 1);
		CHECK(++runs < 1000);
		if (way & 2) {
			while (!(failed = bad >> h.from & 1)) {
				next++;
				if (h.from + 1 == h.to) {
					halve_pass(&h);
					break;
				}
				halve_answer(&h);
			}
		} else {
			for (unsigned i = h.from; i < h.to; i++)
				failed |= bad >> i & 1;
			if (!failed) {
				next = h.to;
				halve_pass(&h);
			}
		}
		if (failed && halve_fail(&h, way & 8, way & 1)) {
			CHECK(bad >> h.from & 1);
			CHECK(!(condemned >> h.from & 1));
			condemned |= 1u << h.from;
			next++;
			halve_skip(&h);
		}
	}
	CHECK(condemned == bad);
	CHECK(next == n);
	return runs;
}

int main(void)
{
	for (unsigned n = 1; n <= 10; n++)
		for (unsigned bad = 0; bad < 1u << n; bad++)
			for (int way = 0; way < 16; way++)
				play(n, bad, way);
	for (unsigned at = 0; at < 31; at++) {
		unsigned n = 31, bad = 1u << at;
		int way = 0;
		CHECK(play(n, bad, way) <= 3 + 2 * 5 + 3);
	}
	/* All are bad, and the program says so itself: a run for each, and the first hunt. */
	for (unsigned n = 1; n < 32; n++) {
		unsigned bad = (1u << n) - 1;
		int way = 8;
		CHECK(play(n, bad, way) <= n + 5);
	}
	{
		/* A program that fails now and then, and not because of a line, condemns nobody. */
		struct halve h;
		unsigned n = 8, bad = 0;
		int way = 0;
		halve_init(&h, n, false);
		CHECK(!halve_fail(&h, false, false) && h.from == 0 && h.to == 8);
		CHECK(!halve_fail(&h, false, false) && h.from == 0 && h.to == 8);
		CHECK(!halve_fail(&h, false, false) && h.from == 0 && h.to == 4);
		while (!halve_over(&h))
			halve_pass(&h);
		/* One line alone has three strikes, too. */
		halve_init(&h, 1, false);
		CHECK(!halve_fail(&h, false, false) && !halve_fail(&h, false, false) && halve_fail(&h, false, false));
		/* Behind a bad line the next one goes alone, and then more and more. */
		halve_init(&h, 60, false);
		halve_skip(&h);
		CHECK(h.from == 1 && h.to == 2);
		halve_pass(&h);
		CHECK(h.from == 2 && h.to == 6);
		halve_pass(&h);
		CHECK(h.from == 6 && h.to == 22);
		halve_pass(&h);
		CHECK(h.from == 22 && h.to == 60);
		halve_init(&h, 5, false);
		halve_skip(&h);
		halve_pass(&h);
		CHECK(h.from == 2 && h.to == 5);
		halve_singly(&h);
		CHECK(h.from == 2 && h.to == 3);
	}
	puts("ok");
	return 0;
}
