/*
 * Twitch: welcome and first subscriptions, keepalive, move, loss and gap, close codes, refusals, reconciling, tokens, conduits. Events and webhooks to
 * lines: tests/gatewayd/data/twitch.
 */
#include "check.h"
#include "platform_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sign.h"
#include "gatewayd/platform/platform.h"

#define CONF "platform = twitch\nclient-id = C\nuser = 99\nsubscriptions = subs\n"
#define PLAIN CONF "token-file = token\n"
#define APP CONF "client-secret-file = client\n"
#define WEBHOOK APP "transport = webhook\ncallback = https://bots.example/hook/t/bot\nwebhook-secret-file = secret\n"
#define CONDUIT APP "transport = conduit\nconduit-shards = 2\n"
#define SUBS "channel.chat.message broadcaster_user_id=42 user_id=99\nchannel.follow user_id=0 broadcaster_user_id=42 # the newest\n\n"
#define CHAT_KEY "\"type\":\"channel.chat.message\",\"version\":\"1\",\"condition\":{\"broadcaster_user_id\":\"42\",\"user_id\":\"99\"}"
#define FOLLOW_KEY "\"type\":\"channel.follow\",\"version\":\"2\",\"condition\":{\"broadcaster_user_id\":\"42\",\"user_id\":\"0\"}"
#define AT(time) "\"message_timestamp\":\"2024-05-01T10:" time ".5Z\""
#define WELCOME(sock, id, time) "frame " sock " {\"metadata\":{\"message_id\":\"w\",\"message_type\":\"session_welcome\"," AT(time) "},\"payload\":{" \
	"\"session\":{\"id\":\"" id "\",\"status\":\"connected\",\"keepalive_timeout_seconds\":10,\"reconnect_url\":null}}}\n"
#define KEEPALIVE(sock, time) "frame " sock " {\"metadata\":{\"message_id\":\"k\",\"message_type\":\"session_keepalive\"," AT(time) "},\"payload\":{}}\n"
#define OFFLINE(sock, id, time) "frame " sock " {\"metadata\":{\"message_id\":\"" id "\",\"message_type\":\"notification\"," AT(time) "," \
	"\"subscription_type\":\"stream.offline\",\"subscription_version\":\"1\"},\"payload\":{\"subscription\":{\"id\":\"S\"}," \
	"\"event\":{\"broadcaster_user_id\":\"42\",\"broadcaster_user_login\":\"bob\",\"broadcaster_user_name\":\"Bob\"}}}\n"
#define MOVE(url) MOVE_BY("0", url)
#define MOVE_ON(url) MOVE_BY("0.1", url)
#define MOVE_BY(where, url) "frame " where " {\"metadata\":{\"message_id\":\"m\",\"message_type\":\"session_reconnect\"," AT("30:00") "},\"payload\":{" \
	"\"session\":{\"id\":\"A\",\"status\":\"reconnecting\",\"keepalive_timeout_seconds\":null,\"reconnect_url\":\"" url "\"}}}\n"
#define MADE(n, id, time) "answer " n " 202 {\"data\":[{\"id\":\"" id "\",\"status\":\"enabled\",\"created_at\":\"2024-05-01T10:" time ".5Z\"}],\"total\":1}\n"
#define EMPTY "200 {\"data\":[],\"pagination\":{}}\n"
#define POST(n) "http " n " POST https://api.twitch.tv/helix/eventsub/subscriptions token="
#define LIST(n) "http " n " GET https://api.twitch.tv/helix/eventsub/subscriptions token=user"

static struct out *begin(const char *conf, const char *subs)
{
	struct out *o = probe_new(platform_find("twitch"));

	probe_file(o, "token", "{\"access_token\":\"t\",\"refresh_token\":\"r\"}");
	probe_file(o, "client", "client-secret");
	probe_file(o, "secret", "a-secret-of-webhooks");
	probe_file(o, "subs", subs);
	CHECK(probe_account(o, conf) == 0, "the account is read");
	probe_run(o, "advance 100000000\nstart\n");
	return o;
}

/* Live on a plain socket: both subscriptions made by answers 2 and 3. */
static struct out *up(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") MADE("3", "S2", "00:02"));
	CHECK(probe_saw(o, "live 0 up"), "live");
	probe_take(o);
	return o;
}

static bool has(struct out *o, const char *text)
{
	return strstr(probe_take(o), text) != NULL;
}

/* Time goes by; the lists, of which the next one is request n, show S1. Leaves out those keepalives' record. */
static unsigned lists_for(struct out *o, int seconds, unsigned n)
{
	char want[32], step[512];

	for (int i = 0; i < seconds; i += 10) {
		probe_run(o, "advance 10000\n" KEEPALIVE("0", "20:00"));
		snprintf(want, sizeof(want), "http %u GET", n);
		if (!probe_saw(o, want))
			continue;
		snprintf(step, sizeof(step), "answer %u 200 {\"data\":[{\"id\":\"S1\",\"status\":\"enabled\"," CHAT_KEY
			",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}}],\"pagination\":{}}\n", n++);
		probe_run(o, step);
	}
	return n;
}

