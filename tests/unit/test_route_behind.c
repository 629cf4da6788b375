/* test_route_behind: rows of what was passed over, the sketch of where it stands, and both in a cursor. */
#include <string.h>

#include "check.h"
#include "route/behind.h"
#include "route/cursor.h"
#include "route/skim.h"

static void rows(void)
{
	struct behind b;

	behind_init(&b);
	CHECK(behind_low(&b) == UINT64_MAX && !behind_covers(&b, 1, 2, 3), "nothing is passed over");
	behind_add(&b, 1, 0, 100);
	behind_add(&b, 2, 20, 50);
	CHECK(behind_low(&b) == 50 && b.tenants == 1, "the lowest");
	CHECK(!behind_covers(&b, 1, 7, 99) && behind_covers(&b, 1, 7, 100) && behind_covers(&b, 1, 8, 500), "a tenant: all its lanes, from there on");
	CHECK(!behind_covers(&b, 2, 20, 49) && behind_covers(&b, 2, 20, 50) && !behind_covers(&b, 2, 21, 50), "a lane: it alone");
	behind_move(&b, behind_find(&b, 2, 20), 200);
	CHECK(behind_low(&b) == 100, "a row that moved");
	behind_drop(&b, behind_find(&b, 1, 0));
	CHECK(behind_low(&b) == 200 && b.n == 1 && !behind_find(&b, 1, 0) && behind_find(&b, 2, 20), "a row dropped, the other one found");
	behind_clear(&b);
	for (uint64_t i = 1; i <= BEHIND_MAX; i++)
		behind_add(&b, i, i + 7, i);
	CHECK(b.n == BEHIND_MAX - BEHIND_MAX / 4 && !behind_add(&b, 1, 9999, 1), "rows of lanes have three quarters");
	for (uint64_t i = 1; i <= BEHIND_MAX; i++)
		behind_add(&b, i, 0, i);
	CHECK(b.n == BEHIND_MAX && b.tenants == BEHIND_MAX / 4, "tenants the rest");
	while (b.n)
		behind_drop(&b, &b.v[b.n / 2]);
	CHECK(behind_low(&b) == UINT64_MAX && b.tenants == 0, "all dropped, in any order");
	behind_release(&b);
}

static void sketch(void)
{
	struct spool_pos pos = { .seq = 0 }, end = { .seq = 20000000, .seg = 9 };
	struct skim_bits want = { .w = { 0 } };
	struct skim s;
	bool missed = false;

	skim_init(&s);
	/* Tenant 7 has one line in a hundred thousand. */
	for (uint64_t seq = 0; seq < end.seq; seq += 100) {
		pos = (struct spool_pos){ .seq = seq, .seg = 1 };
		skim_at(&s, &pos);
		skim_add(&s, seq % 100000 ? 1 : 7);
	}
	CHECK(s.n <= SKIM_PIECES && s.lines > SKIM_LINES, "twenty million lines: %zu pieces", s.n);
	skim_bit(&want, 7);
	size_t steps = 0;
	uint64_t skipped = 0;
	for (uint64_t seq = 1; seq < end.seq; steps++) {
		uint64_t next = (seq + 99999) / 100000 * 100000;
		pos = (struct spool_pos){ .seq = seq, .seg = 1 };
		skim_next(&s, &pos, &want, &end);
		missed = missed || (pos.seq > next && next < end.seq);
		skipped += pos.seq > seq ? pos.seq - seq : 0;
		seq = (pos.seq > seq ? pos.seq : seq) + s.lines;
	}
	CHECK(!missed, "no line of it is skipped");
	CHECK(skipped > end.seq / 2, "most of the rest is: %llu", (unsigned long long)skipped);
	pos = (struct spool_pos){ .seq = 12345678 };
	CHECK(skim_seek(&s, &(struct spool_pos){ .seq = 5 }, 12345678), "a place is known");
	skim_next(&s, &pos, &(struct skim_bits){ .w = { 0 } }, &end);
	CHECK(pos.seq == end.seq && pos.seg == 9, "nothing wanted: to the end");
	skim_forget(&s, 19000000);
	CHECK(s.n < SKIM_PIECES / 2 && s.v[0].pos.seq <= 19000000, "what is below is forgotten");
	skim_release(&s);
}

