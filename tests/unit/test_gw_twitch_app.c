/*
 * Twitch with an app token: lists and what follows of them, the connection of webhooks, conduits and their shards. Events and webhooks to lines:
 * tests/gatewayd/data/twitch.
 */
#include "check.h"
#include "platform_probe.h"
#include "twitch_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sign.h"
#include "gatewayd/platform/platform.h"

/* A webhook of user.authorization.grant; the signature is made here. */
static void consents(struct out *o, const char *user)
{
	static const char time[] = "2023-11-14T22:13:20Z";
	char body[128], step[1024], hex[2 * SIGN_SHA256 + 1];
	unsigned char mac[SIGN_SHA256];
	int n = snprintf(body, sizeof(body), "{\"subscription\":{},\"event\":{\"client_id\":\"C\",\"user_id\":\"%s\"}}", user);
	const struct sign_part parts[] = {{user, strlen(user)}, {time, sizeof(time) - 1}, {body, (size_t)n}};

	CHECK(sign_hmac(mac, "a-secret-of-webhooks", 20, parts, 3) == 0, "signed");
	sign_hex(hex, mac, sizeof(mac));
	snprintf(step, sizeof(step), "hook 7 - Twitch-Eventsub-Message-Id: %s | Twitch-Eventsub-Message-Timestamp: %s | Twitch-Eventsub-Message-Type: "
		"notification | Twitch-Eventsub-Subscription-Type: user.authorization.grant | Twitch-Eventsub-Message-Signature: sha256=%s | %s\n",
		user, time, hex, body);
	probe_run(o, step);
}

static void lists(void)
{
	struct out *o = begin(WEBHOOK, SUBS);
	const char *r;

	CHECK(probe_saw(o, "http 1 GET https://api.twitch.tv/helix/eventsub/subscriptions token=app"), "webhooks: is the token good?");
	probe_run(o, "answer 1 " PAGE(LISTED("S1", "enabled", CHAT_KEY)));
	CHECK(probe_saw(o, "connections 1") && !probe_saw(o, "http 2"), "then it is asked who looks after them");
	probe_run(o, "dial 0\nopened 0\n");
	CHECK(probe_saw(o, "dial 0  opening") && probe_saw(o, "http 2 GET"), "this process, without a socket; the list comes first");
	probe_take(o);
	probe_run(o, "answer 2 200 {\"data\":[" LISTED("S1", "enabled", CHAT_KEY) ","
		"{\"id\":\"S5\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{},\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/other\"}}],"
		"\"pagination\":{\"cursor\":\"a b=\"}}\n");
	CHECK(probe_saw(o, "http 3 GET https://api.twitch.tv/helix/eventsub/subscriptions?after=a%20b%3D token=app"), "page by page");
	probe_take(o);
	probe_run(o, "answer 3 " PAGE(LISTED("S6", "enabled", "\"type\":\"y\",\"version\":\"1\",\"condition\":{\"a\":\"\"}")));
	CHECK(probe_saw(o, "http 4 DELETE") && !probe_saw(o, "http 5"), "what is in the way goes first");
	probe_run(o, "answer 4 204 \n");
	r = probe_take(o);
	CHECK(strstr(r, FOLLOW_KEY ",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\",\"secret\":\"a-secret-of-webhooks\"}}") &&
	      !strstr(r, CHAT_KEY) && strstr(r, "?id=S6 ") && !strstr(r, "?id=S5"), "the missing is made, ours that nobody wants deleted: %s", r);
	probe_run(o, "answer 5 202 {\"data\":[{\"id\":\"S2\",\"status\":\"webhook_callback_verification_pending\"}]}\nstatus\n");
	CHECK(has(o, "\"state\":\"pending\""), "verified later");
	probe_run(o, "advance 5000\n");
	CHECK(probe_saw(o, "http 6 GET") && !probe_saw(o, "live"), "soon looked at: another process may have had the challenge");
	probe_run(o, "answer 6 " PAGE(LISTED("S1", "enabled", CHAT_KEY) "," LISTED("S2", "enabled", FOLLOW_KEY)));
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "gap") && probe_saw(o, "save 0 hook 2023-11-14T22:13:20.000Z ") &&
	      has(o, " https://bots.example/hook/t/bot listed="), "all is there: live");
	probe_run(o, "advance 1200000\n");
	CHECK(probe_saw(o, "http 7 GET"), "looked at again by and by");
	probe_take(o);
	probe_run(o, "answer 7 " PAGE(LISTED("S1", "authorization_revoked", CHAT_KEY) "," LISTED("S2", "notification_failures_exceeded", FOLLOW_KEY)));
	r = probe_take(o);
	CHECK(strstr(r, "save 0 hole 2023-11-14T22:13:20.000Z "), "a new process is to know that something is missing: %s", r);
	CHECK(!strstr(r, FOLLOW_KEY) && strstr(r, "http 8 DELETE") && strstr(r, "?id=S2 ") && !strstr(r, "?id=S1") && !strstr(r, CHAT_KEY),
	      "what failed is deleted, not what a person took back: %s", r);
	probe_run(o, "answer 8 204 \n");
	r = probe_take(o);
	CHECK(strstr(r, "http 9 POST") && strstr(r, FOLLOW_KEY) && !strstr(r, CHAT_KEY) && !strstr(r, "gap"), "and made anew: %s", r);
	probe_run(o, "answer 9 409 {\"message\":\"subscription already exists\",\"id\":\"S7\"}\n");
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:13:20.000Z] [2023-11-14T22:13:20.000Z] notification_failures_exceeded"), "what it missed is told");
	CHECK(probe_saw(o, "http 10 GET"), "one that is said to exist is looked for");
	probe_take(o);
	consents(o, "6");
	CHECK(!probe_saw(o, "http 11"), "somebody has consented: not one that something hangs on");
	consents(o, "99");
	CHECK(probe_saw(o, "http 11 DELETE") && has(o, "?id=S1 "), "whose subscription was taken back: deleted");
	probe_run(o, "answer 11 204 \n");
	CHECK(has(o, CHAT_KEY), "and asked for again");
	probe_free(o);
}

