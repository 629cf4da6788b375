/* Discord: life of a connection, close codes, resuming, the send limit, gaps, compression, interactions by HTTP. Events to lines: tests/gatewayd/data/discord. */
#include "check.h"
#include "platform_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/discord_names.h"
#include "gatewayd/platform/platform.h"
#include "line/scan.h"

#define CONF "platform = discord\ntoken-file = bot.token\ncompress = none\n"
#define GATEWAY "{\"url\":\"wss://main.example\",\"shards\":1,\"session_start_limit\":{\"total\":1000,\"remaining\":997,\"reset_after\":60000,\"max_concurrency\":1}}"
#define HELLO "frame 0 {\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n"
#define READY "frame 0 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[],\"session_id\":\"abc\",\"resume_gateway_url\":\"wss://resume.example\"}}\n"
#define READY2 "frame 0 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[],\"session_id\":\"def\",\"resume_gateway_url\":\"wss://resume.example\"}}\n"
#define ACK "frame 0 {\"t\":null,\"s\":null,\"op\":11,\"d\":null}\n"
#define MESSAGE(s, id, channel) "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":" s ",\"op\":0,\"d\":{\"id\":\"" id "\",\"channel_id\":\"" channel \
	"\",\"guild_id\":\"5\",\"author\":{\"id\":\"41\",\"username\":\"ada\"},\"content\":\"hi\",\"type\":0}}\n"
#define RESUMED(s) "frame 0 {\"t\":\"RESUMED\",\"s\":" s ",\"op\":0,\"d\":{}}\n"
#define MAIN_URL "dial 0 wss://main.example/?v=10&encoding=json"
#define RESUME_URL "dial 0 wss://resume.example/?v=10&encoding=json opening"

static struct out *begin(const char *conf)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, conf) == 0, "the account is read");
	probe_run(o, "start\nanswer 1 200 " GATEWAY);
	return o;
}

static struct out *up(const char *conf)
{
	struct out *o = begin(conf);

	probe_run(o, "dial 0\nopened 0\n" HELLO READY);
	CHECK(probe_saw(o, "live 0 up"), "live");
	return o;
}

static unsigned count(const char *record, const char *what)
{
	unsigned n = 0;

	while ((record = strstr(record, what))) {
		n++;
		record++;
	}
	return n;
}

static void heartbeats(void)
{
	struct out *o = begin(CONF);

	probe_run(o, "random 25\ndial 0\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "timer 0.0 +10000"), "the first heartbeat after a random part of the interval");
	probe_run(o, READY MESSAGE("2", "70", "50") "acked 0 2\n" MESSAGE("3", "71", "50"));
	probe_take(o);
	probe_run(o, "advance 9999");
	CHECK(!probe_saw(o, "send"), "not before its time");
	probe_run(o, "advance 1");
	CHECK(probe_saw(o, "send 0.0 {\"op\":1,\"d\":2}") && probe_saw(o, "timer 0.0 +40000"), "with the last sequence that the hub has, then every interval");
	probe_run(o, ACK "advance 39999");
	probe_take(o);
	probe_run(o, "frame 0 {\"op\":1,\"d\":null}");
	CHECK(probe_saw(o, "send 0.0 {\"op\":1,\"d\":2}") && !probe_saw(o, "expect"), "one that was asked for is outside the schedule");
	probe_take(o);
	probe_run(o, "advance 1\n" ACK);
	CHECK(probe_saw(o, "expect 0.0 20000 zombie") && probe_saw(o, "expect 0.0 off"), "answered");
	probe_take(o);
	/* The peer falls silent right behind its answer: the longest time there is. */
	probe_run(o, "advance 59999");
	CHECK(!probe_saw(o, "lost"), "silent for less than one and a half intervals");
	probe_run(o, "advance 1");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms zombie: a heartbeat was not acknowledged"), "a zombie");
	probe_take(o);
	probe_run(o, "advance 600000");
	CHECK(strcmp(probe_take(o), "") == 0, "nothing is left to do for a dead socket");
	probe_free(o);
}

/* Dispatches do not count as answers. */
static void zombie_that_talks(void)
{
	struct out *o = up(CONF);
	char text[256];

	for (unsigned s = 2; s < 62; s++) {
		snprintf(text, sizeof(text), "frame 0 {\"t\":\"TYPING_START\",\"s\":%u,\"op\":0,\"d\":{}}\nadvance 1000\n", s);
		if (!probe_saw(o, "lost"))
			probe_run(o, text);
	}
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms zombie"), "heartbeats without answers, however much else comes");
	probe_free(o);
}

static void resuming(void)
{
	struct out *o = up(CONF);

	probe_run(o, MESSAGE("2", "70", "50") MESSAGE("3", "71", "50") "gone 0 0 reset\ndial 0\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms reset") && probe_saw(o, RESUME_URL), "to the session's own URL, with our query, no identify");
	probe_run(o, "opened 0\n" HELLO);
	CHECK(probe_saw(o, "send 0.0 {\"op\":6,\"d\":{\"token\":\"secret\",\"session_id\":\"abc\",\"seq\":3}}"), "resume from what came");
	probe_take(o);
	probe_run(o, MESSAGE("4", "72", "50") RESUMED("5"));
	CHECK(probe_saw(o, "line 0 mark=4") && probe_saw(o, "live 0 resumed") && !probe_saw(o, "gap"), "without a gap");
	probe_free(o);
}

