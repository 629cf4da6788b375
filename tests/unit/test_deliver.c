/* deliver's pure parts: pieces of text, lines as data, breaker, the table of consequences, outcomes. */
#include "check.h"

#include <string.h>

#include "deliver/breaker.h"
#include "deliver/interaction.h"
#include "deliver/outcome.h"
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
	say_nonce(&again, 256);
	CHECK(strcmp(again.nonce, first) != 0, "and for the 257th");
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
	CHECK(rule_act(R_GONE, REPEAT_SAFE, 0) == ACT_STOP && rule_act(R_ABSENT, REPEAT_NEVER, 0) == ACT_AGAIN, "where nobody is");
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
	trouble();
	floods();
	rules();
	outcomes();
	return check_done();
}
