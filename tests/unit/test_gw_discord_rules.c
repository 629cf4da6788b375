/* Discord: rules of its documentation that no other check holds up one by one: what Identify says, whose token is wrong, what is not believed, HTTP interactions. */
#include "check.h"
#include "discord_play.h"
#include "platform_probe.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/platform.h"

#define IDENTIFY "send 0.0 {\"op\":2,\"d\":{\"token\":\"secret\",\"intents\":37377,\"properties\":{\"os\":\"linux\",\"browser\":\"penstock\",\"device\":\"penstock\"}," \
	"\"compress\":false,\"large_threshold\":50,\"shard\":[0,1],\"presence\":{\"since\":null,\"activities\":[%s],\"status\":\"online\",\"afk\":false}}}\n"

static void identify(void)
{
	static const struct { const char *presence, *activity; } rows[] = {
		{"chess", "{\"name\":\"chess\",\"type\":0}"}, {"playing chess", "{\"name\":\"chess\",\"type\":0}"}, {"listening you", "{\"name\":\"you\",\"type\":2}"},
		{"watching you", "{\"name\":\"you\",\"type\":3}"}, {"competing \"x\"", "{\"name\":\"\\\\\"x\\\\\"\",\"type\":5}"},
	};
	char conf[256], want[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o;

		snprintf(conf, sizeof(conf), CONF "presence = %s\n", rows[i].presence);
		snprintf(want, sizeof(want), IDENTIFY, rows[i].activity);
		o = begin(conf);
		probe_run(o, "dial 0\nopened 0\n" HELLO);
		CHECK(probe_saw(o, want), "identify, %s", rows[i].presence);
		probe_take(o);
		probe_run(o, HELLO READY HELLO);
		CHECK(!probe_saw(o, "send"), "once, however often Hello comes");
		probe_free(o);
	}
}

/* The answer to GET /gateway/bot: what it leaves out counts as little, what is odd as the least. */
static void start_limits(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "read");
	probe_run(o, "start\nanswer 1 200 {\"url\":\"wss://main.example\",\"shards\":6,\"session_start_limit\":{\"total\":1000,\"remaining\":9,\"reset_after\":60000,\"max_concurrency\":4}}\n");
	CHECK(probe_saw(o, "budget keys=4 every=5250ms total=1000 remaining=9 reset=60000ms") && probe_saw(o, "connections 6"), "as many keys as Discord says");
	probe_run(o, "dial 5\n");
	CHECK(probe_saw(o, "dial 5 wss://main.example/?v=10&encoding=json identify=1"), "a shard's key is its number modulo max_concurrency");
	probe_free(o);
	o = probe_new(platform_find("discord"));
	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "shards = 2\n") == 0, "read");
	probe_run(o, "start\nanswer 1 0 no route\n");
	CHECK(probe_saw(o, "connections 2"), "no answer, and a number of shards is in the file: sessions that are saved can be resumed");
	probe_run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":2}\ndial 1\n");
	CHECK(probe_saw(o, "dial 0 wss://r.example/") && probe_saw(o, "dial 1 no"), "and none is begun");
	probe_run(o, "advance 2000\nanswer 2 200 {\"url\":\"wss://main.example\",\"shards\":1,\"session_start_limit\":{\"max_concurrency\":0}}\n");
	CHECK(probe_saw(o, "budget keys=1 every=5250ms total=1000 remaining=0 reset=86400000ms"), "what is not said is not granted");
	probe_free(o);
}

/* A URL that Discord names is one to dial, with our token; a session's name stands in what is saved. */
static void names_of_others(void)
{
	static const char *const urls[] = {"ws://resume.example", "http://resume.example", "wss://resume.example?v=9", "wss://resume.example#", "wss://re\\\"sume.example", ""};
	static const char *const sessions[] = {"a\\\"b", "a b", "", "0123456789012345678901234567890123456789012345678901234567890123x"};
	char step[512];

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct out *o = begin(CONF);

		snprintf(step, sizeof(step), "dial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[],\"session_id\":\"abc\","
			"\"resume_gateway_url\":\"%s\"}}\n", urls[i]);
		probe_run(o, step);
		probe_take(o);
		probe_run(o, "gone 0 0 reset\ndial 0\n");
		CHECK(probe_saw(o, MAIN_URL " opening"), "resumed, at the main URL: \"%s\"", urls[i]);
		probe_free(o);
	}
	for (size_t i = 0; i < sizeof(sessions) / sizeof(*sessions); i++) {
		struct out *o = begin(CONF);

		snprintf(step, sizeof(step), "dial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"guilds\":[],\"session_id\":\"%s\"}}\ngone 0 0 reset\ndial 0\n", sessions[i]);
		probe_run(o, step);
		CHECK(!probe_saw(o, "save") && probe_saw(o, "dial 0 wss://main.example/?v=10&encoding=json identify=0"), "no session to go on with: \"%s\"", sessions[i]);
		probe_free(o);
	}
}

