/*
 * Bytes of an IRC server, in pieces of any size, at any stage. What comes of them are lines that pass where lines enter.
 * The first byte: dialect (1), how far the connection is (2, 4), the pieces (rest).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/irc_message.h"
#include "gatewayd/platform/platform.h"
#include "line/envelope.h"
#include "line/types.h"
#include "../unit/platform_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONF "platform = irc\nserver = irc://x\nnick = pen\nchannels = \"#a #b\"\nraw = yes\nrate = 60000\n"
#define HELLO "stream 0 :s CAP * LS :echo-message message-tags batch labeled-response server-time draft/chathistory twitch.tv/tags\\r\\n" \
	":s CAP pen ACK :message-tags echo-message batch labeled-response server-time draft/chathistory twitch.tv/tags\\r\\n" \
	":s 001 pen :hi\\r\\n:s 005 pen CHATHISTORY=2 MSGREFTYPES=msgid,timestamp :x\\r\\n:s 422 pen :no\\r\\n\n"
#define JOINED "stream 0 :pen!pen@h JOIN #a\\r\\n:pen!pen@h JOIN #b\\r\\n:s 353 pen = #a :@ada +bob pen\\r\\n\n" \
	"say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"one\\ntwo\"}}\nsay 2 {\"data\":{\"channel\":{\"id\":\"#b\"},\"text\":\"x\"}}\n"

static void on_line(void *arg, const char *line, size_t n)
{
	struct envelope e;
	struct line_err err;

	(void)arg;
	n -= n && line[n - 1] == '\n';
	if (envelope_check(line, n, LINE_MAX_BYTES, &e, &err) || types_check(line, &e, &err) || memchr(line, '\n', n))
		abort();
}

static struct out *begin(bool twitch)
{
	struct out *o = probe_new(platform_find("irc"));

	probe_file(o, "pass", "secret");
	if (probe_account(o, twitch ? CONF "dialect = twitch\npassword-file = pass\n" : CONF))
		abort();
	probe_on_line(o, on_line, NULL);
	probe_quiet(o, true);
	probe_run(o, "start\n");
	return o;
}

/* The account is opened once for each dialect: every run is another connection of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out *accounts[2];
	const struct platform *irc = platform_find("irc");
	size_t piece, n;
	struct out *o;

	if (size < 1)
		return 0;
	if (!accounts[0]) {
		log_init("fuzz");
		log_set(LOG_TEXT, LOG_ERROR);
		accounts[0] = begin(false);
		accounts[1] = begin(true);
	}
	o = accounts[data[0] & 1];
	probe_run(o, "dial 0\nopened 0\n");
	if (data[0] & 2)
		probe_run(o, HELLO);
	if (data[0] & 4)
		probe_run(o, JOINED);
	piece = (size_t)(data[0] >> 3) + 1;
	for (size_t at = 1; at < size; at += n) {
		char *copy;

		n = size - at < piece ? size - at : piece;
		copy = malloc(n);	/* exactly as long: reading on is seen */
		if (!copy)
			abort();
		memcpy(copy, data + at, n);
		irc->frame(probe_object(o), 0, 0, copy, n, false, probe_now(o));
		free(copy);
	}
	probe_run(o, "advance 61000\nstatus\ngone 0 0 end\n");
	probe_take(o);
	return 0;
}