/* A plain table of what is what, against the cursor, while lines are passed over, read, settled, and the cursor goes to disk and back. */
#define LINES 3000
#define TENANTS 5

static unsigned long long rnd = 88172645463325252ull;

static unsigned next_random(unsigned below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (unsigned)(rnd >> 11) % below;
}

static void in_a_cursor(void)
{
	enum { UNREAD, PASSED, OPEN, DONE } state[LINES] = { UNREAD };
	static char slot[CURSOR_SLOT_MAX];
	struct cursor c, d;
	unsigned front = 0;

	cursor_init(&c, 1000);
	for (int step = 0; step < 20000; step++) {
		unsigned i = next_random(LINES);
		struct behind_row *r;
		switch (next_random(4)) {
		case 0:		/* the first reader */
			if (front == LINES)
				break;
			i = front++;
			if (behind_find(&c.behind, i % TENANTS + 1, 0)) {
				state[i] = PASSED;
				cursor_done(&c, 1000 + i, 1000 + i, false);
			} else if (next_random(4) == 0) {
				behind_add(&c.behind, i % TENANTS + 1, 0, 1000 + i);
				state[i] = PASSED;
				cursor_done(&c, 1000 + i, 1000 + i, false);
			} else {
				state[i] = OPEN;
			}
			cursor_update(&c);
			break;
		case 1:		/* the second: the next line of a tenant */
			r = behind_find(&c.behind, i % TENANTS + 1, 0);
			if (!r)
				break;
			for (i = (unsigned)(r->from - 1000); i < front && (i % TENANTS + 1 != r->tenant || state[i] != PASSED); i++)
				;
			if (i == front) {
				behind_drop(&c.behind, r);
			} else {
				state[i] = OPEN;
				cursor_open(&c, 1000 + i);
				behind_move(&c.behind, r, 1000 + i + 1);
			}
			cursor_update(&c);
			break;
		default:
			if (state[i] != OPEN)
				break;
			state[i] = DONE;
			cursor_done(&c, 1000 + i, 1000 + i, true);
		}
		if (step % 50)
			continue;
		size_t size = cursor_slot_size(&c);
		uint64_t low = 0;
		cursor_write(&c, slot, size);
		cursor_init(&d, 0);
		if (cursor_read(&d, slot, size) < 0)
			CHECK(0, "step %d: cannot be read back", step);
		while (low < front && state[low] == DONE)
			low++;
		if (c.low != 1000 + low || d.low > c.low)
			CHECK(0, "step %d: low %llu", step, (unsigned long long)c.low);
		for (i = 0; i < front; i++) {
			if (cursor_is_done(&c, 1000 + i, i % TENANTS + 1, 1) != (state[i] == DONE))
				CHECK(0, "step %d: line %u is in state %d", step, i, (int)state[i]);
			/* What is written may say less, never more. */
			if (cursor_is_done(&d, 1000 + i, i % TENANTS + 1, 1) && state[i] != DONE)
				CHECK(0, "step %d: written, line %u is done, in state %d", step, i, (int)state[i]);
			if (!cursor_is_done(&d, 1000 + i, i % TENANTS + 1, 1) && state[i] == DONE)
				CHECK(0, "step %d: written, line %u is not done", step, i);
		}
		cursor_release(&d);
	}
	CHECK(front > LINES / 2, "20000 steps: settled is what was settled, in memory and on disk");
	cursor_release(&c);
}

int main(void)
{
	rows();
	sketch();
	in_a_cursor();
	return check_done();
}
