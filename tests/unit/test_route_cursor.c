/* test_route_cursor: settling in any order against a plain table; slots written, read, cut and damaged. */
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "route/cursor.h"

#define N 3000

static unsigned long long rnd = 88172645463325252ull;

static unsigned next_random(unsigned below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (unsigned)(rnd >> 11) % below;
}

static uint64_t first_open(const bool *done)
{
	uint64_t i = 0;

	while (i < N && done[i])
		i++;
	return i;
}

static void against_table(void)
{
	static bool done[N];
	struct cursor c;

	cursor_init(&c, 1000);
	for (int step = 0; step < 4000; step++) {
		unsigned a = next_random(N), b = a + next_random(step % 7 ? 3 : 40);
		if (b >= N)
			b = N - 1;
		for (unsigned i = a; i <= b; i++)
			done[i] = true;
		cursor_done(&c, 1000 + a, 1000 + b, step % 2);
		if (c.low != 1000 + first_open(done))
			CHECK(0, "step %d: low %" PRIu64, step, c.low);
		for (size_t i = 0; i < c.n; i++) {
			const struct cursor_range *r = &c.r[c.at + i];
			if (r->a > r->b || r->a <= c.low || (i && r->a <= r[-1].b + 1))
				CHECK(0, "step %d: range %zu is not apart from its neighbours", step, i);
		}
		for (unsigned i = 0; step % 50 == 0 && i < N; i++)
			if (cursor_is_done(&c, 1000 + i, 1, 2) != done[i])
				CHECK(0, "step %d: line %u", step, i);
	}
	CHECK(1, "4000 settlements in any order: lowest open line and ranges as in a plain table");
	cursor_release(&c);
}

static void batches(void)
{
	struct cursor c;

	cursor_init(&c, 1);
	cursor_done(&c, 1, 5, true);
	CHECK(c.low == 6 && c.n == 0, "in order: no range");
	cursor_done(&c, 8, 8, true);
	cursor_done(&c, 10, 10, true);
	cursor_done(&c, 9, 9, true);
	CHECK(c.low == 6 && c.n == 1, "a gap that closes joins its neighbours");
	cursor_done(&c, 6, 7, false);
	CHECK(c.low == 11 && c.n == 0, "and low runs over all of it");
	cursor_done(&c, 3, 4, true);
	CHECK(c.low == 11, "what is settled already does no harm");
	cursor_release(&c);
}

static void slots(void)
{
	static char slot[CURSOR_SLOT], copy[CURSOR_SLOT];
	struct cursor c, d;

	cursor_init(&c, UINT64_C(1795172932415866));
	c.turn = 41;
	c.pending = 7;
	c.delivered = 12;
	c.dead = 2;
	c.seen = c.low + 100;
	cursor_done(&c, c.low + 10, c.low + 20, true);
	cursor_done(&c, c.low + 30, c.low + 40, false);
	cursor_done(&c, c.low + 50, c.low + 50, true);
	cursor_write(&c, slot, sizeof(slot));
	CHECK(slot[sizeof(slot) - 1] == '\n' && !memchr(slot, 0, sizeof(slot)) && memchr(slot, '\n', sizeof(slot)) == slot + sizeof(slot) - 1,
		"a slot is one line of text");
	cursor_init(&d, 0);
	CHECK(cursor_read(&d, slot, sizeof(slot)) == 0, "read again");
	CHECK(d.turn == 41 && d.low == c.low && d.n == 2 && d.pending == 7 && d.delivered == 12 && d.dead == 2 && d.seen == c.seen, "all of it");
	CHECK(cursor_is_done(&d, c.low + 20, 1, 2) && !cursor_is_done(&d, c.low + 30, 1, 2) && cursor_is_done(&d, c.low + 50, 1, 2),
		"acknowledged ranges are kept, passed ones are not worth it");
	for (size_t cut = 0; cut < sizeof(slot); cut++) {
		memset(copy, 0, sizeof(copy));
		memcpy(copy, slot, cut);
		struct cursor e;
		cursor_init(&e, 5);
		int ok = cursor_read(&e, copy, sizeof(copy)) == 0;
		if (ok || e.low != 5)
			CHECK(0, "torn at %zu it is believed", cut);
	}
	CHECK(1, "torn at every byte: never believed, nothing changed");
	size_t text = strcspn(slot, " ");
	for (size_t at = 0; at < text; at++) {
		memcpy(copy, slot, sizeof(slot));
		copy[at] ^= 1;
		struct cursor e;
		cursor_init(&e, 5);
		if (cursor_read(&e, copy, sizeof(copy)) == 0)
			CHECK(0, "byte %zu damaged: believed", at);
	}
	CHECK(1, "every byte damaged: never believed");
	cursor_release(&c);
	cursor_release(&d);
}

static void many_ranges(void)
{
	static char slot[CURSOR_SLOT_MAX];
	struct cursor c, d;

	cursor_init(&c, UINT64_C(1795172932415866));
	uint64_t low = c.low;
	for (unsigned i = 1; i <= 3000; i++)
		cursor_done(&c, low + 2 * i, low + 2 * i, true);
	size_t size = cursor_slot_size(&c);
	CHECK(size > CURSOR_SLOT && size <= CURSOR_SLOT_MAX, "3000 ranges ask for a slot of %zu", size);
	cursor_write(&c, slot, size);
	cursor_init(&d, 0);
	CHECK(cursor_read(&d, slot, size) == 0 && d.n == 3000 && !d.cut, "and all fit");
	cursor_write(&c, slot, CURSOR_SLOT);
	CHECK(cursor_read(&d, slot, CURSOR_SLOT) == 0 && d.n > 50 && d.n < 3000 && cursor_is_done(&d, low + 2, 1, 2),
		"a slot that cannot grow keeps the lowest %zu", d.n);
	CHECK(d.low == low, "and never says more than is true");
	CHECK(d.cut, "and says that it was cut");
	d.pending = 5;
	cursor_recount(&d, 45);
	CHECK(d.pending == 45 && d.again == 40 && !d.cut, "then lines that are open again are accepted again");
	cursor_release(&c);
	cursor_release(&d);
}

int main(void)
{
	batches();
	against_table();
	slots();
	many_ranges();
	return check_done();
}
