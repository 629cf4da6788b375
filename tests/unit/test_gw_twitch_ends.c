/* Twitch: what one process leaves to the next, told to end or killed: nothing that may be missing is passed over. */
#include "check.h"
#include "platform_probe.h"
#include "twitch_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/sign.h"
#include "gatewayd/platform/platform.h"

#define LOST_SUB "frame 0 {\"metadata\":{\"message_id\":\"r\",\"message_type\":\"revocation\"," AT("30:05") "},\"payload\":{\"subscription\":{\"id\":\"S1\"," \
	"\"status\":\"no_such_status\"," CHAT_KEY "}}}\n"

/* What a new process begins with when this one ends while something may be missing that it has not told. */
static void ended_between(void)
{
	static const struct { const char *what, *steps, *want; } rows[] = {
		{"on the move: events may be with the other socket", MOVE("wss://one/") "opened 0.1\n" OFFLINE("0", "n2", "30:09"), "30:00.5Z"},
		{"given up for another", MOVE("wss://one/") "opened 0.1\n" OFFLINE("0", "n2", "30:01") MOVE("wss://two/") OFFLINE("0", "n3", "30:09"), "30:00.5Z"},
		{"its welcome did not come", MOVE("wss://one/") "opened 0.1\n" OFFLINE("0", "n2", "30:01") "gone 0.1 0 reset\n", "30:00.5Z"},
		{"moved", MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") OFFLINE("0", "n2", "30:09") "gone 0.2 1000 \n", "30:09.5Z"},
		{"moved; the old socket may still have something", MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") OFFLINE("0", "n2", "30:09"), "30:00.5Z"},
		{"a subscription was lost", LOST_SUB "binary 0 00\n" OFFLINE("0", "n2", "30:09"), "30:05.5Z"},
		{"what cannot be read", "binary 0 00\nadvance 1000\n", "30:00.5Z"},
	};
	struct out *o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char want[80];
		const char *save = NULL, *r;

		o = up();
		probe_run(o, OFFLINE("0", "n1", "30:00"));
		probe_run(o, rows[i].steps);
		probe_run(o, "acked 0 99\ndrain 0\n");
		snprintf(want, sizeof(want), " 2024-05-01T10:%s\n", rows[i].want);
		r = probe_take(o);
		for (const char *at = r; (at = strstr(at, "save 0 open ")); at++)
			save = at;
		CHECK(save && strstr(save, want), "%s: saved as safe until %s", rows[i].what, save ? save : r);
		probe_free(o);
	}

	/* Nor does what is saved on the way pass over it. */
	o = up();
	for (int t = 0; t < 60; t += 10)
		probe_run(o, "advance 10000\n" KEEPALIVE("0", "30:00"));
	probe_run(o, MOVE("wss://one/") OFFLINE("0", "n1", "30:09") "acked 0 99\n");
	CHECK(probe_saw(o, "save 0 open A 2024-05-01T10:30:00.5Z"), "on the move");
	probe_free(o);
	o = up();
	probe_run(o, OFFLINE("0", "n1", "31:00") "drain 0\ndial 0\nopened 0\n" WELCOME("0", "B", "32:00") MADE("4", "S3", "32:01") MADE("5", "S4", "32:02") "acked 0 99\n");
	probe_take(o);
	probe_run(o, LOST_SUB);
	CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:30:05.5Z"), "a hole that began before is saved at once");
	probe_free(o);
}

/* Made when the new socket had the session already, perhaps: then it went with the old one. */
static void made_on_the_move(void)
{
	struct out *o = begin(PLAIN, SUBS);
	const char *r;

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") MOVE("wss://one/") "advance 10\n" MADE("3", "S2", "30:01") "opened 0.1\n");
	CHECK(probe_saw(o, "live 0 up"), "live");
	probe_take(o);
	probe_run(o, WELCOME("0.1", "B", "30:02"));
	r = probe_take(o);
	CHECK(strstr(r, POST("4") "user") && strstr(r, FOLLOW_KEY) && !strstr(r, CHAT_KEY), "asked for again, that one: %s", r);
	probe_run(o, "gone 0.2 1000 \n" MADE("4", "S3", "30:03"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:30:03.5Z] a subscription was made while its session moved"), "it was not there");
	probe_free(o);
}

/* ... and another move came before it was known. */
static void made_on_two_moves(void)
{
	struct out *o = begin(PLAIN, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") MOVE("wss://one/") "advance 10\n" MADE("3", "S2", "30:01") "opened 0.1\n"
		WELCOME("0.1", "B", "30:02") "gone 0.2 1000 \n" OFFLINE("0", "n1", "40:00"));
	CHECK(has(o, POST("4") "user"), "asked for again");
	probe_run(o, MOVE_AT("40:30", "wss://two/") "opened 0.1\n" WELCOME("0.1", "C", "40:31") "gone 0.2 1000 \n");
	CHECK(has(o, POST("5") "user"), "and again");
	probe_run(o, MADE("5", "S3", "40:32"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:40:32.5Z] a subscription was made while its session moved"), "it was not there since the first");
	probe_free(o);
}

/* ... and it was lost before that: from then on something may be missing, in the next process, too. */
static void made_and_lost(void)
{
	for (int killed = 0; killed < 2; killed++) {
		struct out *o = begin(PLAIN, SUBS);

		probe_run(o, "answer 1 " EMPTY "dial 0\nopened 0\n" WELCOME("0", "A", "00:00") MADE("2", "S1", "00:01") MOVE("wss://one/") "advance 10\n" MADE("3", "S2", "30:01") "opened 0.1\n"
			WELCOME("0.1", "B", "30:02") "gone 0.2 1000 \nanswer 4 503\n" OFFLINE("0", "n1", "45:00"));
		probe_take(o);
		if (killed) {
			probe_run(o, "acked 0 99\ndrain 0\n");
			CHECK(probe_saw(o, "save 0 open B 2024-05-01T10:30:00.5Z"), "the next process begins there");
		} else {
			probe_run(o, "gone 0 4005 \nadvance 10000\ndial 0\nopened 0\n" WELCOME("0", "C", "46:00") "answer 5 202 {\"data\":[{\"id\":\"S3\",\"status\":\"enabled\"}]}\n"
				"answer 6 202 {\"data\":[{\"id\":\"S4\",\"status\":\"enabled\"}]}\nanswer 7 202 {\"data\":[{\"id\":\"S4\",\"status\":\"enabled\"}]}\nadvance 8000\n");
			CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z]"), "that gap begins there: %s", probe_take(o));
		}
		probe_free(o);
	}
}

/* ---- subscriptions that went while nobody looked ---- */

#define OF_CONDUIT(id, key) "{\"id\":\"" id "\",\"status\":\"enabled\"," key ",\"transport\":{\"method\":\"conduit\",\"conduit_id\":\"C-1\"}}"
#define CHAT_SUB "channel.chat.message 1 broadcaster_user_id=42 user_id=99"
#define FOLLOW_SUB "channel.follow 2 broadcaster_user_id=42 user_id=0"

static const char *hash_of(const char *sub, char hex[7])
{
	snprintf(hex, 7, "%06llx", (unsigned long long)(sip_hash((uint64_t[]){0, 0}, sub, strlen(sub)).a & 0xffffff));
	return hex;
}

/* Begun on what was saved; the list is what Twitch has. */
static struct out *conduit_again(const char *saved, const char *list)
{
	struct out *o = begin(CONDUIT "conduit = C-1\n", SUBS);
	char script[4096];

	snprintf(script, sizeof(script), "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\ndial 0 %s\nopened 0\nanswer 2 %s", saved, list);
	probe_run(o, script);
	return o;
}

static void attach(struct out *o)
{
	char script[160], asked[24];

	probe_run(o, WELCOME("0", "B", "00:02"));
	for (unsigned n = 3; n < 6; n++) {
		snprintf(script, sizeof(script), "answer %u 202 {\"data\":[{\"id\":\"0\",\"status\":\"enabled\"}],\"errors\":[]}\n", n);
		snprintf(asked, sizeof(asked), "http %u PATCH", n);
		if (probe_saw(o, asked))
			probe_run(o, script);
	}
}

static void absent(void)
{
	static const char one[] = PAGE(OF_CONDUIT("S2", FOLLOW_KEY)), made[] = MADE("3", "S1", "00:04");
	char chat[7], follow[7], both[160], other[160], before[160], lost[200], all_lost[200];
	struct { const char *what, *saved, *list, *made, *gap; } rows[] = {
		{"all are there", both, PAGE(OF_CONDUIT("S1", CHAT_KEY) "," OF_CONDUIT("S2", FOLLOW_KEY)), "", NULL},
		{"one is not, and nobody saw since when", both, one, made, "2024-05-01T09:50:00.0Z"},
		{"it was, though the list did not have it yet", both, one, "answer 3 409 {\"id\":\"S1\"}\n", NULL},
		{"it cannot be had", both, one, "answer 3 403 {\"message\":\"no scope\"}\n", NULL},
		{"it is new in the file", other, one, made, NULL},
		{"it was made by a process that was killed with the answer", lost, PAGE(OF_CONDUIT("S1", CHAT_KEY) "," OF_CONDUIT("S2", FOLLOW_KEY)), "", "2024-05-01T09:50:00.0Z"},
		{"... or is still not there", lost, one, made, "2024-05-01T09:50:00.0Z"},
		{"very many were missing, some of which were made then", all_lost, one, made, "2024-05-01T09:50:00.0Z"},
		{"there were very many", before, one, made, "2024-05-01T09:50:00.0Z"},
		{"an earlier version did not say which there were", "handed A 2024-05-01T10:00:00.5Z", one, made, "2024-05-01T10:00:00.5Z"},
		{"there was no process before", "-", EMPTY, MADE("3", "S1", "00:04") MADE("4", "S2", "00:04"), NULL},
	};

	snprintf(both, sizeof(both), "handed A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=%s%s", hash_of(CHAT_SUB, chat), hash_of(FOLLOW_SUB, follow));
	snprintf(other, sizeof(other), "handed A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=%s", follow);
	snprintf(before, sizeof(before), "handed A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=*");
	snprintf(lost, sizeof(lost), "%s lost=%s", other, chat);
	snprintf(all_lost, sizeof(all_lost), "%s lost=*", before);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = conduit_again(rows[i].saved, rows[i].list);
		char want[80];

		probe_run(o, rows[i].made);
		attach(o);
		CHECK(probe_saw(o, *rows[i].saved != '-' ? "live 0 resumed" : "live 0 up"), "live");
		snprintf(want, sizeof(want), "gap 0 [%s] ", rows[i].gap ? rows[i].gap : "");
		CHECK(rows[i].gap ? probe_saw(o, want) && has(o, "a subscription was not there when this process began") : !probe_saw(o, "gap "), "%s: %s", rows[i].what, probe_take(o));
		probe_free(o);
	}
}

/* Who goes on before it is made knows, too. */
static void absent_still(void)
{
	char chat[7], follow[7], saved[160], want[160];
	struct out *o;

	snprintf(saved, sizeof(saved), "handed A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=%s%s", hash_of(CHAT_SUB, chat), hash_of(FOLLOW_SUB, follow));
	o = conduit_again(saved, PAGE(OF_CONDUIT("S2", FOLLOW_KEY)));
	snprintf(want, sizeof(want), "save 0 open A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=%s%s lost=%s", chat, follow, chat);
	CHECK(probe_saw(o, want), "before it is asked for: %s", probe_take(o));
	attach(o);
	CHECK(probe_saw(o, "live 0 resumed"), "live");
	probe_run(o, "answer 3 503\nacked 0 9\ndrain 0\n");
	snprintf(want, sizeof(want), "save 0 handed B 2024-05-01T10:00:02.500Z listed=2024-05-01T09:50:00.0Z subs=%s%s lost=%s", chat, follow, chat);
	CHECK(probe_saw(o, want), "not made yet: %s", probe_take(o));
	probe_free(o);
}

/* More than are written down one by one: all of them, then. */
static void absent_many(void)
{
	static char subs[64 << 10];
	struct out *o;
	size_t n = 0;

	for (unsigned i = 0; i < 1001; i++)
		n += (size_t)snprintf(subs + n, sizeof(subs) - n, "stream.online broadcaster_user_id=%u\n", i);
	o = begin(CONDUIT "conduit = C-1\n", subs);
	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\n"
		"dial 0 handed A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=* lost=\nopened 0\nanswer 2 " EMPTY);
	CHECK(probe_saw(o, "save 0 open A 2024-05-01T10:00:00.5Z listed=2024-05-01T09:50:00.0Z subs=* lost=*\n"), "before they are asked for");
	probe_free(o);
}