/* What is on disk is what the hub has acknowledged, whatever came since. */
static void saving(void)
{
	struct out *o = up(CONF), *other;
	char saved[512];
	const char *text;

	CHECK(probe_saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":1,"), "a session is saved when it begins");
	probe_take(o);
	probe_run(o, MESSAGE("2", "70", "50") MESSAGE("3", "71", "50") MESSAGE("4", "72", "50"));
	CHECK(!probe_saw(o, "save"), "nothing is acknowledged");
	probe_run(o, "acked 0 2\nacked 0 3\n");
	CHECK(!probe_saw(o, "save"), "not for each line");
	probe_run(o, "advance 1000");
	CHECK(probe_saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":3,"), "up to the mark");
	text = probe_take(o);
	text = strstr(text, "save 0 ") + 7;
	snprintf(saved, sizeof(saved), "dial 0 %.*s\nopened 0\n" HELLO, (int)strcspn(text, "\n"), text);
	other = begin(CONF);
	probe_run(other, saved);
	CHECK(probe_saw(other, "send 0.0 {\"op\":6,\"d\":{\"token\":\"secret\",\"session_id\":\"abc\",\"seq\":3}}"), "another process goes on there");
	probe_run(other, MESSAGE("4", "72", "50") RESUMED("5"));
	CHECK(probe_saw(other, "line 0 mark=4") && probe_saw(other, "live 0 resumed"), "and gets what was not acknowledged");
	probe_free(other);
	/* A session whose lines are not all acknowledged has ended: the new one counts from its own beginning. */
	probe_run(o, "gone 0 4009 x\ndial 0\nopened 0\n" HELLO READY2);
	CHECK(probe_saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":1,"), "a new session");
	probe_take(o);
	probe_run(o, "acked 0 4\nadvance 5000\n");
	CHECK(!probe_saw(o, "save"), "acknowledgements of lines of the one before are not its own");
	probe_run(o, MESSAGE("2", "80", "50") "acked 0 6\n");
	probe_take(o);
	probe_run(o, "gone 0 0 reset\n");
	CHECK(probe_saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":2,"), "a lost connection has no timers: saved at once");
	probe_take(o);
	probe_run(o, "acked 0 6\nadvance 5000\n");
	CHECK(strcmp(probe_take(o), "") == 0, "once");
	probe_run(o, "dial 0\nopened 0\n" HELLO RESUMED("3") MESSAGE("4", "80", "50") "acked 0 8\nadvance 5000\n");
	CHECK(probe_saw(o, "line 0 mark=8") && probe_saw(o, "save 0 {\"session\":\"def\",\"url\":\"wss://resume.example\",\"seq\":4,"), "these are");
	probe_free(o);
	other = begin(CONF);
	probe_run(other, "dial 0 {\"session\":\"a b\",\"seq\":1,\"shards\":1}");
	CHECK(probe_saw(other, MAIN_URL " identify=0"), "a saved text that is none is not believed");
	probe_take(other);
	probe_run(other, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":2}");
	CHECK(probe_saw(other, MAIN_URL " identify=0"), "nor a session of another number of shards");
	probe_take(other);
	probe_run(other, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":1,\"intents\":513}");
	CHECK(probe_saw(other, MAIN_URL " identify=0"), "nor one of other intents, which it would keep");
	probe_run(other, "opened 0\n" HELLO READY2);
	CHECK(probe_saw(other, "gap 0 [abc:1] [def:1]"), "a gap");
	probe_free(other);
}

/* Each close code by its column. */
static void close_codes(void)
{
	static const struct { unsigned code; char what; } rows[] = {
		{0, 'r'}, {1000, 'i'}, {1001, 'i'}, {1005, 'r'}, {1006, 'r'}, {1011, 'r'}, {4000, 'r'}, {4001, 'r'}, {4002, 'r'}, {4003, 'i'}, {4004, 's'}, {4005, 'i'},
		{4006, 'r'}, {4007, 'i'}, {4008, 'i'}, {4009, 'i'}, {4010, 's'}, {4011, 's'}, {4012, 's'}, {4013, 's'}, {4014, 's'}, {4999, 'r'},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = up(CONF);
		char step[64], want[32];

		probe_take(o);
		snprintf(step, sizeof(step), "gone 0 %u because\n", rows[i].code);
		snprintf(want, sizeof(want), "lost 0 %s 0 ", rows[i].what == 's' ? "stop" : "resume");
		probe_run(o, step);
		CHECK(probe_saw(o, want) && (rows[i].code != 4008 || probe_saw(o, "lost 0 resume 0 wait=5000ms")), "%u ends the connection", rows[i].code);
		if (rows[i].what != 's') {
			probe_run(o, "dial 0");
			CHECK(probe_saw(o, rows[i].what == 'r' ? RESUME_URL : MAIN_URL " identify=0"), "%u: %s", rows[i].code,
				rows[i].what == 'r' ? "resume" : "identify");
		}
		probe_free(o);
	}
}

