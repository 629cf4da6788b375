/*
 * Frames of a Discord gateway of any bytes. The first byte says what follows: 'z' one zlib stream, its messages cut by the second byte, 'Z' one of zstd; 's' a
 * saved session, 'h' a page of a history; else text frames, one a line, behind a Hello and a READY ('r': in a session that is being resumed; 'w': with raw). Every line that comes
 * of it may enter; nothing is sent beyond the limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/platform_probe.h"
#include "base/buf.h"
#include "base/http.h"
#include "base/log.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/platform.h"
#include "line/types.h"

#define GATEWAY "{\"url\":\"wss://main.example\",\"shards\":1,\"session_start_limit\":{\"total\":1000,\"remaining\":997,\"reset_after\":60000,\"max_concurrency\":1}}"
#define HELLO "{\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":40000}}"
#define READY "{\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"user\":{\"id\":\"99\"},\"session_id\":\"abc\",\"resume_gateway_url\":\"wss://resume.example\"}}"
#define RESUMED "{\"t\":\"RESUMED\",\"s\":6,\"op\":0,\"d\":{}}"
#define GUILD "{\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{\"id\":\"5\",\"owner_id\":\"9\",\"channels\":[{\"id\":\"50\",\"name\":\"c\"}]," \
	"\"roles\":[{\"id\":\"60\",\"name\":\"m\",\"permissions\":\"8\"}]}}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(void *arg, const char *line, size_t n)
{
	struct envelope e;
	struct line_err err;

	(void)arg;
	if (n && line[n - 1] == '\n')
		n--;
	if (memchr(line, '\n', n) || types_check_line(line, n, LINE_MAX_BYTES, &e, &err))
		abort();
}

static struct out *probe(bool raw)
{
	static struct out *o[2];

	if (!o[raw]) {
		log_init("fuzz");
		log_set(LOG_TEXT, LOG_ERROR);
		o[raw] = probe_new(platform_find("discord"));
		probe_file(o[raw], "bot.token", "secret");
		if (probe_account(o[raw], raw ? "platform = discord\ntoken-file = bot.token\ncompress = none\nraw = yes\n" :
				"platform = discord\ntoken-file = bot.token\ncompress = none\nevents = TYPING_START\n"))
			abort();
		probe_on_line(o[raw], check_line, NULL);
		probe_quiet(o[raw], true);
	}
	if (probe_again(o[raw]))
		abort();
	probe_run(o[raw], "start\nanswer 1 200 " GATEWAY "\n");
	return o[raw];
}

static void frame(struct out *o, const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);		/* exactly as long: reading on is seen */

	if (!copy)
		return;
	memcpy(copy, p, n);
	platform_find("discord")->frame(probe_object(o), 0, 0, copy, n, false, probe_now(o));
	free(copy);
}

static void frames(const char *p, size_t n, char how)
{
	struct out *o = probe(how == 'w');

	probe_run(o, how == 'r' ? "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":5,\"shards\":1,\"channels\":[\"50\",\"5\"],\"after\":\"7\"}\nopened 0" :
		"dial 0\nopened 0");
	frame(o, HELLO, sizeof(HELLO) - 1);
	if (how != 'r') {
		frame(o, READY, sizeof(READY) - 1);
		frame(o, GUILD, sizeof(GUILD) - 1);
	}
	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;

		frame(o, p, len);
		len += end != NULL;
		p += len;
		n -= len;
	}
	probe_run(o, "acked 0 100\nadvance 100000\ndial 0\nstatus");
}

static void saved(const char *p, size_t n)
{
	struct out *o = probe(false);
	struct dial d = {.opening = 0};

	platform_find("discord")->dial(probe_object(o), 0, p, n, &d, probe_now(o));
	probe_run(o, "opened 0");
	frame(o, HELLO, sizeof(HELLO) - 1);
	probe_run(o, "drain 0");
}

/* Two answers of what a crash left to be read; a line is a page. */
static void history(const char *p, size_t n)
{
	struct out *o = probe(false);
	const char *end = memchr(p, '\n', n);
	size_t first = end ? (size_t)(end - p) : n, all[2] = {first, end ? n - first - 1 : n};

	probe_run(o, "dial 0 {\"session\":\"abc\",\"url\":\"wss://r.example\",\"seq\":5,\"shards\":1,\"after\":\"70\",\"fill\":[\"50\",\"5\",\"60\",\"51\",\"5\",\"61\"]}\nopened 0");
	frame(o, HELLO, sizeof(HELLO) - 1);
	frame(o, RESUMED, sizeof(RESUMED) - 1);
	for (unsigned i = 0; i < 2; i++) {
		char *copy = malloc(all[i] + 1);
		struct http_answer a = {.status = 200, .body = copy, .nbody = all[i]};

		if (!copy)
			return;
		memcpy(copy, p, all[i]);
		copy[all[i]] = '\0';
		platform_find("discord")->answer(probe_object(o), 2 + i, &a, probe_now(o));
		free(copy);
		probe_run(o, "acked 0 1000\nacked 0 7\nacked 0 8\nadvance 150");
		p = end ? end + 1 : p;
	}
	probe_run(o, "advance 30000\ndrain 0");
}

static void stream(enum inflate_kind kind, const uint8_t *p, size_t n)
{
	struct inflate *z = inflate_has(kind) ? inflate_new(kind) : NULL;
	struct buf out;
	const char *why = NULL;
	size_t step;

	if (!z || n < 1)
		goto end;
	step = (size_t)p[0] + 1;
	p++;
	n--;
	buf_init(&out, 1 << 20);
	while (n) {
		size_t part = n < step ? n : step;
		enum inflate_result got = inflate_message(z, (const char *)p, part, 4096, &out, &why);

		if (out.len > 4096 || (got == INFLATE_BAD && !why) || (got == INFLATE_LONG && out.len > INFLATE_HEAD))
			abort();
		if (got == INFLATE_BAD)
			break;
		p += part;
		n -= part;
	}
	buf_release(&out);
end:
	inflate_free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] == 'z')
		stream(INFLATE_ZLIB, data + 1, size - 1);
	else if (data[0] == 'Z')
		stream(INFLATE_ZSTD, data + 1, size - 1);
	else if (data[0] == 's')
		saved((const char *)data + 1, size - 1);
	else if (data[0] == 'h')
		history((const char *)data + 1, size - 1);
	else
		frames((const char *)data + 1, size - 1, (char)data[0]);
	return 0;
}