static void welcome(void)
{
	struct out *o = begin(PLAIN, SUBS);
	const char *r;

	CHECK(probe_saw(o, LIST("1")) && !probe_saw(o, "connections"), "the token is proved before anything is dialled");
	probe_run(o, "answer 1 " EMPTY);
	CHECK(probe_saw(o, "connections 1"), "then one connection");
	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, "dial 0 wss://eventsub.wss.twitch.tv/ws opening=10000ms"), "to Twitch's URL");
	probe_run(o, "opened 0\n");
	CHECK(probe_saw(o, "expect 0.0 15000 no welcome"), "a welcome is expected");
	probe_take(o);
	probe_run(o, WELCOME("0", "A", "00:00"));
	r = probe_take(o);
	CHECK(strstr(r, POST("2") "user") && strstr(r, "{" CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}}") &&
	      strstr(r, POST("3") "user") && strstr(r, FOLLOW_KEY), "subscriptions are made at once: %s", r);
	CHECK(strstr(r, "expect 0.0 12000 no keepalive") && !strstr(r, "\nlive") && !strstr(r, "\nsend"), "watched; not live yet; nothing is sent");
	probe_run(o, MADE("2", "S1", "00:01"));
	CHECK(!probe_saw(o, "live"), "live when all are answered");
	probe_run(o, "answer 3 403 {\"error\":\"Forbidden\",\"status\":403,\"message\":\"subscription missing proper authorization\"}\n");
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "gap"), "live with what there is, and nothing is missing");
	probe_take(o);
	probe_run(o, "status\n");
	r = probe_take(o);
	CHECK(strstr(r, CHAT_KEY ",\"state\":\"enabled\",\"connection\":0,\"http\":202,\"id\":\"S1\"") &&
	      strstr(r, FOLLOW_KEY ",\"state\":\"refused\",\"connection\":0,\"http\":403,\"said\":\"status 403: subscription missing"),
	      "each with Twitch's answer: %s", r);
	unsigned n = lists_for(o, 3000, 4);

	CHECK(!has(o, FOLLOW_KEY), "what was refused is not asked for again in a loop");
	lists_for(o, 1800, n);
	CHECK(has(o, FOLLOW_KEY), "once an hour it is: nobody tells that a ban is over");
	probe_free(o);
}

static void late(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") "advance 7999\n");
	CHECK(!probe_saw(o, "live"), "a slow answer is waited for");
	probe_run(o, "advance 1\n");
	CHECK(probe_saw(o, "live 0 up"), "but not for long");
	probe_free(o);
	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\nadvance 15000\n");
	CHECK(probe_saw(o, "expired 0.0 no welcome") && probe_saw(o, "lost 0 resume 0 wait=0ms no welcome"), "no welcome");
	probe_free(o);
}

static void keepalive(void)
{
	struct out *o = up();

	probe_run(o, "advance 11000\n" KEEPALIVE("0", "00:12") "advance 11999\n" OFFLINE("0", "n1", "00:24") "advance 11999\n");
	CHECK(!probe_saw(o, "expired"), "keepalives and notifications count");
	probe_run(o, "frame 0 {\"metadata\":{\"message_id\":\"r\",\"message_type\":\"revocation\"," AT("00:36") "},\"payload\":{\"subscription\":{\"id\":\"S2\","
		"\"status\":\"user_removed\"," FOLLOW_KEY "}}}\nadvance 11999\nbinary 0 00\nadvance 11999\n");
	CHECK(!probe_saw(o, "expired"), "so does whatever is sent in their place");
	probe_run(o, "advance 1\n");
	CHECK(probe_saw(o, "expired 0.0 no keepalive") && probe_saw(o, "lost 0 resume 0 wait=0ms no keepalive and no notification"), "silence does not");
	probe_free(o);
}

static void loss(void)
{
	struct out *o = up();
	const char *r;

	probe_run(o, OFFLINE("0", "n1", "05:00") "gone 0 0 connection reset\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms connection reset") && !probe_saw(o, "gap"), "lost; the range is not known yet");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "B", "07:00"));
	probe_take(o);
	probe_run(o, MADE("4", "S3", "07:01") MADE("5", "S4", "07:02"));
	r = probe_take(o);
	CHECK(strstr(r, "gap 0 [2024-05-01T10:05:00.5Z] [2024-05-01T10:07:02.5Z] connection reset\nlive 0 up"),
	      "from the last message to the last subscription, once it is known: %s", r);
	CHECK(strstr(r, LIST("6")), "what the old session left is looked for");
	probe_run(o, "answer 6 200 {\"data\":[{\"id\":\"S1\",\"status\":\"enabled\"," CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}},"
		"{\"id\":\"S3\",\"status\":\"enabled\"," CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"B\"}},"
		"{\"id\":\"S8\",\"status\":\"enabled\",\"type\":\"x\",\"version\":\"1\",\"condition\":{},\"transport\":{\"method\":\"websocket\",\"session_id\":\"B\"}},"
		"{\"id\":\"S9\",\"status\":\"enabled\"," CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"Z\"}}],\"pagination\":{}}\n");
	r = probe_take(o);
	CHECK(strstr(r, "DELETE https://api.twitch.tv/helix/eventsub/subscriptions?id=S1 ") && strstr(r, "?id=S8 ") && !strstr(r, "?id=S3") &&
	      !strstr(r, "?id=S9"), "deleted: of a dead session, or not wanted; not that of another program: %s", r);
	probe_free(o);
}

