/* Twitch: rules of its documentation that no other check holds up one by one: what is not believed, limits, statuses, webhooks, what a shard's events mean. */
#include "check.h"
#include "platform_probe.h"
#include "twitch_play.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sign.h"
#include "gatewayd/platform/platform.h"

#define NOTE(type, id, time, event) "frame 0 {\"metadata\":{\"message_id\":\"" id "\",\"message_type\":\"notification\"," AT(time) ",\"subscription_type\":\"" type "\"}," \
	"\"payload\":{\"event\":" event "}}\n"
#define REVOKED(status) "frame 0 {\"metadata\":{\"message_id\":\"r\",\"message_type\":\"revocation\"," AT("01:00") "},\"payload\":{\"subscription\":{\"id\":\"S1\"," \
	"\"status\":\"" status "\"," CHAT_KEY "}}}\n"
#define HOOKED ",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\"}}"
#define LISTED(id, status, key) "{\"id\":\"" id "\",\"status\":\"" status "\"," key HOOKED
#define PAGE(entries) "200 {\"data\":[" entries "],\"pagination\":{}}\n"
#define BOTH PAGE(LISTED("S1", "enabled", CHAT_KEY) "," LISTED("S2", "enabled", FOLLOW_KEY))

static unsigned count(const char *record, const char *what)
{
	unsigned n = 0;

	for (; (record = strstr(record, what)); record++)
		n++;
	return n;
}

