/* deliver's targets: what is asked for, and what each answer means. Every target goes through the same checks at the end. */
#include "check.h"
#include "deliver_play.h"

#include <string.h>

#include "deliver/target/target.h"

/* ---- Discord ---- */

static void discord_requests(void *it)
{
	const struct target *t = &target_discord;
	static const struct { const char *data; enum form form; const char *method, *url, *body; enum repeat repeat; } row[] = {
		{CHANNEL ",\"text\":\"x\\n\"", FORM_CREATE, "POST", "https://api.test/v10/channels/11/messages",
			"{\"content\":\"x\\n\",\"allowed_mentions\":{\"parse\":[]},\"nonce\":\"NONCE\",\"enforce_nonce\":true}", REPEAT_SOON},
		{CHANNEL ",\"text\":\"x\",\"reply_to\":\"7\",\"mentions\":[\"roles\",\"everyone\",\"reply\"]", FORM_CREATE, "POST",
			"https://api.test/v10/channels/11/messages", "{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[\"roles\",\"everyone\"],"
			"\"replied_user\":true},\"nonce\":\"NONCE\",\"enforce_nonce\":true,\"message_reference\":{\"message_id\":\"7\","
			"\"fail_if_not_exists\":false}}", REPEAT_SOON},
		{CHANNEL ",\"text\":\"x\",\"edit\":\"8\"", FORM_EDIT, "PATCH", "https://api.test/v10/channels/11/messages/8",
			"{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[]}}", REPEAT_SAFE},
		{INTERACTION ",\"text\":\"x\"", FORM_CALLBACK, "POST", "https://api.test/v10/interactions/5/to-k.en/callback?with_response=true",
			"{\"type\":4,\"data\":{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[]}}}", REPEAT_SAFE},
		{INTERACTION ",\"text\":\"\"", FORM_DEFER, "POST", "https://api.test/v10/interactions/5/to-k.en/callback", "{\"type\":5}", REPEAT_SAFE},
		{INTERACTION ",\"text\":\"x\"", FORM_ORIGINAL, "PATCH", "https://api.test/v10/webhooks/6/to-k.en/messages/@original",
			"{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[]}}", REPEAT_SAFE},
		{INTERACTION ",\"text\":\"x\"", FORM_FOLLOWUP, "POST", "https://api.test/v10/webhooks/6/to-k.en?wait=true",
			"{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[]}}", REPEAT_NEVER},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct say s = say_of(row[i].data, row[i].form);
		struct request r = ask(t, it, &s);
		char *nonce = strstr(r.body.p, s.nonce), body[1000] = "";

		snprintf(body, sizeof(body), "%.*s%s%s", nonce ? (int)(nonce - r.body.p) : (int)r.body.len, r.body.p, nonce ? "NONCE" : "",
			nonce ? nonce + SAY_NONCE : "");
		CHECK(!t->check(it, &s), "request %zu can be made", i);
		CHECK(strcmp(r.method, row[i].method) == 0 && strcmp(r.url.p, row[i].url) == 0, "request %zu: %s %s", i, r.method, r.url.p);
		CHECK(strcmp(body, row[i].body) == 0, "its body: %s", body);
		CHECK(has_field(&r, "Authorization: Bot tok") == (row[i].form == FORM_CREATE || row[i].form == FORM_EDIT), "its credentials");
		CHECK(t->repeat(it, &s) == row[i].repeat, "whether it may be repeated");
		release(&r);
		say_release(&s);
	}
}

static void discord_checks(void *it)
{
	static const char *const bad[] = {
		"\"channel\":{\"id\":\"\"},\"text\":\"x\"", "\"channel\":{\"id\":\"11/../12\"},\"text\":\"x\"",
		"\"channel\":{\"id\":\"123456789012345678901\"},\"text\":\"x\"", CHANNEL ",\"text\":\"x\",\"edit\":\"8?\"",
		CHANNEL ",\"text\":\"x\",\"interaction\":{\"id\":\"5\",\"token\":\"a/b\",\"application_id\":\"6\"}",
		CHANNEL ",\"text\":\"x\",\"interaction\":{\"id\":\"5\"}", CHANNEL ",\"text\":\"x\",\"interaction\":{\"id\":\"x\",\"token\":\"t\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct say s = say_of(bad[i], FORM_CREATE);

		CHECK(target_discord.check(it, &s), "refused: %s", bad[i]);
		say_release(&s);
	}
}

