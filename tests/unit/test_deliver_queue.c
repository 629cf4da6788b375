/* deliver's queue: lanes and gates. */
#include "check.h"

#include <string.h>

#include "deliver/queue.h"

struct msg { struct item i; int lane, n; bool out; };
static struct need wants[8][QUEUE_NEEDS];
static unsigned nwants[8];

static unsigned needs(void *arg, struct item *i, struct need *to)
{
	int lane = ((struct msg *)i)->lane;

	(void)arg;
	memcpy(to, wants[lane], nwants[lane] * sizeof(*to));
	return nwants[lane];
}

static void want(int lane, const struct need *n)
{
	wants[lane][nwants[lane]++] = *n;
}

static void order(void)
{
	static const uint64_t key[2] = {1, 2};
	struct queue q;
	struct msg m[6] = {{.lane = 0, .n = 0}, {.lane = 0, .n = 1}, {.lane = 1, .n = 2}, {.lane = 2, .n = 3}, {.lane = 0, .n = 4}, {.lane = 1, .n = 5}};
	struct msg *a, *b, *c;

	memset(nwants, 0, sizeof(nwants));
	queue_init(&q, key, needs, NULL);
	queue_add(&q, "0", false, &m[0].i);
	queue_add(&q, "0", false, &m[1].i);
	queue_add(&q, "1", false, &m[2].i);
	queue_add(&q, "2", true, &m[3].i);
	a = (struct msg *)queue_next(&q, false, 1);
	b = (struct msg *)queue_next(&q, false, 1);
	c = (struct msg *)queue_next(&q, false, 1);
	CHECK(a == &m[3] && b == &m[0] && c == &m[2] && !queue_next(&q, false, 1), "urgent first, one of each lane");
	CHECK(queue_due(&q, false) == QUEUE_NEVER, "nothing to wait for but answers");
	queue_back(&q, &m[0].i, 10, 50);
	CHECK(!queue_next(&q, false, 20) && queue_due(&q, false) == 50, "back, and not before its time");
	CHECK(queue_next(&q, false, 50) == &m[0].i, "then the same again, before the one behind it");
	queue_back(&q, &m[0].i, 60, 0);
	queue_off(&q, &m[0].i);
	CHECK(queue_next(&q, false, 60) == &m[1].i && !queue_next(&q, false, 60), "the next of the lane");
	queue_back(&q, &m[1].i, 61, 0);
	queue_off(&q, &m[1].i);
	queue_back(&q, &m[2].i, 61, 0);
	queue_off(&q, &m[2].i);
	queue_back(&q, &m[3].i, 61, 0);
	queue_off(&q, &m[3].i);
	CHECK(q.nlanes == 0 && q.waiting == 0 && q.under_way == 0, "nothing is left");
	queue_release(&q);
}

static void gates(void)
{
	static const uint64_t key[2] = {1, 2};
	struct queue q;
	struct msg m[4] = {{.lane = 0}, {.lane = 1}, {.lane = 2}, {.lane = 3}};

	memset(nwants, 0, sizeof(nwants));
	want(0, &(struct need){.name = "b", .unknown = 1});
	want(1, &(struct need){.name = "b", .unknown = 1});
	want(2, &(struct need){.name = "r", .n = 1, .period = 100});
	want(3, &(struct need){.name = "r", .n = 1, .period = 100});
	queue_init(&q, key, needs, NULL);
	for (int i = 0; i < 4; i++)
		queue_add(&q, (const char *[]){"0", "1", "2", "3"}[i], false, &m[i].i);
	CHECK(queue_next(&q, false, 1000) == &m[0].i && queue_next(&q, false, 1000) == &m[2].i && !queue_next(&q, false, 1000),
		"one at a time of what is not known; one in a period");
	CHECK(queue_due(&q, false) == 1100, "the period's end is waited for");
	CHECK(queue_next(&q, false, 1100) == &m[3].i, "and used");
	queue_told(&q, "b", 0, 5, 500, 1100);
	queue_back(&q, &m[0].i, 1100, 0);
	queue_off(&q, &m[0].i);
	CHECK(!queue_next(&q, false, 1101) && queue_due(&q, false) == 1600, "nothing is left until the reset");
	CHECK(queue_next(&q, false, 1600) == &m[1].i, "then it goes on");
	queue_back(&q, &m[1].i, 1601, 0);
	CHECK(queue_close(&q, "b", 1000, true, 1602) == 0, "closed");
	CHECK(!queue_next(&q, false, 2000) && queue_due(&q, false) == 2602, "for so long");
	CHECK(queue_next(&q, false, 2602) == &m[1].i, "then one");
	queue_add(&q, "0", false, &m[0].i);
	CHECK(!queue_next(&q, false, 2603), "only one while it is tried out");
	queue_open(&q, "b", 2604);
	CHECK(queue_next(&q, false, 2604) == &m[0].i, "and more when that went well");
	queue_back(&q, &m[0].i, 2605, 0);
	queue_close(&q, "b", 100, false, 2606);
	queue_close(&q, "b", 10, true, 2607);
	queue_open(&q, "b", 2608);
	CHECK(!queue_next(&q, false, 2650) && queue_due(&q, false) == 2706, "but a platform's own wait is heeded all the same");
	queue_release(&q);
}