static void restarted(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0 open A 2024-05-01T09:00:00Z\nopened 0\n" WELCOME("0", "B", "07:00") MADE("2", "S3", "07:01")
		MADE("3", "S4", "07:02"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T09:00:00Z] [2024-05-01T10:07:02.5Z] the process that held the socket ended"), "told after a restart, too");
	probe_run(o, OFFLINE("0", "n1", "08:00"));
	for (int i = 0; i < 6; i++)
		probe_run(o, "advance 10000\n" KEEPALIVE("0", "08:50"));
	probe_run(o, OFFLINE("0", "n2", "09:00"));
	probe_take(o);
	probe_run(o, "acked 0 1\n");
	CHECK(!probe_saw(o, "save"), "a spot that is not kept yet is not saved");
	probe_run(o, "acked 0 2\n");
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:09:00.5Z"), "a minute's end is, once the hub has it");
	probe_run(o, "drain 0\n");
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:09:00.500Z") && probe_saw(o, "close 0.0 1000"), "drained: a plain session ends");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "C", "09:10") MADE("5", "S5", "09:11") MADE("6", "S6", "09:12"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:09:00.500Z] [2024-05-01T10:09:12.5Z] the process that held"), "taken back: a gap, too");
	probe_free(o);
}

static void move(void)
{
	struct out *o = up();
	const char *r;

	probe_run(o, MOVE("wss://elsewhere.example/ws?challenge=a%20b&x=1"));
	CHECK(probe_saw(o, "dial-next 0 wss://elsewhere.example/ws?challenge=a%20b&x=1 opening") && probe_saw(o, "expect 0.0 off"),
	      "the URL exactly as given; the old socket may go silent");
	probe_run(o, "opened 0.1\n" OFFLINE("0", "n1", "30:01"));
	CHECK(has(o, "\"id\":\"n1\""), "the old socket is read on");
	probe_run(o, WELCOME("0.1", "B", "30:02") OFFLINE("0", "n2", "30:03"));
	r = probe_take(o);
	CHECK(strstr(r, "switch 0\nexpect 0.0 12000") && !strstr(r, "POST") && !strstr(r, "gap") && !strstr(r, "\nlive"),
	      "the new one takes over, with its subscriptions and no gap: %s", r);
	probe_run(o, "advance 60000\n");
	CHECK(probe_saw(o, "expired 0.0 no keepalive"), "it is watched");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("http://x") MOVE("ws://example.org/") MOVE("ftp://x/"));
	CHECK(!probe_saw(o, "dial-next"), "not to any URL");
	probe_run(o, MOVE("wss://one/") MOVE("wss://one/") MOVE("wss://two/"));
	r = probe_take(o);
	CHECK(strstr(r, "dial-next 0 wss://one/") && !strstr(strstr(r, "wss://one/") + 1, "wss://one/") && strstr(r, "close 0.1") && strstr(r, "wss://two/"),
	      "asked twice, moved once: %s", r);
	probe_run(o, "gone 0.1 0 no route\nadvance 2000\n");
	CHECK(probe_saw(o, "dial-next 0 wss://two/"), "tried again");
	probe_run(o, "gone 0.1 0 no route\nadvance 27999\n");
	CHECK(!probe_saw(o, "lost"), "until the thirty seconds");
	probe_run(o, "advance 1000\n");
	CHECK(probe_saw(o, "lost 0 resume 1000") , "are over");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "gone 0.1 4007 \n");
	CHECK(probe_saw(o, "lost 0 resume 1000 wait=0ms the reconnect URL is invalid"), "4007: from the beginning");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "gone 0 1006 \n");
	CHECK(!probe_saw(o, "lost"), "the old socket dies first: the session may go on");
	probe_run(o, "opened 0.1\n" WELCOME("0.1", "B", "31:00"));
	CHECK(probe_saw(o, "switch 0") && probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z]"), "but what came in between is told");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" MOVE_ON("wss://two/"));
	CHECK(!probe_saw(o, "close") && !probe_saw(o, "dial-next 0 wss://two/"), "moved on before the welcome: with that the session comes first");
	probe_run(o, WELCOME("0.1", "C", "31:00"));
	r = probe_take(o);
	CHECK(strstr(r, "switch 0") && strstr(r, "dial-next 0 wss://two/") && strstr(r, "expect 0.0 off\ndial-next") && !strstr(r, "gap"),
	      "then it goes on: %s", r);
	probe_run(o, "opened 0.1\n" WELCOME("0.1", "D", "31:01"));
	CHECK(probe_saw(o, "switch 0") && !probe_saw(o, "gap"), "without a gap");
	probe_free(o);

	o = up();
	probe_run(o, OFFLINE("0", "n1", "30:00") MOVE("wss://one/") "opened 0.1\n" MOVE("wss://two/") OFFLINE("0", "n2", "30:09") "opened 0.1\n");
	probe_run(o, WELCOME("0.1", "B", "31:00"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:31:00.5Z]"), "sent elsewhere: what the first of two sockets may have held is told");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" MOVE("wss://two/") OFFLINE("0", "n2", "30:09") "gone 0 4004 \ndial 0\nopened 0\n" WELCOME("0", "B", "32:00")
		MADE("4", "S3", "32:01") MADE("5", "S4", "32:02"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:32:02.5Z] 4004"), "also when all is lost then");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "gone 0 4004 \n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms 4004"), "4004: the subscriptions are gone");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\nadvance 1000\n" OFFLINE("0", "n1", "30:01") "advance 12500\n");
	CHECK(!probe_saw(o, "expired 0.0") && has(o, "\"id\":\"n1\""), "what the old socket still brings does not make its silence suspect");
	probe_run(o, WELCOME("0.1", "B", "30:13"));
	CHECK(probe_saw(o, "switch 0") && !probe_saw(o, "gap"), "and nothing is missing");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" MOVE("wss://one/") "opened 0.1\n");
	probe_take(o);
	probe_run(o, WELCOME("0.1", "B", "30:02"));
	r = probe_take(o);
	CHECK(strstr(r, "switch 0") && strstr(r, "\"session_id\":\"B\""), "moved before the first welcome: the new one is the first: %s", r);
	probe_run(o, MADE("2", "S1", "30:03") MADE("3", "S2", "30:03"));
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "gap"), "live");
	probe_free(o);

	/* A subscription that was asked for while the session moved. */
	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") "advance 8000\n" MOVE("wss://one/") "opened 0.1\n");
	probe_take(o);
	probe_run(o, WELCOME("0.1", "B", "30:02"));
	r = probe_take(o);
	CHECK(strstr(r, POST("4")) && strstr(r, FOLLOW_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"B\"}}") && !strstr(r, CHAT_KEY),
	      "is asked for again: %s", r);
	probe_run(o, "answer 3 400 {\"message\":\"websocket transport session does not exist or has already disconnected\"}\n");
	CHECK(!probe_saw(o, "lost"), "that the former session is gone is no news");
	probe_run(o, "answer 4 409 {\"id\":\"S2\"}\nstatus\n");
	CHECK(has(o, "\"enabled\":2"), "409: it came along");
	probe_free(o);

	/* A list that lags behind a move. */
	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") "advance 100000\n" KEEPALIVE("0", "31:40"));
	probe_take(o);
	platform_find("twitch")->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	probe_run(o, "answer 4 200 {\"data\":[{\"id\":\"S1\",\"status\":\"enabled\"," CHAT_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}},"
		"{\"id\":\"S2\",\"status\":\"enabled\"," FOLLOW_KEY ",\"transport\":{\"method\":\"websocket\",\"session_id\":\"A\"}}],\"pagination\":{}}\n");
	r = probe_take(o);
	CHECK(strstr(r, LIST("4")) && !strstr(r, "POST") && !strstr(r, "DELETE"), "the session's former name is its own, too: %s", r);
	probe_free(o);
}