/* Connection 0 of webhooks: what an earlier process left. */
static void callback(void)
{
	static const char both[] = "opened 0\nanswer 2 " PAGE(LISTED("S1", "enabled", CHAT_KEY) "," LISTED("S2", "enabled", FOLLOW_KEY));
	static const char hook[] = "dial 0 %s %s %.32s %s\n";
	struct out *o = begin(WEBHOOK, SUBS);
	char digest[40] = "", step[256];
	const char *r, *at;

	probe_run(o, "answer 1 " EMPTY "dial 0\n");
	probe_run(o, both);
	r = probe_take(o);
	at = strstr(r, "save 0 hook 2023-11-14T22:13:20.000Z ");
	CHECK(at && strstr(r, "live 0 up"), "live");
	if (at)
		snprintf(digest, sizeof(digest), "%.32s", at + strlen("save 0 hook 2023-11-14T22:13:20.000Z "));
	probe_run(o, "wall 1700000100\nadvance 60000\n");
	CHECK(probe_saw(o, "save 0 hook 2023-11-14T22:15:00.000Z"), "every minute it says that it lives");
	probe_run(o, "wall 1700000110\ndrain 0\n");
	CHECK(probe_saw(o, "save 0 hook 2023-11-14T22:15:10.000Z"), "and when it goes");
	probe_take(o);
	probe_run(o, "advance 3600000\nstatus\n");
	CHECK(!probe_saw(o, "http") && has(o, "looked after by the process that holds connection 0"), "then another process looks after all of it");
	probe_free(o);

	static const struct { const char *time, *digest, *url, *gap, *how; } left[] = {
		{"2023-11-14T22:12:00.000Z", NULL, "https://bots.example/hook/t/bot", NULL, NULL},
		{"2023-11-14T22:10:00.000Z", NULL, "https://bots.example/hook/t/bot", "nobody took webhooks", NULL},
		{"2023-11-14T22:12:00.000Z", "00112233445566778899aabbccddeeff", "https://bots.example/hook/t/bot", "the secret of webhooks is another one", NULL},
		{"2023-11-14T22:12:00.000Z", NULL, "https://bots.example/before", "the callback is another one", NULL},
		{"2023-11-14T22:12:00.000Z", NULL, "https://bots.example/hook/t/bot", "gap 0 [2023-11-14T22:12:00.000Z] [2023-11-14T22:13:20.000Z] the process before ended", "hole"},
		{"-", NULL, "https://bots.example/hook/t/bot", "gap 0 [] [2023-11-14T22:13:20.000Z] the process before ended", "hole"},
	};
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		o = begin(WEBHOOK, SUBS);
		probe_run(o, "answer 1 " EMPTY);
		snprintf(step, sizeof(step), hook, left[i].how ? left[i].how : "hook", left[i].time, left[i].digest ? left[i].digest : digest, left[i].url);
		probe_run(o, step);
		probe_take(o);
		probe_run(o, both);
		if (left[i].digest) {
			CHECK(probe_saw(o, "http 3 DELETE") && probe_saw(o, "http 4 DELETE") && !probe_saw(o, "live"), "another secret: what there is goes");
			probe_run(o, "answer 3 204 \nanswer 4 204 \n" MADE("5", "S3", "00:00") MADE("6", "S4", "00:00"));
		}
		r = probe_take(o);
		CHECK(left[i].gap ? strstr(r, left[i].gap) && strstr(r, "live 0 up") : strstr(r, "live 0 resumed") && !strstr(r, "gap"), "left %zu: %s", i, r);
		probe_free(o);
	}

	o = begin(WEBHOOK, SUBS);
	probe_run(o, "answer 1 " EMPTY);
	snprintf(step, sizeof(step), hook, "hook", left[0].time, digest, "https://bots.example/before");
	probe_run(o, step);
	probe_run(o, "opened 0\nanswer 2 " PAGE("{\"id\":\"S9\",\"status\":\"enabled\"," CHAT_KEY
		",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/before\"}}"));
	CHECK(has(o, "?id=S9 "), "what goes to the former callback is deleted");
	probe_free(o);

	o = begin(WEBHOOK, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nanswer 2 " EMPTY "answer 3 202 {\"data\":[{\"id\":\"S2\",\"status\":\"webhook_callback_verification_pending\"}]}\n"
		"answer 4 403 {}\n");
	probe_take(o);
	probe_run(o, "advance 30000\n");
	CHECK(has(o, "lost 0 resume 0 wait=0ms Twitch has not verified the callback: does https://bots.example/hook/t/bot lead here?"), "it says what to look at");
	probe_free(o);
}

