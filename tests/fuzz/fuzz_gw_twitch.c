/*
 * Bytes of Twitch: frames of a socket (old and new one of a move), webhooks whose signature is right, answers of Helix. What comes of them are
 * lines that pass where lines enter. The first byte: which of them (0 to 3), and the kind of webhook or the status of the answer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/sign.h"
#include "gatewayd/platform/platform.h"
#include "line/envelope.h"
#include "line/types.h"
#include "../unit/platform_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONF "platform = twitch\nclient-id = C\nuser = 99\nsubscriptions = subs\nraw = yes\n"
#define PLAIN CONF "token-file = token\n"
#define WEBHOOK CONF "client-secret-file = secret\ntransport = webhook\ncallback = https://x/\nwebhook-secret-file = secret\n"
#define CONDUIT CONF "client-secret-file = secret\ntransport = conduit\n"
#define CALLBACK CONDUIT "callback = https://x/\nwebhook-secret-file = secret\n"
#define WELCOME "{\"metadata\":{\"message_id\":\"w\",\"message_type\":\"session_welcome\",\"message_timestamp\":\"2024-05-01T10:00:00Z\"}," \
	"\"payload\":{\"session\":{\"id\":\"A\",\"keepalive_timeout_seconds\":10}}}\n"
#define MOVE "{\"metadata\":{\"message_type\":\"session_reconnect\"},\"payload\":{\"session\":{\"reconnect_url\":\"wss://x/\"}}}\n"
#define SECRET "a-secret-of-webhooks"
#define RUNS 400		/* of one object */

static const struct platform *twitch;

static void on_line(void *arg, const char *line, size_t n)
{
	struct envelope e;
	struct line_err err;

	(void)arg;
	n -= n && line[n - 1] == '\n';
	if (envelope_check(line, n, LINE_MAX_BYTES, &e, &err) || types_check(line, &e, &err) || memchr(line, '\n', n))
		abort();
}

static struct out *begin(const char *conf, const char *script)
{
	struct out *o = probe_new(twitch);

	probe_file(o, "token", "t");
	probe_file(o, "secret", SECRET);
	probe_file(o, "subs", "channel.chat.message broadcaster_user_id=42 user_id=99\nstream.online broadcaster_user_id=42\n");
	if (probe_account(o, conf))
		abort();
	probe_on_line(o, on_line, NULL);
	probe_quiet(o, true);
	probe_run(o, "start\n");
	probe_run(o, script);
	return o;
}

/* ---- webhooks ---- */

static const char *kind, *sent_id;
static char signature[8 + 2 * SIGN_SHA256];
#define TIME "2024-01-02T03:04:05.678901234Z"

static const char *field(const struct hook *h, const char *name, size_t *n)
{
	static const char prefix[] = "Twitch-Eventsub-";
	const char *v = NULL;

	(void)h;
	if (strncasecmp(name, prefix, sizeof(prefix) - 1) == 0)
		name += sizeof(prefix) - 1;
	if (strcasecmp(name, "Message-Id") == 0)
		v = sent_id;
	else if (strcasecmp(name, "Message-Timestamp") == 0)
		v = TIME;
	else if (strcasecmp(name, "Message-Signature") == 0)
		v = signature;
	else if (strcasecmp(name, "Message-Type") == 0)
		v = kind;
	else if (strcasecmp(name, "Subscription-Type") == 0)
		v = "channel.chat.message";
	if (v)
		*n = strlen(v);
	return v;
}

static void hook(struct out *o, unsigned which, const char *body, size_t n)
{
	static const char *const kinds[] = {"notification", "webhook_callback_verification", "revocation", "other"};
	const struct sign_part parts[] = {{"id", 2}, {TIME, sizeof(TIME) - 1}, {body, n}};
	struct hook h = {.path = "", .field = field, .body = body, .nbody = n, .ticket = 1};
	unsigned char mac[SIGN_SHA256];

	if (sign_hmac(mac, SECRET, sizeof(SECRET) - 1, parts, 3) || clock_parse(TIME, sizeof(TIME) - 1, &h.wall))
		abort();
	memcpy(signature, "sha256=", 7);
	sign_hex(signature + 7, mac, sizeof(mac));
	kind = kinds[which % 4];
	sent_id = "id";
	twitch->hook(probe_object(o), &h, probe_now(o));
}

/* ---- answers ---- */

static void answers(const char *conf, unsigned which, const char *body, size_t n)
{
	static const int status[] = {200, 202, 400, 403, 409, 429, 404, 204};
	struct http_answer a = {.status = status[which % 8], .sent = true, .body = body, .nbody = n};
	struct out *o = begin(conf, which & 8 ? "answer 1 200 {\"data\":[]}\n" : "answer 1 200 {\"data\":[{\"id\":\"C\",\"shard_count\":3}]}\ndial 0\n");

	for (unsigned call = 1; call <= 8; call++)
		twitch->answer(probe_object(o), call, &a, probe_now(o));
	if (which & 16) {
		probe_run(o, "dial 0\nopened 0\nframe 0 " WELCOME);
		for (unsigned call = 2; call <= 12; call++)
			twitch->answer(probe_object(o), call, &a, probe_now(o));
	}
	probe_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out *live, *hooked;
	static unsigned runs;
	unsigned how, which;
	char *body;

	if (size < 1)
		return 0;
	if (!twitch) {
		log_init("fuzz");
		if (!freopen("/dev/null", "w", stdout))
			abort();
		log_set(LOG_TEXT, LOG_ERROR);
		twitch = platform_find("twitch");
	}
	if (runs++ % RUNS == 0) {
		if (live) {
			probe_free(live);
			probe_free(hooked);
		}
		live = begin(PLAIN, "answer 1 200 {\"data\":[]}\ndial 0\nopened 0\nframe 0 " WELCOME "answer 2 202 {}\nanswer 3 202 {}\n");
		hooked = begin(WEBHOOK, "answer 1 200 {\"data\":[]}\ndial 0\nopened 0\nanswer 2 200 {\"data\":[]}\n");
	}
	how = data[0] & 3u;
	which = data[0] >> 2;
	/* Exactly as many bytes, and for answers a NUL behind them, as promised. */
	body = malloc(size);
	if (!body)
		abort();
	memcpy(body, data + 1, size - 1);
	body[size - 1] = '\0';
	if (how == 0) {
		if (which & 1)
			probe_run(live, "frame 0 " MOVE);
		twitch->frame(probe_object(live), 0, which & 1, body, size - 1, which & 2, probe_now(live));
	} else if (how == 1) {
		hook(hooked, which, body, size - 1);
	} else {
		answers(how == 2 ? PLAIN : which & 32 ? CALLBACK : CONDUIT, which, body, size - 1);
	}
	free(body);
	return 0;
}