static void unread(void)
{
	struct out *o = up();
	const char *r;

	probe_run(o, OFFLINE("0", "n1", "30:01") "binary 0 00ff\nframe 0 {\nbinary 0 00\n");
	CHECK(!probe_saw(o, "gap"), "until something can be read again it is one gap");
	probe_run(o, OFFLINE("0", "n2", "30:02"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:01.5Z] [2024-05-01T10:30:02.5Z] a message of Twitch could not be read"), "with its range");
	probe_take(o);
	probe_run(o, "binary 0 00ff\n" OFFLINE("0", "n3", "30:03") "binary 0 00\n" OFFLINE("0", "n4", "30:04"));
	CHECK(!probe_saw(o, "gap"), "not one for each frame");
	probe_run(o, "advance 1000\n" OFFLINE("0", "n5", "30:05"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:02.5Z] [2024-05-01T10:30:05.5Z]"), "but one of all");
	probe_run(o, "binary 0 00ff\ngone 0 1006 \n");
	r = probe_take(o);
	CHECK(strstr(r, "gap 0 [2024-05-01T10:30:05.5Z] [] a message") && strstr(r, "lost 0"), "the connection ends first: told all the same: %s", r);
	probe_free(o);
}

static void closes(void)
{
	static const struct { const char *code, *wait; } all[] = {
		{"4000", "0"}, {"4001", "30000"}, {"4002", "0"}, {"4003", "30000"}, {"4004", "0"}, {"4005", "0"}, {"4006", "0"}, {"4007", "0"},
		{"1000", "0"}, {"1001", "0"}, {"1006", "0"}, {"4999", "0"}, {"0", "0"},
	};
	char script[64], want[64];

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct out *o = up();

		snprintf(script, sizeof(script), "gone 0 %s why\n", all[i].code);
		snprintf(want, sizeof(want), "lost 0 resume 0 wait=%sms ", all[i].wait);
		probe_run(o, script);
		CHECK(probe_saw(o, want), "%s: dialled again after %s ms or the back-off", all[i].code, all[i].wait);
		probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "B", "07:00") MADE("4", "S3", "07:01") MADE("5", "S4", "07:02"));
		CHECK(probe_saw(o, "dial 0 wss://eventsub.wss.twitch.tv/ws ") && probe_saw(o, "gap 0 ["), "to the main URL, and a gap");
		probe_free(o);
	}
}

