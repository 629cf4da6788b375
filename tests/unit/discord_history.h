/*
 * discord_history: what the checks of Discord's gaps and of reading its history share. In these scripts @S is the id that is made S seconds after Discord's
 * epoch, @S.N the N-th one behind it.
 */
#ifndef UNIT_DISCORD_HISTORY_H
#define UNIT_DISCORD_HISTORY_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "check.h"
#include "gatewayd/platform/platform.h"
#include "platform_probe.h"

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
static inline const char *ids(const char *text)
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

static inline void run(struct out *o, const char *script)
{
	probe_run(o, ids(script));
}

static inline bool saw(struct out *o, const char *text)
{
	return probe_saw(o, ids(text));
}

static inline unsigned count(const char *record, const char *what)
{
	unsigned n = 0;

	for (const char *w = ids(what); (record = strstr(record, w)); record++)
		n++;
	return n;
}

static inline bool has(const char *record, const char *text)
{
	return count(record, text) > 0;
}

static inline struct out *begin(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "the account is read");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO);
	return o;
}

/* With two channels, 50 and 51, of guild 5; a message of @1000 in 50 is with the hub. */
static inline struct out *up(void)
{
	struct out *o = begin();

	run(o, READY("abc", GUILD_5) GUILD("2", "5", CHANNEL("50", "@900") "," CHANNEL("51", "@800"), "") MESSAGE("3", "@1000", "50", IN_5) "acked 0 3\nadvance 1000\n");
	CHECK(saw(o, "save 0 {\"session\":\"abc\",\"url\":\"wss://resume.example\",\"seq\":3,\"shards\":1,\"intents\":37377,\"presence\":1639573221,\"user\":\"99\",\"after\":\"@990\",\"channels\":[\"50\",\"5\"]}"),
		"saved: until when every message is with the hub");
	return o;
}

static inline void lose(struct out *o)
{
	run(o, "gone 0 4009 x\ndial 0\nopened 0\n" HELLO);
	probe_take(o);
}

#endif