/* ---- a shard that is handed over ---- */

#define ATTACHED(n, shard) "answer " n " 202 {\"data\":[{\"id\":\"" shard "\"}],\"errors\":[]}\n"

static void handed(void)
{
	struct out *o = begin(CONDUIT "conduit = C-1\n", SUBS);

	probe_run(o, "answer 1 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\n");
	probe_take(o);
	probe_run(o, "dial 0 handed A 2024-05-01T10:00:00Z\n");
	CHECK(probe_saw(o, "save 0 open A 2024-05-01T10:00:00Z"), "a hand-over is good for one: the next one may come when this one has taken events");
	probe_free(o);

	o = conduit_live();
	probe_run(o, "gone 1 4006 \ndial 1\nopened 1\n" WELCOME("1", "C", "01:00") "gone 1 4006 \ndial 1\nopened 1\n" WELCOME("1", "D", "01:01") ATTACHED("7", "1"));
	probe_run(o, ATTACHED("8", "1") ATTACHED("9", "1"));
	CHECK(probe_saw(o, "gap 1 [2024-05-01T10:00:02.5Z]") && probe_saw(o, "live 1 up") && !probe_saw(o, "resumed"),
		"perhaps attached to a session that died: it may have had events");
	probe_free(o);

	o = conduit_live();
	probe_run(o, "drain 1\ndial 1 handed B 2024-05-01T10:00:00.5Z\nopened 1\n" WELCOME("1", "C", "00:04") ATTACHED("7", "1"));
	CHECK(probe_saw(o, "gap 1 [2024-05-01T10:00:00.5Z]"), "attached at the last moment: what was on its way then may not have been read");
	probe_free(o);
}

