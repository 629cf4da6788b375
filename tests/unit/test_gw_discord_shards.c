/* Discord: the number of shards changes: guilds come to other shards, perhaps in another process, and what was not heard of them is told. */
#include "discord_history.h"
#include "platform_probe.h"

#include "gatewayd/platform/platform.h"

#define SHARD_1 "dial 1 -\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n" \
	"frame 1 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[" GUILD_5 "],\"session_id\":\"ghi\"}}\n" \
	"frame 1 {\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"5\",\"channels\":[" CHANNEL("50", "@1000") "]}}\n"

static struct out *two_shards(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "shards = 2\n") == 0, "two shards");
	run(o, "start\nanswer 1 200 " GATEWAY "\n");
	return o;
}

/* A guild that becomes another shard's. */
static void shards(void)
{
	struct out *o = two_shards();

	run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"user\":\"99\",\"after\":\"@900\","
		"\"channels\":[\"50\",\"5\"]}\nopened 0\n" HELLO READY("def", "{\"id\":\"6\"}"));
	CHECK(saw(o, "gap 0 [abc:9] [def:1] the session was lost; messages are read again"), "the one that was all there was");
	run(o, SHARD_1);
	CHECK(saw(o, "gap 1 [@900] [ghi:1] the number of shards changed; messages are read again") && saw(o, "http 2 GET " ASKED "50/messages?after=@900"), "the new one");
	run(o, "acked 0 10\nacked 1 1\nadvance 1000\n");
	probe_take(o);
	run(o, "drain 0\n");
	CHECK(strstr(probe_take(o), ids("\"moved\":\"@900\"")), "the hub may not have the gap of the new one");
	probe_free(o);
	/* A crash before the new one had begun: another process goes on. */
	o = two_shards();
	run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":1,\"user\":\"99\",\"after\":\"@900\","
		"\"channels\":[\"50\",\"5\"]}\nopened 0\n" HELLO READY("def", "{\"id\":\"6\"}"));
	CHECK(saw(o, "save 0 {\"session\":\"def\"") && strstr(probe_take(o), ids("\"channels\":[\"50\",\"5\"],\"moved\":\"@900\"")), "what the others are to miss is kept");
	probe_free(o);
	o = two_shards();
	run(o, "dial 0 {\"session\":\"def\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":2,\"user\":\"99\",\"after\":\"@950\",\"channels\":[],\"moved\":\"@900\"}\n"
		"opened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":10,\"op\":0,\"d\":{}}\n" SHARD_1);
	CHECK(saw(o, "gap 1 [@900] [ghi:1] the number of shards changed; messages are read again") && saw(o, "http 2 GET " ASKED "50/messages?after=@900"), "by the next process");
	run(o, "acked 0 10\nacked 1 2\nanswer 2 200 []\nadvance 1000\n");
	probe_take(o);
	run(o, "drain 0\n");
	CHECK(saw(o, "save 0 {\"session\":\"def\"") && !strstr(probe_take(o), "moved"), "and is over when the hub has it");
	probe_free(o);
	/* A shard without guilds has no line behind it; one that says nothing more is saved, too. */
	o = two_shards();
	run(o, "dial 0 {\"session\":\"def\",\"url\":\"wss://r.example\",\"seq\":9,\"shards\":2,\"user\":\"99\",\"after\":\"@950\",\"channels\":[],\"moved\":\"@900\"}\n"
		"opened 0\n" HELLO "frame 0 {\"t\":\"RESUMED\",\"s\":10,\"op\":0,\"d\":{}}\n");
	run(o, "acked 0 10\n" SHARD_1);
	probe_take(o);
	run(o, "acked 1 2\n");
	CHECK(saw(o, "save 0 {\"session\":\"def\"") && saw(o, "save 1 {\"session\":\"ghi\"") && !strstr(probe_take(o), "moved"), "all are told that it is over");
	probe_free(o);
}

#define STATE(session, shards, after) "{\"session\":\"" session "\",\"url\":\"\",\"seq\":9,\"shards\":" shards ",\"user\":\"99\",\"after\":\"" after "\",\"channels\":[]}"
#define DISK(conn, epoch, session, shards, after) "disk " conn " " epoch " " STATE(session, shards, after) "\n"
#define AT_800 "1420071200"	/* seconds of the wall's clock: @800 */
#define AT_900 "1420071300"
#define AT_950 "1420071350"
#define READ_FROM(from) "gap 1 [" from "] [ghi:1] the number of shards changed; messages are read again"