static void play(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void play(struct out *o, const char *fmt, ...)
{
	char step[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step, sizeof(step), fmt, ap);
	va_end(ap);
	probe_run(o, step);
}

/* A hook of this kind, signed here; before: what stands before the digits. */
static void hook(struct out *o, const char *ticket, const char *before, const char *kind, const char *type, const char *body)
{
	static const char time[] = "2023-11-14T22:13:20Z";
	char step[4096], hex[2 * SIGN_SHA256 + 1];
	const struct sign_part parts[] = {{ticket, strlen(ticket)}, {time, sizeof(time) - 1}, {body, strlen(body)}};
	unsigned char mac[SIGN_SHA256];

	CHECK(sign_hmac(mac, "a-secret-of-webhooks", 20, parts, 3) == 0, "signed");
	sign_hex(hex, mac, sizeof(mac));
	snprintf(step, sizeof(step), "hook %s - Twitch-Eventsub-Message-Id: %s | Twitch-Eventsub-Message-Timestamp: %s | Twitch-Eventsub-Message-Type: %s | "
		"Twitch-Eventsub-Subscription-Type: %s | Twitch-Eventsub-Message-Signature: %s%s | %s\n", ticket, ticket, time, kind, type, before, hex, body);
	probe_run(o, step);
}

/* Time goes by on a socket that lives. */
static void live_for(struct out *o, int seconds, const char *keepalive)
{
	char step[512];

	for (int i = 0; i < seconds; i += 10) {
		snprintf(step, sizeof(step), "advance 10000\n%s", keepalive);
		probe_run(o, step);
	}
}

static void keepalives(void)
{
	static const struct { const char *seconds, *want; } rows[] = {
		{"10", "12000"}, {"1", "1500"}, {"600", "720000"}, {"null", "12000"}, {"0", "12000"}, {"-5", "12000"}, {"1e9", "12000"}, {"\"10\"", "12000"},
	};
	char want[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = begin(PLAIN, SUBS);

		probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n");
		play(o, "frame 0 {\"metadata\":{\"message_id\":\"w\",\"message_type\":\"session_welcome\"," AT("00:00") "},\"payload\":{\"session\":{\"id\":\"A\","
			"\"keepalive_timeout_seconds\":%s}}}\n", rows[i].seconds);
		snprintf(want, sizeof(want), "expect 0.0 %s no keepalive", rows[i].want);
		CHECK(probe_saw(o, want), "a keepalive of %s s: silent for %s ms at most", rows[i].seconds, rows[i].want);
		probe_free(o);
	}
}

static void frames(void)
{
	struct out *o = begin(PLAIN, SUBS);
	char text[256] = "x";
	const char *r;

	for (size_t n = 1; n < 240; n += 2)
		strcpy(text + n, "\xc3\xa4");
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nbinary 0 00\n");
	CHECK(probe_saw(o, "lost 0 resume 1000 wait=0ms the welcome could not be read"), "what may have been the welcome is not waited for");
	probe_free(o);
	o = up();
	/* {"subscription":{"type":"x"},"event":{}} */
	probe_run(o, "binary 0 7b22737562736372697074696f6e223a7b2274797065223a2278227d2c226576656e74223a7b7d7d\n");
	CHECK(!probe_saw(o, "line"), "text belongs in text frames");
	probe_free(o);
	/* A gap that is still to be told is not left behind by what is saved. */
	o = up();
	live_for(o, 50, KEEPALIVE("0", "01:00"));
	probe_run(o, "advance 9900\nbinary 0 00\n" OFFLINE("0", "n1", "01:01") "advance 200\nbinary 0 00\n" OFFLINE("0", "n2", "01:02"));
	probe_take(o);
	probe_run(o, "acked 0 9\n");
	CHECK(!probe_saw(o, "save"), "not saved as safe: what comes behind a frame that made no sense");
	probe_free(o);
	/* Close reasons and texts are cut to fit, never within a character. */
	o = up();
	play(o, "gone 0 1011 %s\n", text);
	r = probe_take(o);
	CHECK(strstr(r, "lost 0 resume 0 wait=0ms 1011 x\\xc3\\xa4") && !strstr(r, "\\xc3\n"), "a long reason");
	probe_free(o);
	o = begin(PLAIN, SUBS);
	play(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") "answer 2 403 {\"message\":\"%s\"}\nstatus\n", text);
	r = probe_take(o);
	CHECK(strstr(r, "\"said\":\"status 403: x\xc3\xa4") && !strstr(r, "\xc3\""), "a long answer, as it is shown");
	probe_free(o);
}

static void late_ones(void)
{
	struct out *o = up();

	probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" WELCOME("0", "B", "07:00") MADE("4", "S3", "07:01") "advance 8000\n");
	CHECK(probe_saw(o, "live 0 up") && probe_saw(o, "gap 0 [2024-05-01T10:00:00.5Z] [2024-05-01T10:07:01.5Z] reset"), "live with what there is");
	probe_take(o);
	probe_run(o, MADE("5", "S4", "07:20"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:00:00.5Z] [2024-05-01T10:07:20.5Z] some subscriptions were made late"), "what was made late missed more");
	probe_free(o);
	o = begin(PLAIN, "a 1 x=1\na 1 x=2\na 1 x=3\na 1 x=4\na 1 x=5\na 1 x=6\na 1 x=7\n");
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n");
	probe_take(o);
	probe_run(o, WELCOME("0", "A", "00:00"));
	CHECK(probe_saw(o, POST("2") "user within=8000ms"), "within the ten seconds of the welcome");
	CHECK(count(probe_take(o), " POST ") == 4, "a few at a time");
	probe_free(o);
	/* A plain session is left with what the hub has. */
	o = up();
	probe_run(o, OFFLINE("0", "n1", "05:00") "drain 0\n");
	CHECK(probe_saw(o, "save 0 open A 2024-05-01T10:00:00.5Z\n") && probe_saw(o, "close 0.0 1000"), "handed over before the hub had the last line");
	probe_free(o);
}

static void was(void)
{
	struct out *o = up();

	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02"));
	live_for(o, 100, KEEPALIVE("0", "31:40"));
	probe_take(o);
	platform_find("twitch")->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	probe_run(o, "answer 4 200 {\"data\":[{\"id\":\"S1\",\"status\":\"enabled\"," CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}},"
		"{\"id\":\"S2\",\"status\":\"enabled\"," FOLLOW_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}}],\"pagination\":{}}\n");
	CHECK(probe_saw(o, LIST("4")) && count(probe_take(o), "http ") == 1, "a list that lags behind a move shows the session by the name it had");
	probe_free(o);
}

static void limits(void)
{
	struct out *o = begin(PLAIN, SUBS);
	const char *r;
	long wait;

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00")
		"answer 2 429 Ratelimit-Remaining: 0 | Ratelimit-Reset: 1700100000 | {\"message\":\"Too Many Requests\"}\n");
	r = strstr(probe_take(o), "lost 0 resume 1000 wait=");
	wait = r ? atol(r + 24) : 0;
	CHECK(wait >= 600000 && wait <= 601000, "a reset of tomorrow is a clock that differs: %ld ms", wait);
	probe_free(o);
}