static void discord_answers(void *it)
{
	static const char *const bucket[] = {"X-RateLimit-Bucket", "abc", "X-RateLimit-Remaining", "4", "X-RateLimit-Limit", "5", "X-RateLimit-Reset-After",
		"1.5", NULL};
	static const char *const shared[] = {"X-RateLimit-Scope", "shared", NULL}, *const global[] = {"X-RateLimit-Global", "true", NULL};
	static const char *const bare[] = {"Retry-After", "3", NULL}, *const empty[] = {NULL};
	static const char *const date[] = {"Retry-After", "Thu, 01 Jan 1970 00:16:45 GMT", NULL};	/* 5 s after the answers' 1000 */
	static const struct { enum form form; int status; const char *body; const char *const *fields; enum verdict_kind kind; const char *code, *id; int64_t wait;
		bool everybody, counts; } row[] = {
		{FORM_CREATE, 200, "{\"id\":\"99\"}", empty, SAID, "", "99", 0, false, false},
		{FORM_CREATE, 200, "{\"id\":99}", empty, SAID, "", "", 0, false, false},
		{FORM_CREATE, 200, "", empty, SAID, "", "", 0, false, false},
		{FORM_CALLBACK, 200, "{\"resource\":{\"message\":{\"id\":\"98\"}}}", empty, SAID, "", "98", 0, false, false},
		{FORM_CALLBACK, 204, "", empty, SAID, "", "", 0, false, false},
		{FORM_CREATE, 400, "{\"code\":50035,\"message\":\"Invalid Form Body\",\"errors\":{\"content\":{\"_errors\":[{\"code\":\"X\",\"message\":\"too long\"}]}}}",
			empty, REFUSED, "50035", "", 0, false, false},
		{FORM_CREATE, 401, "{\"code\":0,\"message\":\"401: Unauthorized\"}", empty, DENIED, "", "", 0, false, true},
		{FORM_FOLLOWUP, 401, "{\"code\":50027,\"message\":\"Invalid Webhook Token\"}", empty, REFUSED, "50027", "", 0, false, true},
		{FORM_CREATE, 403, "{\"code\":50013,\"message\":\"Missing Permissions\"}", empty, REFUSED, "50013", "", 0, false, true},
		{FORM_CREATE, 403, "<html>", bare, LIMITED, "", "", 3 * CLOCK_S, true, true},
		{FORM_CREATE, 404, "{\"code\":10003,\"message\":\"Unknown Channel\"}", empty, REFUSED, "10003", "", 0, false, false},
		{FORM_CALLBACK, 404, "{\"code\":10062,\"message\":\"Unknown interaction\"}", empty, REFUSED, "10062", "", 0, false, false},
		{FORM_CALLBACK, 400, "{\"code\":40060,\"message\":\"already acknowledged\"}", empty, ANSWERED, "40060", "", 0, false, false},
		{FORM_ORIGINAL, 404, "{\"code\":10008,\"message\":\"Unknown Message\"}", empty, NOT_THAT_WAY, "10008", "", 0, false, false},
		{FORM_EDIT, 404, "{\"code\":10008,\"message\":\"Unknown Message\"}", empty, REFUSED, "10008", "", 0, false, false},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":0.65,\"global\":false}", empty, LIMITED, "", "", 700 * CLOCK_MS, false, true},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":1,\"global\":true}", empty, LIMITED, "", "", 1050 * CLOCK_MS, false, true},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":1}", global, LIMITED, "", "", 1050 * CLOCK_MS, false, true},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":1}", shared, LIMITED, "", "", 1050 * CLOCK_MS, false, false},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":1e9}", empty, LIMITED, "", "", 86400 * CLOCK_S + 50 * CLOCK_MS, false, true},
		{FORM_CREATE, 403, "{\"message\":\"internal network error\",\"code\":40333}", empty, LIMITED, "40333", "", 60 * CLOCK_S, true, true},
		{FORM_CREATE, 429, "{\"message\":\"slow\",\"retry_after\":-1}", bare, LIMITED, "", "", 3050 * CLOCK_MS, false, true},
		{FORM_CREATE, 429, "<html>", bare, LIMITED, "", "", 3050 * CLOCK_MS, true, true},
		{FORM_CREATE, 429, "<html>", empty, LIMITED, "", "", 60 * CLOCK_S, true, true},
		{FORM_CREATE, 503, "{\"code\":130000,\"message\":\"overloaded\"}", empty, BROKEN, "130000", "", 0, false, false},
		{FORM_CREATE, 429, "<html>", date, LIMITED, "", "", 5050 * CLOCK_MS, true, true},
		{FORM_CREATE, 503, "", date, BROKEN, "", "", 5 * CLOCK_S, false, false},
		{FORM_CREATE, 502, "<html>", empty, BROKEN, "", "", 0, false, false},
		{FORM_CREATE, 400, "{\"code\":130000,\"message\":\"overloaded\"}", empty, BROKEN, "130000", "", 0, false, false},
		{FORM_CREATE, 302, "", empty, REFUSED, "", "", 0, false, false},
	};
	struct say s = say_of(CHANNEL ",\"text\":\"x\"", FORM_CREATE), other = say_of("\"platform\":\"discord\",\"channel\":{\"id\":\"12\"},\"text\":\"x\"", FORM_CREATE);
	struct need before[NEEDS_MAX], after[NEEDS_MAX];
	struct verdict v;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct say each = say_of(row[i].form >= FORM_CALLBACK ? INTERACTION ",\"text\":\"x\"" : CHANNEL ",\"text\":\"x\"", row[i].form);

		v = judge(&target_discord, it, &each, row[i].status, row[i].body, row[i].fields);
		CHECK(v.kind == row[i].kind && strcmp(v.code, row[i].code) == 0 && strcmp(v.id, row[i].id) == 0 && v.wait == row[i].wait &&
			v.everybody == row[i].everybody && v.counts == row[i].counts, "answer %zu: %d \"%s\" \"%s\" %lld %s", i, v.kind, v.code, v.id,
			(long long)v.wait, v.text);
		say_release(&each);
	}
	v = judge(&target_discord, it, &s, 400, row[5].body, empty);
	CHECK(strcmp(v.text, "Invalid Form Body: too long") == 0, "the form's error is told: %s", v.text);
	CHECK(target_discord.needs(it, &s, before) == 2 && before[0].n == 50 && before[1].unknown == 1, "the bot's limit, and one at a time of a bucket");
	v = judge(&target_discord, it, &s, 200, "{}", bucket);
	target_discord.needs(it, &s, after);
	CHECK(v.ntold == 1 && v.told[0].left == 4 && v.told[0].limit == 5 && v.told[0].reset == 1550 * CLOCK_MS, "the bucket's limit");
	CHECK(strcmp(after[1].name, before[1].name) != 0 && strcmp(v.told[0].name, after[1].name) == 0, "by its name from then on: %s", after[1].name);
	target_discord.needs(it, &other, before);
	CHECK(strcmp(before[1].name, after[1].name) != 0 && strcmp(before[0].name, after[0].name) == 0, "another channel is another bucket of the same bot");
	v = judge(&target_discord, it, &s, 429, row[15].body, bucket);
	CHECK(v.ntold == 1 && v.told[0].limit == 5 && strcmp(v.closed, after[1].name) == 0, "429 closes the bucket: %s", v.closed);
	v = judge(&target_discord, it, &s, 429, row[16].body, empty);
	CHECK(v.ntold == 0 && strcmp(v.closed, after[0].name) == 0, "or everything of the bot, whose limit stays as it is: %s", v.closed);
	v = judge(&target_discord, it, &s, 429, row[19].body, shared);
	CHECK(v.ntold == 0 && !*v.closed, "a shared one closes nothing");
	say_release(&s);
	say_release(&other);
}

