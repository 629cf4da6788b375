/*
 * Discord: what is missing behind a lost session, and reading it from the history. In these scripts @S is the id that is made S seconds after Discord's epoch,
 * @S.N the N-th one behind it.
 */
#include "check.h"
#include "platform_probe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "gatewayd/platform/platform.h"

#define GATEWAY "{\"url\":\"wss://main.example\",\"shards\":1,\"session_start_limit\":{\"total\":1000,\"remaining\":997,\"reset_after\":60000,\"max_concurrency\":1}}"
#define HELLO "frame 0 {\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n"
#define ACK "frame 0 {\"t\":null,\"s\":null,\"op\":11,\"d\":null}\n"
#define READY(session, guilds) "frame 0 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[" guilds "],\"session_id\":\"" session "\"," \
	"\"resume_gateway_url\":\"wss://resume.example\"}}\n"
#define GUILD_5 "{\"id\":\"5\",\"unavailable\":true}"
#define GUILD(s, id, channels, threads) "frame 0 {\"t\":\"GUILD_CREATE\",\"s\":" s ",\"op\":0,\"d\":{\"id\":\"" id "\",\"roles\":[],\"channels\":[" channels "],\"threads\":[" threads "]}}\n"
#define CHANNEL(id, last) "{\"id\":\"" id "\",\"name\":\"c" id "\",\"type\":0,\"last_message_id\":\"" last "\"}"
#define MESSAGE(s, id, channel, guild) "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":" s ",\"op\":0,\"d\":{\"id\":\"" id "\",\"channel_id\":\"" channel \
	"\"" guild ",\"author\":{\"id\":\"41\",\"username\":\"ada\"},\"content\":\"hi\",\"type\":0}}\n"
#define IN_5 ",\"guild_id\":\"5\""
#define OLD(id, channel) "{\"id\":\"" id "\",\"channel_id\":\"" channel "\",\"author\":{\"id\":\"41\",\"username\":\"ada\"},\"content\":\"old\",\"type\":0}"
#define ASKED "https://discord.com/api/v10/channels/"
#define CONF "platform = discord\ntoken-file = bot.token\ncompress = none\n"

/* Text with @S and @S.N as ids; good until the fourth call behind it. */
static const char *ids(const char *text)
{
	static struct buf room[4];
	static unsigned turn;
	struct buf *b = &room[turn = (turn + 1) % 4];

	buf_release(b);
	buf_init(b, 1 << 22);
	while (*text) {
		char *end;
		uint64_t id;

		if (*text != '@') {
			buf_addc(b, *text++);
			continue;
		}
		id = (strtoull(text + 1, &end, 10) * 1000) << 22;
		if (*end == '.')
			id += strtoull(end + 1, &end, 10);
		buf_printf(b, "%" PRIu64, id);
		text = end;
	}
	return buf_cstr(b);
}

static void run(struct out *o, const char *script)
{
	probe_run(o, ids(script));
}

static bool saw(struct out *o, const char *text)
{
	return probe_saw(o, ids(text));
}

static unsigned count(const char *record, const char *what)
{
	unsigned n = 0;

	for (const char *w = ids(what); (record = strstr(record, w)); record++)
		n++;
	return n;
}

static bool has(const char *record, const char *text)
{
	return count(record, text) > 0;
}

static struct out *begin(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "the account is read");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO);
	return o;
}

/* With two channels, 50 and 51, of guild 5; a message of @1000 in 50 is with the hub. */
static struct out *up(void)
{
	struct out *o = begin();

	run(o, READY("abc", GUILD_5) GUILD("2", "5", CHANNEL("50", "@900") "," CHANNEL("51", "@800"), "") MESSAGE("3", "@1000", "50", IN_5) "acked 0 3\nadvance 1000\n");
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":3,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@990\",\"channels\":[\"50\",\"5\"]}"),
		"saved: until when every message is with the hub");
	return o;
}

static void lose(struct out *o)
{
	run(o, "gone 0 4009 x\ndial 0\nopened 0\n" HELLO);
	probe_take(o);
}

static void beginning(void)
{
	struct out *o = begin();

	run(o, READY("abc", GUILD_5 ",{\"id\":\"6\"}") GUILD("2", "5", CHANNEL("50", "@900"), ""));
	CHECK(!saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":2"), "a guild is missing");
	run(o, GUILD("3", "6", CHANNEL("60", "@950") ",{\"id\":\"61\",\"type\":0,\"last_message_id\":null}", ""));
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":1,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@940\",\"channels\":[]}"),
		"before any message came it is known since when they would be ours");
	CHECK(!saw(o, "http 2") && !saw(o, "gap"), "nothing is missing");
	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@900") "," CHANNEL("51", "@960"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "51/messages?after=@940&limit=100"), "a channel where nothing was heard before");
	probe_free(o);
	/* A guild without any message. */
	o = begin();
	run(o, READY("abc", GUILD_5) GUILD("2", "5", "{\"id\":\"@700\",\"type\":0}", ""));
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":1,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@690\",\"channels\":[]}"),
		"its channels are not older");
	probe_free(o);
}