/* Before Resume the server cannot know whose session it is: an end then says nothing about it. */
static void ends_before_naming(void)
{
	static const unsigned rows[] = {1000, 1001, 4003, 4005, 4007, 4008, 4009};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = up(CONF);
		char step[256];

		probe_run(o, "gone 0 0 reset\ndial 0\n");
		probe_take(o);
		snprintf(step, sizeof(step), "gone 0 %u because\ndial 0\nopened 0\ngone 0 %u because\ndial 0\nopened 0\n" HELLO, rows[i], rows[i]);
		probe_run(o, step);
		CHECK(!probe_saw(o, MAIN_URL " identify") && probe_saw(o, "send 0.0 {\"op\":6,"), "%u while connecting, or in the place of Hello: the session is kept",
			rows[i]);
		snprintf(step, sizeof(step), "gone 0 %u because\ndial 0\n", rows[i]);
		probe_take(o);
		probe_run(o, step);
		CHECK(probe_saw(o, MAIN_URL " identify=0"), "%u behind Resume is about it", rows[i]);
		probe_free(o);
	}
	{
		struct out *o = up(CONF);

		probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\nframe 0 {\"op\":9,\"d\":false}\n");
		probe_take(o);
		probe_run(o, "dial 0\n");
		CHECK(probe_saw(o, RESUME_URL), "op 9 in the place of Hello, too");
		probe_free(o);
	}
}

/* shards = auto: Discord wants more of them than there are. */
static void outgrown(void)
{
	static const char more[] = "{\"url\":\"wss://main.example\",\"shards\":3,\"session_start_limit\":{\"total\":1000,\"remaining\":996,\"reset_after\":60000,\"max_concurrency\":1}}";
	struct out *o = up(CONF);
	char step[512];

	probe_run(o, MESSAGE("2", "70", "50") "answer 2 404 {}\ngone 0 4009 x\ndial 0\nopened 0\n" HELLO);
	probe_take(o);
	probe_run(o, "gone 0 4011 x\n");
	CHECK(probe_saw(o, "lost 0 stop 0 wait=0ms 4011 sharding required") && probe_saw(o, "http 3 GET https://discord.com/api/v10/gateway/bot"), "how many are asked for");
	snprintf(step, sizeof(step), "answer 3 200 %s\ndial 0\nopened 0\n" HELLO, more);
	probe_run(o, step);
	CHECK(probe_saw(o, "connections 3") && strstr(probe_take(o), "\"shard\":[0,3]"), "and had");
	probe_run(o, READY2 "dial 1\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n");
	CHECK(probe_saw(o, "gap 0 [abc:2] [def:1]") && probe_saw(o, "send 1.0 {\"op\":2,"), "what came between is a gap");
	probe_take(o);
	snprintf(step, sizeof(step), "gone 1 4010 x\nanswer 4 200 %s\n", more);
	probe_run(o, step);
	CHECK(probe_saw(o, "lost 1 stop") && !probe_saw(o, "connections") && !probe_saw(o, "lost 0"), "no more are recommended: it stays stopped, the others go on");
	probe_free(o);
	o = up(CONF "shards = 1\n");
	probe_take(o);
	probe_run(o, "gone 0 4011 x\n");
	CHECK(probe_saw(o, "lost 0 stop") && !probe_saw(o, "http"), "a number that somebody chose is his to change");
	probe_free(o);
}

static void op_codes(void)
{
	struct out *o = up(CONF);

	probe_run(o, "frame 0 {\"op\":7,\"d\":null}\n");
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=0ms"), "op 7: closed with a code that leaves the session alive");
	probe_run(o, "dial 0\nopened 0\n" HELLO "frame 0 {\"op\":9,\"d\":true}\ndial 0\n");
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=3000ms") && count(probe_take(o), RESUME_URL) == 2, "op 9 true: resume again, after a while");
	probe_run(o, "opened 0\n" HELLO "frame 0 {\"op\":9,\"d\":false}\ndial 0\n");
	CHECK(probe_saw(o, MAIN_URL " identify=0"), "op 9 false: identify");
	probe_take(o);
	probe_run(o, "opened 0\n" HELLO "frame 0 {\"op\":9,\"d\":false}\ndial 0\n");
	CHECK(probe_saw(o, MAIN_URL " identify=0"), "op 9 instead of READY: identify again");
	probe_take(o);
	probe_run(o, "opened 0\nframe 0 {\"op\":7,\"d\":null}\ndial 0\n");
	CHECK(probe_saw(o, MAIN_URL " identify=0"), "op 7 instead of Hello");
	probe_run(o, "opened 0\n" HELLO READY2);
	CHECK(probe_saw(o, "live 0 up") && probe_saw(o, "gap 0 [abc:1] [def:1]"), "the new session tells the gap");
	probe_take(o);
	probe_run(o, "frame 0 {\"op\":250,\"d\":null}\nframe 0 {\"op\":-1}\nframe 0 {}\nframe 0 []\nframe 0 {\"op\":0,\"t\":5,\"s\":true,\"d\":7}\n");
	CHECK(strcmp(probe_take(o), "") == 0, "what has no meaning is left alone");
	probe_run(o, "frame 0 {\"op\":0,\n");
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=0ms a frame that is no JSON"), "no JSON");
	probe_free(o);
}

