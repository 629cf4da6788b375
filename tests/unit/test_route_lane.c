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
	if (lanes_add(ls, key, key, item(seq)) < 0)
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
	CHECK(ls.takeable[0] == 4 && ls.items == 4 && ls.bytes == 32, "four to be had");
	CHECK(lanes_take(&ls, 0, v, 2, 1000) == 2 && v[0]->seq == 10 && v[1]->seq == 12, "small lines of a lane go in one turn");
	CHECK(ls.takeable[0] == 2 && ls.out == 2, "two more");
	struct item *w[8];
	add(&ls, 1, 14);
	CHECK(lanes_take(&ls, 0, w, 8, 1000) == 2 && w[0]->seq == 11 && w[1]->seq == 13, "another batch gets what is in no busy lane");
	CHECK(lanes_take(&ls, 0, w + 2, 8, 1000) == 0, "a busy lane that grows stays busy");
	settle(&ls, v[1]);
	CHECK(ls.takeable[0] == 0, "still busy with the other one");
	lanes_return(&ls, v[0], 0);
	CHECK(lanes_take(&ls, 0, v, 8, 1000) == 2 && v[0]->seq == 10 && v[1]->seq == 14, "taken back: again before its followers");
	settle(&ls, v[0]);
	settle(&ls, v[1]);
	settle(&ls, w[0]);
	settle(&ls, w[1]);
	CHECK(ls.items == 0 && ls.bytes == 0 && ls.lanes == 0 && ls.tenants == 0 && ls.out == 0 && ls.out_bytes == 0 && ls.takeable[0] == 0,
		"nothing left, no lane left");
	lanes_release(&ls);
}

/* ---- turns ---- */

static struct item *sized(uint64_t seq, uint32_t len)
{
	struct item *it = calloc(1, sizeof(*it) + len);

	it->seq = seq;
	it->len = len;
	return it;
}

static void turns(void)
{
	struct lanes ls;
	struct item *v[256];
	size_t n, of[3] = { 0 }, bytes[3] = { 0 };

	/* Tenant 1 has a flood of large lines in one lane, tenant 2 small ones in many, tenant 3 one line that came last. */
	lanes_init(&ls);
	for (uint64_t i = 0; i < 3000; i++)
		lanes_add(&ls, 1, 100, sized(i, 1000));
	for (uint64_t i = 3000; i < 9000; i++)
		lanes_add(&ls, 2, 200 + i % 50, sized(i, 250));
	lanes_add(&ls, 3, 300, sized(9000, 500));
	n = lanes_take(&ls, 0, v, 256, 1 << 20);
	CHECK(n == 256 && v[n - 1]->seq == 9000, "a tenant's only line is in the first batch, however much others have");
	for (size_t i = 1; i < n; i++)
		if (v[i - 1]->seq >= v[i]->seq)
			CHECK(0, "a batch is in order: %llu", (unsigned long long)v[i]->seq);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < n; i++) {
			unsigned t = (unsigned)(v[i]->seq < 3000 ? 0 : v[i]->seq < 9000 ? 1 : 2);
			of[t]++;
			bytes[t] += v[i]->len;
			settle(&ls, v[i]);
		}
		n = lanes_take(&ls, 0, v, 256, 1 << 20);
	}
	CHECK(of[2] == 1 && bytes[0] < bytes[1] + 3 * LANES_QUANTUM && bytes[1] < bytes[0] + 3 * LANES_QUANTUM,
		"two that have enough get equally many bytes: %zu and %zu", bytes[0], bytes[1]);
	for (size_t i = n; i--; )
		lanes_return(&ls, v[i], 0);
	lanes_release(&ls);

	/* In a tenant, a lane with a backlog does not hold up another one. */
	lanes_init(&ls);
	for (uint64_t i = 0; i < 3000; i++)
		lanes_add(&ls, 1, 100, sized(i, 100));
	lanes_add(&ls, 1, 101, sized(9000, 100));
	n = lanes_take(&ls, 0, v, 256, 1 << 20);
	CHECK(n == 256 && v[n - 1]->seq == 9000, "nor a conversation another one of its tenant");
	for (size_t i = n; i--; )
		lanes_return(&ls, v[i], 0);
	/* A line larger than a turn comes when its tenant has saved up for it. */
	lanes_release(&ls);
	lanes_init(&ls);
	lanes_add(&ls, 1, 1, sized(1, 10 * LANES_QUANTUM));
	for (uint64_t i = 10; i < 2000; i++)
		lanes_add(&ls, 2, 2, sized(i, 1024));
	for (of[0] = 0; (n = lanes_take(&ls, 0, v, 8, 1 << 20)) > 0 && v[0]->seq != 1; of[0]++)
		while (n)
			settle(&ls, v[--n]);
	CHECK(n && of[0] >= 9 && of[0] <= 11, "a line of ten turns waits for ten turns of the other: %zu", of[0]);
	while (n)
		settle(&ls, v[--n]);
	lanes_release(&ls);
}