/* What a restart has to know. */
static void windows_kept(void)
{
	static const uint64_t key[2] = {1, 2};
	const struct need slow = {.name = "s", .n = 2, .period = 30 * CLOCK_S}, quick = {.name = "q", .n = 2, .period = CLOCK_S};
	struct queue q;
	struct msg m[2] = {{.lane = 0}, {.lane = 0}};
	struct need got;
	bool end;

	memset(nwants, 0, sizeof(nwants));
	want(0, &quick);
	want(0, &slow);
	queue_init(&q, key, needs, NULL);
	queue_add(&q, "0", false, &m[0].i);
	CHECK(queue_used(&q, &slow, 90 * CLOCK_S) == 0 && queue_next(&q, false, 100 * CLOCK_S) == &m[0].i, "one went before, one may go");
	CHECK(!queue_window(&m[0].i, 0, &got, &end) && !end, "a short limit is not worth keeping");
	CHECK(queue_window(&m[0].i, 1, &got, &end) && !end && strcmp(got.name, "s") == 0 && got.n == 2 && got.period == slow.period, "a long one is");
	CHECK(!queue_window(&m[0].i, 2, &got, &end) && end, "that is all");
	queue_back(&q, &m[0].i, 101 * CLOCK_S, 0);
	queue_off(&q, &m[0].i);
	queue_add(&q, "0", false, &m[1].i);
	CHECK(!queue_next(&q, false, 102 * CLOCK_S) && queue_due(&q, false) == 120 * CLOCK_S, "the next when the one before has been long enough ago");
	queue_release(&q);
}

/* Who is urgent goes first where a gate has been waited at, too, and where nobody else may go. */
static void urgent(void)
{
	static const uint64_t key[2] = {1, 2};
	struct queue q;
	struct msg m[5] = {{.lane = 0}, {.lane = 1}, {.lane = 2}, {.lane = 3}, {.lane = 4}};

	memset(nwants, 0, sizeof(nwants));
	for (int i = 0; i < 4; i++)
		want(i, &(struct need){.name = "g", .most = 1});
	queue_init(&q, key, needs, NULL);
	for (int i = 0; i < 3; i++)
		queue_add(&q, (const char *[]){"0", "1", "2"}[i], false, &m[i].i);
	CHECK(queue_next(&q, false, 1) == &m[0].i && !queue_next(&q, false, 1), "two wait at the gate");
	queue_add(&q, "3", true, &m[3].i);
	CHECK(!queue_next(&q, true, 2) && queue_due(&q, true) == QUEUE_NEVER, "then one that is urgent");
	queue_back(&q, &m[0].i, 3, 0);
	queue_off(&q, &m[0].i);
	CHECK(queue_next(&q, false, 3) == &m[3].i, "it goes before those that were there");
	queue_add(&q, "4", false, &m[4].i);
	CHECK(!queue_next(&q, true, 4) && queue_due(&q, true) == QUEUE_NEVER && queue_next(&q, false, 4) == &m[4].i, "of the urgent ones only");
	queue_release(&q);
}

