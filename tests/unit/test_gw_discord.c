/* Discord: the life of a connection, close codes, resuming. What may be missing: test_gw_discord_gap.c, test_gw_discord_shards.c. Events to lines: tests/gatewayd/data/discord. */
#include "check.h"
#include "discord_play.h"
#include "platform_probe.h"

#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/platform.h"

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
		struct out *o = up(CONF "shards = 1\n");
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
	CHECK(probe_saw(o, "lost 0 resume 0 wait=1000ms 4011 sharding required") && probe_saw(o, "http 3 GET https://discord.com/api/v10/gateway/bot"), "how many are asked for");
	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, "lost 0 resume 0 wait=1000ms asking Discord how many shards it wants") && probe_saw(o, "dial 0 no"), "not dialled before that is known");
	probe_take(o);
	snprintf(step, sizeof(step), "answer 3 200 %s\ndial 0\nopened 0\n" HELLO, more);
	probe_run(o, step);
	CHECK(probe_saw(o, "connections 3") && strstr(probe_take(o), "\"shard\":[0,3]"), "and had");
	probe_run(o, READY2 "dial 1\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n");
	CHECK(probe_saw(o, "gap 0 [abc:2] [def:1]") && probe_saw(o, "send 1.0 {\"op\":2,"), "what came between is a gap");
	probe_take(o);
	snprintf(step, sizeof(step), "gone 1 4010 x\nanswer 4 200 %s\n", more);
	probe_run(o, step);
	CHECK(probe_saw(o, "lost 1 resume") && !probe_saw(o, "connections") && !probe_saw(o, "lost 0"), "no more are recommended: the others go on");
	probe_run(o, "dial 1\n");
	CHECK(probe_saw(o, "lost 1 stop 0 wait=0ms Discord refuses so many shards"), "and it is for a person");
	probe_take(o);
	probe_run(o, "dial 1\n");
	CHECK(probe_saw(o, "dial 1 wss"), "who may have it tried again");
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
	o = up(CONF);
	probe_run(o, MESSAGE("2", "70", "50") "gone 0 0 reset\ndrain 0\ndial 0 {\"session\":\"xyz\",\"url\":\"wss://other.example\",\"seq\":1,\"shards\":1}\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "save 0 {\"session\":\"abc\"") && strstr(probe_take(o), "\"session_id\":\"xyz\",\"seq\":1}"), "also when it was lost before it was given away");
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
	draining();
	return check_done();
}