/* The challenge comes before the answer to the request that it belongs to. */
static void early_challenge(void)
{
	struct out *o = begin(WEBHOOK, "channel.chat.message broadcaster_user_id=42 user_id=99\n");

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nanswer 2 " EMPTY "wall 1704164645\nhook 1 - Twitch-Eventsub-Message-Id: a | Twitch-Eventsub-Message-Timestamp: 2024-01-02T03:04:05Z | "
		"Twitch-Eventsub-Message-Type: webhook_callback_verification | Twitch-Eventsub-Message-Signature: sha256="
		"ecd9a3bf6b104ddee499ffdaeb26d67260e9284979853c561950c41c002b536d | "
		"{\"challenge\":\"c\",\"subscription\":{" CHAT_KEY "}}\nanswer 3 202 {\"data\":[{\"id\":\"S1\",\"status\":\"webhook_callback_verification_pending\"}]}\nstatus\n");
	CHECK(probe_saw(o, "reply 1 200 text/plain c") && has(o, "\"state\":\"enabled\",\"http\":202,\"id\":\"S1\""), "verified before it is known");
	probe_free(o);
}

static void conduits(void)
{
	struct out *o = conduit_live();
	const char *r;

	probe_run(o, "gone 1 4006 \n" "dial 1\nopened 1\n" WELCOME("1", "C", "01:00"));
	r = probe_take(o);
	CHECK(strstr(r, SHARDS("7")) && strstr(r, "\"shards\":[" SHARD("1", "C") "]") && !strstr(r, "POST"), "attached anew, subscriptions need nothing: %s", r);
	probe_run(o, "answer 7 202 {\"data\":[{\"id\":\"1\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 1 resumed") && !probe_saw(o, "gap"), "the other shard had its events: no gap");
	CHECK(probe_saw(o, "http 8 GET https://api.twitch.tv/helix/eventsub/subscriptions?conduit_id=C-1"), "the subscriptions are looked at");
	probe_run(o, "gone 1 0 reset\ndial 1\nopened 1\n" WELCOME("1", "D", "02:00") "answer 9 202 {\"data\":[{\"id\":\"1\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "gap 1 [2024-05-01T10:01:00.5Z]") && probe_saw(o, "live 1 up"), "what was sent to a dead socket is lost: a gap");
	probe_take(o);
	probe_run(o, "gone 0 1001 \ngone 1 1001 \ndial 0\ndial 1\nopened 0\nopened 1\n" WELCOME("0", "E", "03:00") WELCOME("1", "F", "03:00")
		"answer 10 202 {\"data\":[{\"id\":\"0\"}]}\nanswer 11 202 {\"data\":[{\"id\":\"1\"}]}\n");
	r = probe_take(o);
	CHECK(strstr(r, "gap 0 ") && strstr(r, "gap 1 "), "both off at once: a gap for both: %s", r);
	probe_run(o, "frame 0 {\"metadata\":{\"message_id\":\"x\",\"message_type\":\"notification\"," AT("04:00") ",\"subscription_type\":\"conduit.shard.disabled\"},"
		"\"payload\":{\"event\":{\"conduit_id\":\"C-1\",\"shard_id\":\"1\",\"status\":\"websocket_network_error\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"F\"}}}}\n");
	CHECK(probe_saw(o, SHARDS("12")) && has(o, SHARD("1", "F")), "Twitch thinks it is dead: attached again");
	probe_free(o);
}

