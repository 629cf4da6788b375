/* deliver: limits and rules of the platforms that no other check of its targets holds up one by one; the whole table of consequences. */
#include "check.h"
#include "deliver_play.h"

#include <string.h>

#include "base/http.h"
#include "deliver/breaker.h"
#include "deliver/interaction.h"
#include "deliver/queue.h"
#include "deliver/rule.h"

#define OTHER CHANNEL ",\"interaction\":{\"id\":\"6\",\"token\":\"t\",\"application_id\":\"6\"}"
#define CHAT "\"platform\":\"twitch\",\"channel\":{\"id\":\"42\"},\"text\":\"x\""

static void discord(void)
{
	static const struct { int status; const char *body; bool over; } ends[] = {
		{404, "{\"code\":10062}", true}, {404, "{\"code\":10015}", true}, {401, "{\"code\":50027}", true}, {404, "{\"code\":10008}", false}, {400, "{\"code\":50035}", false},
	};
	void *it;
	struct need need[NEEDS_MAX], others[NEEDS_MAX];
	struct say create = say_of(CHANNEL ",\"text\":\"x\"", FORM_CREATE), answer = say_of(INTERACTION ",\"text\":\"x\"", FORM_CALLBACK);
	struct say other = say_of(OTHER ",\"text\":\"x\"", FORM_FOLLOWUP), reply = say_of(CHANNEL ",\"text\":\"x\",\"reply_to\":\"m-1\"", FORM_CREATE);
	struct request r;

	put("tok", "tok\n");
	it = open_one(&target_discord, "platform = discord\ntoken-file = tok\napi = https://api.test/v10\n");
	CHECK(it && target_discord.max_units == 2000, "an account of Discord; 2000 units of a text");
	CHECK(target_discord.needs(it, &create, need) == 2 && need[0].n <= 50 && need[0].period >= CLOCK_S, "50 requests of a bot in a second, and no more in any");
	CHECK(target_discord.needs(it, &answer, need) == 0, "the first answer to an interaction waits at no gate");
	answer.form = FORM_DEFER;
	CHECK(target_discord.needs(it, &answer, need) == 0, "nor does a deferral");
	r = ask(&target_discord, it, &answer);
	CHECK(r.timeout > CLOCK_S && r.timeout < 3 * CLOCK_S, "which has three seconds");
	CHECK(has_field(&r, "User-Agent: " HTTP_AGENT_DISCORD) && strncmp(HTTP_AGENT_DISCORD, "DiscordBot (https://", 20) == 0, "the agent that Discord wants to see");
	release(&r);
	answer.form = FORM_FOLLOWUP;
	CHECK(target_discord.needs(it, &answer, need) == 1 && target_discord.needs(it, &other, others) == 1 && strcmp(need[0].name, others[0].name) != 0,
		"what follows is no part of the bot's limit, and each interaction has its bucket");
	r = ask(&target_discord, it, &reply);
	CHECK(!strstr(r.body.p, "message_reference"), "what is no number of Discord's is no reply");
	release(&r);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		CHECK(judge(&target_discord, it, &answer, ends[i].status, ends[i].body, NULL).over == ends[i].over, "is the interaction's token void: %s", ends[i].body);
		CHECK(!judge(&target_discord, it, &create, ends[i].status, ends[i].body, NULL).over, "a message has none");
	}
	target_discord.close(it);
	say_release(&create);
	say_release(&answer);
	say_release(&other);
	say_release(&reply);
}