static void refusals(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") "answer 2 403 {\"message\":\"no\"}\nanswer 3 410 {\"message\":\"removed\"}\n");
	CHECK(probe_saw(o, "lost 0 stop 1000 wait=0ms no subscription was accepted: status 403: no"), "nothing accepted: not dialled again and again");
	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, "dial 0 no"), "nor when asked");
	probe_take(o);
	probe_file(o, "subs", SUBS "stream.online broadcaster_user_id=42");
	probe_run(o, "reload " "platform = twitch\\nclient-id = C\\nuser = 99\\nsubscriptions = subs\\ntoken-file = token\\n\ndial 0\n");
	CHECK(probe_saw(o, "reload yes") && probe_saw(o, "connections 1") && probe_saw(o, "dial 0 wss:"), "until the file changes");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") "answer 2 409 {\"message\":\"subscription already exists\",\"id\":\"S7\"}\n"
		"answer 3 503 \n");
	CHECK(!probe_saw(o, "live"), "409 is a success, 503 is none");
	probe_take(o);
	probe_run(o, "advance 2000\n");
	CHECK(probe_saw(o, POST("4")), "asked again after a while");
	probe_run(o, "answer 4 429 Ratelimit-Remaining: 0 | {\"message\":\"too many\"}\n");
	probe_take(o);
	probe_run(o, "advance 1500\n");
	CHECK(!probe_saw(o, "http"), "429: more slowly");
	probe_run(o, "advance 4000\n");
	CHECK(probe_saw(o, POST("5")), "but it is");
	probe_run(o, MADE("5", "S2", "00:02") "status\n");
	CHECK(has(o, CHAT_KEY ",\"state\":\"enabled\",\"connection\":0,\"http\":409,\"id\":\"S7\""), "with the id that it has");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") "answer 2 429 {\"message\":\"number of websocket transports limit exceeded\"}\n");
	CHECK(probe_saw(o, "lost 0 resume 1000 wait=60000ms status 429: number of websocket"), "too many sockets: no more for a minute");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00")
		"answer 2 400 {\"message\":\"websocket transport session does not exist or has already disconnected\"}\n");
	CHECK(probe_saw(o, "lost 0 resume 1000"), "the session died: a new one, and nothing against the subscription");
	probe_take(o);
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "B", "00:05") MADE("3", "S0", "00:05"));
	CHECK(!probe_saw(o, "live"), "an answer about the old session is not taken for one about the new");
	probe_run(o, MADE("4", "S1", "00:06") MADE("5", "S2", "00:06"));
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "gap"), "live");
	probe_free(o);
}

/* What the limit of requests, and a Twitch that does not answer, mean for a session. */
static void limits(void)
{
	struct out *o = begin(PLAIN, SUBS);
	const char *r;

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01")
		"answer 3 429 Date: Wed, 01 May 2024 10:00:02 GMT | Ratelimit-Remaining: 0 | Ratelimit-Reset: 1714557627 | {\"message\":\"Too Many Requests\"}\n"
		"advance 8000\n");
	CHECK(probe_saw(o, "live 0 up"), "live with what there is");
	probe_take(o);
	probe_run(o, KEEPALIVE("0", "00:10") "advance 9000\n" KEEPALIVE("0", "00:20") "advance 7990\n");
	CHECK(!probe_saw(o, "http"), "nothing is asked until Ratelimit-Reset, by the server's clock");
	probe_run(o, KEEPALIVE("0", "00:28") "advance 1100\n");
	CHECK(probe_saw(o, POST("4")) && has(o, FOLLOW_KEY), "and then it is");
	probe_run(o, "answer 4 429 Ratelimit-Remaining: 0 | Ratelimit-Reset: 1700000010 | {}\nadvance 9500\n" KEEPALIVE("0", "00:38"));
	CHECK(!probe_saw(o, "http"), "without Date by our own");
	probe_run(o, "advance 1600\n");
	CHECK(probe_saw(o, POST("5")), "then");
	probe_run(o, "answer 5 429 Ratelimit-Remaining: 700 | Ratelimit-Reset: 1700000060 | {}\nadvance 9000\n");
	CHECK(probe_saw(o, POST("6")), "with points left the limit is another: a back-off");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00")
		"answer 2 429 Ratelimit-Remaining: 0 | Ratelimit-Reset: 1700000030 | {\"message\":\"Too Many Requests\"}\n");
	CHECK(probe_saw(o, "lost 0 resume 1000 wait=30"), "too late for this session: given up rather than closed with 4003");
	probe_take(o);
	probe_run(o, "advance 10000\ndial 0\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=20") && probe_saw(o, "dial 0 no"), "and none is opened before something can be asked");
	probe_take(o);
	probe_run(o, "advance 21000\ndial 0\nopened 0\n" WELCOME("0", "B", "00:40"));
	CHECK(probe_saw(o, POST("4")), "then all goes on");
	probe_run(o, "advance 8000\n");
	CHECK(!probe_saw(o, "lost"), "no answer yet");
	probe_run(o, KEEPALIVE("0", "00:48") "advance 1000\n");
	r = probe_take(o);
	CHECK(strstr(r, "lost 0 resume 1000 wait=0ms no subscription was answered within 9 s"), "nor after nine seconds: given up: %s", r);
	probe_free(o);

	o = begin(CONDUIT "conduit = C-1\n", SUBS);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\ndial 0\nanswer 2 " EMPTY "opened 0\n" WELCOME("0", "A", "00:02"));
	probe_run(o, "answer 5 429 Ratelimit-Remaining: 0 | Ratelimit-Reset: 1700000030 | {\"message\":\"Too Many Requests\"}\n");
	probe_take(o);
	probe_run(o, "advance 8999\n");
	CHECK(!probe_saw(o, "http"), "shards: the limit holds for them, too");
	probe_run(o, "advance 1\n");
	CHECK(probe_saw(o, "lost 0 resume 1000 wait=0ms status 429: Too Many Requests"), "the session is given up before Twitch closes it");
	probe_free(o);
}

