/* memo: what was decided about lines read last. */
#include "check.h"
#include "route/memo.h"
#include "route/spool.h"

int main(void)
{
	struct spool_line line = { .mask = 5, .lane = 7, .tenant = 9, .notbefore = 11, .len = 13 }, got;
	uint64_t first = UINT64_C(1795172950082000);
	struct memo m = { 0 };
	unsigned right = 0;

	CHECK(!memo_get(&m, first, &got), "nothing is known at the start");
	for (uint64_t i = 0; i < 2 * MEMO_LINES; i++) {
		line.lane = i;
		memo_put(&m, first + i, &line);
	}
	for (uint64_t i = 0; i < MEMO_LINES; i++)
		right += !memo_get(&m, first + i, &got);
	CHECK(right == MEMO_LINES, "lines of long ago are forgotten");
	right = 0;
	for (uint64_t i = MEMO_LINES; i < 2 * MEMO_LINES; i++)
		right += memo_get(&m, first + i, &got) && got.lane == i && got.mask == 5 && got.tenant == 9;
	CHECK(right == MEMO_LINES, "the last ones are known");
	CHECK(got.notbefore == 0 && got.len == 0, "and of them no more than that");
	memo_release(&m);
	CHECK(!memo_get(&m, first + MEMO_LINES, &got), "released, it knows nothing");
	memo_put(&m, first, &line);
	CHECK(memo_get(&m, first, &got) && got.lane == line.lane, "and may be used again");
	memo_release(&m);
	return check_done();
}