static void attempts(void)
{
	struct out *o = up(CONF);

	/* Resumes that come to nothing: three at the session's own URL, two at the main one, then a new session. */
	for (int i = 0; i < 5; i++)
		probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" HELLO);
	CHECK(count(probe_take(o), RESUME_URL) == 3, "three at its own URL");
	probe_run(o, "gone 0 0 reset\ndial 0\n");
	CHECK(probe_saw(o, MAIN_URL " identify=0"), "bounded");
	probe_free(o);
	o = up(CONF);
	/* Where nothing opens no resume was refused: the session is kept, both URLs are tried. */
	probe_take(o);
	probe_run(o, "gone 0 0 reset\n");
	for (int i = 0; i < 12; i++)
		probe_run(o, "dial 0\ngone 0 0 refused\n");
	CHECK(probe_saw(o, "http 2 GET https://discord.com/api/v10/gateway/bot"), "the main URL is asked for again");
	CHECK(!probe_saw(o, MAIN_URL " identify"), "no identify without need");
	{
		const char *record = probe_take(o);

		CHECK(count(record, RESUME_URL) == 7 && count(record, MAIN_URL " opening") == 5, "both URLs in turn");
	}
	probe_run(o, "dial 0\nopened 0\n" HELLO RESUMED("2"));
	CHECK(probe_saw(o, "live 0 resumed"), "and it comes back");
	probe_free(o);
	o = begin(CONF);
	probe_run(o, "dial 0\nopened 0\nadvance 30000\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms no Hello"), "no Hello");
	probe_run(o, "dial 0\nopened 0\n" HELLO "advance 30000\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms no READY"), "no READY");
	probe_free(o);
}

/* A replay may take long; only silence ends it. */
static void long_replay(void)
{
	struct out *o = up(CONF);
	char text[512];

	probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" HELLO);
	probe_take(o);
	for (unsigned s = 2; s < 20; s++) {
		snprintf(text, sizeof(text), "frame 0 {\"t\":\"TYPING_START\",\"s\":%u,\"op\":0,\"d\":{}}\n" ACK "advance 15000\n" ACK, s);
		probe_run(o, text);
	}
	CHECK(!probe_saw(o, "lost"), "270 s of replay");
	probe_run(o, "advance 20000\n" ACK "advance 15000\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=0ms no RESUMED"), "silence");
	probe_free(o);
}

static void limits(void)
{
	struct out *o = up(CONF);
	const char *record;

	probe_take(o);
	for (int i = 0; i < 300; i++)
		probe_run(o, "frame 0 {\"op\":1,\"d\":null}");
	record = probe_take(o);
	CHECK(count(record, "send 0.0") > 100 && count(record, "send 0.0") < 120, "all at one moment: answered within the send limit (%u)",
		count(record, "send 0.0"));
	probe_free(o);
	o = up(CONF);
	probe_take(o);
	for (int i = 0; i < 1000; i++)
		probe_run(o, "frame 0 {\"op\":1,\"d\":null}\nadvance 10");
	record = probe_take(o);
	CHECK(count(record, "send 0.0") > 100 && count(record, "send 0.0") < 120, "a flood of op 1 is answered within the send limit (%u)",
		count(record, "send 0.0"));
	for (int i = 0; i < 20; i++)
		probe_run(o, "reload " "platform = discord\\ntoken-file = bot.token\\ncompress = none\\npresence = watching x\n"
			"reload " "platform = discord\\ntoken-file = bot.token\\ncompress = none\\nstatus = idle\n");
	CHECK(!probe_saw(o, "send 0.0 {\"op\":3"), "presence waits");
	for (int i = 0; i < 7; i++)
		probe_run(o, "advance 10000\n" ACK);
	record = probe_take(o);
	CHECK(count(record, "send 0.0 {\"op\":3,\"d\":{\"since\":null,\"activities\":[],\"status\":\"idle\",\"afk\":false}}") == 1, "and goes once");
	probe_free(o);
}

/* A heartbeat of the schedule always goes: the more often it has to, the less is left for others. */
static void limits_short(void)
{
	struct out *o = begin(CONF);
	const char *record;
	unsigned n;

	probe_run(o, "dial 0\nopened 0\nframe 0 {\"op\":10,\"d\":{\"heartbeat_interval\":1}}\n" READY);
	probe_take(o);
	for (int i = 0; i < 6000; i++)
		probe_run(o, i % 10 ? "frame 0 {\"op\":1,\"d\":null}\nadvance 10" : ACK "frame 0 {\"op\":1,\"d\":null}\nadvance 10");
	record = probe_take(o);
	n = count(record, "send 0.0");
	CHECK(!strstr(record, "lost") && n > 100 && n < 119, "an interval of nothing, and a flood of op 1: %u in a minute", n);
	probe_free(o);
}

/* What the bot is shown to do belongs to the session. */
static void presence(void)
{
	struct out *o = up(CONF "presence = watching a\n"), *other;
	char saved[1024];
	const char *text;

	probe_take(o);
	probe_run(o, "gone 0 0 reset\nreload platform = discord\\ntoken-file = bot.token\\ncompress = none\\npresence = watching b\ndial 0\nopened 0\n" HELLO);
	CHECK(!probe_saw(o, "send 0.0 {\"op\":3"), "changed while it was away");
	probe_run(o, RESUMED("2"));
	CHECK(probe_saw(o, "send 0.0 {\"op\":3,\"d\":{\"since\":null,\"activities\":[{\"name\":\"b\",\"type\":3}]"), "told when it is back");
	probe_take(o);
	probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" HELLO RESUMED("3"));
	CHECK(probe_saw(o, "live 0 resumed") && !probe_saw(o, "send 0.0 {\"op\":3"), "once");
	probe_free(o);
	other = begin(CONF "presence = watching c\n");
	probe_run(other, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":1}\nopened 0\n" HELLO RESUMED("2"));
	CHECK(probe_saw(other, "send 0.0 {\"op\":3,\"d\":{\"since\":null,\"activities\":[{\"name\":\"c\",\"type\":3}]"), "by another process, too");
	probe_take(other);
	probe_run(other, "acked 0 2\nadvance 1000\n");
	CHECK((text = strstr(probe_take(other), "save 0 ")) != NULL, "saved with what it was told");
	snprintf(saved, sizeof(saved), "start\nanswer 1 200 " GATEWAY "\ndial 0 %.*s\nopened 0\n" HELLO RESUMED("3"), text ? (int)strcspn(text + 7, "\n") : 0, text ? text + 7 : "");
	CHECK(probe_again(other) == 0, "a third process");
	probe_run(other, saved);
	CHECK(probe_saw(other, "live 0 resumed") && !probe_saw(other, "send 0.0 {\"op\":3"), "has nothing to tell");
	probe_free(other);
}