static void filling(void)
{
	struct out *o = up();
	const char *record;

	lose(o);
	run(o, READY("def", GUILD_5));
	CHECK(saw(o, "gap 0 [abc:3] [def:1] the session was lost; messages are read again from the history"), "the gap is told with its range");
	CHECK(saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":1,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@990\",\"channels\":[\"50\",\"5\"],"
		"\"fill\":[],\"wait\":[\"5\",\"@990\"],\"read\":[0,0,0]}"), "a crash now would not forget it");
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
		"\"fill\":[\"50\",\"5\",\"@990\",\"52\",\"5\",\"@990\",\"54\",\"5\",\"@990\"],\"wait\":[],\"read\":[0,3,0]}"), "nor is it done with");
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

/* A crash in the middle: another process goes on. */
static void crashing(void)
{
	struct out *o = begin();
	const char *record;

	run(o, "gone 0 0 x\ndial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"user\":\"99\",\"after\":\"@900\",\"channels\":[\"50\",\"5\"],"
		"\"fill\":[\"50\",\"5\",\"@880\"],\"wait\":[\"6\",\"@870\"],\"read\":[2,7,0]}\nopened 0\n" HELLO);
	probe_take(o);
	run(o, GUILD("10", "6", CHANNEL("60", "@880"), "") "frame 0 {\"t\":\"RESUMED\",\"s\":11,\"op\":0,\"d\":{}}\n");
	record = probe_take(o);
	CHECK(has(record, "GET " ASKED "50/messages?after=@880") && !has(record, "gap"), "goes on where it was");
	run(o, "answer 3 200 [" OLD("@881", "50") "]\nacked 0 12\nadvance 100\n");
	CHECK(saw(o, "http 4 GET " ASKED "60/messages?after=@870"), "a guild that came since");
	/* Lost again: what is still to be read is to be read from where it was. */
	probe_take(o);
	run(o, "gone 0 4009 x\ndial 0\nopened 0\n" HELLO READY("def", "{\"id\":\"6\"}") GUILD("2", "6", CHANNEL("60", "@905") "," CHANNEL("61", "@905"), "")
		"answer 4 500 {}\nadvance 1000\n");
	CHECK(saw(o, "http 5 GET " ASKED "61/messages?after=@900"), "another one from where that session was");
	run(o, "answer 5 200 []\nadvance 100\n");
	CHECK(saw(o, "http 6 GET " ASKED "60/messages?after=@870"), "this one from where it was");
	run(o, "answer 6 200 []\nadvance 100\n");
	CHECK(saw(o, "gap 0 [@870] [@881] the session was lost: 8 messages of 5 channels read again from the history\n"), "told when all is done");
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
	probe_free(o);
}

/* Without messages a heartbeat that is answered proves that there were none. */
static void quiet(void)
{
	struct out *o = up();

	probe_take(o);
	run(o, "advance 19100\n" ACK);
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":3,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@1010\""), "on disk, so that nothing is read twice");
	probe_take(o);
	run(o, "advance 40000\n" ACK);
	CHECK(!saw(o, "save"), "once");
	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1000"), ""));
	CHECK(!saw(o, "http") && saw(o, "gap 0 [@1050] [] the session was lost: 0 messages of 0 channels"), "a channel whose last message is with the hub is not asked for");
	probe_free(o);
	/* Not while the hub does not have all: then with the mark. */
	o = up();
	run(o, MESSAGE("4", "@1001", "50", IN_5) MESSAGE("5", "@1002", "50", IN_5) "advance 19100\n" ACK "acked 0 4\n");
	probe_take(o);
	run(o, "advance 1000\n");
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":4,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@991\""), "only what the hub has");
	probe_free(o);
}