static void saved(void)
{
	static const char *const bad[] = {
		"{\"session\":\"k1\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":1,\"intents\":513}", "{\"session\":\"k2\",\"url\":\"wss://r.example\",\"seq\":1,\"shards\":2}",
		"{\"session\":\"k3\",\"url\":\"wss://r.example\",\"seq\":-1,\"shards\":1}", "{\"session\":\"k\\\\\"4\",\"seq\":1,\"shards\":1}", "{\"session\":\"k5\",\"seq\":1}", "x",
	};
	struct out *o;
	char step[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		o = begin(CONF);
		snprintf(step, sizeof(step), "dial 0 %s\n", bad[i]);
		probe_run(o, step);
		CHECK(probe_saw(o, MAIN_URL " identify=0"), "not to be resumed: %s", bad[i]);
		probe_free(o);
	}
	o = up(CONF);
	probe_run(o, MESSAGE("2", "70", "50") MESSAGE("3", "71", "50") "gone 0 4009 x\ndial 0\nopened 0\n" HELLO READY2);
	probe_take(o);
	probe_run(o, "acked 0 2\nadvance 5000\n" "acked 0 3\nadvance 5000\n");
	CHECK(!probe_saw(o, "save"), "acknowledged is a line of the session before this one");
	probe_free(o);
}

/* A heartbeat carries a sequence of the session it is of. */
static void beats(void)
{
	struct out *o = up(CONF);
	const struct platform *pl = platform_find("discord");
	static const char ack[] = "{\"op\":11}";

	probe_run(o, MESSAGE("2", "70", "50") "acked 0 2\ngone 0 4009 x\ndial 0\nopened 0\nrandom 0\n" HELLO);
	probe_take(o);
	probe_run(o, "advance 0\nadvance 1\n");
	CHECK(probe_saw(o, "send 0.0 {\"op\":1,\"d\":null}"), "before READY nothing was received");
	probe_free(o);
	o = begin(CONF);
	probe_run(o, "random 25\ndial 0\nopened 0\nframe 0 {\"op\":10,\"d\":{\"heartbeat_interval\":4000000000}}\n");
	CHECK(probe_saw(o, "timer 0.0 +30000"), "an interval of weeks would tell nothing of a dead peer");
	probe_free(o);
	/* Upstream holds back reading, so nothing expires; then the peer has its time again, from then on. */
	o = up(CONF);
	probe_run(o, "advance 20000\n");
	CHECK(probe_saw(o, "expect 0.0 20000 zombie"), "a heartbeat is out");
	probe_take(o);
	pl->due(probe_object(o), 0, 0, probe_now(o) + 40 * CLOCK_S);
	CHECK(probe_saw(o, "send 0.0 {\"op\":1") && probe_saw(o, "expect 0.0 20000 zombie"), "the next one");
	probe_free(o);
	o = up(CONF);
	probe_run(o, "random 100\ngone 0 0 reset\ndial 0\nopened 0\n" HELLO);
	probe_take(o);
	pl->due(probe_object(o), 0, 0, probe_now(o) + 50 * CLOCK_S);
	pl->frame(probe_object(o), 0, 0, ack, sizeof(ack) - 1, false, probe_now(o) + 50 * CLOCK_S);
	CHECK(probe_saw(o, "expect 0.0 30000 no RESUMED"), "of a greeting, too");
	probe_free(o);
}

static void frames(void)
{
	struct out *o = up(CONF);
	char step[128];

	probe_run(o, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"70\",\"x\":tru}}\ndial 0\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "lost 0 resume 4200 wait=0ms a frame that is no JSON") && probe_saw(o, "send 0.0 {\"op\":6,\"d\":{\"token\":\"secret\",\"session_id\":\"abc\",\"seq\":1}}"),
		"what was no JSON did not come yet");
	probe_free(o);
	o = up(CONF);
	probe_run(o, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"70\",\"channel_id\":\"50\",\"author\":{\"id\":\"41\",\"username\":\"a\"},\"content\":\"hi\"}}}\n");
	CHECK(!probe_saw(o, "line") && probe_saw(o, "lost 0 resume 4200 wait=0ms a frame that is no JSON"), "nor is one with something behind it");
	probe_take(o);
	probe_run(o, "frame 0 {\"op\":7,\"d\":null}\n" MESSAGE("2", "70", "50"));
	CHECK(strcmp(probe_take(o), "") == 0, "what comes on a socket that was given up will come again");
	probe_free(o);
	o = up(CONF);
	probe_take(o);
	for (unsigned s = 3; s < 103; s += 2) {
		snprintf(step, sizeof(step), "frame 0 {\"t\":\"X\",\"s\":%u,\"op\":0,\"d\":{}}\n", s);
		probe_run(o, step);
	}
	CHECK(count(probe_take(o), "gap 0 ") == 16, "a flood of holes is told in short");
	probe_free(o);
}