static void twitch(void)
{
	static const char *const left[] = {"Ratelimit-Remaining", "7", "Ratelimit-Limit", "800", "Ratelimit-Reset", "1030", NULL};
	static const char *const far[] = {"Ratelimit-Remaining", "0", "Ratelimit-Limit", "800", "Ratelimit-Reset", "10000", NULL};
	static const char *const later[] = {"Retry-After", "7", NULL};
	static const char conf[] = "platform = twitch\nclient-id = cid\nuser = 99\nhelix = https://h.test/helix\n";
	void *it = open_one(&target_twitch, conf), *same = open_as(&target_twitch, "other", "platform = twitch\nclient-id = dic\nuser = 99\nhelix = https://h.test/helix\n");
	struct say s = say_of(CHAT ",\"reply_to\":\"m-1\"", FORM_CREATE), edit = say_of(CHAT ",\"edit\":\"1\"", FORM_EDIT);
	struct need need[NEEDS_MAX], others[NEEDS_MAX];
	struct verdict v;
	struct request r;

	CHECK(it && same && target_twitch.max_units == 500, "accounts of Twitch; 500 units of a text");
	CHECK(target_twitch.needs(it, &s, need) == 3 && need[1].period >= 30 * CLOCK_S && need[2].period >= CLOCK_S, "20 messages in 30 s, one a second in a channel");
	target_twitch.needs(same, &s, others);
	CHECK(strcmp(need[1].name, others[1].name) == 0 && strcmp(need[2].name, others[2].name) == 0, "two accounts of one user share the user's limit");
	CHECK(target_twitch.check(it, &edit) && !target_twitch.check(it, &s), "Twitch has no edits");
	r = ask(&target_twitch, it, &s);
	CHECK(!strstr(r.body.p, "reply_parent"), "what is no number of Twitch's is no reply");
	release(&r);
	v = judge(&target_twitch, it, &s, 429, "", left);
	CHECK(v.kind == LIMITED && v.wait == 0 && !*v.closed, "with points left it is the chat's own limit: this message waits, by itself");
	v = judge(&target_twitch, it, &s, 429, "", far);
	CHECK(v.kind == LIMITED && v.wait > 0 && v.wait <= 120 * CLOCK_S && v.told[0].reset <= 120 * CLOCK_S, "a reset in hours is a clock that differs");
	v = judge(&target_twitch, it, &s, 503, "", later);
	CHECK(v.kind == BROKEN && v.wait == 7 * CLOCK_S, "trouble that says how long");
	v = judge(&target_twitch, it, &s, 200, "{\"data\":[{\"is_sent\":false,\"drop_reason\":{\"code\":\"0123456789012345678901234567890123456789012345678901234567890123\"}}]}", NULL);
	CHECK(v.kind == REFUSED && strcmp(v.code, "not_sent") == 0, "a code longer than any");
	target_twitch.close(it);
	target_twitch.close(same);
	say_release(&s);
	say_release(&edit);
}

static void webhook(void)
{
	struct say s = say_of("\"platform\":\"webhook\",\"channel\":{\"id\":\"1\"},\"text\":\"x\"", FORM_CREATE);
	void *it, *inside;
	struct request r, again;
	const char *key = NULL;

	put("tok", "hook-secret\n");
	it = open_one(&target_webhook, "platform = webhook\nurl = https://w.test/x\nsecret-file = tok\n");
	inside = open_one(&target_webhook, "platform = webhook\nurl = https://w.test/x\nallow-private = yes\n");
	CHECK(it && inside, "accounts");
	r = ask(&target_webhook, it, &s);
	again = ask(&target_webhook, inside, &s);
	CHECK(r.public_only && !again.public_only, "private addresses only where they are allowed");
	/* By Python's hmac over the line. */
	CHECK(has_field(&r, "X-Hub-Signature-256: sha256=9a207d0831955603f0c1b0136287a40d0d571b3116688a41be8e31443c00161b"), "signed");
	for (const char *p = r.fields.p; p < r.fields.p + r.fields.len; p += strlen(p) + 1)
		if (strncmp(p, "Idempotency-Key: \"", 18) == 0)
			key = p;
	CHECK(key && strlen(key) == 18 + 2 * SAY_KEY + 1 && has_field(&again, key), "the same key for every try");
	CHECK(judge(&target_webhook, it, &s, 302, "", NULL).kind == REFUSED && judge(&target_webhook, it, &s, 204, "", NULL).kind == SAID, "redirects are not followed");
	release(&r);
	release(&again);
	target_webhook.close(it);
	target_webhook.close(inside);
	say_release(&s);
}