static void conduit_moves(void)
{
	struct out *o = conduit_live();
	const char *r;

	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "N", "30:01"));
	r = probe_take(o);
	CHECK(strstr(r, SHARD("0", "N")) && !strstr(r, "switch"), "the new socket is attached first: %s", r);
	probe_run(o, OFFLINE("0", "n1", "30:01") "answer 7 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	r = probe_take(o);
	CHECK(strstr(r, "\"id\":\"n1\"") && strstr(r, "switch 0") && !strstr(r, "gap") && !strstr(r, "\nlive"), "then the old one goes: %s", r);
	probe_run(o, "gone 0 4005 \ndial 0\nopened 0\n" WELCOME("0", "O", "40:00")
		"answer 8 202 {\"data\":[],\"errors\":[{\"id\":\"0\",\"message\":\"The shard id is outside the conduit's range\",\"code\":\"invalid_parameter\"}]}\n");
	CHECK(has(o, "lost 0 resume 1000 wait=10000ms the shard was not attached: The shard id is outside"), "202 says nothing: errors are read");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "P", "41:00") "answer 9 404 {\"message\":\"conduit not found\"}\nadvance 1500\n");
	CHECK(has(o, "GET https://api.twitch.tv/helix/eventsub/conduits "), "the conduit is gone: looked for again");
	probe_run(o, "status\n");
	CHECK(has(o, "\"conduit\":null"), "and shown so");
	probe_free(o);
}

/* We close with these codes when a frame breaks the protocol: what came behind it was not read. */
static void conduit_broken(void)
{
	static const char *const codes[] = { "1002 a continuation of nothing", "1007 a text message that is no UTF-8", "1009 too long" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct out *o = conduit_live();
		char text[512];

		snprintf(text, sizeof(text), "gone 1 %s\ndial 1\nopened 1\n" WELCOME("1", "C", "01:00")
			"answer 7 202 {\"data\":[{\"id\":\"1\"}],\"errors\":[]}\n", codes[i]);
		probe_run(o, text);
		CHECK(probe_saw(o, "gap 1 [") && probe_saw(o, "live 1 up"), "%s: the other shard did not have all: a gap", codes[i]);
		probe_free(o);
	}
}

