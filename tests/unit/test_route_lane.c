/* test_route_lane: order, one batch in flight for each lane, waiting, taking back; and a long random run against what must hold. */
#include <string.h>

#include "check.h"
#include "route/lane.h"

static struct item *item(uint64_t seq)
{
	struct item *it = calloc(1, sizeof(*it) + 8);

	it->seq = seq;
	it->len = 8;
	return it;
}

static void add(struct lanes *ls, uint64_t key, uint64_t seq)
{
	if (lanes_add(ls, key, item(seq)) < 0)
		abort();
}

static void settle(struct lanes *ls, struct item *it)
{
	lanes_settle(ls, it);
	free(it);
}

static void order(void)
{
	struct lanes ls;
	struct item *v[8];

	lanes_init(&ls);
	add(&ls, 1, 10);
	add(&ls, 2, 11);
	add(&ls, 1, 12);
	add(&ls, 3, 13);
	CHECK(ls.takeable == 4 && ls.items == 4 && ls.bytes == 32, "four to be had");
	CHECK(lanes_take(&ls, v, 2, 1000) == 2 && v[0]->seq == 10 && v[1]->seq == 11, "the oldest first");
	CHECK(ls.takeable == 1, "12 waits for 10");
	struct item *w[8];
	CHECK(lanes_take(&ls, w, 8, 1000) == 1 && w[0]->seq == 13, "another batch gets what is in no busy lane");
	add(&ls, 2, 14);
	CHECK(lanes_take(&ls, w + 1, 8, 1000) == 0, "a busy lane that grows stays busy");
	settle(&ls, v[0]);
	CHECK(lanes_take(&ls, w + 1, 8, 1000) == 1 && w[1]->seq == 12, "the lane goes on when its line is done, whatever the rest of the batch does");
	lanes_return(&ls, v[1], 0);
	CHECK(lanes_take(&ls, v, 8, 1000) == 2 && v[0]->seq == 11 && v[1]->seq == 14, "taken back: again before its followers");
	settle(&ls, v[0]);
	settle(&ls, v[1]);
	settle(&ls, w[0]);
	settle(&ls, w[1]);
	CHECK(ls.items == 0 && ls.bytes == 0 && ls.lanes == 0 && ls.takeable == 0, "nothing left, no lane left");
	lanes_release(&ls);
}

static void limits(void)
{
	struct lanes ls;
	struct item *v[8];

	lanes_init(&ls);
	for (uint64_t i = 0; i < 5; i++)
		add(&ls, 7, i);
	CHECK(lanes_take(&ls, v, 8, 3) == 1, "one line at least, however large");
	settle(&ls, v[0]);
	CHECK(lanes_take(&ls, v, 8, 24) == 3, "as many as fit");
	for (int i = 2; i >= 0; i--)
		lanes_return(&ls, v[i], 0);
	CHECK(lanes_take(&ls, v, 0, 100) == 0 && ls.takeable == 4, "none asked for, none given");
	lanes_release(&ls);
	CHECK(1, "released with lines in it");
}

static void waiting(void)
{
	struct lanes ls;
	struct item *v[8];

	lanes_init(&ls);
	add(&ls, 1, 1);
	add(&ls, 1, 2);
	add(&ls, 2, 3);
	CHECK(lanes_take(&ls, v, 2, 100) == 2 && v[1]->seq == 2, "two of a lane");
	settle(&ls, v[1]);
	lanes_return(&ls, v[0], 500);
	CHECK(ls.takeable == 1, "a refused line waits, and its lane with it, but not the others");
	CHECK(lanes_wake(&ls, 499) == 500 && ls.takeable == 1, "not before its time");
	CHECK(lanes_wake(&ls, 500) == 0 && ls.takeable == 2, "then it may go");
	CHECK(lanes_find(&ls, 1, 9) == NULL, "a late acknowledgement of another batch finds nothing");
	struct item *it = lanes_find(&ls, 1, 0);
	CHECK(it && it->seq == 1 && ls.items == 1 && ls.takeable == 1, "of its own it does");
	free(it);
	CHECK(lanes_take(&ls, v, 8, 100) == 1 && v[0]->seq == 3, "and the lane it leaves empty gives nothing");
	lanes_return(&ls, v[0], 900);
	it = lanes_find(&ls, 3, 0);
	CHECK(it && lanes_wake(&ls, 1000) == 0 && ls.lanes == 0, "a waiting lane that is emptied goes when its time comes");
	free(it);
	lanes_release(&ls);
}