static void strikes(void)
{
	struct lanes ls;
	static const size_t sizes[] = { 256, 256, 64, 8 };
	struct item *v[256];
	size_t n;

	lanes_init(&ls);
	for (uint64_t i = 0; i < 256; i++)
		add(&ls, 1, i);
	for (int round = 0; round < 4; round++) {
		n = lanes_take(&ls, 0, v, 256, 1 << 20);
		CHECK(n == sizes[round], "taken back %d times: a batch of %zu", round, n);
		for (size_t i = n; i--; ) {
			v[i]->strikes++;
			lanes_return(&ls, v[i], 0);
		}
	}
	size_t alone = 0, most = 0, all = 0;
	while ((n = lanes_take(&ls, 0, v, 256, 1 << 20)) > 0) {
		alone += n == 1 && v[0]->strikes == 4;
		for (size_t i = 0; i < n; i++)
			if (v[i]->strikes == 4 && n > 1)
				CHECK(0, "a line with four strikes in a batch of %zu", n);
		most = n > most ? n : most;
		all += n;
		while (n)
			settle(&ls, v[--n]);
	}
	CHECK(alone == 8 && most <= 64 && all == 256, "then those eight go alone, the others in batches");
	lanes_release(&ls);
}

/* ---- room ---- */

static void room(void)
{
	struct lanes ls;
	struct item *v[4096], *it;
	uint64_t seq = 1;
	size_t n;

	lanes_init(&ls);
	ls.max_items = 800;
	while (lanes_room(&ls, 1, 10) == LANES_ROOM)
		add(&ls, 10, seq++);
	CHECK(ls.items < 600, "a lane has a share of a tenant's share: %zu", ls.items);
	lanes_release(&ls);
	lanes_init(&ls);
	ls.max_items = 800;
	for (uint64_t key = 10; lanes_room(&ls, 1, key) == LANES_ROOM; key = 10 + seq % 7)
		lanes_add(&ls, 1, key, item(seq++));
	n = ls.items;
	CHECK(n >= 590 && n <= 600 && lanes_room(&ls, 1, 99) == LANES_TENANT_FULL, "one tenant alone takes three quarters: %zu", n);
	CHECK(lanes_room(&ls, 2, 99) == LANES_ROOM, "and another one finds room");
	lanes_add(&ls, 2, 99, item(seq++));
	CHECK(lanes_room(&ls, 1, 10) == LANES_TENANT_FULL && lanes_share(&ls) == 300, "the share of two");
	for (uint64_t t = 3; lanes_room(&ls, t, 1000 + t) == LANES_ROOM; t++)
		lanes_add(&ls, t, 1000 + t, item(seq++));
	CHECK(ls.items == 800 && lanes_room(&ls, 5000, 5000) == LANES_FULL, "first lines of others fill the rest, and no more");
	CHECK(!lanes_wants(&ls, 1, 0) && lanes_wants(&ls, 9000, 0), "who has much wants nothing");
	n = lanes_take(&ls, 0, v, 4096, 1 << 20);
	CHECK(n == 800 && lanes_room(&ls, 1, 10) == LANES_ROOM, "what is on loan takes no room");
	CHECK(!lanes_clogged(&ls, 1), "nothing waits: not clogged");
	for (size_t i = n; i--; )
		lanes_return(&ls, v[i], 1000);
	CHECK(lanes_clogged(&ls, 1) && !lanes_clogged(&ls, 2), "a tenant whose lanes all wait is clogged, one with a line is not");
	struct lane *l = NULL;
	for (size_t i = 0; i < n && !l; i++)
		if (lane_tenant(v[i]->lane) == 1)
			l = v[i]->lane;
	size_t before = lane_queued(l), items = ls.items;
	for (n = 0, it = lanes_cut(&ls, l); it; n++) {
		struct item *next = it->next;
		if (next && next->seq <= it->seq)
			CHECK(0, "cut lines are in order");
		free(it);
		it = next;
	}
	CHECK(lane_queued(l) == LANES_KEEP && n == before - LANES_KEEP && ls.items == items - n, "cut to its first lines");
	CHECK(lanes_cut(&ls, l) == NULL, "once");
	lanes_release(&ls);
}