/* What this process knew of a shard is older than what others left. */
static void given_back(void)
{
	struct out *o = conduit_live();

	probe_run(o, "gone 1 4006 \ndrain 1\ndial 1 open X 2024-05-01T10:50:00.5Z\nopened 1\n" WELCOME("1", "C", "51:00") ATTACHED("7", "1"));
	CHECK(probe_saw(o, "gap 1 [2024-05-01T10:50:00.5Z]") && probe_saw(o, "live 1 up") && !probe_saw(o, "live 1 resumed"),
		"lost and given away; back from one that was killed");
	probe_run(o, "gone 0 4006 \ndrain 0\n");
	probe_take(o);
	probe_run(o, "status\n");
	CHECK(has(o, "looked after by the process that holds connection 0"), "who gave the first one away while it was lost leads no more");
	probe_free(o);
}

/* Connections that are closed and wanted again: their marks go on, as upstream's do. */
static void regrown(void)
{
	struct out *o;
	char subs[301 * 64] = "", few[64];
	const char *r, *at;
	unsigned mark = 0, again = 0;

	for (unsigned i = 1, n = 0; i <= 301; i++)
		n += (unsigned)snprintf(subs + n, sizeof(subs) - n, "stream.offline broadcaster_user_id=%u\n", i);
	snprintf(few, sizeof(few), "stream.offline broadcaster_user_id=1\n");
	o = begin(PLAIN, subs);
	probe_run(o, "answer 1 " EMPTY "dial 1\nopened 1\n" WELCOME("1", "A", "00:00") MADE("2", "S1", "00:01") OFFLINE("1", "n1", "00:02") OFFLINE("1", "n2", "00:03"));
	r = probe_take(o);
	for (at = r; (at = strstr(at, "\nline 1 mark=")); at++)
		mark = (unsigned)strtoul(at + strlen("\nline 1 mark="), NULL, 10);
	CHECK(strstr(r, "connections 2") && strstr(r, "live 1 up") && mark, "two sockets: %s", r);
	probe_file(o, "subs", few);
	probe_run(o, "reload platform = twitch\\nclient-id = C\\nuser = 99\\nsubscriptions = subs\\ntoken-file = token\\n\n");
	CHECK(has(o, "connections 1"), "one is enough");
	probe_file(o, "subs", subs);
	probe_run(o, "reload platform = twitch\\nclient-id = C\\nuser = 99\\nsubscriptions = subs\\ntoken-file = token\\n\n");
	CHECK(probe_saw(o, "connections 2"), "and again two");
	probe_take(o);
	probe_run(o, "dial 1 -\nopened 1\n" WELCOME("1", "B", "10:00") OFFLINE("1", "n3", "10:02"));
	r = probe_take(o);
	at = strstr(r, "line 1 mark=");
	again = at ? (unsigned)strtoul(at + strlen("line 1 mark="), NULL, 10) : 0;
	CHECK(again > mark, "the marks go on behind %u: %s", mark, r);
	probe_free(o);
}