/* Attached again, and moved while the answer is on its way. */
static void conduit_both(void)
{
	struct out *o = conduit_live();

	probe_run(o, "frame 1 {\"metadata\":{\"message_id\":\"x\",\"message_type\":\"notification\"," AT("04:00") ",\"subscription_type\":\"conduit.shard.disabled\"},"
		"\"payload\":{\"event\":{\"conduit_id\":\"C-1\",\"shard_id\":\"0\",\"transport\":{\"session_id\":\"A\"}}}}\n");
	CHECK(probe_saw(o, SHARDS("7")), "attached again");
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "N", "30:01") "answer 7 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	CHECK(!probe_saw(o, "switch") && has(o, SHARD("0", "N")), "which is no answer about the socket of the move");
	probe_run(o, "answer 8 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "switch 0") && !probe_saw(o, "gap"), "that one is");
	probe_free(o);
}

/* A process that holds another shard than the first, and Twitch does not know of it any more. */
static void conduit_forgotten(void)
{
	struct out *o = begin(CONDUIT "conduit = C-1\n", SUBS);
	const char *r;

	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\ndial 1\nopened 1\n" WELCOME("1", "B", "00:02")
		"answer 2 202 {\"data\":[{\"id\":\"1\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 1 up") && !probe_saw(o, "http 3"), "live; subscriptions are another process's");
	probe_take(o);
	for (int i = 0; i < 120; i++)
		probe_run(o, "advance 10000\n" KEEPALIVE("1", "20:00"));
	r = probe_take(o);
	CHECK(strstr(r, "http 3 GET https://api.twitch.tv/helix/eventsub/conduits/shards?conduit_id=C-1"), "its shard is looked at");
	probe_run(o, "answer 3 200 {\"data\":[" SHARD_OF("1", "enabled", "B") "],\"pagination\":{}}\n");
	CHECK(!probe_saw(o, "http 4"), "all is well");
	for (int i = 0; i < 120; i++)
		probe_run(o, "advance 10000\n" KEEPALIVE("1", "20:00"));
	probe_take(o);
	probe_run(o, "answer 4 200 {\"data\":[" SHARD_OF("1", "websocket_disconnected", "B") "],\"pagination\":{}}\n");
	CHECK(probe_saw(o, SHARDS("5")) && has(o, SHARD("1", "B")), "switched off: attached again");
	probe_run(o, "answer 5 202 {\"data\":[{\"id\":\"1\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "gap 1 [2023-11-14T22:13:20.000Z] [2023-11-14T22:13:20.000Z] Twitch has another socket on the shard, or none: websocket_disconnected"), "and told");
	probe_free(o);
}

/* The socket of a move had its welcome, perhaps, which is lost: the shard's events went there. */
static void conduit_grace(void)
{
	struct out *o = conduit_live();

	probe_run(o, MOVE("wss://one/") "opened 0.1\ngone 0 4004 \n");
	CHECK(probe_saw(o, "lost 0"), "the old one is closed behind its back");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "N", "31:00") "answer 7 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z]") && probe_saw(o, "live 0 up"), "not resumed: a gap");
	probe_free(o);

	o = conduit_live();
	probe_run(o, OFFLINE("0", "n1", "30:00") "acked 0 9\n" MOVE("wss://one/") "opened 0.1\ndrain 0\n");
	CHECK(probe_saw(o, "linger 0 +4000") || probe_saw(o, "close 0.0 1000"), "given away on the move");
	CHECK(probe_saw(o, "save 0 open A 2024-05-01T10:30:00.5Z") && !probe_saw(o, "save 0 handed"), "its new holder is not to count on a shard that was whole");
	probe_free(o);

	o = conduit_live();
	probe_run(o, MOVE("wss://one/") "opened 0.1\ngone 1 4000 \ndial 1\nopened 1\n" WELCOME("1", "N", "31:00")
		"answer 7 202 {\"data\":[{\"id\":\"1\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "gap 1 [") && probe_saw(o, "live 1 up"), "nor does a shard that is on the move stand in for another one");
	probe_free(o);
}

static void conduit_handed(void)
{
	struct out *o = conduit_live();

	probe_run(o, "advance 2000\ndrain 0\n");
	CHECK(probe_saw(o, "linger 0 +4000") && probe_saw(o, "save 0 handed A 2024-05-01T10:00:04.500Z") && !probe_saw(o, "close"), "the socket lingers");
	probe_take(o);
	probe_run(o, OFFLINE("0.2", "n1", "00:05") WELCOME("0.2", "X", "00:05"));
	CHECK(has(o, "\"id\":\"n1\""), "and is read on");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "N", "00:07") "answer 8 202 {\"data\":[{\"id\":\"0\"}]}\n");
	CHECK(probe_saw(o, "live 0 resumed") && !probe_saw(o, "gap"), "attached in time: nothing is missing");
	probe_run(o, "acked 0 1\ndrain 0\ndial 0\nopened 0\n" WELCOME("0", "N", "00:11") "advance 2000\nanswer 9 202 {\"data\":[{\"id\":\"0\"}]}\n");
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:00:07.500Z] [2024-05-01T10:00:13.5") && probe_saw(o, "live 0 up"), "too late: a gap, until it is attached");
	probe_free(o);
}

