/* Discord: the send limit, presence, what is asked before a connection. */
#include "check.h"
#include "discord_play.h"
#include "platform_probe.h"

#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/platform.h"

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

#define MANY "{\"url\":\"wss://main.example\",\"shards\":16,\"session_start_limit\":{\"total\":1000,\"remaining\":997,\"reset_after\":60000,\"max_concurrency\":4}}"

static void asking(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "read");
	probe_run(o, "start\n");
	CHECK(probe_saw(o, "http 1 GET https://discord.com/api/v10/gateway/bot") && probe_saw(o, "  Authorization: Bot secret") &&
		probe_saw(o, "  User-Agent: DiscordBot (https://"), "as Discord wants to be asked");
	probe_run(o, "answer 1 0 no route\n");
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
	probe_run(o, "dial 0\ndial 0\n");
	CHECK(probe_saw(o, "http 7 GET") && !probe_saw(o, "http 8") && probe_saw(o, "lost 0 resume 0 wait=1000ms asking Discord whether the token is good now"),
		"before somebody has it tried again: with one request, and no identify");
	probe_take(o);
	probe_run(o, "answer 7 401 {}\ndial 0\nadvance 100000\n");
	CHECK(probe_saw(o, "lost 0 stop 0 wait=0ms 401") && !probe_saw(o, "http 8"), "it is not");
	probe_run(o, "dial 0\nanswer 8 200 " MANY "\ndial 0\n");
	CHECK(probe_saw(o, "connections 16") && probe_saw(o, MAIN_URL " identify=0"), "it is: as many shards as Discord says");
	probe_free(o);
	o = up(CONF "shards = 2\n");
	probe_take(o);
	probe_run(o, "dial 1\nopened 1\ngone 1 4004 x\n");
	CHECK(probe_saw(o, "lost 1 stop 0 wait=0ms 4004") && probe_saw(o, "http 2 GET https://discord.com/api/v10/gateway/bot"), "4004: is the token wrong for all?");
	probe_run(o, "answer 2 401 {}\ngone 0 4009 x\ndial 0\n");
	CHECK(probe_saw(o, "lost 0 stop 0 wait=0ms 401") && !probe_saw(o, "dial 0 wss"), "then the others spend no identify on it");
	probe_run(o, "dial 1\n");
	CHECK(probe_saw(o, "http 3 GET"), "until somebody has it tried again");
	probe_free(o);
	o = up(CONF);
	probe_take(o);
	probe_run(o, "advance 1\ngone 0 4009 x\nadvance 700000\ndial 0\n");
	CHECK(probe_saw(o, "http 2 GET") && probe_saw(o, "dial 0 no"), "before an identify the limits are asked for again");
	probe_run(o, "answer 2 200 " GATEWAY "\ndial 0\n");
	CHECK(probe_saw(o, "budget keys=1 every=5250ms total=1000 remaining=997 reset=60000ms") && probe_saw(o, MAIN_URL " identify=0"), "and then");
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	limits();
	limits_short();
	presence();
	asking();
	return check_done();
}