static void discord(void)
{
	void *it;

	put("tok", "tok\n");
	it = open_one(&target_discord, "platform = discord\ntoken-file = tok\napi = https://api.test/v10\n");
	CHECK(it && strcmp(target_discord.upstream(it), "up https://api.test") == 0, "an account of Discord");
	discord_requests(it);
	discord_checks(it);
	discord_answers(it);
	target_discord.close(it);
	put("tok", "two words\n");
	CHECK(!open_one(&target_discord, "platform = discord\ntoken-file = tok\n"), "refused: no token");
	CHECK(!open_one(&target_discord, "platform = discord\ntoken-file = tok\napi = ftp://x\n"), "refused: no address");
}

/* ---- Twitch ---- */

static void twitch(void)
{
	static const char *const points[] = {"ratelimit-remaining", "0", "Ratelimit-Limit", "800", "RATELIMIT-RESET", "1030", NULL};
	static const char *const some[] = {"Ratelimit-Remaining", "7", "Ratelimit-Limit", "800", "Ratelimit-Reset", "99999999999", NULL}, *const none[] = {NULL};
	static const struct { int status; const char *body; const char *const *fields; enum verdict_kind kind; const char *code, *id; int64_t wait; } row[] = {
		{200, "{\"data\":[{\"message_id\":\"m\",\"is_sent\":true}]}", none, SAID, "", "m", 0},
		{200, "{\"data\":[{\"message_id\":\"\",\"is_sent\":false,\"drop_reason\":{\"code\":\"msg_duplicate\",\"message\":\"again\"}}]}", none, REFUSED,
			"msg_duplicate", "", 0},
		{200, "{\"data\":[{\"is_sent\":false,\"drop_reason\":null}]}", none, REFUSED, "not_sent", "", 0},
		{200, "{\"data\":[]}", none, BROKEN, "", "", 0},
		{200, "", none, BROKEN, "", "", 0},
		{400, "{\"error\":\"Bad Request\",\"status\":400,\"message\":\"no\"}", none, REFUSED, "400", "", 0},
		{401, "{\"status\":401}", none, DENIED, "401", "", 0},
		{403, "", none, REFUSED, "403", "", 0},
		{422, "", none, REFUSED, "422", "", 0},
		{429, "", points, LIMITED, "429", "", 30 * CLOCK_S},
		{429, "", some, LIMITED, "429", "", 0},
		{500, "", none, BROKEN, "500", "", 0},
	};
	void *it = open_one(&target_twitch, "platform = twitch\nclient-id = cid\nuser = 99\nhelix = https://h.test/helix\n");
	void *fast = open_one(&target_twitch, "platform = twitch\nclient-id = cid\nuser = 99\nchat-limit = 100\nsend-unknown = again\n");
	struct say s = say_of("\"platform\":\"twitch\",\"channel\":{\"id\":\"42\"},\"text\":\"a\\r\\nb \\\\n \\\"\\t\",\"reply_to\":\"01234567-89ab-cdef-0123-456789abcdef\"",
		FORM_CREATE);
	struct need need[NEEDS_MAX];
	struct request r;

	CHECK(it && fast, "accounts of Twitch");
	r = ask(&target_twitch, it, &s);
	CHECK(strcmp(r.url.p, "https://h.test/helix/chat/messages") == 0 && r.token == TOKEN_USER && has_field(&r, "Client-Id: cid"), "where to");
	CHECK(strcmp(r.body.p, "{\"broadcaster_id\":\"42\",\"sender_id\":\"99\",\"message\":\"a  b \\\\n \\\"\\t\","
		"\"reply_parent_message_id\":\"01234567-89ab-cdef-0123-456789abcdef\"}") == 0, "one line: %s", r.body.p);
	release(&r);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct verdict v = judge(&target_twitch, it, &s, row[i].status, row[i].body, row[i].fields);

		CHECK(v.kind == row[i].kind && strcmp(v.code, row[i].code) == 0 && strcmp(v.id, row[i].id) == 0 && v.wait == row[i].wait,
			"answer %zu: %d \"%s\" \"%s\" %lld", i, v.kind, v.code, v.id, (long long)v.wait);
	}
	CHECK(target_twitch.needs(it, &s, need) == 3 && need[1].n == 20 && need[2].n == 1, "a sender's limit and a channel's");
	CHECK(target_twitch.needs(fast, &s, need) == 2 && need[1].n == 100, "who may say more may do so in one channel");
	CHECK(target_twitch.repeat(it, &s) == REPEAT_NEVER && target_twitch.repeat(fast, &s) == REPEAT_SAFE, "send-unknown");
	say_release(&s);
	target_twitch.close(it);
	target_twitch.close(fast);
}