static void tokens(void)
{
	struct out *o = begin(PLAIN, SUBS);
	const struct platform *pl = platform_find("twitch");

	probe_run(o, "answer 1 401 {\"message\":\"invalid token\"}\nadvance 4000\n");
	CHECK(!probe_saw(o, "connections") && !probe_saw(o, "http 2"), "without a token nothing is dialled or asked");
	probe_run(o, "advance 6000\n");
	CHECK(probe_saw(o, LIST("2")), "but it may have been another one that ended at once: tried again");
	probe_run(o, "answer 2 401 {\"message\":\"invalid token\"}\n");
	probe_take(o);
	probe_run(o, "advance 9000\n");
	CHECK(!probe_saw(o, "http"), "more slowly each time");
	probe_run(o, "advance 11000\nanswer 3 " EMPTY);
	CHECK(probe_saw(o, LIST("3")) && probe_saw(o, "connections 1"), "a good one ends that");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	pl->token(probe_object(o), OUT_TOKEN_USER, false, probe_now(o));
	probe_run(o, "answer 1 401 {\"message\":\"invalid token\"}\nadvance 3600000\n");
	CHECK(!probe_saw(o, "http 2"), "not where a person has to authorise the bot again");
	pl->token(probe_object(o), OUT_TOKEN_APP, true, probe_now(o));
	CHECK(!probe_saw(o, "http 2"), "the app token is none of its business");
	pl->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	CHECK(probe_saw(o, LIST("2")), "until there is another");
	probe_run(o, "answer 2 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("3", "S1", "00:01") "answer 4 403 {}\n");
	CHECK(probe_saw(o, "live 0 up"), "live");
	probe_take(o);
	pl->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	CHECK(has(o, FOLLOW_KEY), "with another token what was refused is tried again");
	probe_run(o, "answer 5 401 {\"message\":\"invalid\"}\n");
	CHECK(!probe_saw(o, "lost"), "what is live stays live");
	probe_run(o, "gone 0 4005 \ndial 0\n");
	CHECK(probe_saw(o, "lost 0 stop") && probe_saw(o, "dial 0 no"), "but is not dialled again");
	probe_take(o);
	pl->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	probe_run(o, "answer 6 " EMPTY "dial 0\n");
	CHECK(probe_saw(o, "connections 1") && probe_saw(o, "dial 0 wss:"), "before the token is good");
	probe_free(o);
}

static void revoked(void)
{
	struct out *o = up();

	probe_run(o, "frame 0 {\"metadata\":{\"message_id\":\"r\",\"message_type\":\"revocation\"," AT("01:00") "},\"payload\":{\"subscription\":{\"id\":\"S1\","
		"\"status\":\"user_removed\"," CHAT_KEY "}}}\n");
	CHECK(has(o, "\"name\":\"revocation\""), "it is told");
	probe_run(o, "advance 3600000\nstatus\n");
	CHECK(!probe_saw(o, "http 4 POST") && has(o, CHAT_KEY ",\"state\":\"refused\",\"connection\":0,\"id\":\"S1\",\"said\":\"user_removed\""),
	      "and not asked for again");
	probe_free(o);
}

static void reload(void)
{
	static const char same[] = "reload platform = twitch\\nclient-id = C\\nuser = 99\\nsubscriptions = subs\\ntoken-file = token\\n\n";
	struct out *o = up();
	const char *r;

	probe_file(o, "subs", "channel.chat.message broadcaster_user_id=42 user_id=99\nstream.online broadcaster_user_id=42\n");
	probe_run(o, same);
	r = probe_take(o);
	CHECK(strstr(r, "reload yes") && strstr(r, "\"type\":\"stream.online\",\"version\":\"1\"") && strstr(r, "DELETE https://api.twitch.tv/helix/eventsub/subscriptions?id=S2 ") &&
	      !strstr(r, "close") && !strstr(r, CHAT_KEY), "what is new is made, what is gone is deleted, the rest goes on: %s", r);
	probe_file(o, "subs", "channel.chat.message x=1 x=2\n");
	probe_run(o, same);
	CHECK(probe_saw(o, "reload yes") && !probe_saw(o, "http"), "a bad file leaves all as it was");
	probe_run(o, "reload platform = twitch\\nclient-id = D\\nuser = 99\\nsubscriptions = subs\\ntoken-file = token\\n\n");
	CHECK(probe_saw(o, "reload no"), "another client is another account");
	probe_free(o);
}

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

#define HOOKED ",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\"}}"
#define LISTED(id, status, key) "{\"id\":\"" id "\",\"status\":\"" status "\"," key HOOKED
#define PAGE(entries) "200 {\"data\":[" entries "],\"pagination\":{}}\n"

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
	      has(o, " https://bots.example/hook/t/bot\n"), "all is there: live");
	probe_run(o, "advance 1200000\n");
	CHECK(probe_saw(o, "http 7 GET"), "looked at again by and by");
	probe_take(o);
	probe_run(o, "answer 7 " PAGE(LISTED("S1", "authorization_revoked", CHAT_KEY) "," LISTED("S2", "notification_failures_exceeded", FOLLOW_KEY)));
	r = probe_take(o);
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
	static const char hook[] = "dial 0 hook %s %.32s %s\n";
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

	static const struct { const char *time, *digest, *url, *gap; } left[] = {
		{"2023-11-14T22:12:00.000Z", NULL, "https://bots.example/hook/t/bot", NULL},
		{"2023-11-14T22:10:00.000Z", NULL, "https://bots.example/hook/t/bot", "nobody took webhooks"},
		{"2023-11-14T22:12:00.000Z", "00112233445566778899aabbccddeeff", "https://bots.example/hook/t/bot", "the secret of webhooks is another one"},
		{"2023-11-14T22:12:00.000Z", NULL, "https://bots.example/before", "the callback is another one"},
	};
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		o = begin(WEBHOOK, SUBS);
		probe_run(o, "answer 1 " EMPTY);
		snprintf(step, sizeof(step), hook, left[i].time, left[i].digest ? left[i].digest : digest, left[i].url);
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
	snprintf(step, sizeof(step), hook, left[0].time, digest, "https://bots.example/before");
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