static void large(void)
{
	struct out *o = up(CONF "large-payload = 64k\n");
	char *text = malloc(70000 + 512);
	size_t n;

	if (!text)
		return;
	n = (size_t)sprintf(text, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"70\",\"x\":\"");
	memset(text + n, 'a', 70000);
	strcpy(text + n + 70000, "\"}}\n");
	probe_take(o);
	probe_run(o, text);
	CHECK(probe_saw(o, "gap 0 [2] [2] a payload is longer than large-payload") && probe_saw(o, "mark 0 2"), "without compression: left out, told, and behind us");
	probe_take(o);
	probe_run(o, MESSAGE("3", "71", "50"));
	CHECK(probe_saw(o, "line 0 mark=3") && !probe_saw(o, "gap"), "it goes on");
	probe_take(o);
	probe_run(o, "reload platform = discord\\ntoken-file = bot.token\\ncompress = zlib\\nlarge-payload = 1m\n" "gone 0 0 reset\ndial 0\n");
	CHECK(probe_saw(o, "reload yes") && probe_saw(o, "dial 0 wss://resume.example/?v=10&encoding=json&compress=zlib-stream"),
		"another compression is for the next connection, of the same session");
	probe_free(o);
	o = begin(CONF "large-payload = 64k\n");
	probe_run(o, "dial 0\nopened 0\n" HELLO);
	probe_run(o, text);
	CHECK(probe_saw(o, "lost 0 stop 4200 wait=0ms READY is longer than large-payload"), "no identify after the other for a READY that is too long");
	probe_free(o);
	free(text);
}

static void accounts(void)
{
	static const struct { const char *conf; bool good; } rows[] = {
		{CONF, true}, {CONF "intents = GUILDS GUILD_MESSAGES 32768\n", true}, {CONF "intents = GUILD\n", false}, {CONF "shards = 0\n", false},
		{CONF "shards = 16\n", true}, {CONF "public-key = 00\n", false}, {CONF "api = ftp://x\n", false}, {CONF "status = away\n", false},
		{CONF "large-payload = 1k\n", false}, {CONF "events = typing\n", false}, {CONF "events = TYPING_START GUILD_BAN_ADD\n", true},
		{"platform = discord\n", false}, {CONF "application-id = x\n", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = probe_new(platform_find("discord"));

		probe_file(o, "bot.token", "secret\n");
		CHECK((probe_account(o, rows[i].conf) == 0) == rows[i].good, "account %zu is %s", i, rows[i].good ? "read" : "refused");
		probe_free(o);
	}
}

static void asking(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "read");
	probe_run(o, "start\nanswer 1 0 no route\n");
	CHECK(probe_saw(o, "timer -.0 +750") && !probe_saw(o, "connections"), "asked again later");
	probe_run(o, "advance 750\nanswer 2 503 x\nadvance 2000\nanswer 3 200 {\"url\":\"http://x\"}\nadvance 5000\n");
	CHECK(probe_saw(o, "http 4 GET"), "until the answer names a gateway");
	probe_run(o, "answer 4 429 Retry-After: 7.5 | {}\n");
	CHECK(probe_saw(o, "timer -.0 +13550"), "not before it may be");
	probe_run(o, "advance 13549\n");
	CHECK(!probe_saw(o, "http 5"), "not a moment");
	probe_run(o, "advance 1\nanswer 5 429 {\"message\":\"x\",\"retry_after\":64.57,\"global\":true}\n");
	CHECK(probe_saw(o, "timer -.0 +76620"), "nor where only the body says so");
	probe_run(o, "advance 76620\nanswer 6 401 {}\ndial 0\nadvance 100000\n");
	CHECK(probe_saw(o, "connections 1") && probe_saw(o, "lost 0 stop 0 wait=0ms 401") && !probe_saw(o, "http 7"), "a wrong token is not tried again");
	probe_free(o);
	o = up(CONF);
	probe_take(o);
	probe_run(o, "advance 1\ngone 0 4009 x\nadvance 700000\ndial 0\n");
	CHECK(probe_saw(o, "http 2 GET") && probe_saw(o, "dial 0 no"), "before an identify the limits are asked for again");
	probe_run(o, "answer 2 200 " GATEWAY "\ndial 0\n");
	CHECK(probe_saw(o, "budget keys=1 every=5250ms total=1000 remaining=997 reset=60000ms") && probe_saw(o, MAIN_URL " identify=0"), "and then");
	probe_free(o);
}

