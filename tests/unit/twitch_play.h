/* What the unit checks of Twitch share: accounts, what Twitch sends, an account that is begun. */
#ifndef UNIT_TWITCH_PLAY_H
#define UNIT_TWITCH_PLAY_H

#include "check.h"
#include "platform_probe.h"

#include <string.h>

#define CONF "platform = twitch\nclient-id = C\nuser = 99\nsubscriptions = subs\n"
#define PLAIN CONF "token-file = token\n"
#define APP CONF "client-secret-file = client\n"
#define WEBHOOK APP "transport = webhook\ncallback = https://bots.example/hook/t/bot\nwebhook-secret-file = secret\n"
#define CONDUIT APP "transport = conduit\nconduit-shards = 2\n"
#define SUBS "channel.chat.message broadcaster_user_id=42 user_id=99\nchannel.follow user_id=0 broadcaster_user_id=42 # the newest\n\n"
#define CHAT_KEY "\"type\":\"channel.chat.message\",\"version\":\"1\",\"condition\":{\"broadcaster_user_id\":\"42\",\"user_id\":\"99\"}"
#define FOLLOW_KEY "\"type\":\"channel.follow\",\"version\":\"2\",\"condition\":{\"broadcaster_user_id\":\"42\",\"user_id\":\"0\"}"
#define AT(time) "\"message_timestamp\":\"2024-05-01T10:" time ".5Z\""
#define WELCOME(sock, id, time) "frame " sock " {\"metadata\":{\"message_id\":\"w\",\"message_type\":\"session_welcome\"," AT(time) "},\"payload\":{" \
	"\"session\":{\"id\":\"" id "\",\"status\":\"connected\",\"keepalive_timeout_seconds\":10,\"reconnect_url\":null}}}\n"
#define KEEPALIVE(sock, time) "frame " sock " {\"metadata\":{\"message_id\":\"k\",\"message_type\":\"session_keepalive\"," AT(time) "},\"payload\":{}}\n"
#define OFFLINE(sock, id, time) "frame " sock " {\"metadata\":{\"message_id\":\"" id "\",\"message_type\":\"notification\"," AT(time) "," \
	"\"subscription_type\":\"stream.offline\",\"subscription_version\":\"1\"},\"payload\":{\"subscription\":{\"id\":\"S\"}," \
	"\"event\":{\"broadcaster_user_id\":\"42\",\"broadcaster_user_login\":\"bob\",\"broadcaster_user_name\":\"Bob\"}}}\n"
#define MOVE(url) MOVE_BY("0", url)
#define MOVE_ON(url) MOVE_BY("0.1", url)
#define MOVE_AT(time, url) MOVE_OF("0", time, url)
#define MOVE_BY(where, url) MOVE_OF(where, "30:00", url)
#define MOVE_OF(where, time, url) "frame " where " {\"metadata\":{\"message_id\":\"m\",\"message_type\":\"session_reconnect\"," AT(time) "},\"payload\":{" \
	"\"session\":{\"id\":\"A\",\"status\":\"reconnecting\",\"keepalive_timeout_seconds\":null,\"reconnect_url\":\"" url "\"}}}\n"
#define MADE(n, id, time) "answer " n " 202 {\"data\":[{\"id\":\"" id "\",\"status\":\"enabled\",\"created_at\":\"2024-05-01T10:" time ".5Z\"}],\"total\":1}\n"
#define EMPTY "200 {\"data\":[],\"pagination\":{}}\n"
#define POST(n) "http " n " POST https://api.twitch.tv/helix/eventsub/subscriptions token="
#define LIST(n) "http " n " GET https://api.twitch.tv/helix/eventsub/subscriptions token=user"

#define HOOKED ",\"transport\":{\"method\":\"webhook\",\"callback\":\"https://bots.example/hook/t/bot\"}}"
#define LISTED(id, status, key) "{\"id\":\"" id "\",\"status\":\"" status "\"," key HOOKED
#define PAGE(entries) "200 {\"data\":[" entries "],\"pagination\":{}}\n"
#define SHARDS(n) "http " n " PATCH https://api.twitch.tv/helix/eventsub/conduits/shards token=app"
#define SHARD(id, session) "{\"id\":\"" id "\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"" session "\"}}"
#define SHARD_OF(id, status, session) "{\"id\":\"" id "\",\"status\":\"" status "\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"" session "\"}}"

static inline struct out *begin(const char *conf, const char *subs)
{
	struct out *o = probe_new(platform_find("twitch"));

	probe_file(o, "token", "{\"access_token\":\"t\",\"refresh_token\":\"r\"}");
	probe_file(o, "client", "client-secret");
	probe_file(o, "secret", "a-secret-of-webhooks");
	probe_file(o, "subs", subs);
	CHECK(probe_account(o, conf) == 0, "the account is read");
	probe_run(o, "advance 100000000\nstart\n");
	return o;
}

/* Live on a plain socket: both subscriptions made by answers 2 and 3. */
static inline struct out *up(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") MADE("3", "S2", "00:02"));
	CHECK(probe_saw(o, "live 0 up"), "live");
	probe_take(o);
	return o;
}

static inline bool has(struct out *o, const char *text)
{
	return strstr(probe_take(o), text) != NULL;
}

/* Live on both shards of a conduit. */
static inline struct out *conduit_live(void)
{
	struct out *o = begin(CONDUIT "conduit = C-1\n", SUBS);

	CHECK(probe_saw(o, "http 1 GET https://api.twitch.tv/helix/eventsub/conduits token=app"), "conduits are asked for");
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-9\",\"shard_count\":5},{\"id\":\"C-1\",\"shard_count\":2}]}\n");
	CHECK(probe_saw(o, "connections 2") && !probe_saw(o, "http 2"), "a connection for each shard; subscriptions are for who holds the first");
	probe_run(o, "dial 0\n");
	CHECK(probe_saw(o, "http 2 GET https://api.twitch.tv/helix/eventsub/subscriptions?conduit_id=C-1 token=app"), "which is this process");
	probe_run(o, "answer 2 " EMPTY);
	CHECK(probe_saw(o, POST("3") "app") && has(o, "\"transport\":{\"method\":\"conduit\",\"conduit_id\":\"C-1\"}"), "subscriptions are the conduit's");
	probe_run(o, MADE("3", "S1", "00:01") MADE("4", "S2", "00:01") "dial 1\nopened 0\nopened 1\n" WELCOME("0", "A", "00:02"));
	CHECK(probe_saw(o, SHARDS("5")), "attached at once");
	probe_run(o, WELCOME("1", "B", "00:02") "answer 5 202 {\"data\":[{\"id\":\"0\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 0 up") && !probe_saw(o, "live 1") && probe_saw(o, SHARDS("6")), "one request at a time");
	probe_run(o, "answer 6 202 {\"data\":[{\"id\":\"1\",\"status\":\"enabled\"}],\"errors\":[]}\n");
	CHECK(probe_saw(o, "live 1 up") && !probe_saw(o, "gap"), "live");
	probe_take(o);
	return o;
}

#endif