static void statuses(void)
{
	static const char *const back[] = {"authorization_revoked", "user_removed", "moderator_removed", "chat_user_banned", "version_removed", "beta_maintenance"};
	struct out *o;

	for (size_t i = 0; i < sizeof(back) / sizeof(*back); i++) {
		o = up();
		play(o, REVOKED("%s") "advance 10000\n%s", back[i], KEEPALIVE("0", "01:10"));
		CHECK(!probe_saw(o, "http") && probe_saw(o, "line 0"), "%s: told, and not asked for again", back[i]);
		probe_free(o);
	}
	o = up();
	probe_run(o, REVOKED("websocket_internal_error"));
	CHECK(probe_saw(o, POST("4")) && has(o, CHAT_KEY), "what nobody took back is made anew");
	probe_free(o);

	/* Lists: a person's word holds until there is a new token or file; one that fails to be verified is not asked for over and over. */
	o = begin(WEBHOOK, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nanswer 2 " PAGE(LISTED("S1", "authorization_revoked", CHAT_KEY)));
	CHECK(probe_saw(o, "http 3 DELETE"), "at the start it is tried again");
	probe_run(o, "answer 3 503 \n");
	probe_take(o);
	probe_run(o, "advance 3000\n");
	CHECK(has(o, "DELETE https://api.twitch.tv/helix/eventsub/subscriptions?id=S1 "), "what could not be deleted is, later");
	probe_run(o, "answer 4 204 \nanswer 5 202 {\"data\":[{\"id\":\"S3\",\"status\":\"webhook_callback_verification_pending\"}]}\n"
		"answer 6 202 {\"data\":[{\"id\":\"S4\",\"status\":\"enabled\"}]}\n");
	probe_take(o);
	probe_run(o, "advance 5000\n");
	CHECK(probe_saw(o, "http 7 GET"), "the callback is looked after");
	probe_run(o, "answer 7 " PAGE(LISTED("S3", "webhook_callback_verification_failed", CHAT_KEY)));
	CHECK(!probe_saw(o, "http 8"), "neither at once again, nor that which was made a moment ago and is not listed yet");
	probe_free(o);
}

static void webhooks(void)
{
	struct out *o = begin(WEBHOOK, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nanswer 2 " BOTH);
	CHECK(probe_saw(o, "live 0 up"), "live");
	hook(o, "1", "sha1=ab", "notification", "stream.offline", "{\"event\":{\"broadcaster_user_id\":\"42\"}}");
	hook(o, "2", "sha265=", "notification", "stream.offline", "{\"event\":{\"broadcaster_user_id\":\"42\"}}");
	CHECK(probe_saw(o, "reply 1 403") && probe_saw(o, "reply 2 403"), "another kind of signature is none");
	hook(o, "3", "sha256=", "notification", "drop.entitlement.grant", "{\"events\":[{\"id\":\"d1\",\"data\":{\"user_id\":\"7\"}},7]}");
	CHECK(probe_saw(o, "reply 3 204 - kept") && has(o, "\"id\":\"d1\""), "of a batch, what can be read");
	hook(o, "4", "sha256=", "notification", "drop.entitlement.grant", "{\"events\":[7]}");
	CHECK(probe_saw(o, "reply 4 400"), "nothing of it");
	probe_take(o);
	hook(o, "5", "sha256=", "revocation", "channel.chat.message", "{\"subscription\":{\"id\":\"S1\",\"status\":\"notification_failures_exceeded\"," CHAT_KEY "}}");
	CHECK(probe_saw(o, "reply 5 204 - kept") && probe_saw(o, "http 3 DELETE"), "failed, and nobody's will: what is left of it goes");
	probe_run(o, "answer 3 204 \n");
	CHECK(probe_saw(o, "http 4 POST") && has(o, CHAT_KEY), "and it is made anew");
	probe_free(o);
	o = up();
	hook(o, "1", "sha256=", "notification", "stream.offline", "{\"event\":{\"broadcaster_user_id\":\"42\"}}");
	CHECK(probe_saw(o, "reply 1 404"), "an account over sockets takes none");
	probe_free(o);
	o = probe_new(platform_find("twitch"));
	probe_file(o, "client", "c");
	probe_file(o, "subs", SUBS);
	probe_file(o, "long", "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890");
	CHECK(probe_account(o, APP "transport = webhook\ncallback = https://x/\nwebhook-secret-file = long\n") == -1, "a secret of 101 characters is one that Twitch refuses");
	probe_free(o);
}

/* ---- conduits ---- */

#define ATTACHED(n, shard) "answer " n " 202 {\"data\":[{\"id\":\"" shard "\",\"status\":\"enabled\"}],\"errors\":[]}\n"
#define DISABLED(conduit, shard, session) NOTE("conduit.shard.disabled", "x", "04:00", "{\"conduit_id\":\"" conduit "\",\"shard_id\":\"" shard "\",\"transport\":{\"session_id\":\"" session "\"}}")

/* One shard, attached as A by request 5. */
static struct out *conduit_up(void)
{
	struct out *o = begin(APP "transport = conduit\nconduit = C-1\n", SUBS);

	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0\nanswer 2 " EMPTY MADE("3", "S1", "00:01") MADE("4", "S2", "00:01")
		"opened 0\n" WELCOME("0", "A", "00:02") ATTACHED("5", "0"));
	CHECK(probe_saw(o, "live 0 up"), "live");
	probe_take(o);
	return o;
}

static void shards(void)
{
	struct out *o = conduit_up();
	const char *r;

	probe_run(o, DISABLED("C-2", "0", "A") DISABLED("C-1", "0", "Z") DISABLED("C-1", "7", "A") DISABLED("C-1", "x", "A"));
	CHECK(!probe_saw(o, "http"), "another conduit's, an older session's, no shard of ours: no news");
	probe_run(o, DISABLED("C-1", "0", "A"));
	CHECK(probe_saw(o, "http 6 PATCH"), "ours is attached again");
	probe_free(o);

	o = conduit_up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "A", "30:01"));
	CHECK(probe_saw(o, "switch 0") && !probe_saw(o, "http"), "a session that keeps its name is attached already");
	probe_free(o);

	o = conduit_up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "N", "30:01") "gone 0 4004 \n");
	CHECK(!probe_saw(o, "lost"), "closed when the next one has its welcome: that goes on");
	probe_run(o, ATTACHED("6", "0"));
	CHECK(probe_saw(o, "switch 0") && probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z]"), "with what perhaps was missed");
	probe_free(o);

	/* What is listed may be older than an attachment, and than a move. */
	o = conduit_up();
	platform_find("twitch")->due(probe_object(o), OUT_ACCOUNT, 1, probe_now(o));
	r = strstr(probe_take(o), "GET https://api.twitch.tv/helix/eventsub/conduits/shards?conduit_id=C-1");
	CHECK(r, "looked at");
	probe_run(o, "answer 6 200 {\"data\":[{\"id\":\"0\",\"status\":\"websocket_disconnected\",\"transport\":{\"session_id\":\"Q\"}}],\"pagination\":{}}\n");
	CHECK(!has(o, "PATCH"), "a moment after it was attached");
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "N", "30:01") "answer 7 " PAGE(LISTED("x", "enabled", CHAT_KEY)) ATTACHED("8", "0"));
	CHECK(probe_saw(o, "switch 0"), "moved");
	live_for(o, 100, KEEPALIVE("0", "32:00"));
	probe_take(o);
	platform_find("twitch")->due(probe_object(o), OUT_ACCOUNT, 1, probe_now(o));
	r = strstr(probe_take(o), "http ");
	CHECK(r && strstr(r, "/conduits/shards?"), "looked at later");
	{
		char step[256];

		snprintf(step, sizeof(step), "answer %u 200 {\"data\":[{\"id\":\"0\",\"status\":\"enabled\",\"transport\":{\"session_id\":\"A\"}}],\"pagination\":{}}\n", (unsigned)atoi(r + 5));
		probe_run(o, step);
	}
	CHECK(!has(o, "PATCH"), "by the name the session had before");
	probe_free(o);

	/* The socket lingers only where nothing is on its way. */
	o = conduit_up();
	probe_run(o, OFFLINE("0", "n1", "05:00") "drain 0\n");
	CHECK(!probe_saw(o, "linger") && probe_saw(o, "save 0 open A 2024-05-01T10:00:02.5Z listed=") && probe_saw(o, "close 0.0 1000"), "handed over with a line that the hub has not kept");
	probe_free(o);
}