/* ---- webhooks ---- */

static void webhook(void)
{
	static const struct { const char *url; int status; const char *body; enum verdict_kind kind; const char *code; } row[] = {
		{"https://w.test/x", 200, "{\"id\":\"1\"}", SAID, "200"}, {"https://w.test/x", 404, "", ABSENT, "404"},
		{"https://w.test/x", 410, "", GONE, "410"}, {"https://w.test/x", 404, "{\"code\":10015}", GONE, "10015"},
		{"https://w.test/x", 404, "{\"code\":10003}", ABSENT, "404"}, {"https://w.test/x", 400, "{\"code\":10015}", REFUSED, "400"},
		{"https://w.test/x", 403, "", REFUSED, "403"}, {"https://w.test/x", 503, "", BROKEN, "503"},
		{"https://discord.com/api/webhooks/12/to-ken", 404, "", GONE, "404"},
		{"https://proxy.test:8/api/v10/webhooks/12/to-ken/slack?wait=true", 404, "<html>", GONE, "404"},
		{"https://discord.com/api/webhooks/12/to-ken", 403, "", REFUSED, "403"},
		{"https://w.test/api/webhooks/12", 404, "", ABSENT, "404"}, {"https://w.test/api/webhooks/12/", 404, "", ABSENT, "404"},
		{"https://w.test/api/webhooks/12/?a=b", 404, "", ABSENT, "404"}, {"https://w.test/api/webhooks/a/b", 404, "", ABSENT, "404"},
		{"https://w.test/api/v/webhooks/12/b", 404, "", ABSENT, "404"}, {"https://w.test/x/api/webhooks/12/b", 404, "", ABSENT, "404"},
		{"https://w.test", 404, "", ABSENT, "404"}, {"https://w.test?/api/webhooks/12/b", 404, "", ABSENT, "404"},
	};
	struct say s = say_of("\"platform\":\"webhook\",\"channel\":{\"id\":\"x\"},\"text\":\"x\"", FORM_CREATE);

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		char conf[300];
		struct need need[NEEDS_MAX];
		struct verdict v;
		void *it;

		snprintf(conf, sizeof(conf), "platform = webhook\nurl = %s\n", row[i].url);
		it = open_one(&target_webhook, conf);
		v = judge(&target_webhook, it, &s, row[i].status, row[i].body, NULL);
		CHECK(v.kind == row[i].kind && (v.kind == SAID || strcmp(v.code, row[i].code) == 0), "%s, %d %s: %d \"%s\"", row[i].url, row[i].status,
			row[i].body, v.kind, v.code);
		target_webhook.needs(it, &s, need);
		CHECK(v.kind != ABSENT || strcmp(v.closed, need[0].name) == 0, "its own gate closes");
		target_webhook.close(it);
	}
	say_release(&s);
}

