/*
 * irc_play: what the checks of IRC share: an account, a greeting and the like as steps of platform_probe.h, and a rule: steps in, wishes out.
 */
#ifndef UNIT_IRC_PLAY_H
#define UNIT_IRC_PLAY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "platform_probe.h"

#define CONF "platform = irc\nserver = irc://127.0.0.1:6667\nnick = pen\nchannels = \"#a #b\"\n"
#define TWITCH "platform = irc\nserver = ircs://irc.chat.twitch.tv:6697\ndialect = twitch\nnick = penbot\npassword-file = pass\nchannels = \"#ada\"\n"
#define HELLO "start\ndial 0 -\nopened 0\nstream 0 :s CAP * LS :echo-message message-tags server-time\\r\\n\n" \
	"stream 0 :s CAP pen ACK :message-tags server-time echo-message\\r\\n:s 001 pen :hi\\r\\n:s 422 pen :no\\r\\n\n"
#define PLAIN_HELLO "start\ndial 0 -\nopened 0\nstream 0 :s 421 * CAP :unknown\\r\\n:s 001 pen :hi\\r\\n:s 376 pen :end\\r\\n\n"
#define JOINED "stream 0 :pen!pen@h JOIN #a\\r\\n:pen!pen@h JOIN #b\\r\\n\n"
#define SAY(ticket, to, text) "say " ticket " {\"data\":{\"channel\":{\"id\":\"" to "\"},\"text\":\"" text "\"}}\n"

static inline struct out *begin(const char *conf, const char *script)
{
	struct out *o = probe_new(platform_find("irc"));

	probe_file(o, "pass", "secret");
	if (probe_account(o, conf)) {
		probe_free(o);
		return NULL;
	}
	probe_run(o, script);
	return o;
}

/* want: parts of the record, in order, separated by |; one that begins with ! must not be behind the one before it. */
static inline void rule(const char *name, const char *conf, const char *before, const char *script, const char *want)
{
	struct out *o = begin(conf, before);
	char *list = strdup(want), *save = NULL;
	const char *record, *at;

	CHECK(o && list, "%s: opens", name);
	probe_take(o);
	probe_run(o, script);
	at = record = probe_take(o);
	for (char *part = strtok_r(list, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
		const char *found = strstr(at, *part == '!' ? part + 1 : part);

		if (*part == '!' ? found != NULL : !found)
			printf("# %s\n", record);
		CHECK(*part == '!' ? !found : found != NULL, "%s: %s", name, part);
		at = found ? found + strlen(part) : at;
	}
	free(list);
	probe_free(o);
}

#endif