#define SHARD_HOOK(id, status) "{\"id\":\"" id "\",\"status\":\"" status "\",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\"}}"

static void conduit_made(void)
{
	struct out *o = begin(CONDUIT, SUBS);
	const char *r;

	probe_run(o, "answer 1 200 {\"data\":[]}\ndial 1\nopened 1\n" WELCOME("1", "B", "00:01"));
	CHECK(probe_saw(o, "connections 2") && !probe_saw(o, "http 3"), "none yet: it is the holder of connection 0 who makes it");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "A", "00:02") "answer 2 200 {\"data\":[]}\n");
	r = probe_take(o);
	CHECK(strstr(r, "POST https://api.twitch.tv/helix/eventsub/conduits token=app") && strstr(r, "{\"shard_count\":2}"), "made: %s", r);
	probe_run(o, "answer 3 200 {\"data\":[{\"id\":\"C-7\",\"shard_count\":2}]}\n");
	r = probe_take(o);
	CHECK(strstr(r, "{\"conduit_id\":\"C-7\",\"shards\":[" SHARD("0", "A") "," SHARD("1", "B") "]}"), "all that wait in one request: %s", r);
	probe_free(o);

	o = begin(CONDUIT, SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1},{\"id\":\"C-2\",\"shard_count\":1}]}\nstatus\n");
	CHECK(!probe_saw(o, "connections") && has(o, "say which, with conduit = ID"), "several: none is touched");
	probe_free(o);

	o = begin(CONDUIT, SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\n");
	CHECK(!probe_saw(o, "http 2"), "by one of all processes");
	probe_run(o, "dial 0\n");
	r = probe_take(o);
	CHECK(strstr(r, "PATCH https://api.twitch.tv/helix/eventsub/conduits token=app") && strstr(r, "{\"id\":\"C-1\",\"shard_count\":2}"), "grown: %s", r);
	probe_run(o, "answer 2 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\nanswer 3 200 {\"data\":[{\"id\":\"S8\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\","
		"\"condition\":{},\"transport\":{\"method\":\"conduit\",\"conduit_id\":\"C-1\"}}],\"pagination\":{}}\n");
	CHECK(!has(o, "DELETE"), "in a conduit that was only found nothing is deleted");
	probe_free(o);

	o = begin(APP "transport = conduit\nconduit-shards = 2\ncallback = https://bots.example/hook/t/bot\nwebhook-secret-file = secret\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\n");
	CHECK(!probe_saw(o, "http 2"), "shards over webhooks: of several processes one attaches them");
	probe_run(o, "dial 0\nopened 0\n");
	CHECK(probe_saw(o, "connections 1") && probe_saw(o, "http 2 GET https://api.twitch.tv/helix/eventsub/conduits/shards?conduit_id=C-1"), "after a look");
	probe_run(o, "answer 3 " EMPTY);
	probe_take(o);
	probe_run(o, "answer 2 200 {\"data\":[" SHARD_HOOK("0", "enabled") "],\"pagination\":{}}\n");
	r = probe_take(o);
	CHECK(strstr(r, "\"shards\":[{\"id\":\"1\",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\","
	      "\"secret\":\"a-secret-of-webhooks\"}}]}"), "only what is not attached already: %s", r);
	CHECK(!strstr(r, "\nlive"), "not live yet");
	probe_run(o, "answer 6 202 {\"data\":[{\"id\":\"1\",\"status\":\"webhook_callback_verification_pending\"}],\"errors\":[]}\nadvance 7000\n");
	CHECK(probe_saw(o, "http 7 GET https://api.twitch.tv/helix/eventsub/conduits/shards?conduit_id=C-1"), "is it verified?");
	probe_run(o, "answer 7 200 {\"data\":[" SHARD_HOOK("0", "enabled") "," SHARD_HOOK("1", "enabled") "],\"pagination\":{}}\n");
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "gap"), "then it is live");
	probe_take(o);
	probe_run(o, MADE("4", "S1", "00:01") MADE("5", "S2", "00:01") "wall 1700001000\nadvance 1200000\n");
	CHECK(probe_saw(o, "http 8 GET https://api.twitch.tv/helix/eventsub/conduits/shards"), "looked at by and by");
	probe_run(o, "answer 8 200 {\"data\":[" SHARD_HOOK("0", "enabled") "," SHARD_HOOK("1", "notification_failures_exceeded") "],\"pagination\":{}}\n");
	r = probe_take(o);
	CHECK(strstr(r, SHARDS("10")) && strstr(r, "{\"id\":\"1\"") && !strstr(r, "{\"id\":\"0\"") && !strstr(r, "gap"), "switched off: attached again: %s", r);
	probe_run(o, "answer 10 202 {\"data\":[{\"id\":\"1\"}],\"errors\":[]}\nadvance 7000\nanswer 11 200 {\"data\":[" SHARD_HOOK("1", "enabled") "],\"pagination\":{}}\n");
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:13:20.000Z]"), "and told");
	probe_free(o);
}