/* Private conversations are in no GUILD_CREATE; without the intent nothing is. */
static void unnamed(void)
{
	struct out *o = up();
	const char *record;

	run(o, MESSAGE("4", "@1001", "70", "") MESSAGE("5", "@1002", "56", IN_5) "acked 0 5\nadvance 1000\n");
	lose(o);
	run(o, READY("def", GUILD_5));
	CHECK(saw(o, "http 2 GET " ASKED "70/messages?after=@991"), "a private conversation");
	run(o, "answer 2 200 []\nadvance 100\n" GUILD("2", "5", CHANNEL("50", "@1000"), ""));
	CHECK(saw(o, "http 3 GET " ASKED "56/messages?after=@991"), "a thread that is archived now, perhaps");
	run(o, "answer 3 200 []\nadvance 100\n");
	CHECK(saw(o, "http 4 GET " ASKED "50/messages?after=@991"), "a channel");
	probe_free(o);
	o = probe_new(platform_find("discord"));
	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "intents = GUILD_MESSAGES\n") == 0, "without GUILDS");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO READY("abc", GUILD_5) MESSAGE("2", "@1000", "50", IN_5) "answer 2 404 {}\nacked 0 2\n" MESSAGE("3", "@1001", "51", ""));
	lose(o);
	run(o, READY("def", GUILD_5));
	CHECK(saw(o, "http 3 GET " ASKED "50/messages?after=@990"), "where something was heard");
	run(o, "answer 3 200 []\n");
	record = probe_take(o);
	CHECK(has(record, "gap 0 [@990] [] the session was lost: 0 messages of 1 channel read again"), "no guild is waited for");
	probe_free(o);
}

/* What the bot does not hear it does not read. */
static void unasked(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "intents = GUILDS\n") == 0, "commands only");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO READY("abc", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1000"), ""));
	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@2000"), ""));
	CHECK(saw(o, "gap 0 [abc:2] [def:1] the session was lost\n") && !saw(o, "http") && !saw(o, "gap 0 [@"), "told, and not read");
	probe_free(o);
}

/* A guild that becomes another shard's. */
static void shards(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "shards = 2\n") == 0, "two shards");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"user\":\"99\",\"after\":\"@900\","
		"\"channels\":[\"50\",\"5\"]}\nopened 0\n" HELLO READY("def", "{\"id\":\"6\"}"));
	CHECK(saw(o, "gap 0 [abc:9] [def:1] the session was lost; messages are read again"), "the one that was all there was");
	run(o, "dial 1 -\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n"
		"frame 1 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[" GUILD_5 "],\"session_id\":\"ghi\"}}\n"
		"frame 1 {\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"5\",\"channels\":[" CHANNEL("50", "@1000") "]}}\n");
	CHECK(saw(o, "gap 1 [] [ghi:1] the number of shards changed; messages are read again") && saw(o, "http 2 GET " ASKED "50/messages?after=@900"), "the new one");
	probe_free(o);
}

static void guilds(void)
{
	struct out *o = up();

	lose(o);
	run(o, READY("def", GUILD_5 ",{\"id\":\"6\"},{\"id\":\"7\"}") GUILD("2", "5", CHANNEL("50", "@900"), "") "advance 30000\n" ACK);
	CHECK(!saw(o, "gap 0 [@"), "guilds may come late");
	run(o, "frame 0 {\"t\":\"GUILD_DELETE\",\"s\":3,\"op\":0,\"d\":{\"id\":\"7\"}}\nadvance 20000\n" ACK "advance 10000\n");
	CHECK(saw(o, "gap 0 [@990] [] the session was lost: 0 messages of 0 channels read again from the history, not all; 1 guild not available: read when they are"),
		"one that does not come is told of");
	probe_take(o);
	run(o, GUILD("4", "6", CHANNEL("60", "@1100"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "60/messages?after=@990"), "and read when it does");
	run(o, "answer 2 200 [" OLD("@1100", "60") "]\nacked 0 9\n");
	CHECK(saw(o, "gap 0 [@990] [@1100] the session was lost: 1 message of 1 channel read again"), "and told");
	probe_free(o);
	/* An outage of a guild within a session. */
	o = up();
	run(o, "frame 0 {\"t\":\"GUILD_DELETE\",\"s\":4,\"op\":0,\"d\":{\"id\":\"5\",\"unavailable\":true}}\nadvance 10000\n");
	probe_take(o);
	run(o, GUILD("5", "5", CHANNEL("50", "@1000") "," CHANNEL("51", "@1001"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "since before it went");
	run(o, "answer 2 200 [" OLD("@1000", "50") "]\nacked 0 6\nadvance 100\nanswer 3 200 [" OLD("@1001", "51") "]\nacked 0 7\n");
	CHECK(saw(o, "gap 0 [@990] [@1001] a guild was unavailable: 2 messages of 2 channels read again from the history"), "told");
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

static void holes(void)
{
	struct out *o = up();

	probe_take(o);
	run(o, "frame 0 {\"t\":\"X\",\"s\":9,\"op\":0,\"d\":{}}\n");
	CHECK(saw(o, "gap 0 [4] [8] the sequence has a hole"), "a hole in the sequence is a gap");
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
	beginning();
	filling();
	crashing();
	pages();
	trouble();
	quiet();
	unnamed();
	unasked();
	shards();
	guilds();
	handing_over();
	holes();
	many();
	return check_done();
}