#define SHARDS(n) "http " n " PATCH https://api.twitch.tv/helix/eventsub/conduits/shards token=app"
#define SHARD(id, session) "{\"id\":\"" id "\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"" session "\"}}"

static struct out *conduit_up(void)
{
	struct out *o = begin(CONDUIT "conduit = C-1\n", SUBS);

	CHECK(probe_saw(o, "http 1 GET https://api.twitch.tv/helix/eventsub/conduits token=app"), "conduits are asked for");
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-9\",\"shard_count\":5},{\"id\":\"C-1\",\"shard_count\":2}]}\n");
	CHECK(probe_saw(o, "connections 2") && !probe_saw(o, "http 2"), "a connection for each shard; subscriptions are for who holds the first");
	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, "http 2 GET https://api.twitch.tv/helix/eventsub/subscriptions?conduit_id=C-1 token=app"), "which is this process");
	probe_run(o, "answer 2 " EMPTY);
	CHECK(probe_saw(o, POST("3") "app") && has(o, "\"transport\":{\"method\":\"conduit\",\"conduit_id\":\"C-1\"}"), "subscriptions are the conduit's");
	probe_run(o, MADE("3", "S1", "00:01") MADE("4", "S2", "00:01") "dial 1\nopened 0\nopened 1\n" WELCOME("0", "A", "00:02"));
	CHECK(probe_saw(o, SHARDS("5")), "attached at once");
	probe_run(o, WELCOME("1", "B", "00:02") "answer 5 202 {\"data\":[{\"id\":\"0\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "live 1") && probe_saw(o, SHARDS("6")), "one request at a time");
	probe_run(o, "answer 6 202 {\"data\":[{\"id\":\"1\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 1 up") && !probe_saw(o, "gap"), "live");
	probe_take(o);
	return o;
}