/* Shard 1 begins behind what is on disk: what it tells; NULL: nothing. */
static void behind(const char *disk, const char *gap, const char *what)
{
	struct out *o = two_shards();

	run(o, disk);
	run(o, SHARD_1);
	CHECK(gap ? saw(o, gap) : saw(o, "live 1 up") && !saw(o, "gap"), "%s", what);
	probe_free(o);
}

/* A process that has none but new shards: by what the others left. */
static void more_elsewhere(void)
{
	struct out *o = two_shards();

	run(o, DISK("0", AT_950, "abc", "1", "@900") SHARD_1);
	CHECK(saw(o, READ_FROM("@900")) && saw(o, "http 2 GET " ASKED "50/messages?after=@900"), "of another process");
	CHECK(saw(o, "save 1 {\"session\":\"ghi\"") && strstr(probe_take(o), ids("\"moved\":\"@900\"")), "kept");
	probe_free(o);
	behind("disk 0 " AT_950 " {\"session\":\"def\",\"url\":\"\",\"seq\":9,\"shards\":2,\"after\":\"@950\",\"moved\":\"@900\"}\n", READ_FROM("@900"),
		"that has begun with the new number already");
	behind("disk 0 " AT_950 " {\"session\":\"abc\",\"url\":\"\",\"seq\":9,\"shards\":1,\"after\":\"@900\",\"fill\":[],\"between\":[\"@870\",\"0\"]}\n", READ_FROM("@870"),
		"that had not read all of an earlier gap");
	behind(DISK("0", AT_950, "abc", "1", "0"), READ_FROM("@940"), "no message is known: since it was there last");
	behind("disk 0 " AT_950 " \n", READ_FROM("@940"), "nothing is: the same");
	behind(DISK("0", AT_950, "def", "2", "@900"), NULL, "their number is the same: it has missed nothing");
	behind("disk 1 " AT_950 " \n", NULL, "its own, which says nothing: upstream tells that");
	behind("", NULL, "nor when it is the first");
}

/* There are fewer: what those above had is the others' now. */
static void fewer(void)
{
	struct out *o;

	behind(DISK("2", AT_950, "abc", "4", "@900") DISK("3", AT_950, "abd", "4", "@850"), READ_FROM("@850"), "those that are left were never there before");
	o = two_shards();
	run(o, DISK("1", AT_950, "abb", "4", "@950") DISK("3", AT_950, "abd", "4", "@850") "dial 1\nopened 1\nframe 1 {\"op\":10,\"d\":{\"heartbeat_interval\":40000}}\n"
		"frame 1 {\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"guilds\":[" GUILD_5 "],\"session_id\":\"ghi\"}}\n"
		"frame 1 {\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"5\",\"channels\":[" CHANNEL("50", "@1000") "]}}\n");
	CHECK(saw(o, "gap 1 [@850] [ghi:1] the session was lost; messages are read again") && saw(o, "http 2 GET " ASKED "50/messages?after=@850"), "one was lost before the others");
	probe_free(o);
	behind(DISK("3", AT_800, "abd", "4", "@700") DISK("0", AT_950, "abc", "1", "@900"), READ_FROM("@900"), "of long ago: all that is left has begun since");
}

/* Another number while it runs: Discord wants more. */
static void grown(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF) == 0, "as many as Discord says");
	run(o, "start\nanswer 1 200 " GATEWAY "\ndial 0\nopened 0\n" HELLO READY("abc", "") DISK("0", AT_900, "abc", "1", "0")
		"gone 0 4011 sharding required\nanswer 2 200 {\"url\":\"wss://main.example\",\"shards\":2,\"session_start_limit\":{\"total\":1000,\"remaining\":997,\"reset_after\":60000,\"max_concurrency\":1}}\n");
	CHECK(saw(o, "connections 2"), "two");
	probe_take(o);
	run(o, SHARD_1);
	CHECK(saw(o, READ_FROM("@890")), "nothing had been said in it: since it was there last");
	probe_free(o);
}

/* Commands only: nothing is read, and it is told. */
static void unread(void)
{
	struct out *o = probe_new(platform_find("discord"));

	probe_file(o, "bot.token", "secret");
	CHECK(probe_account(o, CONF "shards = 2\nintents = GUILDS\n") == 0, "two shards, no messages");
	run(o, "start\nanswer 1 200 " GATEWAY "\n" DISK("0", AT_950, "abc", "1", "@900") SHARD_1);
	CHECK(saw(o, "gap 1 [@900] [ghi:1] the number of shards changed\n") && !saw(o, "http 2"), "told");
	probe_free(o);
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	shards();
	more_elsewhere();
	fewer();
	grown();
	unread();
	return check_done();
}
