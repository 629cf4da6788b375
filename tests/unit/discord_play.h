/*
 * discord_play: what the checks of Discord share: an account, a Hello, a READY and the like as steps of platform_probe.h, and how a bot comes up.
 */
#ifndef UNIT_DISCORD_PLAY_H
#define UNIT_DISCORD_PLAY_H

#include <string.h>

#include "check.h"
#include "platform_probe.h"

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

static inline struct out *begin(const char *conf)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, conf) == 0, "the account is read");
	probe_run(o, "start\nanswer 1 200 " GATEWAY);
	return o;
}

/* Live, in the session "abc". */
static inline struct out *up(const char *conf)
{
	struct out *o = begin(conf);

	probe_run(o, "dial 0\nopened 0\n" HELLO READY);
	CHECK(probe_saw(o, "live 0 up"), "live");
	return o;
}

static inline unsigned count(const char *record, const char *what)
{
	unsigned n = 0;

	while ((record = strstr(record, what))) {
		n++;
		record++;
	}
	return n;
}

#endif
