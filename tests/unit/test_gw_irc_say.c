/* IRC: saying, and how it is known what became of it; its pace; Twitch's dialect. */
#include "check.h"
#include "irc_play.h"
#include "platform_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

static void saying(void)
{
	rule("an echo confirms", CONF, HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @msgid=x1 :pen!pen@h PRIVMSG #a :hi\\r\\n\n",
		"PRIVMSG #a :hi\\r|PING :s1|said 1 x1 -");
	rule("no echo, and the PONG came", CONF, HELLO JOINED, SAY("1", "#a", "hi") "stream 0 :s PONG s :s1\\r\\n\n",
		"said 1 - the server took it and did not show it");
	rule("an old server: the PONG confirms", CONF, PLAIN_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 :s PONG s :s1\\r\\n\n", "said 1 - -");
	rule("refused", CONF, PLAIN_HELLO JOINED, SAY("1", "#a", "hi") SAY("2", "#a", "ho")
		"stream 0 :s 404 pen #a :Cannot send to channel\\r\\n:s PONG s :s2\\r\\n\n", "said 1 - Cannot send to channel|said 2 - -");
	rule("lines are messages", CONF, PLAIN_HELLO JOINED, SAY("1", "#a", "one\\ntwo\\r\\n\\nthree") "stream 0 :s PONG s :s3\\r\\n\n",
		":one\\r|:two\\r|:three\\r|said 1 - -");
	rule("the second of two refused", CONF, PLAIN_HELLO JOINED, SAY("1", "#a", "one\\ntwo") SAY("2", "#a", "x")
		"stream 0 :s PONG s :s1\\r\\n:s 404 pen #a :no\\r\\n:s PONG s :s3\\r\\n\n", "said 1 - part 2 of 2: no|said 2 - -");
	rule("a CR", CONF, HELLO JOINED, SAY("1", "#a", "hi\\rQUIT"), "said 1 - the text holds a CR|!send");
	rule("a NUL", CONF, HELLO JOINED, SAY("1", "#a", "hi\\u0000"), "said 1 - the text holds a byte|!send");
	rule("CTCP", CONF, HELLO JOINED, SAY("1", "#a", "\\u0001VERSION\\u0001"), "said 1 - the text holds a byte|!send");
	rule("a command by the channel", CONF, HELLO JOINED, SAY("1", "#a\\r\\nQUIT", "x"), "said 1 - |!send");
	rule("a command by the nick", CONF, HELLO JOINED, SAY("1", "bob :x", "x"), "said 1 - |!send");
	rule("a list of targets", CONF, HELLO JOINED, SAY("1", "bob,ada", "x"), "said 1 - |!send");
	rule("a reply", CONF, HELLO JOINED, "say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"x\",\"reply_to\":\"a b;c\\n\"}}\n",
		"send 0.0 @+draft/reply=a\\\\sb\\\\:c\\\\n PRIVMSG #a :x");
	rule("a reply, no tags", CONF, PLAIN_HELLO JOINED, "say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"x\",\"reply_to\":\"ab\"}}\n",
		"send 0.0 PRIVMSG #a :x");
	rule("an action", CONF, PLAIN_HELLO JOINED, "say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"x\",\"action\":true}}\n",
		"PRIVMSG #a :\\x01ACTION x\\x01\\r");
	rule("a foreign channel", CONF, HELLO JOINED, SAY("1", "#z", "x"), "said 1 - the account is not in that channel|!again|!send");
	rule("not live yet", CONF, HELLO, SAY("1", "#a", "x"), "said 1 - not connected again|!send");
	rule("lost before the answer", CONF, HELLO JOINED, SAY("1", "#a", "x") "gone 0 0 reset\n", "said 1 - the connection ended|may have been said| unknown");
	rule("the pace", CONF "rate = 60\nburst = 2\n", PLAIN_HELLO JOINED, SAY("1", "#a", "1") SAY("2", "#a", "2") SAY("3", "#a", "3"),
		":1\\r|:2\\r|timer 0.1 +1000|!:3\\r");
	rule("waits its turn", CONF "rate = 60\nburst = 2\n", PLAIN_HELLO JOINED SAY("1", "#a", "1") SAY("2", "#a", "2") SAY("3", "#a", "3"),
		"advance 1000\n", ":3\\r");
	rule("never said: again", CONF "rate = 60\nburst = 2\n", PLAIN_HELLO JOINED SAY("1", "#a", "1") SAY("2", "#a", "2") SAY("3", "#a", "3"),
		"gone 0 0 reset\n", "said 1 - the connection|said 3 - not connected: reset again");
}

#define LABEL_HELLO "start\ndial 0 -\nopened 0\nstream 0 :s CAP * LS :message-tags batch echo-message labeled-response\\r\\n" \
	":s CAP * ACK :message-tags batch echo-message labeled-response\\r\\n:s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n"
#define ACK_HELLO "start\ndial 0 -\nopened 0\nstream 0 :s CAP * LS :message-tags batch labeled-response\\r\\n" \
	":s CAP * ACK :message-tags batch labeled-response\\r\\n:s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n"

static void labels(void)
{
	rule("written down before it goes out", CONF, PLAIN_HELLO JOINED, SAY("1", "#a", "hi\\nho"), "saying 1|PRIVMSG #a :hi\\r|PRIVMSG #a :ho|!saying 1");
	rule("no promise where nothing goes out", CONF, HELLO JOINED, SAY("1", "#z", "x"), "said 1|!saying");
	rule("a label and its echo", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1;msgid=x1 :pen!pen@h PRIVMSG #a :hi\\r\\n\n",
		"@label=s1 PRIVMSG #a :hi\\r|said 1 x1 -|line 0|\"self\":true");
	rule("a message of ours that is no answer", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @msgid=x0 :pen!pen@h PRIVMSG #a :yo\\r\\n\n",
		"line 0|!said 1");
	rule("a label and a reply", CONF, LABEL_HELLO JOINED, "say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"x\",\"reply_to\":\"ab\"}}\n",
		"@label=s1;+draft/reply=ab PRIVMSG #a :x");
	rule("a label and a refusal", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1 :s 404 pen #a :no\\r\\n\n", "said 1 - no");
	rule("another's refusal", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 :s 404 pen #a :no\\r\\n\n", "saying 1|!said 1");
	rule("a label and FAIL", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1 FAIL PRIVMSG SPAM #a :spam\\r\\n\n", "said 1 - spam");
	rule("answers in a batch", CONF, LABEL_HELLO JOINED, SAY("1", "bob", "hi") "stream 0 @label=s1 :s BATCH +q labeled-response\\r\\n"
		"@batch=q :s 301 pen bob :away\\r\\n@batch=q;msgid=x9 :pen!pen@h PRIVMSG bob :hi\\r\\n:s BATCH -q\\r\\n\n", "said 1 x9 -");
	rule("an ACK where there is no echo", CONF, ACK_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1 :s ACK\\r\\n\n", "said 1 - -");
	rule("an empty batch, too", CONF, ACK_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1 BATCH +q labeled-response\\r\\nBATCH -q\\r\\n\n", "said 1 - -");
	rule("an ACK where an echo is due", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s1 :s ACK\\r\\n:s PONG s :s1\\r\\n\n",
		"said 1 - the server took it and did not show it");
	rule("labels that are none of ours", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "hi") "stream 0 @label=s99 :s 404 pen #a :no\\r\\n"
		"@label=x :s ACK\\r\\n@label=s0 :s ACK\\r\\n@label=s :s BATCH +\\r\\n@label=s1 :s BATCH\\r\\n\n", "saying 1|!said");
	rule("the second line before the first", CONF, LABEL_HELLO JOINED, SAY("1", "#a", "one\\ntwo")
		"stream 0 @label=s2;msgid=x2 :pen!pen@h PRIVMSG #a :two\\r\\n:s PONG s :s2\\r\\n\n", "said 1 - part 1 of 2: the server took it");
}

static void length(void)
{
	struct out *o = begin(CONF, PLAIN_HELLO JOINED);
	char script[9000] = "say 1 {\"data\":{\"channel\":{\"id\":\"#a\"},\"text\":\"", *at = script + strlen(script);
	const char *record, *line;
	size_t total = 0, longest = 0;

	for (int i = 0; i < 300; i++)
		at = stpcpy(at, "\xe2\x82\xac");
	strcpy(at, "\"}}\n");
	probe_take(o);
	probe_run(o, script);
	record = probe_take(o);
	for (line = record; (line = strstr(line, "PRIVMSG #a :")); line++) {
		size_t n = 0;

		/* The record shows a byte as \xNN. */
		for (const char *p = line + 12; memcmp(p, "\\r", 2) != 0; p += *p == '\\' ? 4 : 1)
			n++;
		CHECK(n % 3 == 0 && n > 300, "no character is cut: %zu bytes", n);
		total += n;
		longest = n > longest ? n : longest;
	}
	CHECK(total == 900 && longest + strlen(":pen!pen@h PRIVMSG #a :\r\n") <= 512, "all of it, and no line over 512 with what is put before it");
	probe_free(o);
}

static void pace(void)
{
	int64_t full = 0, now = 0;
	unsigned sent = 0;

	/* Twitch's: at most 20 in any 30 s. */
	int64_t at[200];
	for (; now < 120 * CLOCK_S; now += 10 * CLOCK_MS)
		if (irc_pace(&full, 24, 8, now) == 0)
			at[sent++] = now;
	unsigned most = 0;
	for (unsigned i = 0; i < sent; i++) {
		unsigned k = i;

		while (k < sent && at[k] < at[i] + 30 * CLOCK_S)
			k++;
		most = k - i > most ? k - i : most;
	}
	CHECK(most <= 20 && sent >= 8 + 47, "%u in 30 s at most, %u in two minutes", most, sent);
}

#define TWITCH_HELLO "start\ndial 0 -\nopened 0\nstream 0 :tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/tags twitch.tv/membership\\r\\n" \
	":tmi.twitch.tv CAP * ACK :twitch.tv/commands twitch.tv/tags twitch.tv/membership\\r\\n" \
	":tmi.twitch.tv 001 penbot :Welcome, GLHF!\\r\\n:tmi.twitch.tv 376 penbot :>\\r\\n\n" \
	"stream 0 :penbot!penbot@penbot.tmi.twitch.tv JOIN #ada\\r\\n@mod=0 :tmi.twitch.tv USERSTATE #ada\\r\\n@room-id=42 :tmi.twitch.tv ROOMSTATE #ada\\r\\n\n"

static void twitch(void)
{
	rule("Twitch: the token is the password", TWITCH, "", "start\ndial 0 -\nopened 0\n", "PASS secret\\r|NICK penbot");
	rule("Twitch: hello", TWITCH, "", TWITCH_HELLO, "REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership\\r|JOIN #ada|live 0 up");
	rule("Twitch: a bad token", TWITCH, "start\ndial 0 -\nopened 0\n", "stream 0 :tmi.twitch.tv NOTICE * :Login authentication failed\\r\\n\n", "lost 0 stop");
	rule("Twitch: asked to go", TWITCH, TWITCH_HELLO, "stream 0 :tmi.twitch.tv RECONNECT\\r\\n\n", "lost 0 resume");
	rule("Twitch: said", TWITCH, TWITCH_HELLO, SAY("1", "42", "hi") "stream 0 @id=u1 :tmi.twitch.tv USERSTATE #ada\\r\\n\n", "PRIVMSG #ada :hi\\r|said 1 u1 -");
	rule("Twitch: PONG proves nothing", TWITCH, TWITCH_HELLO, SAY("1", "42", "hi") "stream 0 :tmi.twitch.tv PONG tmi.twitch.tv :s1\\r\\n\n",
		"PRIVMSG|!PING|!said");
	rule("Twitch: nothing came at all", TWITCH, TWITCH_HELLO, SAY("1", "42", "hi") "advance 10000\n", "PRIVMSG|!said");
	rule("Twitch: no word of it", TWITCH, TWITCH_HELLO SAY("1", "42", "hi"), "stream 0 PING x\\r\\n\nadvance 10000\n",
		"PONG|said 1 - Twitch did not say| unknown");
	rule("Twitch: a duplicate", TWITCH, TWITCH_HELLO, SAY("1", "42", "hi") "stream 0 @msg-id=msg_duplicate :tmi.twitch.tv NOTICE #ada :twice\\r\\n\n",
		"said 1 - msg_duplicate: twice|!again");
	rule("Twitch: too fast", TWITCH, TWITCH_HELLO, SAY("1", "42", "hi") "stream 0 @msg-id=msg_ratelimit :tmi.twitch.tv NOTICE #ada :slow\\r\\n\n",
		"said 1 - msg_ratelimit: slow again");
	rule("Twitch: a text like a command", TWITCH, TWITCH_HELLO, SAY("1", "42", "/ban ada"), "PRIVMSG #ada :\\xe2\\x80\\x8b/ban ada");
	rule("Twitch: a reply", TWITCH, TWITCH_HELLO, "say 1 {\"data\":{\"channel\":{\"id\":\"42\"},\"text\":\"x\",\"reply_to\":\"u7\"}}\n",
		"@reply-parent-msg-id=u7 PRIVMSG #ada :x");
}

int main(void)
{
	log_init("test_gw_irc_say");
	saying();
	labels();
	length();
	pace();
	twitch();
	return check_done();
}