static void conduit(void)
{
	struct out *o = begin(CONDUIT, SUBS);

	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":5}]}\ndial 0\n");
	CHECK(!has(o, "PATCH"), "one that was only found is not made smaller: somebody may use the others");
	probe_free(o);
	o = begin(CONDUIT "conduit = C-1\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":5}]}\ndial 0\n");
	CHECK(has(o, "{\"id\":\"C-1\",\"shard_count\":2}"), "one that is ours is");
	probe_free(o);
	o = begin(CONDUIT, SUBS);
	probe_run(o, "answer 1 200 {\"data\":[]}\ndial 0\nopened 0\n" WELCOME("0", "A", "00:02") "answer 2 200 {\"data\":[]}\n"
		"answer 3 200 {\"data\":[{\"id\":\"C-7\",\"shard_count\":2}]}\n");
	CHECK(has(o, "{\"conduit_id\":\"C-7\""), "made here");
	probe_run(o, "answer 5 200 {\"data\":[{\"id\":\"S8\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{},\"transport\":{\"method\":\"conduit\","
		"\"conduit_id\":\"C-7\"}}],\"pagination\":{}}\n");
	CHECK(has(o, "DELETE https://api.twitch.tv/helix/eventsub/subscriptions?id=S8 "), "and so ours: what nobody wants in it goes");
	probe_free(o);
	/* The challenge of a shard comes here. */
	o = begin(APP "transport = conduit\nconduit = C-1\ncallback = https://bots.example/hook/t/bot\nwebhook-secret-file = secret\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0\nopened 0\nanswer 2 200 {\"data\":[],\"pagination\":{}}\nanswer 3 " EMPTY
		"answer 4 202 {\"data\":[{\"id\":\"0\",\"status\":\"webhook_callback_verification_pending\"}],\"errors\":[]}\n");
	CHECK(!probe_saw(o, "live"), "not verified yet");
	hook(o, "7", "sha256=", "webhook_callback_verification", "x", "{\"challenge\":\"xyz\",\"conduit_shard\":{\"conduit_id\":\"C-1\",\"shard\":\"0\"}}");
	CHECK(probe_saw(o, "reply 7 200 text/plain xyz\n") && probe_saw(o, "live 0 up"), "verified: live, without another look");
	probe_free(o);
}