static void conduits(void)
{
	struct out *o = conduit_up();
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
	struct out *o = conduit_up();
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

/* Attached again, and moved while the answer is on its way. */
static void conduit_both(void)
{
	struct out *o = conduit_up();

	probe_run(o, "frame 1 {\"metadata\":{\"message_id\":\"x\",\"message_type\":\"notification\"," AT("04:00") ",\"subscription_type\":\"conduit.shard.disabled\"},"
		"\"payload\":{\"event\":{\"conduit_id\":\"C-1\",\"shard_id\":\"0\",\"transport\":{\"session_id\":\"A\"}}}}\n");
	CHECK(probe_saw(o, SHARDS("7")), "attached again");
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "N", "30:01") "answer 7 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	CHECK(!probe_saw(o, "switch") && has(o, SHARD("0", "N")), "which is no answer about the socket of the move");
	probe_run(o, "answer 8 202 {\"data\":[{\"id\":\"0\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "switch 0") && !probe_saw(o, "gap"), "that one is");
	probe_free(o);
}

static void conduit_handed(void)
{
	struct out *o = conduit_up();

	probe_run(o, "advance 2000\ndrain 0\n");
	CHECK(probe_saw(o, "linger 0 +4000") && probe_saw(o, "save 0 handed A 2024-05-01T10:00:04.500Z") && !probe_saw(o, "close"), "the socket lingers");
	probe_take(o);
	probe_run(o, OFFLINE("0.2", "n1", "00:05") WELCOME("0.2", "X", "00:05"));
	CHECK(has(o, "\"id\":\"n1\""), "and is read on");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "N", "00:08") "answer 8 202 {\"data\":[{\"id\":\"0\"}]}\n");
	CHECK(probe_saw(o, "live 0 resumed") && !probe_saw(o, "gap"), "attached in time: nothing is missing");
	probe_run(o, "drain 0\ndial 0\nopened 0\n" WELCOME("0", "N", "00:11") "advance 2000\nanswer 9 202 {\"data\":[{\"id\":\"0\"}]}\n");
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:00:08.500Z]") && probe_saw(o, "live 0 up"), "too late: a gap");
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

static void bad_accounts(void)
{
	static const char *const bad[] = {
		CONF, "platform = twitch\nuser = 99\nsubscriptions = subs\ntoken-file = token\n", PLAIN "transport = pigeon\n", PLAIN "conduit = x\n",
		PLAIN "helix = http://example.org/\n", PLAIN "eventsub = https://example.org/\n", PLAIN "raw = maybe\n", APP "transport = webhook\n",
		APP "transport = webhook\ncallback = https://x/\nwebhook-secret-file = short\n", APP "transport = conduit\nconduit-shards = 0\n",
		"platform = twitch\nclient-id = C\nuser = pen\nsubscriptions = subs\ntoken-file = token\n",
		"platform = twitch\nclient-id = C\nuser = 99\ntoken-file = token\n", "platform = twitch\nclient-id = C\nuser = 99\nsubscriptions = none\ntoken-file = token\n",
	};
	static const char *const subs[] = {
		"Channel.Chat a=1\n", "channel.chat 1 2\n", "channel.chat a=1 2\n", "channel.chat a=\n", "channel.chat a=\"x\"\n", "channel.chat A=1\n",
		"a b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1\n", "a b=1\na 1 b=1\n", "a b=1 b=2\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad) + sizeof(subs) / sizeof(*subs); i++) {
		size_t n = sizeof(bad) / sizeof(*bad);
		struct out *o = probe_new(platform_find("twitch"));

		probe_file(o, "token", "t");
		probe_file(o, "client", "c");
		probe_file(o, "short", "123456789");
		probe_file(o, "subs", i < n ? SUBS : subs[i - n]);
		CHECK(probe_account(o, i < n ? bad[i] : PLAIN) == -1, "refused: %.40s", i < n ? bad[i] : subs[i - n]);
		probe_free(o);
	}
}

static void spread_lines(void)
{
	static const char text[] = "{\n \"metadata\": {\"message_id\": \"n\", \"message_type\": \"notification\",\r\n\"message_timestamp\": \"2024-05-01T10:00:09Z\","
		"\"subscription_type\": \"stream.offline\"},\n \"payload\": {\"event\": {\"broadcaster_user_id\": \"42\"}}\n}\n";
	struct out *o = up();

	platform_find("twitch")->frame(probe_object(o), 0, 0, text, sizeof(text) - 1, false, probe_now(o));
	CHECK(has(o, "\"type\":\"stream.offline\",\"time\":\"2024-05-01T10:00:09.000Z\",\"subject\":\"42\""), "JSON over several lines");
	probe_free(o);
}

static void many(void)
{
	static char subs[64000];
	size_t n = 0;
	struct out *o;

	for (int i = 0; i < 301; i++)
		n += (size_t)snprintf(subs + n, sizeof(subs) - n, "stream.online broadcaster_user_id=%d\n", i);
	o = begin(PLAIN, subs);
	probe_run(o, "answer 1 " EMPTY);
	CHECK(probe_saw(o, "connections 2"), "300 subscriptions on a socket, the rest on another");
	probe_free(o);
	for (int i = 301; i < 901; i++)
		n += (size_t)snprintf(subs + n, sizeof(subs) - n, "stream.online broadcaster_user_id=%d\n", i);
	o = probe_new(platform_find("twitch"));
	probe_file(o, "token", "t");
	probe_file(o, "subs", subs);
	CHECK(probe_account(o, PLAIN) == -1, "more than three sockets carry are refused");
	probe_free(o);
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);	/* what accounts and tokens are refused for */
	welcome();
	late();
	keepalive();
	loss();
	restarted();
	move();
	unread();
	closes();
	refusals();
	limits();
	tokens();
	revoked();
	reload();
	lists();
	callback();
	early_challenge();
	conduits();
	conduit_moves();
	conduit_both();
	conduit_handed();
	conduit_made();
	bad_accounts();
	spread_lines();
	many();
	return check_done();
}
