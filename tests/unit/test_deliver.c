/* deliver's pure parts: pieces of text, lines as data, lanes and gates, breaker, the table of consequences, outcomes. */
#include "check.h"

#include <string.h>

#include "deliver/breaker.h"
#include "deliver/interaction.h"
#include "deliver/outcome.h"
#include "deliver/queue.h"
#include "deliver/rule.h"
#include "deliver/say.h"
#include "deliver/spill.h"
#include "deliver/text.h"

static void pieces(void)
{
	static const char text[] = "one two three four five six", emoji[] = "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80";
	const char *p;
	size_t from = 0, n;

	CHECK(text_units("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10) == 5, "UTF-16 units");
	CHECK(text_blank("", 0) && text_blank(" \n\t", 3) && !text_blank(" x", 2), "blank");
	n = text_piece(text, strlen(text), 10, &from, &p);
	CHECK(n == 7 && memcmp(p, "one two", 7) == 0 && from == 8, "a piece ends at a word: %zu", n);
	n = text_piece(text, strlen(text), 10, &from, &p);
	CHECK(n == 10 && memcmp(p, "three four", 10) == 0, "a piece may be full: %zu", n);
	n = text_piece(text, strlen(text), 10, &from, &p);
	CHECK(n == 8 && memcmp(p, "five six", 8) == 0 && from == strlen(text), "and the rest");
	from = 0;
	n = text_piece("abcdefghijklmnop", 16, 10, &from, &p);
	CHECK(n == 10 && from == 10, "a long word is parted");
	from = 0;
	n = text_piece(emoji, 12, 5, &from, &p);
	CHECK(n == 8 && from == 8, "between characters: %zu", n);
	from = 0;
	n = text_piece("a b                      c", 26, 10, &from, &p);
	CHECK(n == 3 && from == 25, "blanks at a border are left out: %zu %zu", n, from);
	from = 0;
	n = text_piece("x \xff\xff", 4, 2, &from, &p);
	CHECK(n == 1 && from == 2, "bytes that are no characters");
}

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\","

static void lines(void)
{
	static const char send[] = HEAD "\"type\":\"message.send\",\"tenant\":\"t1\",\"data\":{\"platform\":\"discord\",\"account\":\"bot\","
		"\"channel\":{\"id\":\"12\"},\"text\":\"h\\u00e4 \\\"x\\\"\",\"mentions\":[\"users\",\"reply\",7],\"split\":true,\"reply_to\":\"99\","
		"\"interaction\":{\"id\":\"5\",\"token\":\"tok\",\"application_id\":\"6\",\"type\":2}}}";
	static const char browser[] = HEAD "\"type\":\"message.send\",\"data\":{\"platform\":\"browser\",\"channel\":{\"id\":\"1\"},\"text\":\"x\"}}";
	static const char other[] = HEAD "\"type\":\"chat.message\"}";
	static const char no_text[] = HEAD "\"type\":\"message.send\",\"data\":{\"platform\":\"discord\",\"channel\":{\"id\":\"1\"}}}";
	static const char nul[] = HEAD "\"type\":\"message.send\",\"data\":{\"platform\":\"discord\",\"channel\":{\"id\":\"1\\u0000\"},\"text\":\"\"}}";
	static const char odd[] = HEAD "\"type\":\"message.send\",\"data\":{\"platform\":7,\"account\":{},\"channel\":{\"id\":\"1\"},\"text\":\"\",\"interaction\":[],\"mentions\":{}}}";
	struct say s, again;
	struct line_err err;
	char first[SAY_NONCE + 1];

	CHECK(say_parse(&s, send, strlen(send), true, &err) == 0 && s.kind == SAY_MESSAGE, "a message: %s", err.why ? err.why : "");
	CHECK(strcmp(s.platform, "discord") == 0 && strcmp(s.account, "bot") == 0 && strcmp(s.channel, "12") == 0 && strcmp(s.tenant, "t1") == 0 &&
		strcmp(s.text, "h\xc3\xa4 \"x\"") == 0 && s.ntext == 7 && s.split && s.mentions == (MENTION_USERS | MENTION_REPLY), "its fields");
	CHECK(strcmp(s.interaction, "5") == 0 && strcmp(s.token, "tok") == 0 && strcmp(s.application, "6") == 0 && s.interaction_type == 2 &&
		strcmp(s.reply_to, "99") == 0 && !*s.edit, "those of its interaction");
	CHECK(strlen(s.nonce) == 24, "a nonce of 24 digits");
	strcpy(first, s.nonce);
	CHECK(say_parse(&again, send, strlen(send), false, &err) == 0 && strcmp(again.nonce, first) == 0 &&
		memcmp(again.key, s.key, SAY_KEY) == 0, "the same every time");
	say_nonce(&again, 1);
	CHECK(strcmp(again.nonce, first) != 0, "another one for the next piece");
	say_release(&s);
	say_release(&again);
	CHECK(say_parse(&s, browser, strlen(browser), true, &err) == 0 && s.kind == SAY_OTHER, "a browser's is none of ours");
	CHECK(say_parse(&s, other, strlen(other), true, &err) == 0 && s.kind == SAY_OTHER, "nor is another type");
	CHECK(say_parse(&s, no_text, strlen(no_text), true, &err) == -1, "refused: no text");
	CHECK(say_parse(&s, nul, strlen(nul), true, &err) == -1, "refused: a NUL in a number");
	CHECK(say_parse(&s, "{", 1, true, &err) == -1, "refused: no JSON");
	CHECK(say_parse(&s, odd, strlen(odd), true, &err) == 0 && !*s.platform && !*s.interaction && s.ntext == 0, "other types count as absent");
	say_release(&s);
}

/* ---- the queue ---- */

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

static void trouble(void)
{
	struct breaker b = {0};
	struct refusals r = {0};
	int64_t wait = 0, now = 100 * CLOCK_S;
	unsigned n = 0;

	for (unsigned i = 1; i < BREAKER_AFTER; i++)
		wait |= breaker_failed(&b, now - 1, now, 1);
	CHECK(wait == 0, "a few failures are nothing");
	wait = breaker_failed(&b, now - 1, now, 1);
	CHECK(wait >= BREAKER_FIRST / 2 && wait <= BREAKER_FIRST && breaker_probing(&b), "then it opens");
	for (int i = 0; i < 60; i++)
		CHECK(breaker_failed(&b, now, now + CLOCK_S, 1) == 0, "what was under way already says nothing new");
	CHECK(breaker_failed(&b, now + wait, now + wait + 1, 1) > wait, "the one that is let through fails: longer");
	for (int i = 0; i < 20; i++, now += 100 * CLOCK_S)
		wait = breaker_failed(&b, now + 99 * CLOCK_S, now + 100 * CLOCK_S, 0);
	CHECK(wait == BREAKER_MAX, "never longer than that");
	breaker_worked(&b);
	CHECK(!breaker_probing(&b) && breaker_failed(&b, now, now, 1) == 0, "one success closes it");

	while (!(wait = refusals_add(&r, REFUSALS_MAX, now))) {
		n++;
		now += CLOCK_S / 10;
	}
	CHECK(n == REFUSALS_MAX - 1, "%u refusals are borne", n);
	CHECK(wait > 0 && wait <= 610 * CLOCK_S, "then nothing is sent for %lld s", (long long)(wait / CLOCK_S));
	CHECK(refusals_add(&r, REFUSALS_MAX, now + wait) == 0, "afterwards there is room");
	r = (struct refusals){0};
	for (n = 0; n < 5000 && !wait; n++)
		wait = refusals_add(&r, REFUSALS_MAX, now + n * 2 * CLOCK_S);
	CHECK(refusals_add(&r, REFUSALS_MAX, now) == 0, "a clock that stands still is no harm");
	r = (struct refusals){0};
	for (wait = 0, n = 0; n < 5000; n++)
		wait |= refusals_add(&r, REFUSALS_MAX, now + n * 2 * CLOCK_S);
	CHECK(wait == 0 && r.sum <= 305, "few of them for ever are borne: %u", r.sum);
	r = (struct refusals){0};
	refusals_put(&r, REFUSALS_ONE, 300 * CLOCK_S, now);
	refusals_put(&r, 7, 700 * CLOCK_S, now);
	wait = refusals_wait(&r, REFUSALS_ONE, now);
	CHECK(r.sum == REFUSALS_ONE && wait > 250 * CLOCK_S && wait <= 310 * CLOCK_S, "those of an earlier process count for as long as they would have: %lld s",
		(long long)(wait / CLOCK_S));
	CHECK(refusals_wait(&r, REFUSALS_ONE, now + wait) == 0 && r.sum == 0, "and not for longer");
}

/* A flood of one tenant beside single messages of others. */
static void floods(void)
{
	struct spill s = {.key = {1, 2}};
	struct tenant *flood[SPILL_SHARE], *one;
	unsigned char key[SAY_KEY] = {0};
	const char *name;
	int64_t seq;
	int wrong = 0;

	for (unsigned i = 0; i < SPILL_SHARE; i++) {
		wrong += spill_must(&s, "flood", false);
		flood[i] = spill_tenant(&s, "flood");
	}
	CHECK(!wrong && spill_must(&s, "flood", false) && !spill_must(&s, "other", true), "a share of the memory, and not another's");
	for (seq = 1; seq <= 1000; seq++) {
		memcpy(key, &seq, sizeof(seq));
		wrong += spill_coming(&s, "flood") || (seq == 1 && spill_next(&s, false, &name)) || spill_add(&s, "flood", key, seq) || !spill_has(&s, key);
	}
	CHECK(!wrong && s.n == 1000 && !spill_next(&s, false, &name), "the rest stays outside, and is known");
	spill_coming(&s, "other");
	CHECK(spill_must(&s, "other", false), "what comes behind one that is on its way out goes there, too");
	key[15] = 1;
	spill_add(&s, "other", key, 2000);
	spill_less(&s, flood[0]);
	CHECK(spill_must(&s, "flood", false), "and behind one that is there, though there is room");
	CHECK(spill_next(&s, false, &name) == 1 && strcmp(name, "flood") == 0, "the oldest of the first");
	CHECK(spill_next(&s, false, &name) == 2000 && strcmp(name, "other") == 0, "then another's");
	CHECK(spill_next(&s, true, &name) == 2000, "of who has few when all are full");
	spill_gone(&s, "other");
	CHECK(!spill_has(&s, key) && !spill_must(&s, "other", true), "who has nothing there any more is as before");
	one = spill_tenant(&s, "other");
	spill_less(&s, one);
	for (seq = 1; spill_next(&s, false, &name) == seq; seq++)
		spill_gone(&s, name);
	CHECK(seq == 1001 && s.n == 0 && !s.turn, "all in their order: %lld", (long long)seq);
	for (unsigned i = 1; i < SPILL_SHARE; i++)
		spill_less(&s, flood[i]);
	CHECK(s.ntenants == 0, "nothing is left");
	spill_release(&s);
}

static void rules(void)
{
	CHECK(rule_act(R_LOST, REPEAT_NEVER, 0) == ACT_UNKNOWN && rule_act(R_BROKEN, REPEAT_NEVER, 0) == ACT_UNKNOWN, "never said twice");
	CHECK(rule_act(R_LOST, REPEAT_SOON, REPEAT_WINDOW - 1) == ACT_AGAIN && rule_act(R_LOST, REPEAT_SOON, REPEAT_WINDOW) == ACT_UNKNOWN,
		"again while the nonce is known");
	CHECK(rule_act(R_UNREACHED, REPEAT_NEVER, 0) == ACT_AGAIN && rule_act(R_LIMITED, REPEAT_NEVER, 0) == ACT_AGAIN, "again what never arrived");
	for (int r = 0; r < R_COUNT; r++)
		CHECK(rule_cause((enum result)r), "result %d has a cause", r);
	CHECK(interaction_after(INTERACTION_NEW, FORM_DEFER) == INTERACTION_DEFERRED &&
		interaction_after(INTERACTION_ANSWERED, FORM_DEFER) == INTERACTION_ANSWERED &&
		interaction_after(INTERACTION_DEFERRED, FORM_ORIGINAL) == INTERACTION_ANSWERED, "states of an interaction");
}

static void outcomes(void)
{
	static const char send[] = HEAD "\"type\":\"message.send\",\"tenant\":\"t1\",\"partitionkey\":\"k\",\"data\":{\"platform\":\"discord\",\"account\":\"bot\","
		"\"channel\":{\"id\":\"12\",\"name\":\"n\"},\"text\":\"x\"}}";
	struct buf b;

	buf_init(&b, 1u << 20);
	CHECK(outcome_write(&b, send, strlen(send), &(struct outcome){.ids = "7\0" "8", .nids = 4}, 0) == 0 && buf_cstr(&b), "a line");
	CHECK(strcmp(b.p, "{\"specversion\":\"1.0\",\"id\":\"a.deliver\",\"source\":\"/s\",\"type\":\"message.sent\",\"time\":\"1970-01-01T00:00:00.000Z\","
		"\"tenant\":\"t1\",\"partitionkey\":\"k\",\"causationid\":\"a\",\"data\":{\"platform\":\"discord\",\"account\":\"bot\","
		"\"channel\":{\"id\":\"12\",\"name\":\"n\"},\"message_id\":\"7\",\"message_ids\":[\"7\",\"8\"]}}\n") == 0, "said in two pieces");
	buf_clear(&b);
	CHECK(outcome_write(&b, send, strlen(send), &(struct outcome){.cause = "refused", .error = "no", .code = "5"}, 0) == 0 && buf_cstr(&b) &&
		strstr(b.p, "\"message.failed\"") && strstr(b.p, "\"error\":\"no\",\"cause\":\"refused\",\"code\":\"5\"}}\n"), "failed");
	buf_release(&b);
}

int main(void)
{
	pieces();
	lines();
	order();
	gates();
	urgent();
	windows_kept();
	windows();
	torture();
	trouble();
	floods();
	rules();
	outcomes();
	return check_done();
}