/* Another process resumes: GUILD_CREATE does not come again, so the names are asked for. */
static void fetching(void)
{
	struct out *o = begin(CONF);
	const char *record;

	probe_run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"after\":\"7\",\"channels\":[\"50\",\"5\",\"51\",\"5\"]}\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "http 2 GET https://discord.com/api/v10/guilds/5"), "the guild is asked for");
	probe_run(o, "answer 2 429 Retry-After: 1 | {}\nadvance 1050\nanswer 3 200 {\"id\":\"5\",\"owner_id\":\"41\",\"roles\":[{\"id\":\"60\",\"name\":\"r\",\"permissions\":\"0\"}]}\n"
		"answer 4 200 [{\"id\":\"50\",\"name\":\"general\"}]\n");
	CHECK(probe_saw(o, "http 4 GET https://discord.com/api/v10/guilds/5/channels"), "and its channels");
	probe_take(o);
	probe_run(o, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":10,\"op\":0,\"d\":{\"id\":\"70\",\"channel_id\":\"50\",\"guild_id\":\"5\",\"author\":{\"id\":\"41\",\"username\":\"a\"},"
		"\"member\":{\"roles\":[\"60\"]},\"content\":\"hi\"}}\n");
	record = probe_take(o);
	CHECK(strstr(record, "\"channel\":{\"id\":\"50\",\"name\":\"general\"}") && strstr(record, "\"roles\":[\"owner\",\"r\"]"), "a line with names");
	probe_run(o, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":11,\"op\":0,\"d\":{\"id\":\"71\",\"channel_id\":\"52\",\"guild_id\":\"6\",\"author\":{\"id\":\"41\",\"username\":\"a\"},\"content\":\"hi\"}}\n"
		"advance 100\nanswer 5 404 {}\n" MESSAGE("12", "72", "50") "advance 60000\n");
	record = probe_take(o);
	CHECK(count(record, "http ") == 1 && strstr(record, "http 5 GET https://discord.com/api/v10/guilds/6"), "what cannot be had is asked for once");
	probe_free(o);
}

static void draining(void)
{
	struct out *o = up(CONF);

	probe_run(o, MESSAGE("2", "70", "50") MESSAGE("3", "71", "50") "acked 0 2\n");
	probe_take(o);
	probe_run(o, "drain 0\n" MESSAGE("4", "72", "50") "acked 0 3\nadvance 100000\n");
	CHECK(strcmp(probe_take(o), "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":2,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"0\","
		"\"channels\":[\"50\",\"5\"]}\ntimer 0.2 off\ntimer 0.0 off\ntimer 0.1 off\nclose 0.0 4200 drain\n") == 0,
		"saved up to what is acknowledged, closed so that the session lives on, then silent");
	probe_run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://other.example\",\"seq\":9,\"shards\":1}\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "send 0.0 {\"op\":6,\"d\":{\"token\":\"secret\",\"session_id\":\"abc\",\"seq\":9}}"), "when it comes back, where the other was");
	probe_free(o);
}

/* ---- compression ---- */

static const char vector1[] = "789caa562a51b2ca2bcdc9d1512a8631f20b94ac0c0d74945294acaa953252138b4a9252134be233f34a528bca127394ac4c0c8d4c0d6a6b01000000ffff";
static const char vector2[] = "aac6a5d710ac1724500b000000ffff";

static size_t unhex(const char *s, char *to)
{
	size_t n = 0;
	unsigned v;

	for (; *s; s += 2, n++) {
		sscanf(s, "%2x", &v);
		to[n] = (char)v;
	}
	return n;
}

static void inflating(void)
{
	static const char hello[] = "{\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":41250}}";
	char a[128], b[64];
	size_t na = unhex(vector1, a), nb = unhex(vector2, b);
	struct inflate *z;
	struct buf out;
	const char *why;
	bool good = true;

	buf_init(&out, 1 << 20);
	for (size_t cut = 1; cut < na && good; cut++) {	/* over two messages, cut at any byte */
		z = inflate_new(INFLATE_ZLIB);
		good = inflate_message(z, a, cut, 1000, &out, &why) == INFLATE_MORE &&
			inflate_message(z, a + cut, na - cut, 1000, &out, &why) == INFLATE_WHOLE && out.len == strlen(hello) &&
			memcmp(out.p, hello, out.len) == 0 && inflate_message(z, b, nb, 1000, &out, &why) == INFLATE_WHOLE &&
			memcmp(out.p, "{\"t\":null,\"s\":null,\"op\":11,\"d\":null}", out.len) == 0;
		inflate_free(z);
	}
	CHECK(good, "cut at any byte, the window lives on");
	z = inflate_new(INFLATE_ZLIB);
	CHECK(inflate_message(z, a, na, 20, &out, &why) == INFLATE_LONG && out.len <= 20, "longer than allowed: its beginning");
	CHECK(inflate_message(z, b, nb, 1000, &out, &why) == INFLATE_WHOLE && memcmp(out.p, "{\"t\":null,\"s\":null,\"op\":11", 26) == 0, "the stream goes on behind it");
	inflate_free(z);
	z = inflate_new(INFLATE_ZLIB);
	CHECK(inflate_message(z, a, na, 5, &out, &why) == INFLATE_BAD, "far longer");
	inflate_free(z);
	a[10] ^= 1;
	z = inflate_new(INFLATE_ZLIB);
	CHECK(inflate_message(z, a, na, 1000, &out, &why) != INFLATE_WHOLE || memcmp(out.p, hello, out.len) != 0, "a damaged stream is not its text");
	CHECK(inflate_message(z, "no zlib at all \0\0\xff\xff", 19, 1000, &out, &why) == INFLATE_BAD, "no stream");
	inflate_free(z);
	buf_release(&out);
}

