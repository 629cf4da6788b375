/* Discord: what may be missing, since when and where. */
#include "discord_history.h"
#include "platform_probe.h"

#include "gatewayd/platform/platform.h"

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

/* What the end of it is to tell is more than what is still to be read. */
static void crashing_noted(void)
{
	struct out *o = begin();
	char saved[8192];
	const char *at;

	run(o, "gone 0 0 x\ndial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"user\":\"99\",\"after\":\"@900\",\"channels\":[],"
		"\"fill\":[\"50\",\"5\",\"@860\",\"51\",\"5\",\"@880\",\"52\",\"5\",\"@890\"],\"wait\":[],\"read\":[0,0,0]}\nopened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":10,\"op\":0,\"d\":{}}\n"
		"answer 2 403 {}\nadvance 2000\nanswer 3 200 [" OLD("@895", "51") "]\nacked 0 11\n");
	probe_take(o);
	run(o, "drain 0\n");
	at = strstr(probe_take(o), "save 0 ");
	CHECK(at && strchr(at, '\n'), "saved");
	snprintf(saved, sizeof(saved), "dial 0 %.*s\nopened 0\n", (int)(strchr(at, '\n') - at - 7), at + 7);
	probe_free(o);
	o = begin();
	run(o, "gone 0 0 x\n");
	run(o, saved);
	run(o, HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":11,\"op\":0,\"d\":{}}\nanswer 2 200 []\nadvance 2000\n");
	CHECK(saw(o, "gap 0 [@860] [@895] the session was lost: 1 message of 2 channels read again from the history, not all; channel 50 after @860: no access to its history\n"),
		"where it began, and what was not read");
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

static void guilds(void)
{
	struct out *o = up();

	lose(o);
	run(o, READY("def", GUILD_5 ",{\"id\":\"6\"},{\"id\":\"7\"}") GUILD("2", "5", CHANNEL("50", "@900"), "") "advance 30000\n" ACK);
	CHECK(!saw(o, "gap 0 [@"), "guilds may come late");
	run(o, "frame 0 {\"t\":\"GUILD_DELETE\",\"s\":3,\"op\":0,\"d\":{\"id\":\"7\"}}\nadvance 20000\n" ACK "advance 10000\n" ACK "advance 5000\n");
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

/* Guilds that are away before anything is known of which it could be said since when. */
/* Guilds of a first session that have not come yet, when another process goes on. */
static void absent_elsewhere(void)
{
	struct out *o = begin();
	char saved[1024];
	const char *last = NULL, *r;

	run(o, READY("abc", GUILD_5 ",{\"id\":\"6\"}") GUILD("2", "6", CHANNEL("60", "@1000"), "") "acked 0 2\nadvance 2000\n");
	r = probe_take(o);
	for (const char *at = r; (at = strstr(at, "save 0 {")); at++)
		last = at + strlen("save 0 ");
	CHECK(last && strcspn(last, "\n") < sizeof(saved) && strstr(last, "\"soon\":[\"5\"]"), "it is saved: %s", r);
	snprintf(saved, sizeof(saved), "dial 0 %.*s\nopened 0\n", (int)strcspn(last, "\n"), last);
	CHECK(probe_again(o) == 0, "another process");
	run(o, "start\nanswer 1 200 " GATEWAY);
	probe_run(o, saved);
	run(o, HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":3,\"op\":0,\"d\":{}}\n");
	CHECK(saw(o, "live 0 resumed") && !saw(o, "gap"), "it may still come");
	run(o, "advance 30000\n" ACK "advance 30000\n" ACK "advance 5000\n");
	CHECK(saw(o, "gap 0 [@990] [] a guild was unavailable"), "it is told here");
	run(o, GUILD("4", "5", CHANNEL("50", "@1030"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "and read when it comes");
	probe_free(o);
}

static void absent(void)
{
	struct out *o = begin();

	run(o, READY("abc", GUILD_5 ",{\"id\":\"6\"}") GUILD("2", "6", CHANNEL("60", "@1000"), "") "advance 30000\n" ACK "advance 20000\n");
	CHECK(!saw(o, "gap"), "they may come late");
	run(o, ACK "advance 10000\n" ACK "advance 5000\n");
	CHECK(saw(o, "gap 0 [@990] [] a guild was unavailable: 0 messages of 0 channels read again from the history, not all; 1 guild not available: read when they are"),
		"in the first session, too, it is missing something from then on");
	run(o, GUILD("3", "5", CHANNEL("50", "@1030"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "and read when it comes");
	probe_free(o);
	o = begin();
	run(o, READY("abc", GUILD_5 ",{\"id\":\"6\"}") GUILD("2", "5", CHANNEL("50", "@1000"), "")
		"frame 0 {\"t\":\"GUILD_DELETE\",\"s\":3,\"op\":0,\"d\":{\"id\":\"5\",\"unavailable\":true}}\n" GUILD("4", "6", "", "") "advance 10000\n");
	probe_take(o);
	run(o, GUILD("5", "5", CHANNEL("50", "@1005"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "one that goes while others are still to come");
	run(o, "answer 2 200 []\n");
	CHECK(saw(o, "gap 0 [@990] [] a guild was unavailable"), "told");
	probe_free(o);
	o = probe_new(platform_find("discord"));
	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "intents = GUILDS\n") == 0, "commands only");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO READY("abc", GUILD_5) "advance 30000\n" ACK "advance 30000\n" ACK "advance 5000\n");
	CHECK(saw(o, "gap 0 [") && count(probe_take(o), "a guild was unavailable") == 1, "of what is not read, too");
	run(o, "gone 0 0 x\ndial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":2,\"op\":0,\"d\":{}}\nadvance 30000\n" ACK "advance 30000\n" ACK "advance 5000\n");
	CHECK(!saw(o, "gap"), "once");
	probe_free(o);
}

/* A session without a name that could be resumed: when it is lost something is missing all the same. */
static void nameless(void)
{
	struct out *o = begin();

	run(o, READY("a b", GUILD_5) GUILD("2", "5", CHANNEL("50", "@900"), "") MESSAGE("3", "@1000", "50", IN_5) "acked 0 3\n");
	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1100"), ""));
	CHECK(saw(o, "gap 0 [@990] [def:1] the session was lost; messages are read again") && saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "since the last message");
	probe_free(o);
}

static void holes(void)
{
	struct out *o = up();

	probe_take(o);
	run(o, "frame 0 {\"t\":\"X\",\"s\":9,\"op\":0,\"d\":{}}\n");
	CHECK(saw(o, "gap 0 [4] [8] the sequence has a hole") && saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "a hole in the sequence is a gap");
	run(o, "answer 2 200 [" OLD("@1000.5", "50") "]\nacked 0 10\n");
	CHECK(saw(o, "line 0 mark=10 ticket=0 {\"specversion\":\"1.0\",\"id\":\"m-@1000.5\"") &&
		saw(o, "gap 0 [@990] [@1000.5] the sequence has a hole: 1 message of 1 channel read again"), "where something was heard it is filled");
	probe_free(o);
}

/* More holes than are told one by one: the others with their range when the connection ends, however that is. */
static struct out *with_holes(unsigned n)
{
	struct out *o = up();
	char step[80];

	for (unsigned s = 5; s < 5 + 2 * n; s += 2) {
		snprintf(step, sizeof(step), "frame 0 {\"t\":\"X\",\"s\":%u,\"op\":0,\"d\":{}}\n", s);
		run(o, step);
	}
	return o;
}

static void many_holes(const char *end, const char *went)
{
	struct out *o = with_holes(18);

	run(o, MESSAGE("40", "@1500", "50", IN_5) "answer 2 200 []\nacked 0 40\n");
	CHECK(saw(o, "gap 0 [32] [32] the sequence has a hole\n") && saw(o, "gap 0 [34] [] the sequence has holes; from here on") && !saw(o, "gap 0 [36]"), "the last has no end");
	probe_take(o);
	run(o, end);
	CHECK(saw(o, "gap 0 [34] [40] the sequence had holes\n") && saw(o, went), "until it ends: %s", went);
	probe_free(o);
}

static void holes_read(void)
{
	struct out *o = with_holes(16);

	run(o, MESSAGE("38", "@1500", "50", IN_5) "answer 2 200 []\nacked 0 38\nadvance 100\n");
	probe_take(o);
	run(o, "gone 0 0 x\ndial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":39,\"op\":0,\"d\":{}}\n");
	CHECK(saw(o, "http 3 GET " ASKED "50/messages?after=@990"), "since before the first that was not told");
	probe_free(o);
}

/* What does not move the line behind which all is with the hub, and what does. */
static void line(void)
{
	struct out *o = up();

	run(o, MESSAGE("4", "@2680000000", "50", IN_5) "acked 0 4\n");
	lose(o);
	run(o, READY("def", GUILD_5) "frame 0 {\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":" GUILD_5 "}\n");
	CHECK(!saw(o, "http"), "a guild that is said to be unavailable has not come");
	run(o, GUILD("3", "5", CHANNEL("50", "@1100"), ""));
	CHECK(saw(o, "http 2 GET " ASKED "50/messages?after=@990"), "an id of the next century is none");
	probe_free(o);
	o = begin();
	run(o, READY("abc", "") MESSAGE("2", "@1000", "50", IN_5));
	lose(o);
	run(o, READY("def", GUILD_5) GUILD("2", "5", CHANNEL("50", "@1100"), ""));
	CHECK(has(probe_take(o), "GET " ASKED "50/messages?after=@990"), "a first message that is still on its way to the hub: from there on");
	probe_free(o);
	o = up();
	run(o, "frame 0 {\"t\":\"X\",\"s\":4,\"op\":0,\"d\":{}}\n" MESSAGE("5", "@1005", "50", IN_5) "acked 0 4\n");
	probe_take(o);
	run(o, "drain 0\n");
	CHECK(strstr(probe_take(o), ids("\"after\":\"@990\"")), "a message that the hub does not have does not move it");
	probe_free(o);
	o = up();
	probe_take(o);
	run(o, "advance 19100\nadvance 5000\nframe 0 {\"op\":1,\"d\":null}\n" ACK);
	CHECK(saw(o, "save 0 {\"session\":\"abc\"") && strstr(probe_take(o), ids("\"after\":\"@1010\"")), "one answer to two heartbeats is of the first");
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	beginning();
	crashing();
	crashing_noted();
	quiet();
	unnamed();
	unasked();
	guilds();
	holes();
	many_holes("gone 0 0 x\n", "lost 0 resume");
	many_holes("drain 0\n", "close 0.0 4200 drain");
	holes_read();
	absent_elsewhere();
	absent();
	nameless();
	line();
	return check_done();
}