/* ---- every target ---- */

static const struct { const char *name, *conf; } accounts[] = {
	{"null", "platform = null\n"},
	{"discord", "platform = discord\ntoken-file = tok\napplication-id = 6\n"},
	{"twitch", "platform = twitch\nclient-id = cid\nuser = 99\n"},
	{"webhook", "platform = webhook\nurl = https://w.test/x\n"},
};

static void *account_of(const struct target *t)
{
	for (size_t i = 0; i < sizeof(accounts) / sizeof(*accounts); i++)
		if (strcmp(accounts[i].name, t->name) == 0)
			return open_one(t, accounts[i].conf);
	return NULL;
}

static void each(void)
{
	static const char *const odd[] = {
		"", "null", "[]", "{}", "{\"code\":\"x\",\"message\":[],\"errors\":[{}]}", "{\"retry_after\":1e300,\"global\":\"x\"}", "\xff\xfe",
		"{\"data\":{}}", "{\"data\":[[]]}", "{\"id\":{}}", "{\"id\":\"\\u0000\"}", "{\"errors\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"_errors\":[]}}}}}}}}}}",
	};
	static const char *const strange[] = {"Retry-After", "-1", "X-RateLimit-Bucket", "", "X-RateLimit-Remaining", "99999999999", "X-RateLimit-Limit", "x",
		"X-RateLimit-Reset-After", "nan", "Ratelimit-Remaining", "1e3", "Ratelimit-Limit", "", "Ratelimit-Reset", "-5", NULL};
	struct say s = say_of(INTERACTION ",\"text\":\"x\"", FORM_CREATE);

	put("tok", "tok\n");
	for (size_t i = 0; targets[i]; i++) {
		const struct target *t = targets[i];
		void *it = account_of(t);
		unsigned most = 0;
		int wrong = 0;

		CHECK(it && target_find(t->name) == t && t->words && t->upstream(it)[0], "%s: opened, and found by its name", t->name);
		for (int f = 0; f < FORM_COUNT; f++) {
			struct need need[NEEDS_MAX];
			unsigned n;

			s.form = (enum form)f;
			n = t->needs(it, &s, need);
			most = n > most ? n : most;
			for (int status = 100; status < 600; status++)
				for (size_t k = 0; k < sizeof(odd) / sizeof(*odd); k++) {
					struct verdict v = judge(t, it, &s, status, odd[k], strange);

					wrong += v.kind >= VERDICT_COUNT || v.wait < 0 || v.wait > 86401 * CLOCK_S || v.ntold > NEEDS_MAX ||
						(v.kind == SAID && (status < 200 || status > 299)) || (status == 401 && v.kind != DENIED && v.kind != REFUSED) ||
						(status == 429 && v.kind != LIMITED && t != &target_null);
				}
		}
		CHECK(most <= NEEDS_MAX && wrong == 0, "%s: every answer has a sound verdict, %u gates", t->name, most);
		t->close(it);
	}
	CHECK(!target_find("myspace"), "others are not found");
	say_release(&s);
}

static void helpers(void)
{
	char name[NEED_NAME];
	int64_t ns;

	CHECK(target_digits("1") && !target_digits("") && !target_digits("1a") && !target_digits("123456789012345678901"), "digits");
	CHECK(target_seconds("0.65", &ns) && ns == 650 * CLOCK_MS && !target_seconds("-1", &ns) && !target_seconds("1e9", &ns) && !target_seconds(".", &ns) &&
		target_seconds("86401", &ns) && ns == 86400 * CLOCK_S && !target_seconds(NULL, &ns) && !target_seconds("", &ns), "seconds");
	CHECK(target_count("12") == 12 && target_count("-1") == -1 && target_count("1234567890") == -1, "counts");
	CHECK(target_upstream("https://u:p@h:8/x?y", name) == 0 && strcmp(name, "up https://h:8") == 0 && target_upstream("https:///x", name) &&
		target_upstream("file:///x", name), "upstreams");
}

int main(void)
{
	scratch_make(dir);
	helpers();
	discord();
	twitch();
	webhook();
	each();
	return check_done();
}