/* What the socket of a shard that was handed over may have had is still ours to tell. */
static void lingering(void)
{
	struct out *o = conduit_live();

	probe_run(o, "acked 0 9\ndrain 0\n");
	CHECK(probe_saw(o, "linger 0 +4000 [2024-05-01T10:00:02.5Z] [2024-05-01T10:00:06.500Z]") && probe_saw(o, "save 0 handed A 2024-05-01T10:00:02.500Z"), "handed over");
	probe_take(o);
	probe_run(o, "binary 0.2 00\n");
	CHECK(has(o, "gap 0 [2024-05-01T10:00:02.500Z] [] a message of Twitch could not be read"), "what cannot be read");
	probe_run(o, "binary 0.2 00\n");
	CHECK(!probe_saw(o, "gap"), "once a second");
	probe_free(o);

	o = conduit_live();
	probe_run(o, "acked 0 9\ndrain 0\ngone 0.2 1000 \n");
	CHECK(!probe_saw(o, "gap"), "its whole end is none");
	probe_free(o);

	o = up();
	probe_run(o, MOVE("wss://one/") "opened 0.1\n" WELCOME("0.1", "B", "30:02") OFFLINE("0", "n1", "31:00") "binary 0.2 00\n");
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:30:00.5Z] [2024-05-01T10:30:02.5Z] a message of Twitch could not be read"), "of a move: older than what the new one brings");
	probe_free(o);
}