/* A session that goes on a little with each resume is not given up; nor does what was before a new one count against it. */
static void resumes(void)
{
	struct out *o = up(CONF);
	char step[256];

	for (unsigned s = 2; s < 12; s++) {
		snprintf(step, sizeof(step), "gone 0 0 reset\ndial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"X\",\"s\":%u,\"op\":0,\"d\":{}}\n", s);
		probe_run(o, step);
	}
	CHECK(count(probe_take(o), RESUME_URL) == 10, "ten resumes, each of which brought something");
	for (int i = 0; i < 5; i++)
		probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" HELLO);
	probe_run(o, "gone 0 0 reset\ndial 0\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "send 0.0 {\"op\":2"), "given up");
	probe_take(o);
	probe_run(o, READY2 "gone 0 0 reset\ndial 0\n");
	CHECK(probe_saw(o, RESUME_URL), "the next session is resumed at its own URL");
	probe_free(o);
	o = up(CONF);
	probe_take(o);
	for (int i = 0; i < 6; i++)
		probe_run(o, "frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"70\",\"x\":tru}}\ndial 0\nopened 0\n" HELLO);
	CHECK(probe_saw(o, "send 0.0 {\"op\":2"), "what can never be read brings nothing");
	probe_free(o);
}

/* ---- compression ---- */

/* Made by zlib 1.2.13: {"op":11} and the end of the stream, and behind that what ends a payload. */
static const unsigned char ended[] = {0x78, 0x9c, 0xab, 0x56, 0xca, 0x2f, 0x50, 0xb2, 0x32, 0x34, 0xac, 0x05, 0x00, 0x0e, 0x19, 0x02, 0xb8, 0x00, 0x00, 0xff, 0xff};

static void streams(void)
{
	struct inflate *z = inflate_new(INFLATE_ZLIB);
	char part[1000];
	const char *why = "";
	unsigned n = 0;
	struct buf out;

	buf_init(&out, 1 << 20);
	CHECK(inflate_message(z, (const char *)ended, sizeof(ended), 1000, &out, &why) == INFLATE_BAD && strcmp(why, "the compressed stream has ended") == 0,
		"a stream that ends is none to go on with");
	inflate_free(z);
	z = inflate_new(INFLATE_ZLIB);
	memset(part, 'x', sizeof(part));
	while (inflate_message(z, part, sizeof(part), 10000, &out, &why) == INFLATE_MORE && n < 100)
		n++;
	CHECK(n <= 10, "a payload that never ends is not kept for ever: %u parts", n);
	inflate_free(z);
	buf_release(&out);
}

/* ---- HTTP ---- */

#define KEY "public-key = 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\n"
#define SIGNED(sig) "X-Signature-Timestamp: 1700000000 | X-Signature-Ed25519: " sig " | "