/* A list of webhooks to where those of the account went, and elsewhere. */
#define OLD_HOOKS "200 {\"data\":[{\"id\":\"W1\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{}" HOOKED "," \
	"{\"id\":\"W2\",\"status\":\"authorization_revoked\",\"type\":\"y\",\"version\":\"1\",\"condition\":{}" HOOKED "," \
	"{\"id\":\"W3\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{},\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/other\"}}," \
	"{\"id\":\"W4\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{},\"transport\":{\"method\":\"conduit\",\"conduit_id\":\"C-1\"}}]," \
	"\"pagination\":{}}\n"
#define WENT "https://bots.example/hook/t/bot"

/* Webhooks are given up for a conduit: over sockets. */
static void swept_sockets(void)
{
	struct out *o = begin(APP "transport = conduit\n", SUBS);
	const char *r;

	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0 hook 2023-11-14T22:12:00.000Z 0123456789abcdef0123456789abcdef " WENT "\n");
	CHECK(has(o, "http 2 GET https://api.twitch.tv/helix/eventsub/subscriptions token=app"), "first all there is");
	probe_run(o, "answer 2 " OLD_HOOKS);
	r = probe_take(o);
	CHECK(strstr(r, "DELETE https://api.twitch.tv/helix/eventsub/subscriptions?id=W1 ") && !strstr(r, "=W2") && !strstr(r, "=W3") && !strstr(r, "=W4") &&
		!strstr(r, "conduit_id="), "ours that are in force are deleted before anything is made: %s", r);
	probe_run(o, "opened 0\n" WELCOME("0", "A", "00:01") "answer 4 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\nacked 0 1\n");
	r = probe_take(o);
	CHECK(strstr(r, "gap 0 [2023-11-14T22:12:00.000Z]") && strstr(r, "the webhooks were given up for sockets") &&
		strstr(r, "save 0 open A 2024-05-01T10:00:01.5Z " WENT "\n"), "what is left is not forgotten: %s", r);
	probe_run(o, "answer 3 204\n");
	CHECK(has(o, "GET https://api.twitch.tv/helix/eventsub/subscriptions token=app"), "looked at again");
	probe_run(o, "answer 5 " EMPTY);
	r = probe_take(o);
	CHECK(strstr(r, "save 0 open A 2024-05-01T10:00:01.5Z\n") && strstr(r, "subscriptions?conduit_id=C-1 "), "none is left: on with the conduit: %s", r);
	probe_free(o);

	o = begin(APP "transport = conduit\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0 open A 2024-05-01T10:00:01.5Z " WENT "\n");
	CHECK(probe_saw(o, "http 2 GET https://api.twitch.tv/helix/eventsub/subscriptions token=app"), "killed before that: looked at again");
	probe_free(o);
	o = begin(APP "transport = conduit\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0 open A 2024-05-01T10:00:01.5Z\n");
	CHECK(probe_saw(o, "http 2 GET https://api.twitch.tv/helix/eventsub/subscriptions?conduit_id=C-1 token=app"), "without webhooks there is nothing to look for");
	probe_free(o);
}