/* ---- another conduit ---- */

static void replaced(void)
{
	struct out *o = conduit_live();
	const char *r;

	probe_run(o, "frame 0 {\"metadata\":{\"message_id\":\"x\",\"message_type\":\"notification\"," AT("04:00") ",\"subscription_type\":\"conduit.shard.disabled\"},"
		"\"payload\":{\"event\":{\"conduit_id\":\"C-1\",\"shard_id\":\"1\",\"status\":\"websocket_network_error\",\"transport\":{\"method\":\"websocket\",\"session_id\":\"B\"}}}}\n");
	probe_run(o, "answer 7 404 {\"message\":\"conduit not found\"}\nadvance 1500\n");
	CHECK(has(o, "http 8 GET https://api.twitch.tv/helix/eventsub/conduits "), "looked for again");
	probe_run(o, "answer 8 200 {\"data\":[{\"id\":\"C-1\",\"shard_count\":2}]}\n");
	r = probe_take(o);
	CHECK(strstr(r, SHARD("0", "A") "," SHARD("1", "B")), "another one, or the same anew: every shard is attached to it: %s", r);
	probe_free(o);
}

/* ---- webhooks ---- */

static void hook(struct out *o, const char *id, const char *time, const char *body)
{
	unsigned char mac[SIGN_SHA256];
	char hex[2 * SIGN_SHA256 + 1], step[1024];
	const struct sign_part parts[] = {{id, strlen(id)}, {time, strlen(time)}, {body, strlen(body)}};

	CHECK(sign_hmac(mac, "a-secret-of-webhooks", 20, parts, 3) == 0, "signed");
	sign_hex(hex, mac, sizeof(mac));
	snprintf(step, sizeof(step), "hook 7 - Twitch-Eventsub-Message-Id: %s | Twitch-Eventsub-Message-Timestamp: %s | Twitch-Eventsub-Message-Type: notification | "
		"Twitch-Eventsub-Subscription-Type: stream.offline | Twitch-Eventsub-Message-Signature: sha256=%s | %s\n", id, time, hex, body);
	probe_run(o, step);
}

#define GONE_OFFLINE "{\"subscription\":{\"id\":\"S\"},\"event\":{\"broadcaster_user_id\":\"42\",\"broadcaster_user_login\":\"bob\",\"broadcaster_user_name\":\"Bob\"}}"
#define BOTH "opened 0\nanswer 2 " PAGE(LISTED("S1", "enabled", CHAT_KEY) "," LISTED("S2", "enabled", FOLLOW_KEY))

static struct out *hooked(const char *saved)
{
	struct out *o = begin(WEBHOOK, SUBS);

	probe_run(o, "answer 1 " EMPTY);
	probe_run(o, saved);
	probe_run(o, BOTH);
	CHECK(probe_saw(o, "live 0"), "live");
	probe_take(o);
	return o;
}