/* Signed by Python's cryptography with the seed 00 01 .. 1f. */
static void interactions(void)
{
	static const char command[] = SIGNED("de40085ee3d457ef219e882c442f7391dbbcec5b874fdc445a0e1310c316d3e10325dd4c60117de3f66266e5ac91d6cc692c9882e3ba0fdfffb2242d111a580f")
		"{\"id\":\"900\",\"application_id\":\"6\",\"type\":2,\"token\":\"tk\",\"data\":{\"id\":\"1\",\"name\":\"dice\"},\"guild_id\":\"4194304\",\"channel_id\":\"50\","
		"\"member\":{\"user\":{\"id\":\"41\",\"username\":\"ada\"},\"roles\":[]}}\n";
	static const char typing[] = SIGNED("410854e5f49ef4aad5a71c111d77c85d65b0fcc36c4d36c2cb54b398403c6d4e1e4abd56b02307547dd788ac9cc51befcb63cbd63224c52ca6f1074736ffa406")
		"{\"id\":\"901\",\"application_id\":\"6\",\"type\":4,\"token\":\"tk\",\"data\":{\"id\":\"1\",\"name\":\"dice\"}}\n";
	static const char private[] = SIGNED("452691a2ec52b0352ed0f6957d68b5dd99e5ea044fcba17e0cdb6cffa29abc26f40117a0ca87839b4e71903c61780ccd25e960c9ebe12a77995e782f37a53f04")
		"{\"id\":\"902\",\"application_id\":\"6\",\"type\":2,\"token\":\"tk\",\"data\":{\"id\":\"1\",\"name\":\"dice\"},\"user\":{\"id\":\"41\",\"username\":\"ada\"}}\n";
	static const char nobody[] = SIGNED("495c794bef1a034ef792ecd08ff6c400864f27ae0135c24954ce1ac0110d7e9f70327558a1d39be0ad5bb5fd250ff217743d89f83b95153f82b0c5542f1a960d")
		"{\"id\":\"903\",\"type\":2}\n";
	static const char soon[] = "X-Signature-Timestamp: soon | X-Signature-Ed25519: cb29d2a8a17f88758a290c97e2c958c4e70978fe9516167d1d08ad025823de847a5346bf1d2cdc0fdd096b2d6de3d466"
		"d90221d63126ea13586e7b7227ce660d | {\"type\":1}\n";
	struct out *o = probe_new(platform_find("discord"));
	char step[4096];

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF KEY "shards = 2\n") == 0, "read");
	probe_run(o, "wall 1700000100\nstart\n");
	snprintf(step, sizeof(step), "hook 1 - %s", command);
	probe_run(o, step);
	CHECK(probe_saw(o, "reply 1 503") && !probe_saw(o, "line"), "before it is known how many shards there are: again, later");
	probe_run(o, "answer 1 200 " GATEWAY "\n");
	snprintf(step, sizeof(step), "hook 2 - %s", command);
	probe_run(o, step);
	CHECK(probe_saw(o, "line 1 mark=0 ticket=2 {\"specversion\":\"1.0\",\"id\":\"i-900\"") && probe_saw(o, "reply 2 202 - kept"),
		"202 when the hub has it, over the shard of its guild");
	snprintf(step, sizeof(step), "hook 3 - %shook 4 - %shook 5 - %shook 6 - %s", typing, private, nobody, soon);
	probe_run(o, step);
	CHECK(probe_saw(o, "reply 3 200 application/json {\"type\":8,\"data\":{\"choices\":[]}}"), "somebody types: answered at once");
	CHECK(probe_saw(o, "line 0 mark=0 ticket=4 {\"specversion\":\"1.0\",\"id\":\"i-902\"") && strstr(probe_take(o), "\"subject\":\"41\""),
		"a private conversation that is not named is the person's");
	snprintf(step, sizeof(step), "hook 5 - %shook 6 - %s", nobody, soon);
	probe_run(o, step);
	CHECK(probe_saw(o, "reply 5 400"), "one that nobody could answer");
	CHECK(probe_saw(o, "reply 6 401"), "a time that is none");
	probe_run(o, "hook 7 - X-Signature-Timestamp: 00000000000000000000000000000000000000000000000000001700000000 | X-Signature-Ed25519: c1098e97d711377f30225d53d94b89d43537f92e5b3"
		"afaddc590781b1f9f9d4b2eeab335d370be3b9a090bc61a85b86448bc140dcd195f1569c2bff181257607 | {\"type\":1}\n");
	CHECK(probe_saw(o, "reply 7 401"), "or is longer than any");
	probe_free(o);
}

/* Asked for as themselves: names, with a token that is refused, once. */
static void refused_names(void)
{
	struct out *o = begin(CONF);

	probe_run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"channels\":[\"50\",\"5\"]}\nopened 0\n" HELLO RESUMED("10"));
	CHECK(probe_saw(o, "http 2 GET https://discord.com/api/v10/guilds/5"), "a guild is asked for");
	probe_take(o);
	probe_run(o, "answer 2 401 {}\nframe 0 {\"t\":\"MESSAGE_CREATE\",\"s\":11,\"op\":0,\"d\":{\"id\":\"71\",\"channel_id\":\"52\",\"guild_id\":\"6\",\"author\":{\"id\":\"41\","
		"\"username\":\"a\"},\"content\":\"hi\"}}\nadvance 10000\n");
	CHECK(probe_saw(o, "line 0") && !probe_saw(o, "http"), "401: no other is");
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	identify();
	start_limits();
	names_of_others();
	saved();
	beats();
	frames();
	resumes();
	streams();
	interactions();
	refused_names();
	return check_done();
}
