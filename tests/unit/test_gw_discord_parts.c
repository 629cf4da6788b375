/* Discord: accounts, payloads that are long or compressed, names, interactions over HTTP. */
#include "check.h"
#include "discord_play.h"
#include "platform_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/discord_names.h"
#include "gatewayd/platform/platform.h"
#include "line/scan.h"

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
	*strstr(text, "\"s\":2") = ' ';
	memcpy(strstr(text, " s\":2"), "\"s\":9", 5);
	probe_run(o, text);
	CHECK(probe_saw(o, "gap 0 [4] [8] the sequence has a hole") && probe_saw(o, "gap 0 [9] [9] a payload is longer") && probe_saw(o, "mark 0 9"), "what is missing before it, too");
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

static void bots(void)
{
	static const struct { const char *token, *conf, *bot; } rows[] = {
		{"MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.Glabla.x", CONF, "1234567890123456789"}, {"MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.other.y", CONF, "1234567890123456789"},
		{"secret", CONF, "token-2bb80d537b1da3e3"}, {"c2VjcmV0.x.y", CONF, "token-"}, {".x.y", CONF, "token-"}, {"MTIz=.x.y", CONF, "token-"},
		{"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw.x.y", CONF, "token-"},
		{"MTIz.x.y", CONF "api = http://127.0.0.1:1/api\n", "123-"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct out *o = probe_new(platform_find("discord"));
		size_t n = strlen(rows[i].bot);

		probe_file(o, "bot.token", rows[i].token);
		CHECK(probe_account(o, rows[i].conf) == 0 && strncmp(probe_bot(o), rows[i].bot, n) == 0 &&
			(probe_bot(o)[n] == '\0') == (rows[i].bot[n - 1] != '-') && !strstr(probe_bot(o), "secret"),
			"of %s the bot is %s", rows[i].token, probe_bot(o));
		probe_free(o);
	}
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
	probe_run(o, "dial 0\nopened 0\n" HELLO "frame 0 {\"t\":\"CHANNEL_UPDATE\",\"s\":13,\"op\":0,\"d\":{\"id\":\"53\",\"guild_id\":\"7\",\"name\":\"x\"}}\n"
		"frame 0 {\"t\":\"MESSAGE_CREATE\",\"s\":14,\"op\":0,\"d\":{\"id\":\"73\",\"channel_id\":\"54\",\"guild_id\":\"7\",\"author\":{\"id\":\"41\",\"username\":\"a\"},\"content\":\"hi\"}}\n");
	CHECK(probe_saw(o, "http 6 GET https://discord.com/api/v10/guilds/7"), "one of a guild's names is not all of them");
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
	CHECK(names_set(&t, &bytes, 6, SPAN("{\"id\":\"1\",\"name\":\"x\"}"), 0, false) == 0 && names_get(names_find(&t, 6), 1, NULL).p && !names_whole(&t, 6) &&
		names_whole(&t, 5), "of an unknown guild, which is not whole then");
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
	bots();
	accounts();
	large();
	fetching();
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