/* Result, and what follows when a repeat is safe, recognised for a while, or would be said twice. */
static void table(void)
{
	static const struct { enum result r; enum act act[3]; } row[] = {
		{R_SAID, {ACT_SAID, ACT_SAID, ACT_SAID}}, {R_REFUSED, {ACT_FAIL, ACT_FAIL, ACT_FAIL}}, {R_LIMITED, {ACT_AGAIN, ACT_AGAIN, ACT_AGAIN}},
		{R_BROKEN, {ACT_AGAIN, ACT_AGAIN, ACT_UNKNOWN}}, {R_DENIED, {ACT_CREDENTIALS, ACT_CREDENTIALS, ACT_CREDENTIALS}},
		{R_ANSWERED, {ACT_FORM, ACT_FORM, ACT_FORM}}, {R_NOT_THAT_WAY, {ACT_FORM, ACT_FORM, ACT_FORM}}, {R_UNREACHED, {ACT_AGAIN, ACT_AGAIN, ACT_AGAIN}},
		{R_LOST, {ACT_AGAIN, ACT_AGAIN, ACT_UNKNOWN}}, {R_PRIVATE, {ACT_FAIL, ACT_FAIL, ACT_FAIL}},
		{R_GONE, {ACT_STOP, ACT_STOP, ACT_STOP}}, {R_ABSENT, {ACT_AGAIN, ACT_AGAIN, ACT_AGAIN}},
	};

	CHECK(sizeof(row) / sizeof(*row) == R_COUNT, "every result");
	for (size_t i = 0; i < R_COUNT; i++)
		CHECK(rule_act(row[i].r, REPEAT_SAFE, 0) == row[i].act[0] && rule_act(row[i].r, REPEAT_SOON, 0) == row[i].act[1] &&
			rule_act(row[i].r, REPEAT_NEVER, 0) == row[i].act[2] && rule_act(row[i].r, REPEAT_SOON, REPEAT_WINDOW) == row[i].act[2],
			"what follows from %s", rule_cause(row[i].r));
	CHECK(interaction_form(&(struct interaction){.state = INTERACTION_NEW}) == FORM_CALLBACK &&
		interaction_form(&(struct interaction){.state = INTERACTION_TRIED}) == FORM_CALLBACK &&
		interaction_form(&(struct interaction){.state = INTERACTION_DEFERRED}) == FORM_ORIGINAL &&
		interaction_form(&(struct interaction){.state = INTERACTION_ANSWERED}) == FORM_FOLLOWUP, "the form of the next answer to an interaction");
}

/* ---- what answers tell of a bucket ---- */

struct msg { struct item i; };

static unsigned needs(void *arg, struct item *i, struct need *to)
{
	(void)arg, (void)i;
	to[0] = (struct need){.name = "b"};
	return 1;
}

static unsigned go(struct queue *q, int64_t now)
{
	unsigned n = 0;

	while (queue_next(q, false, now))
		n++;
	return n;
}

static void buckets(void)
{
	static const uint64_t key[2] = {1, 2};
	static const char *const lanes[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	struct msg m[8] = {{.i = {0}}};
	struct queue q;

	queue_init(&q, key, needs, NULL);
	queue_told(&q, "b", 3, 8, 1000 * CLOCK_MS, 0);
	for (int i = 0; i < 8; i++)
		queue_add(&q, lanes[i], false, &m[i].i);
	CHECK(go(&q, 1) == 3, "as many as are left");
	queue_told(&q, "b", 2, 8, 900 * CLOCK_MS, 100 * CLOCK_MS);
	CHECK(go(&q, 100 * CLOCK_MS) == 0, "an answer does not know of those that are under way");
	queue_told(&q, "b", 2, 8, 5000 * CLOCK_MS, 100 * CLOCK_MS);
	CHECK(go(&q, 100 * CLOCK_MS) == 0, "nor of those of a window before");
	queue_back(&q, &m[0].i, 100 * CLOCK_MS, 0);
	queue_off(&q, &m[0].i);
	queue_told(&q, "b", 0, 8, 4990 * CLOCK_MS, 110 * CLOCK_MS);
	queue_told(&q, "b", 2, 8, 4980 * CLOCK_MS, 120 * CLOCK_MS);
	CHECK(go(&q, 120 * CLOCK_MS) == 0, "one that was overtaken does not open what the other has closed");
	queue_close(&q, "b", 5 * CLOCK_S, false, CLOCK_S);
	queue_close(&q, "b", CLOCK_S, false, CLOCK_S + 1);
	CHECK(go(&q, 5500 * CLOCK_MS) == 0 && queue_due(&q, false) == 6 * CLOCK_S, "a shorter wait does not end a longer one");
	queue_release(&q);
}

static void refusals(void)
{
	struct refusals r = {0};
	int64_t now = 1000 * CLOCK_S, wait;

	refusals_put(&r, REFUSALS_ONE / 20, 500 * CLOCK_S, now);
	refusals_put(&r, REFUSALS_ONE - 1, 100 * CLOCK_S, now);
	wait = refusals_wait(&r, REFUSALS_ONE, now);
	CHECK(wait > 400 * CLOCK_S, "nothing before a tenth is free again, and not one more at each slot: %lld s", (long long)(wait / CLOCK_S));
}

int main(void)
{
	scratch_make(dir);
	discord();
	twitch();
	webhook();
	table();
	buckets();
	refusals();
	return check_done();
}