#define HOOK_CONDUIT APP "transport = conduit\ncallback = " WENT "\nwebhook-secret-file = secret\n"

static void swept_callback(void)
{
	struct out *o = begin(HOOK_CONDUIT, SUBS);
	char digest[33], step[400];
	const char *r;

	/* How it looks when there are none any more. */
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0\nopened 0\nanswer 2 200 {\"data\":[" SHARD_HOOK("0", "enabled") "],\"pagination\":{}}\n");
	r = strstr(probe_take(o), "save 0 hook 2023-11-14T22:13:20.000Z ");
	CHECK(r && strstr(r, " " WENT " -\n"), "saved: %s", r ? r : "nothing");
	snprintf(digest, sizeof(digest), "%s", r + strlen("save 0 hook 2023-11-14T22:13:20.000Z "));
	probe_free(o);

	o = begin(HOOK_CONDUIT, SUBS);
	snprintf(step, sizeof(step), "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0 hook 2023-11-14T22:13:00.000Z %s " WENT "\nopened 0\n", digest);
	probe_run(o, step);
	CHECK(probe_saw(o, "http 3 GET https://api.twitch.tv/helix/eventsub/subscriptions token=app"), "all there is");
	probe_run(o, "answer 3 " OLD_HOOKS);
	snprintf(step, sizeof(step), "save 0 hole 2023-11-14T22:13:00.000Z %s " WENT " " WENT " listed=", digest);
	r = probe_take(o);
	CHECK(strstr(r, step) && strstr(r, "?id=W1 "), "written down, then deleted: %s", r);
	probe_run(o, "answer 2 200 {\"data\":[" SHARD_HOOK("0", "enabled") "],\"pagination\":{}}\nanswer 4 204\nanswer 5 " EMPTY "answer 6 " EMPTY);
	r = probe_take(o);
	CHECK(strstr(r, "live 0") && !strstr(r, "gap"), "the gap waits until all is made: %s", r);
	probe_run(o, MADE("7", "S1", "00:01") MADE("8", "S2", "00:01"));
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:13:00.000Z]") && has(o, "the webhooks were given up for a conduit"), "told once");
	probe_free(o);

	o = begin(HOOK_CONDUIT, SUBS);
	snprintf(step, sizeof(step), "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":1}]}\ndial 0 hook 2023-11-14T22:13:00.000Z %s " WENT " -\nopened 0\n"
		"answer 2 200 {\"data\":[" SHARD_HOOK("0", "enabled") "],\"pagination\":{}}\n", digest);
	probe_run(o, step);
	r = probe_take(o);
	CHECK(strstr(r, "conduit_id=C-1 ") && !strstr(r, "subscriptions token=app") && strstr(r, "live 0 resumed"), "a conduit as before: %s", r);
	probe_free(o);
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);	/* what is taken back, and what is refused */
	lists();
	callback();
	early_challenge();
	swept_sockets();
	swept_callback();
	conduits();
	conduit_moves();
	conduit_broken();
	conduit_both();
	conduit_forgotten();
	conduit_grace();
	conduit_handed();
	conduit_made();
	return check_done();
}