/* 1700000000 is 22:13:20. */
static void kept(void)
{
	struct out *o = hooked("dial 0\n");

	probe_run(o, "wall 1700000030\n");
	hook(o, "n1", "2023-11-14T22:13:50Z", GONE_OFFLINE);
	CHECK(probe_saw(o, "line 0 mark=1 ticket=7"), "taken");
	probe_run(o, "wall 1700000060\nadvance 60000\nwall 1700000120\nadvance 60000\n");
	CHECK(!probe_saw(o, "save 0 hook 2023-11-14T22:14") && !probe_saw(o, "save 0 hook 2023-11-14T22:15"), "what the hub does not have is not passed over");
	probe_run(o, "acked 0 1\n");
	CHECK(probe_saw(o, "save 0 hook 2023-11-14T22:14:20.000Z"), "when it has it, it was so at the first minute behind");
	probe_run(o, "drain 0\n");
	CHECK(probe_saw(o, "save 0 hook 2023-11-14T22:15:20.000Z"), "until the end");
	probe_free(o);

	o = hooked("dial 0\n");
	probe_run(o, "wall 1700000030\n");
	hook(o, "n1", "2023-11-14T22:13:50Z", GONE_OFFLINE);
	probe_take(o);
	probe_run(o, "wall 1700000120\ndrain 0\n");
	CHECK(probe_saw(o, "save 0 hook 2023-11-14T22:13:20.000Z"), "nor when it is told to end");
	probe_free(o);
}

static void unreadable(void)
{
	struct out *o = hooked("dial 0\n");

	hook(o, "n1", "2023-11-14T22:13:21Z", "{\"subscription\":{\"id\":\"S\"}}");
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:13:21Z] [2023-11-14T22:13:21Z] a message of Twitch could not be read") && probe_saw(o, "reply 7 400"), "told");
	probe_take(o);
	hook(o, "n1", "2023-11-14T22:13:21Z", "{\"subscription\":{\"id\":\"S\"}}");
	CHECK(!probe_saw(o, "gap") && probe_saw(o, "reply 7 400"), "once");
	probe_free(o);
}

/* A process that ends before it is live leaves what it found. */
static void not_live(void)
{
	struct out *o = begin(WEBHOOK, SUBS);

	probe_run(o, "answer 1 " EMPTY "dial 0 hook 2023-11-14T22:00:00.000Z 0123456789abcdef0123456789abcdef https://bots.example/before\n");
	probe_run(o, "opened 0\nanswer 2 " PAGE(LISTED("S1", "notification_failures_exceeded", CHAT_KEY)));
	CHECK(probe_saw(o, "save 0 hole 2023-11-14T22:00:00.000Z 0123456789abcdef0123456789abcdef https://bots.example/before listed=2023-11-14T22:00:00.000Z subs=* lost=\n"), "the gap, the secret and the callback of before");
	probe_free(o);

	o = begin(WEBHOOK, SUBS);
	probe_run(o, "answer 1 " EMPTY "dial 0 hook 2023-11-14T22:00:00.000Z 0123456789abcdef0123456789abcdef https://bots.example/hook/t/bot\nopened 0\nanswer 2 " EMPTY);
	probe_run(o, MADE("3", "S1", "00:01") "advance 8000\n");
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:00:00.000Z] [2024-05-01T10:00:01.5Z]") && probe_saw(o, "live 0 up"), "live with what there is");
	CHECK(probe_saw(o, "save 0 hole 2023-11-14T22:00:00.000Z "), "a new process is told of the rest");
	probe_take(o);
	probe_run(o, MADE("4", "S2", "00:20"));
	CHECK(probe_saw(o, "gap 0 [2023-11-14T22:00:00.000Z] [2024-05-01T10:00:20.5Z] a subscription was not there when this process began"), "what was made late missed more");
	probe_free(o);
}

/* Of two holes the one that began first. */
static void earlier(void)
{
	static const char second[] = "frame 0 {\"metadata\":{\"message_id\":\"s\",\"message_type\":\"revocation\"," AT("29:00") "},\"payload\":{\"subscription\":{\"id\":\"S2\","
		"\"status\":\"no_such_status\"," FOLLOW_KEY "}}}\n";
	struct out *o = up();

	probe_run(o, "acked 0 99\n" OFFLINE("0", "n1", "31:00") LOST_SUB);
	probe_run(o, second);
	probe_run(o, MADE("4", "S3", "32:00") MADE("5", "S4", "32:00"));
	CHECK(probe_saw(o, "gap 0 [2024-05-01T10:29:00.5Z]"), "both are in the range");
	probe_free(o);
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);
	ended_between();
	made_on_the_move();
	made_on_two_moves();
	made_and_lost();
	absent();
	absent_still();
	absent_many();
	handed();
	lingering();
	given_back();
	regrown();
	replaced();
	kept();
	unreadable();
	not_live();
	earlier();
	return check_done();
}
