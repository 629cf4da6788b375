/* held: a set of numbers: against a plain array of flags, and in the order of use. */
#include <string.h>

#include "check.h"
#include "route/held.h"

#define SPAN 40000u
static bool in[SPAN];

static uint64_t lowest(uint64_t otherwise)
{
	for (unsigned i = 0; i < SPAN; i++)
		if (in[i])
			return i;
	return otherwise;
}

int main(void)
{
	struct held h = { 0 };
	uint64_t lines = 0, x = 88172645463325252u, far = UINT64_C(1795172950082117);
	bool same = true;

	CHECK(held_low(&h, 7) == 7 && !held_has(&h, 0) && !held_drop(&h, 0), "an empty set");
	for (unsigned i = 0; i < 300000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		unsigned seq = (unsigned)(x % SPAN);
		/* Mostly more, then mostly less, so that pages come and go. */
		if ((x >> 32) % 10 < (i / 50000 % 2 ? 2 : 8)) {
			same = same && held_add(&h, seq) == !in[seq];
			lines += !in[seq];
			in[seq] = true;
		} else {
			same = same && held_drop(&h, seq) == in[seq];
			lines -= in[seq];
			in[seq] = false;
		}
		same = same && h.lines == lines && (i % 1000 || held_low(&h, 1) == lowest(1));
	}
	CHECK(same, "it says what was there, counts, and knows the lowest");
	for (unsigned i = 0; i < SPAN; i++)
		same = same && held_has(&h, i) == in[i];
	CHECK(same, "after all of it, it holds what it should");
	for (unsigned i = 0; i < SPAN; i++)
		held_drop(&h, i);
	CHECK(h.lines == 0 && h.n == 0 && held_low(&h, 9) == 9, "emptied, it has no page");
	for (unsigned i = 0; i < 1000000; i++) {
		same = same && held_add(&h, far + i * 4) == 1;
		if (i >= 1000)
			same = same && held_drop(&h, far + (i - 1000) * 4);
	}
	CHECK(same && h.lines == 1000 && held_low(&h, 0) == far + 999000u * 4 && h.cap <= 64, "a window that moves on stays small");
	held_release(&h);
	CHECK(h.lines == 0 && held_add(&h, 5) == 1 && held_low(&h, 0) == 5, "after release it can be used again");
	held_release(&h);
	return check_done();
}
