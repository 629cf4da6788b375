/* Discord: messages behind a lost session, read from the history. */
#include "discord_history.h"
#include "platform_probe.h"

#include "gatewayd/platform/platform.h"

static void filling(void)
{
	struct out *o = up();
	const char *record;

	lose(o);
	run(o, READY("def", GUILD_5));
	CHECK(saw(o, "gap 0 [abc:3] [def:1] the session was lost; messages are read again from the history"), "the gap is told with its range");
	CHECK(saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":1,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@990\",\"channels\":[\"50\",\"5\"],"
		"\"fill\":[],\"wait\":[\"5\",\"@990\"],\"read\":[0,0,0,0],\"between\":[\"@990\",\"0\"],\"notes\":\"\"}"), "a crash now would not forget it");
	CHECK(!saw(o, "http 2"), "which channels is not known yet");
	/* 50 has more, 51 has not, 52 was never heard of, 53 is a category, 54 is a thread, 55 a forum */
	run(o, GUILD("2", "5", CHANNEL("50", "@1102") "," CHANNEL("51", "@800") "," CHANNEL("52", "@1050") ",{\"id\":\"53\",\"type\":4,\"last_message_id\":\"@1050\"},"
		"{\"id\":\"55\",\"type\":15,\"last_message_id\":\"@1050\"}", CHANNEL("54", "@1051")));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990&limit=100"), "from a moment before the last that is with the hub");
	record = probe_take(o);
	CHECK(count(record, "http ") == 1, "one request at a time");
	run(o, MESSAGE("3", "@1103", "50", IN_5) "answer 2 200 [" OLD("@1102", "50") "," OLD("@1000", "50") "," OLD("@1101", "50") "," OLD("@980", "50") "]\n");
	record = probe_take(o);
	CHECK(has(record, "line 0 mark=6 ticket=0 {\"specversion\":\"1.0\",\"id\":\"m-@1103\""), "what is said now does not wait");
	CHECK(count(record, "\"replayed\":true") == 3 && !has(record, "m-@980") && strstr(record, ids("m-@1000")) < strstr(record, ids("m-@1101")) &&
		strstr(record, ids("m-@1101")) < strstr(record, ids("m-@1102")), "in order, marked, with the ids they would have had");
	CHECK(count(record, "line 0 mark=7 ") == 3 && has(record, "mark 0 7"), "behind a mark of their own");
	run(o, "advance 200\nacked 0 6\nadvance 1000\n");
	CHECK(!saw(o, "http 3"), "no more before the hub has them");
	CHECK(saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":2,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@1093\",\"channels\":[\"50\",\"5\"],"
		"\"fill\":[\"50\",\"5\",\"@990\",\"52\",\"5\",\"@990\",\"54\",\"5\",\"@990\"],\"wait\":[],\"read\":[0,3,0,0],\"between\":[\"@990\",\"0\"],\"notes\":\"\"}"), "nor is it done with");
	run(o, "acked 0 7\n");
	CHECK(saw(o, "http 3 GET " ASKED "52/messages?after=@990&limit=100"), "the next");
	run(o, "answer 3 403 {}\nadvance 1999\n");
	CHECK(!saw(o, "http 4"), "a refusal counts toward a ban");
	run(o, "advance 1\nanswer 4 404 {}\n");
	CHECK(saw(o, "gap 0 [@990] [@1102] the session was lost: 3 messages of 1 channel read again from the history, not all; "
		"channel 52 after @990: no access to its history; channel 54 after @990: it is gone"), "what was read, and what not");
	CHECK(saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":3,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@1093\",\"channels\":[\"50\",\"5\"]}"),
		"and it is done");
	probe_take(o);
	run(o, "advance 10000\n");
	CHECK(!saw(o, "http") && !saw(o, "gap"), "once");
	/* The next time: 52 is not asked for again, until it changed. */
	lose(o);
	run(o, READY("ghi", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1103") "," CHANNEL("52", "@1200") "," CHANNEL("51", "@800"), ""));
	CHECK(saw(o, "http 5 GET " ASKED "50/messages?after=@1093"), "read again in doubt");
	run(o, "answer 5 200 []\nadvance 100\n");
	CHECK(saw(o, "gap 0 [@1093] [] the session was lost: 0 messages of 1 channel read again from the history, not all; channel 52 after @1093: no access to its history"),
		"not asked for again");
	run(o, "frame 0 {\"t\":\"CHANNEL_UPDATE\",\"s\":3,\"op\":0,\"d\":{\"id\":\"52\",\"guild_id\":\"5\",\"name\":\"x\",\"type\":0}}\n");
	lose(o);
	run(o, READY("jkl", GUILD_5) GUILD("2", "5", CHANNEL("52", "@1200"), ""));
	CHECK(saw(o, "http 6 GET " ASKED "50/messages"), "where something was heard first");
	run(o, "answer 6 200 []\nadvance 100\n");
	CHECK(saw(o, "http 7 GET " ASKED "52/messages"), "who may read it may have changed");
	probe_free(o);
}

static void pages(void)
{
	struct out *o = up();
	struct buf page;
	char text[400];
	const char *record;
	unsigned call = 2;

	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1102") "," CHANNEL("51", "@1100"), ""));
	buf_init(&page, 1 << 20);
	for (unsigned k = 0; k < 10; k++) {	/* newest first; the limit of the bucket is told at the fifth */
		buf_clear(&page);
		buf_printf(&page, "answer %u 200 X-RateLimit-Remaining: %u | X-RateLimit-Reset-After: 2.5 | [", call, 4 - k % 5);
		for (unsigned i = 100; i; i--) {
			snprintf(text, sizeof(text), "%s" OLD("@1050.%u", "50"), i == 100 ? "" : ",", k * 100 + i);
			buf_adds(&page, text);
		}
		buf_adds(&page, "]\n");
		run(o, buf_cstr(&page));
		snprintf(text, sizeof(text), "acked 0 %u\nadvance 100\n", 6 + k);
		run(o, text);
		if (k == 4) {
			record = probe_take(o);
			CHECK(count(record, "\"replayed\":true") == 500 && has(record, "GET " ASKED "51/messages?after=@990"), "a full bucket: another channel meanwhile");
			run(o, "answer 7 200 []\nadvance 2300\n");
			CHECK(!saw(o, "http 8"), "its time");
			run(o, "advance 200\n");
			call = 7;
		}
		call++;
	}
	record = probe_take(o);
	CHECK(has(record, "http 12 GET " ASKED "50/messages?after=@1050.900") && count(record, "http ") == 5, "page by page");
	CHECK(has(record, "the session was lost: 1000 messages of 2 channels read again from the history, not all; channel 50 after @1050.1000: there are more than are read again"),
		"bounded");
	buf_release(&page);
	probe_free(o);
}

static void trouble(void)
{
	struct out *o = up();
	const char *record;
	char text[160];

	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1102") "," CHANNEL("51", "@1100"), "") "answer 2 429 Retry-After: 2 | {}\n");
	CHECK(saw(o, "timer -.1 +2050"), "the platform's own pace");
	run(o, "advance 2050\nanswer 3 0 no route\nadvance 2000\n");
	CHECK(saw(o, "http 4 GET " ASKED "50/messages?after=@990"), "others have their turn first");
	probe_take(o);
	run(o, "answer 4 200 {\"a\":1}\nadvance 2000\nanswer 5 200 [{\"id\":5},7,{\"id\":\"@1101\"}," OLD("@1102", "51") "]\nacked 0 6\nadvance 100\n");
	record = probe_take(o);
	CHECK(count(record, "line 0 ") == 1 && has(record, "gap 0 [@990] [@1102] the session was lost: 1 message of 1 channel read again from the history, not all; "
		"channel 50 after @990: no history in the answer"), "what is no message");
	/* Nobody answers: bounded. */
	lose(o);
	run(o, READY("ghi", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1300"), ""));
	for (unsigned k = 6; k < 11; k++) {
		snprintf(text, sizeof(text), "answer %u 503 {}\nadvance 16000\n" ACK, k);
		run(o, text);
	}
	CHECK(saw(o, "gap 0 [@990] [] the session was lost: 0 messages of 0 channels read again from the history, not all; channel 50 after @990: Discord is overloaded"),
		"given up, and told");
	/* A token that is refused is not tried again. */
	lose(o);
	run(o, READY("jkl", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1300") "," CHANNEL("51", "@1300"), "") "answer 11 401 {}\nadvance 10000\n");
	record = probe_take(o);
	CHECK(count(record, "http ") == 1 && count(record, "the token was refused") == 2, "401");
	lose(o);
	run(o, READY("mno", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1400"), ""));
	CHECK(!saw(o, "http") && saw(o, "gap 0 [@990] [] the session was lost: 0 messages of 0 channels read again from the history, not all; "
		"channel 50 after @990: the token was refused"), "never again, and told");
	probe_free(o);
}

/* Being told to wait is no failure, however often. */
static void patience(void)
{
	struct out *o = up();
	char text[160];

	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1102"), ""));
	for (unsigned k = 2; k < 10; k++) {
		snprintf(text, sizeof(text), "answer %u 429 Retry-After: 1 | {}\nadvance 1050\n", k);
		run(o, text);
	}
	run(o, "answer 10 200 [" OLD("@1102", "50") "]\nacked 0 7\n");
	CHECK(saw(o, "gap 0 [@990] [@1102] the session was lost: 1 message of 1 channel read again from the history\n"), "read in the end");
	probe_free(o);
}

static void handing_over(void)
{
	struct out *o = up();

	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1102"), "") "answer 2 200 [" OLD("@1101", "50") "]\n");
	probe_take(o);
	run(o, "drain 0\nacked 0 7\nadvance 100000\n");
	CHECK(saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":1,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@990\",\"channels\":[\"50\",\"5\"],"
		"\"fill\":[\"50\",\"5\",\"@990\"]"), "the other process goes on with it");
	CHECK(!saw(o, "http") && !saw(o, "gap"), "and this one does not");
	probe_free(o);
}

#define STATE(session, channel) "{\"session\":\"" session "\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":2,\"after\":\"@900\",\"channels\":[]," \
	"\"fill\":[\"" channel "\",\"5\",\"@880\"],\"wait\":[],\"read\":[0,0,0]}"

/* Its page is on its way to the hub: the other shard does not wait for that. */
static void handing_over_one(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "shards = 2\n") == 0, "two shards");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0 " STATE("abc", "50") "\nopened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":10,\"op\":0,\"d\":{}}\n"
		"dial 1 " STATE("abd", "60") "\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\nframe 1 {\"t\":\"RESUMED\",\"s\":10,\"op\":0,\"d\":{}}\n");
	CHECK(has(probe_take(o), "GET " ASKED "50/messages?after=@880"), "one is asked for");
	run(o, "answer 2 200 [" OLD("@1101", "50") "]\nadvance 1000\n");
	CHECK(saw(o, "line 0 ") && !has(probe_take(o), "GET " ASKED "60"), "its page is not kept yet");
	run(o, "drain 0\nadvance 100\n");
	CHECK(has(probe_take(o), "GET " ASKED "60/messages?after=@880"), "the other's turn");
	probe_free(o);
}

/* More channels than are read: told. */
static void many(void)
{
	struct out *o = up();
	struct buf b;
	unsigned call = 2;
	char text[128];

	lose(o);
	buf_init(&b, 1 << 20);
	buf_adds(&b, READY("def", GUILD_5) "frame 0 {\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"5\",\"channels\":[");
	for (unsigned i = 0; i < 600; i++)
		buf_printf(&b, "%s{\"id\":\"%u\",\"last_message_id\":\"@1100\"}", i ? "," : "", 1000 + i);
	buf_adds(&b, "]}}\n");
	run(o, buf_cstr(&b));
	CHECK(strlen(strstr(probe_take(o), "GET")) > 0, "asked");
	for (; call < 2 + 513; call++) {
		snprintf(text, sizeof(text), "answer %u 200 []\nadvance 100\n" ACK, call);
		run(o, text);
		if (saw(o, "gap"))
			break;
	}
	CHECK(call > 500 && saw(o, "gap 0 [@990] [] the session was lost: 0 messages of 512 channels read again from the history, not all; no room for 89 more"), "told");
	buf_release(&b);
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	filling();
	pages();
	trouble();
	patience();
	handing_over();
	handing_over_one();
	many();
	return check_done();
}