/* A window that nobody tells anything of is like the one before; a lane takes at most so many. */
static void windows(void)
{
	static const uint64_t key[2] = {1, 2};
	static struct msg m[QUEUE_LANE_MAX + 1];
	struct queue q;
	int went = 0;

	memset(nwants, 0, sizeof(nwants));
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 8; i++)
		want(i, &(struct need){.name = "b"});
	queue_init(&q, key, needs, NULL);
	for (int i = 0; i < 8; i++) {
		m[i].lane = i;
		queue_add(&q, (const char *[]){"0", "1", "2", "3", "4", "5", "6", "7"}[i], false, &m[i].i);
	}
	queue_told(&q, "b", 1, 3, 100, 1000);
	while (queue_next(&q, false, 1000))
		went++;
	CHECK(went == 1 && queue_due(&q, false) == 1100, "what is left of a window");
	while (queue_next(&q, false, 1100))
		went++;
	CHECK(went == 4 && queue_due(&q, false) == 1200, "the next one has the limit, though no answer came: %d", went);
	queue_release(&q);
	memset(m, 0, sizeof(m));
	queue_init(&q, key, needs, NULL);
	for (went = 0; went <= (int)QUEUE_LANE_MAX && queue_add(&q, "0", false, &m[went].i) == 0; went++)
		;
	CHECK(went == (int)QUEUE_LANE_MAX, "no lane takes more");
	CHECK(queue_add(&q, "1", false, &m[went].i) == 0, "others do");
	queue_release(&q);
}

#define MANY 3000

/* Limits of all kinds under a random load: none is ever broken, nothing is forgotten, lanes keep their order. */
static void torture(void)
{
	static struct msg m[MANY];
	static const uint64_t key[2] = {3, 4};
	static int64_t times[MANY];
	struct { struct msg *m; int64_t end; } run[64] = {{NULL, 0}};
	struct queue q;
	uint64_t seed = 7;
	int64_t now = 1000;
	int nrun = 0, done = 0, went = 0, last[8], shared = 0, bad = 0;

	memset(nwants, 0, sizeof(nwants));
	memset(m, 0, sizeof(m));
	for (int l = 0; l < 8; l++) {
		last[l] = -1;
		want(l, &(struct need){.name = "all", .most = 5});
		want(l, &(struct need){.name = "rate", .n = 10, .period = 1000});
		if (l & 1)
			want(l, &(struct need){.name = "odd", .unknown = 1});
	}
	queue_init(&q, key, needs, NULL);
	for (int i = 0; i < MANY; i++) {
		char name[8];

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		m[i].lane = (int)(seed >> 61);
		m[i].n = i;
		snprintf(name, sizeof(name), "%d", m[i].lane);
		queue_add(&q, name, m[i].lane == 0, &m[i].i);
	}
	while (done < MANY && now < INT64_C(100000000)) {
		struct msg *x;
		int64_t next;

		while ((x = (struct msg *)queue_next(&q, false, now))) {
			bad += nrun >= 5 || (went >= 10 && times[went - 10] + 1000 > now) || x->n < last[x->lane];
			last[x->lane] = x->n;
			times[went++ % MANY] = now;
			shared += x->lane & 1;
			bad += shared > 1;
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			run[nrun].m = x;
			run[nrun++].end = now + (int64_t)(seed >> 58);
			if (went == MANY)
				break;
		}
		next = queue_due(&q, false);
		for (int i = 0; i < nrun; i++)
			if (run[i].end < next)
				next = run[i].end;
		now = next > now ? next : now + 1;
		for (int i = 0; i < nrun; i++)
			if (run[i].end <= now) {
				shared -= run[i].m->lane & 1;
				queue_back(&q, &run[i].m->i, now, 0);
				queue_off(&q, &run[i].m->i);
				done++;
				run[i--] = run[--nrun];
			}
	}
	CHECK(bad == 0, "no limit is broken, no lane out of order: %d", bad);
	CHECK(done == MANY && q.waiting == 0, "all %d went, in %lld", done, (long long)now);
	/* 10 in 1000, at any time: so much it takes, and not much more. */
	CHECK(now < 1000 + MANY / 10 * 1000 + 2000, "and not slower than the limit says: %lld", (long long)now);
	queue_release(&q);
}

int main(void)
{
	order();
	gates();
	urgent();
	windows_kept();
	windows();
	torture();
	return check_done();
}