/* What is given back is read again with all of the lane behind it. */
static void settled(void)
{
	struct lanes ls;
	struct item *v[8], *cut;

	lanes_init(&ls);
	for (uint64_t i = 1; i <= 8; i++)
		add(&ls, 1, i);
	CHECK(lanes_take(&ls, 0, v, 6, 1000) == 6, "six");
	struct lane *l = v[0]->lane;
	lanes_return(&ls, v[5], 0);
	settle(&ls, v[4]);
	for (size_t i = 4; i--; )
		lanes_return(&ls, v[i], 1000);
	cut = lanes_cut(&ls, l);
	CHECK(cut && cut->seq == 6 && cut->next->seq == 7 && lane_queued(l) == 4, "nothing before a line that is settled");
	for (struct item *next; cut; cut = next) {
		next = cut->next;
		free(cut);
	}
	for (uint64_t i = 6; i <= 8; i += 2)
		add(&ls, 1, i);
	lanes_settled(&ls, 1, 7);
	lanes_settled(&ls, 2, 9);
	cut = lanes_cut(&ls, l);
	CHECK(cut && cut->seq == 8 && !cut->next && ls.lanes == 1, "nor before one that never came in");
	free(cut);
	lanes_release(&ls);
}

static void split(void)
{
	struct lanes ls;
	struct item *v[1000];
	size_t n, m;

	lanes_init(&ls);
	for (uint64_t i = 0; i < 1000; i++)
		add(&ls, i * 7919 + 1, i);
	lanes_split(&ls, 10);
	CHECK(ls.takeable[1] > 60 && ls.takeable[1] < 140 && ls.takeable[0] + ls.takeable[1] == 1000, "ten in a hundred lanes: %zu", ls.takeable[1]);
	n = lanes_take(&ls, 1, v, 1000, 1 << 20);
	add(&ls, v[0]->seq * 7919 + 1, 5000);
	lanes_split(&ls, 0);
	CHECK(ls.takeable[1] == 0 && ls.takeable[0] == 1000 - n, "back: all on one side, but what is out");
	m = lanes_take(&ls, 0, v + n, 1000 - n, 1 << 20);
	CHECK(m == 1000 - n, "others get them");
	settle(&ls, v[0]);
	CHECK(ls.takeable[0] == 1, "a lane that was out there comes back here");
	for (size_t i = 1; i < 1000; i++)
		settle(&ls, v[i]);
	lanes_release(&ls);
}