/* Made by libzstd 1.5.4, level 3, ZSTD_e_flush behind each; the frame is open. */
static const char zstd1[] = "28b52ffd0058e001007b2274223a6e756c6c2c2273223a6e756c6c2c226f70223a31302c2264223a7b226865617274626561745f696e74657276616c223a34313235307d7d";
static const char zstd2[] = "74000030316e756c6c7d02004090bf2820";
static const char zstd_frame[] = "28b52ffd20094900007b226f70223a31317d";		/* {"op":11}, and its end */
static const char zstd_window[] = "28b52ffd0070e001007b7d";				/* a window of 16 MiB */

static void inflating_zstd(void)
{
	char a[128], b[64], f[64];
	size_t na = unhex(zstd1, a), nb = unhex(zstd2, b), nf = unhex(zstd_frame, f);
	struct inflate *z = inflate_new(INFLATE_ZSTD);
	struct buf out;
	const char *why = "";

	buf_init(&out, 1 << 20);
	CHECK(inflate_message(z, a, na, 1000, &out, &why) == INFLATE_WHOLE && out.len == 60 && memcmp(out.p + 19, "\"op\":10", 7) == 0, "a message is a payload");
	CHECK(inflate_message(z, b, nb, 1000, &out, &why) == INFLATE_WHOLE && out.len == 36 && memcmp(out.p, "{\"t\":null,\"s\":null,\"op\":11,\"d\":null}", 36) == 0,
		"the window lives on");
	inflate_free(z);
	z = inflate_new(INFLATE_ZSTD);
	CHECK(inflate_message(z, b, nb, 1000, &out, &why) == INFLATE_BAD && strcmp(why, "the compressed stream is damaged") == 0, "not without its beginning");
	inflate_free(z);
	z = inflate_new(INFLATE_ZSTD);
	CHECK(inflate_message(z, a, na, 20, &out, &why) == INFLATE_LONG && out.len <= 20 && inflate_message(z, b, nb, 1000, &out, &why) == INFLATE_WHOLE,
		"longer than allowed: its beginning, and the stream goes on behind it");
	CHECK(inflate_message(z, "{}", 2, 1000, &out, &why) != INFLATE_WHOLE || out.len == 0, "what is not compressed is no payload");
	inflate_free(z);
	z = inflate_new(INFLATE_ZSTD);
	CHECK(inflate_message(z, a, na, 5, &out, &why) == INFLATE_BAD, "far longer");
	inflate_free(z);
	z = inflate_new(INFLATE_ZSTD);
	for (int i = 0; i < 3; i++)
		CHECK(inflate_message(z, f, nf, 1000, &out, &why) == INFLATE_WHOLE && out.len == 9, "a frame that ends: the next one begins");
	na = unhex(zstd_window, a);
	CHECK(inflate_message(z, a, na, 1000, &out, &why) == INFLATE_BAD && strstr(why, "8 MiB"), "a window too large: %s", why);
	inflate_free(z);
	buf_release(&out);
}

static void compressed_zstd(void)
{
	struct out *o = begin("platform = discord\ntoken-file = bot.token\ncompress = zstd\n");
	char step[256];

	snprintf(step, sizeof(step), "dial 0\nopened 0\nbinary 0 %s\n", zstd1);
	probe_run(o, step);
	CHECK(probe_saw(o, MAIN_URL "&compress=zstd-stream identify=0") && probe_saw(o, "send 0.0 {\"op\":2"), "asked for, and Hello");
	snprintf(step, sizeof(step), "binary 0 %s\n", zstd2);
	probe_run(o, step);
	CHECK(!probe_saw(o, "lost"), "an answer in the same stream");
	snprintf(step, sizeof(step), "gone 0 0 reset\ndial 0\nopened 0\nbinary 0 %s\n", zstd2);
	probe_run(o, step);
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=0ms the compressed stream is damaged"), "a new connection is a new stream");
	probe_free(o);
}

static void compressed(void)
{
	struct out *o = begin("platform = discord\ntoken-file = bot.token\n");
	char step[256];

	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, MAIN_URL "&compress=zlib-stream identify=0"), "asked for");
	snprintf(step, sizeof(step), "opened 0\nbinary 0 %.20s\nbinary 0 %s\n", vector1, vector1 + 20);
	probe_run(o, step);
	CHECK(probe_saw(o, "send 0.0 {\"op\":2"), "Hello");
	snprintf(step, sizeof(step), "binary 0 %s\n", vector2);
	probe_run(o, step);
	CHECK(!probe_saw(o, "lost"), "an answer in the same stream");
	probe_run(o, "frame 0 {\"op\":11}\n");
	CHECK(probe_saw(o, "lost 0 resume 4200"), "a text frame is none of the stream");
	snprintf(step, sizeof(step), "dial 0\nopened 0\nbinary 0 %s\n", vector2);
	probe_run(o, step);
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=0ms the compressed stream is damaged"), "a new connection is a new stream");
	probe_free(o);
	o = up(CONF);
	probe_run(o, "binary 0 7b7d\n");
	CHECK(probe_saw(o, "lost 0 resume 4200"), "binary, and no compression");
	probe_free(o);
}

/* ---- names ---- */