static void refused(void)
{
	struct lanes ls;
	struct item *v[8];

	lanes_init(&ls);
	for (uint64_t i = 0; i < 3; i++)
		add(&ls, 1, i);
	lanes_take(&ls, v, 1, 100);
	v[0]->attempts = 1;
	lanes_return(&ls, v[0], 0);
	CHECK(lanes_take(&ls, v, 8, 100) == 1 && v[0]->seq == 0, "a line that was refused goes alone of its lane");
	CHECK(ls.takeable == 0, "the rest waits for it");
	settle(&ls, v[0]);
	CHECK(ls.takeable == 2 && lanes_take(&ls, v, 8, 100) == 2, "then the rest goes");
	settle(&ls, v[0]);
	settle(&ls, v[1]);
	lanes_release(&ls);
}

/* ---- a long random run ---- */

#define KEYS 20
#define LINES 20000
#define OUT 6

static unsigned long long rnd = 88172645463325252ull;

static unsigned next_random(unsigned below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (unsigned)(rnd >> 11) % below;
}

static void random_run(void)
{
	static uint64_t next_of_key[KEYS];	/* lines of a key are numbered seq = n * KEYS + key */
	static uint64_t done_of_key[KEYS];
	struct item *out[OUT][64];
	size_t n[OUT] = { 0 };
	struct lanes ls;
	uint64_t added = 0, done = 0;
	int64_t now = 0;

	lanes_init(&ls);
	while (done < LINES) {
		now++;
		for (unsigned k = next_random(8); k && added < LINES; k--, added++) {
			unsigned key = next_random(KEYS) * next_random(KEYS) / KEYS;
			add(&ls, key, next_of_key[key]++ * KEYS + key);
		}
		unsigned b = next_random(OUT);
		if (n[b] == 0) {
			n[b] = lanes_take(&ls, out[b], 1 + next_random(64), 8 * (1 + next_random(80)));
			/* What is out now is out nowhere else, and begins where its key stands. */
			for (size_t i = 0; i < n[b]; i++)
				for (unsigned o = 0; o < OUT; o++)
					for (size_t j = 0; o != b && j < n[o]; j++)
						if (out[o][j]->seq % KEYS == out[b][i]->seq % KEYS)
							CHECK(0, "key %u is in two batches", (unsigned)(out[b][i]->seq % KEYS));
			uint64_t expect[KEYS];
			memcpy(expect, done_of_key, sizeof(expect));
			for (size_t i = 0; i < n[b]; i++)
				if (out[b][i]->seq / KEYS != expect[out[b][i]->seq % KEYS]++)
					CHECK(0, "line %llu out of order", (unsigned long long)out[b][i]->seq);
		} else {
			/* Up to some line all are done; behind it taken back or refused. */
			size_t good = next_random(3) ? n[b] : next_random((unsigned)n[b] + 1);
			for (size_t i = n[b]; i--; ) {
				if (i >= good) {
					lanes_return(&ls, out[b][i], next_random(2) ? now + next_random(20) : 0);
					continue;
				}
				/* done, but a key that has a line in the rest of the batch may not overtake it: it never does, the
				 * rest is behind */
				done_of_key[out[b][i]->seq % KEYS]++;
				settle(&ls, out[b][i]);
				done++;
			}
			n[b] = 0;
		}
		lanes_wake(&ls, now);
	}
	CHECK(done == LINES && ls.items == 0 && ls.takeable == 0, "%d lines of %d keys in %d batches at a time: each key in order, in one batch at a time",
		LINES, KEYS, OUT);
	lanes_release(&ls);
}

int main(void)
{
	order();
	limits();
	waiting();
	refused();
	random_run();
	return check_done();
}