/* What was refused on one side is done at once on the other. */
static void split_waiting(void)
{
	struct lanes ls;
	struct item *v[1000];
	size_t n, here = 0;

	lanes_init(&ls);
	for (uint64_t i = 0; i < 1000; i++)
		add(&ls, i * 7919 + 1, i);
	lanes_split(&ls, 10);
	n = lanes_take(&ls, 1, v, 1000, 1 << 20);
	for (size_t i = n; i--; )
		lanes_return(&ls, v[i], 500 + (int64_t)i);
	CHECK(lanes_take(&ls, 1, v, 1000, 1 << 20) == 0, "all of them wait");
	lanes_split(&ls, 5);
	here = 1000 - ls.takeable[0];
	CHECK(here > 20 && here < n, "those that stay on their side wait on: %zu of %zu", here, n);
	CHECK(lanes_wake(&ls, 499) >= 500, "until it is time");
	lanes_split(&ls, 0);
	CHECK(ls.takeable[0] == 1000 && lanes_wake(&ls, 499) == 0, "back: nobody waits");
	n = lanes_take(&ls, 0, v, 1000, 1 << 20);
	lanes_return(&ls, v[0], 500);
	lanes_split(&ls, 100);
	for (size_t i = 1; i < n; i++)
		settle(&ls, v[i]);
	CHECK(ls.takeable[1] == 1000 - n + 1, "one that is out and was refused does not wait either");
	lanes_release(&ls);
}

static void limits(void)
{
	struct lanes ls;
	struct item *v[8];

	lanes_init(&ls);
	for (uint64_t i = 0; i < 5; i++)
		add(&ls, 7, i);
	CHECK(lanes_take(&ls, 0, v, 8, 3) == 1, "one line at least, however large");
	settle(&ls, v[0]);
	CHECK(lanes_take(&ls, 0, v, 8, 24) == 3, "as many as fit");
	for (int i = 2; i >= 0; i--)
		lanes_return(&ls, v[i], 0);
	CHECK(lanes_take(&ls, 0, v, 0, 100) == 0 && ls.takeable[0] == 4, "none asked for, none given");
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
	CHECK(lanes_take(&ls, 0, v, 2, 100) == 2 && v[1]->seq == 2, "two of a lane");
	settle(&ls, v[1]);
	lanes_return(&ls, v[0], 500);
	CHECK(ls.takeable[0] == 1, "a refused line waits, and its lane with it, but not the others");
	CHECK(lanes_wake(&ls, 499) == 500 && ls.takeable[0] == 1, "not before its time");
	CHECK(lanes_wake(&ls, 500) == 0 && ls.takeable[0] == 2, "then it may go");
	CHECK(lanes_find(&ls, 1, 9) == NULL, "a late acknowledgement of another batch finds nothing");
	struct item *it = lanes_find(&ls, 1, 0);
	CHECK(it && it->seq == 1 && ls.items == 1 && ls.takeable[0] == 1, "of its own it does");
	free(it);
	CHECK(lanes_take(&ls, 0, v, 8, 100) == 1 && v[0]->seq == 3, "and the lane it leaves empty gives nothing");
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
	lanes_take(&ls, 0, v, 1, 100);
	v[0]->attempts = 1;
	lanes_return(&ls, v[0], 0);
	CHECK(lanes_take(&ls, 0, v, 8, 100) == 1 && v[0]->seq == 0, "a line that was refused goes alone of its lane");
	CHECK(ls.takeable[0] == 0, "the rest waits for it");
	settle(&ls, v[0]);
	CHECK(ls.takeable[0] == 2 && lanes_take(&ls, 0, v, 8, 100) == 2, "then the rest goes");
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
			n[b] = lanes_take(&ls, 0, out[b], 1 + next_random(64), 8 * (1 + next_random(80)));
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
	CHECK(done == LINES && ls.items == 0 && ls.takeable[0] == 0, "%d lines of %d keys in %d batches at a time: each key in order, in one batch at a time",
		LINES, KEYS, OUT);
	lanes_release(&ls);
}

int main(void)
{
	order();
	turns();
	strikes();
	room();
	settled();
	split();
	split_waiting();
	limits();
	waiting();
	refused();
	random_run();
	return check_done();
}