static void names(void)
{
	struct names t = {.v = NULL};
	size_t bytes = 0;
	struct span s;
	unsigned flags;
	char text[256];
	int n;

#define SPAN(text) ((struct span){text, sizeof(text) - 1})
	CHECK(names_put(&t, &bytes, SPAN("{\"id\":\"5\",\"owner_id\":\"9\",\"channels\":[{\"id\":\"30\",\"name\":\"c\"},{\"id\":\"10\",\"name\":\"a\\n\"}],"
		"\"roles\":[{\"id\":\"5\",\"name\":\"@everyone\",\"permissions\":\"0\"},{\"id\":\"20\",\"name\":\"m\",\"permissions\":\"8\"}]}")) == 0, "a guild");
	s = names_get(names_find(&t, 5), 10, &flags);
	CHECK(s.p && scan_is(s, "a\n") && flags == 0 && names_owner(names_find(&t, 5)) == 9, "a channel, the owner");
	s = names_get(names_find(&t, 5), 20, &flags);
	CHECK(s.p && flags == (NAMES_ROLE | NAMES_MODERATOR), "a role that may moderate");
	CHECK(names_set(&t, &bytes, 5, SPAN("{\"id\":\"30\",\"name\":\"renamed\"}"), 0, false) == 0 && scan_is(names_get(names_find(&t, 5), 30, NULL), "renamed") &&
		scan_is(names_get(names_find(&t, 5), 10, NULL), "a\n"), "renamed");
	CHECK(names_set(&t, &bytes, 5, SPAN("{\"id\":\"30\"}"), 0, true) == 0 && !names_get(names_find(&t, 5), 30, NULL).p &&
		names_get(names_find(&t, 5), 20, NULL).p, "removed");
	CHECK(names_set(&t, &bytes, 6, SPAN("{\"id\":\"1\",\"name\":\"x\"}"), 0, false) == 0 && names_get(names_find(&t, 6), 1, NULL).p, "of an unknown guild");
	for (unsigned i = 0; i < 1000; i++) {
		n = snprintf(text, sizeof(text), "{\"id\":\"%u\",\"channels\":[{\"id\":\"%u\",\"name\":\"c\"}]}", i * 7919 % 1000 + 1, i);
		if (names_put(&t, &bytes, (struct span){text, (size_t)n}))
			break;
	}
	CHECK(t.n == 1000, "a thousand guilds");
	for (unsigned i = 1; i <= 1000; i++)
		names_drop(&t, &bytes, i);
	CHECK(t.n == 0 && bytes == 0, "all given back");
	bytes = NAMES_MAX - 10;
	CHECK(names_put(&t, &bytes, SPAN("{\"id\":\"5\"}")) == -1 && !names_find(&t, 5) && bytes == NAMES_MAX - 10, "no room");
	bytes = 0;
	names_release(&t, &bytes);
	CHECK(names_id(SPAN("\"18446744073709551615\"")) == UINT64_MAX && !names_id(SPAN("\"18446744073709551616\"")) && !names_id(SPAN("\"\"")) &&
		!names_id(SPAN("12")) && !names_id(SPAN("\"1a\"")), "ids");
}

/* ---- HTTP ---- */

#define SIGNED "X-Signature-Timestamp: 1700000000 | X-Signature-Ed25519: c1098e97d711377f30225d53d94b89d43537f92e5b3afaddc590781b1f9f9d4b2eeab335d370be3b9a090bc61a85b86448bc140dcd195f1569c2bff181257607 | "

static void hooks(void)
{
	struct out *o = up(CONF "public-key = 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\n");

	probe_run(o, "wall 1700000100\nhook 7 - " SIGNED "{\"type\":1}\n");
	CHECK(probe_saw(o, "reply 7 200 application/json {\"type\":1}"), "a ping with a good signature");
	probe_run(o, "hook 8 - " SIGNED "{\"type\":2}\n");
	CHECK(probe_saw(o, "reply 8 401"), "another body");
	probe_run(o, "hook 9 - {\"type\":1}\n");
	CHECK(probe_saw(o, "reply 9 401"), "no signature");
	probe_run(o, "hook 10 - X-Signature-Timestamp: 1700000000 | X-Signature-Ed25519: c109 | {\"type\":1}\n");
	CHECK(probe_saw(o, "reply 10 401"), "half a signature");
	probe_run(o, "wall 1700000400\nhook 11 - " SIGNED "{\"type\":1}\nwall 1699999700\nhook 12 - " SIGNED "{\"type\":1}\n");
	CHECK(probe_saw(o, "reply 11 401") && probe_saw(o, "reply 12 401"), "too old, or of the future");
	probe_run(o, "wall 1700000100\nhook 13 /x " SIGNED "{\"type\":1}\n");
	CHECK(probe_saw(o, "reply 13 404"), "no such path");
	probe_free(o);
	o = up(CONF);
	probe_run(o, "hook 7 - " SIGNED "{\"type\":1}\n");
	CHECK(probe_saw(o, "reply 7 404"), "no key, no hook");
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	heartbeats();
	zombie_that_talks();
	resuming();
	saving();
	close_codes();
	ends_before_naming();
	outgrown();
	op_codes();
	attempts();
	long_replay();
	limits();
	limits_short();
	presence();
	large();
	accounts();
	asking();
	fetching();
	draining();
	inflating();
	compressed();
	if (inflate_has(INFLATE_ZSTD)) {
		inflating_zstd();
		compressed_zstd();
	} else {
		puts("# built without libzstd: zstd-stream is not looked at");
	}
	names();
	hooks();
	return check_done();
}