/* ---- events ---- */

static void events(void)
{
	struct out *o = up();
	const char *r;

	probe_run(o, NOTE("channel.chat.message", "c1", "06:00", "{\"broadcaster_user_id\":\"42\",\"chatter_user_id\":\"7\",\"message_id\":\"u1\",\"message\":{\"text\":\"hi\"},"
		"\"badges\":[{\"set_id\":\"lead_moderator\",\"id\":\"1\",\"info\":\"\"}],\"reply\":null}"));
	r = probe_take(o);
	CHECK(strstr(r, "\"roles\":[\"moderator\"]") && !strstr(r, "reply_to"), "a leading moderator is one");
	probe_run(o, NOTE("channel.chat.message", "c5", "06:00", "{\"broadcaster_user_id\":\"42\",\"chatter_user_id\":\"7\",\"message_id\":\"u2\",\"message\":{\"text\":\"hi\"},"
		"\"source_broadcaster_user_id\":\"43\",\"source_message_id\":\"u9\"}"));
	CHECK(has(o, "\"message_id\":\"u2\",\"shared_id\":\"u9\""), "written in another channel, with which the chat is shared");
	probe_run(o, NOTE("channel.chat.message", "c6", "06:00", "{\"broadcaster_user_id\":\"42\",\"chatter_user_id\":\"7\",\"message_id\":\"u9\",\"message\":{\"text\":\"hi\"},"
		"\"source_broadcaster_user_id\":\"42\",\"source_message_id\":\"u9\"}"));
	CHECK(!has(o, "shared_id"), "written here");
	probe_run(o, NOTE("channel.chat.clear_user_messages", "c2", "06:00", "{\"broadcaster_user_id\":\"42\"}"));
	CHECK(has(o, "\"type\":\"platform.event\""), "whose messages are cleared is not said: not all of the channel's");
	probe_run(o, NOTE("channel.chat.message_delete", "c3", "06:00", "{\"broadcaster_user_id\":\"42\"}"));
	CHECK(has(o, "\"type\":\"platform.event\""), "nor is which message");
	probe_run(o, NOTE("channel.subscribe", "c4", "06:00", "{\"broadcaster_user_id\":\"42\",\"user_id\":\"7\",\"tier\":null,\"is_gift\":true}"));
	r = probe_take(o);
	CHECK(strstr(r, "\"type\":\"channel.subscribe\"") && !strstr(r, "null") && strstr(r, "\"gift\":true"), "null is nothing");
	probe_free(o);
	o = begin(PLAIN, "channel.update broadcaster_user_id=42\nchannel.moderate broadcaster_user_id=42\nautomod.message.hold broadcaster_user_id=42\nchannel.raid to_broadcaster_user_id=42\n");
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00"));
	r = probe_take(o);
	CHECK(strstr(r, "\"type\":\"channel.update\",\"version\":\"2\"") && strstr(r, "\"type\":\"channel.moderate\",\"version\":\"2\"") &&
		strstr(r, "\"type\":\"automod.message.hold\",\"version\":\"2\"") && strstr(r, "\"type\":\"channel.raid\",\"version\":\"1\""), "the version that there is");
	probe_free(o);
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);
	keepalives();
	frames();
	late_ones();
	was();
	limits();
	statuses();
	webhooks();
	shards();
	conduit();
	events();
	return check_done();
}
