/* Twitch over sockets: welcome and first subscriptions, keepalive, move, loss and gap, close codes, refusals, limits, tokens, reload. */
#include "check.h"
#include "platform_probe.h"
#include "twitch_play.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/platform.h"

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
	CHECK(!probe_saw(o, "save 0 open B 2024-05-01T10:0"), "the session is saved, but the gap may be all that tells what is missing");
	probe_run(o, "acked 0 1\n");
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:07:00.5Z"), "until the hub has it");
	probe_run(o, OFFLINE("0", "n1", "08:00"));
	for (int i = 0; i < 6; i++)
		probe_run(o, "advance 10000\n" KEEPALIVE("0", "08:50"));
	probe_run(o, OFFLINE("0", "n2", "09:00"));
	probe_take(o);
	probe_run(o, "acked 0 2\n");
	CHECK(!probe_saw(o, "save"), "a spot that is not kept yet is not saved");
	probe_run(o, "acked 0 3\n");
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:09:00.5Z"), "a minute's end is, once the hub has it");
	probe_run(o, "drain 0\n");
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:09:00.5Z") && probe_saw(o, "close 0.0 1000"), "drained: a plain session ends");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "C", "09:10") MADE("5", "S5", "09:11") MADE("6", "S6", "09:12"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:09:00.5Z] [2024-05-01T10:09:12.5Z] the process that held"), "taken back: a gap, too");
	probe_free(o);

	o = begin(PLAIN, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0 open A 2024-05-01T09:00:00Z\nopened 0\n" MOVE("wss://one/") "gone 0 1002 x\ngone 0.1 4007 x\n");
	probe_run(o, "dial 0\nopened 0\n" WELCOME("0", "B", "31:00") MADE("2", "S3", "31:01") MADE("3", "S4", "31:02"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T09:00:00Z]"), "what a first session lost on top does not make the gap shorter");
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
	CHECK(strstr(r, "save 0 open B 2024-05-01T10:00:"), "what the hub does not have yet is not said to be safe: %s", r);
	CHECK(strstr(r, "switch 0\nexpect 0.0 12000") && !strstr(r, "POST") && !strstr(r, "gap") && !strstr(r, "\nlive"),
	      "the new one takes over, with its subscriptions and no gap: %s", r);
	probe_run(o, OFFLINE("0.2", "n3", "30:01"));
	CHECK(has(o, "\"id\":\"n3\""), "what was still on its way on the old one comes");
	probe_run(o, "gone 0.2 1000 \nacked 0 9\n");
	CHECK(!probe_saw(o, "gap") && probe_saw(o, "save 0 open B 2024-05-01T10:30:03.5Z"), "until its end");
	probe_run(o, "advance 60000\n");
	CHECK(probe_saw(o, "expired 0.0 no keepalive"), "it is watched");
	probe_free(o);

	o = up();
	probe_run(o, OFFLINE("0", "n1", "29:00") MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") "gone 0.2 0 reset\n");
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:30:02.5Z] the old socket of a move broke off"), "an end that proves nothing is told");
	probe_free(o);
	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") OFFLINE("0", "n1", "31:00") "gone 0 4000 \ndial 0\nopened 0\n" WELCOME("0", "C", "32:00")
		MADE("4", "S3", "32:01") MADE("5", "S4", "32:02"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:32:02.5Z] 4000"), "also when the new one is lost before");
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
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" KEEPALIVE("0", "30:10") "gone 0.1 0 no welcome\nadvance 2000\nopened 0.1\n");
	probe_take(o);
	probe_run(o, WELCOME("0.1", "B", "30:20"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z]"), "moved at the second try: the first socket may have had events");
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
	probe_run(o, "gone 0.2 1000 \nopened 0.1\n" WELCOME("0.1", "D", "31:01"));
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
}

/* What else goes on while a session moves. */
static void move_meanwhile(void)
{
	struct out *o;
	const char *r;

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

	o = up();
	platform_find("twitch")->token(probe_object(o), OUT_TOKEN_USER, true, probe_now(o));
	probe_run(o, "answer 4 429 Ratelimit-Remaining: 0 | Ratelimit-Reset: 1700000030 | {}\ngone 0 1006 \nadvance 10000\ndial 0\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=20"), "the list is refused: what would come behind it would be, too");
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
	move_meanwhile();
	unread();
	closes();
	refusals();
	limits();
	tokens();
	revoked();
	reload();
	bad_accounts();
	spread_lines();
	many();
	return check_done();
}
