/* IRC: the rules of registration, of liveness, of coming back and of loss, with platform_probe; what an account's file may say. */
#include "check.h"
#include "irc_play.h"
#include "platform_probe.h"

#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

static void greeting(void)
{
	rule("a wish list", CONF, "", HELLO, "send 0.0 CAP LS 302|send 0.0 NICK pen|send 0.0 USER pen 0 * :pen|"
		"CAP REQ :message-tags server-time echo-message\\r|CAP END|JOIN #a|JOIN #b|!live");
	rule("channels, then live", CONF, HELLO, JOINED, "live 0 up|!gap");
	rule("an old server", CONF, "", PLAIN_HELLO JOINED, "JOIN #b|live 0 up");
	rule("nothing that was not offered", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s CAP * LS :away-notify\\r\\n\n", "CAP END|!REQ");
	rule("a list of two lines", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s CAP * LS * :batch\\r\\n:s CAP * LS :server-time\\r\\n\n",
		"REQ :server-time batch\\r");
	rule("refused: without", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s CAP * LS :batch\\r\\n:s CAP * NAK :batch\\r\\n\n", "CAP END");
	rule("SASL", CONF "sasl = plain\npassword-file = pass\nuser = penny\n", "start\ndial 0 -\nopened 0\n",
		"stream 0 :s CAP * LS :sasl=EXTERNAL,PLAIN\\r\\n:s CAP * ACK :sasl\\r\\nAUTHENTICATE +\\r\\n:s 903 pen :ok\\r\\n\n",
		"REQ :sasl\\r|AUTHENTICATE PLAIN\\r|AUTHENTICATE AHBlbm55AHNlY3JldA==\\r|CAP END");
	rule("the password is for SASL only", CONF "sasl = plain\npassword-file = pass\n", "", "start\ndial 0 -\nopened 0\n", "CAP LS|!PASS");
	rule("SASL wanted, not offered", CONF "sasl = plain\npassword-file = pass\n", "start\ndial 0 -\nopened 0\n",
		"stream 0 :s CAP * LS :sasl=EXTERNAL\\r\\n\n", "lost 0 resume 0 wait=60000ms|!NICK");
	rule("SASL wanted, server without CAP", CONF "sasl = plain\npassword-file = pass\n", "start\ndial 0 -\nopened 0\n",
		"stream 0 :s 421 pen CAP :?\\r\\n:s 001 pen :hi\\r\\n:s 422 pen :no\\r\\n\n", "lost 0 resume|!JOIN");
	const char *no = "dial 0\nopened 0\nstream 0 :s CAP * LS :sasl\\r\\n:s CAP * ACK :sasl\\r\\nAUTHENTICATE +\\r\\n:s 904 pen :no\\r\\n\n";
	char three[1024];
	snprintf(three, sizeof(three), "start\n%s%s", no, no);
	rule("SASL refused twice: again", CONF "sasl = plain\npassword-file = pass\n", "", three, "lost 0 resume|lost 0 resume|!lost 0 stop");
	rule("a third time: a person has to look", CONF "sasl = plain\npassword-file = pass\n", three, no, "lost 0 stop");
	rule("a server's password", CONF "password-file = pass\n", "", "start\ndial 0 -\nopened 0\n", "PASS secret\\r|NICK pen");
	rule("a wrong one", CONF "password-file = pass\n", "start\ndial 0 -\nopened 0\n", "stream 0 :s 464 pen :Bad password\\r\\n\n",
		"lost 0 stop 0 wait=0ms the server refuses: Bad password");
	rule("nick in use", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 433 * pen :used\\r\\n:s 433 * pen_ :used\\r\\n\n", "NICK pen_\\r|NICK pen__\\r");
	rule("our nick again", CONF, "start\ndial 0 -\nopened 0\nstream 0 :s 433 * pen :used\\r\\n:s 001 pen_ :hi\\r\\n:s 422 pen_ :x\\r\\n\n"
		"stream 0 :pen_!p@h JOIN #a\\r\\n:pen_!p@h JOIN #b\\r\\n\n", "advance 61000\nstream 0 :pen_!p@h NICK pen\\r\\n\nstatus\n",
		"NICK pen\\r|\"nick\":\"pen\"");
	rule("a service takes our nick away: asked for again", CONF, HELLO JOINED, "stream 0 :pen!p@h NICK Guest12\\r\\n\nadvance 61000\nstream 0 :Guest12!p@h NICK pen\\r\\n\nstatus\n",
		"NICK pen\\r|\"nick\":\"pen\"");
	rule("a netsplit in a batch is no history", CONF, "", HELLO JOINED "stream 0 :s 353 pen = #a :pen ada\\r\\n:s BATCH +n netsplit a.x b.x\\r\\n"
		"@batch=n :ada!a@h QUIT :a.x b.x\\r\\n:s BATCH -n\\r\\n:s BATCH +j netjoin a.x b.x\\r\\n@batch=j :ada!a@h JOIN #a\\r\\n:s BATCH -j\\r\\n\n",
		"\"type\":\"member.leave\"|\"reason\":\"a.x b.x\"|\"type\":\"member.join\"|!replayed|!gap");
	rule("a nick collision: killed, and back", CONF, HELLO JOINED, "stream 0 :s KILL pen :s (Nick collision)\\r\\nERROR :Closing Link: pen[h] (Killed)\\r\\n\n",
		"lost 0 resume 0 wait=0ms the server closes: Closing Link");
	rule("banned from the server", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 465 pen :You are banned\\r\\nERROR :Closing link\\r\\n\n",
		"lost 0 stop 0 wait=0ms the server refuses: You are banned|!lost 0 resume");
	rule("a capability that comes during SASL", CONF "sasl = plain\npassword-file = pass\n", "start\ndial 0 -\nopened 0\n",
		"stream 0 :s CAP * LS :sasl\\r\\n:s CAP * NEW :sasl\\r\\n:s CAP * NEW :away-notify\\r\\n\n", "REQ :sasl\\r|!CAP END");
	rule("a bad nick", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 432 * pen :bad\\r\\n\n", "lost 0 stop");
}

static void liveness(void)
{
	rule("PING without a word", CONF, HELLO, "stream 0 PING\\r\\n\n", "send 0.0 PONG :\\r");
	rule("PING", CONF, HELLO, "stream 0 PING :abc\\r\\n\n", "send 0.0 PONG :abc\\r");
	rule("we ask when it is quiet", CONF, HELLO JOINED, "advance 60000\n", "send 0.0 PING :idle|!expired");
	rule("and do not wait longer than half as long again", CONF, HELLO JOINED, "advance 90000\n",
		"PING :idle|expired 0.0 the server stopped answering|lost 0 resume 0 wait=0ms the server stopped answering");
	rule("an answer is a sign of life", CONF, HELLO JOINED, "advance 60000\nstream 0 :s PONG s :idle\\r\\n\nadvance 59000\n", "PING :idle|!expired");
	rule("throttled", CONF, HELLO, "stream 0 ERROR :Trying to reconnect too fast.\\r\\n\n", "lost 0 resume 0 wait=60000ms the server closes: Trying");
	rule("ERROR", CONF, HELLO JOINED, "stream 0 ERROR :Closing Link\\r\\n\n", "lost 0 resume 0 wait=0ms the server closes: Closing Link|!line");
	rule("nothing of a lost connection", CONF, HELLO JOINED, "stream 0 ERROR :x\\r\\n:a!b@c PRIVMSG #a :y\\r\\n\nstream 0 :a!b@c PRIVMSG #a :z\\r\\n\n",
		"lost 0|!line");
}

static const char *tags_8191(void)
{
	static char text[8400];
	size_t n = strlen(strcpy(text, "stream 0 @a="));

	memset(text + n, 'x', 8191 - 4);
	strcpy(text + n + 8191 - 4, " :a!b@c PRIVMSG #a :hi\\r\\n\n");
	return text;
}

static void continuity(void)
{
	rule("a gap after a loss", CONF, HELLO JOINED, "gone 0 0 reset\ndial 0\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED,
		"lost 0 resume 0 wait=0ms reset|gap 0 [2|] [2|] IRC repeats nothing that was said meanwhile: reset|live 0 up");
	rule("a gap after another process", CONF, "start\n", "dial 0 2026-01-02T03:04:05.000Z\nopened 0\n"
		"stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "gap 0 [2026-01-02T03:04:05.000Z]|live 0 up");
	rule("none the first time", CONF, "", HELLO JOINED, "save 0 2|live 0 up|!gap");
	rule("what was saved is rubbish", CONF, "start\n", "dial 0 rubbish\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "live 0 up|!gap");
	rule("kicked: told, back, told", CONF, HELLO JOINED, "stream 0 :op!o@h KICK #a pen :go\\r\\n\nadvance 5000\nstream 0 :pen!pen@h JOIN #a\\r\\n\n",
		"\"type\":\"member.leave\"|gap 0 [2|] [] not in #a: kicked: go|JOIN #a|gap 0 [2|] [2|] was not in #a: kicked: go");
	rule("a channel that lets nobody in", CONF, HELLO, "stream 0 :pen!pen@h JOIN #a\\r\\n:s 473 pen #b :Cannot join channel (+i)\\r\\n\nstatus\n",
		"live 0 up|\"state\":\"refused\",\"error\":\"Cannot join channel (+i)\"");
	rule("a channel that does not answer", CONF, HELLO, "stream 0 :pen!pen@h JOIN #a\\r\\n\nadvance 10000\n", "live 0 up");
	rule("tags of 8191 bytes", CONF, HELLO JOINED, tags_8191(), "\"text\":\"hi\"|!gap");
	rule("a channel that would be two parameters", CONF, HELLO JOINED, "stream 0 :pen!pen@h JOIN :#c d\\r\\n:pen!pen@h JOIN :#e,#f\\r\\n\nstatus\n" SAY("1", "#c d", "x"), "!#c|!#e|!PRIVMSG");
	rule("too long a line", CONF, HELLO JOINED, "stream 0 :s PRI\\x00VMSG\\r\\n:s PING x\\r\\n\n", "gap 0 [] [] a line holds NUL or CR");
	rule("handed over", CONF, HELLO JOINED, "acked 0 2\ndrain 0\nstream 0 :a!b@c PRIVMSG #a :late\\r\\n\n", "save 0 2|QUIT|close 0.0 0|!line");
	rule("handed over, and the hub does not have all: what is saved stays", CONF, HELLO JOINED "acked 0 2\nstream 0 :a!b@c PRIVMSG #a :x\\r\\n\n", "drain 0\n",
		"!save|send 0.0 QUIT");
	rule("handed over before the gap is told: what is saved stays", CONF, "start\ndial 0 2026-01-02T03:04:05.000Z\nopened 0\n"
		"stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n", "drain 0\n", "!save|send 0.0 QUIT");
	rule("lost, and handed over before it is told", CONF, HELLO JOINED "acked 0 2\ngone 0 0 x\ndial 0\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n",
		"drain 0\n", "!save|send 0.0 QUIT");
	rule("the first time: from the first channel on", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n",
		"save 0 2|JOIN #a|!live");
	rule("the first time: from the welcome on people can write to us", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 001 pen :hi\\r\\n\n", "save 0 2|!JOIN");
	rule("lost before the channels are joined: a gap", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 001 pen :hi\\r\\n:a!b@c PRIVMSG pen :x\\r\\n\ngone 0 0 reset\n"
		"dial 0\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "chat.message|lost 0|gap 0 [2|] [2|] IRC repeats nothing that was said meanwhile: reset|live 0 up");
	rule("what is no message, before the channels are joined", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 001 pen :hi\\r\\n:s PRI\\x00VMSG\\r\\n\n", "gap 0 [] [] a line holds");
	rule("our nick is still that of the connection before: what is said to it is missing", CONF, HELLO JOINED "gone 0 0 reset\ndial 0\nopened 0\n"
		"stream 0 :s 433 * pen :used\\r\\n:s 001 pen_ :hi\\r\\n:s 422 pen_ :x\\r\\n\n", "stream 0 :pen_!p@h JOIN #a\\r\\n:pen_!p@h JOIN #b\\r\\n\n"
		"advance 61000\nstream 0 :pen_!p@h NICK pen\\r\\n\n", "gap 0 [2|] [] the nick pen is in use|live 0 up|NICK pen\\r|gap 0 [2|] [2|] the nick pen was in use|!gap");
	rule("lost again meanwhile", CONF, HELLO JOINED "gone 0 0 reset\ndial 0\nopened 0\nstream 0 :s 433 * pen :used\\r\\n:s 001 pen_ :hi\\r\\n:s 422 pen_ :x\\r\\n\n"
		"stream 0 :pen_!p@h JOIN #a\\r\\n:pen_!p@h JOIN #b\\r\\n\ngone 0 0 reset\ndial 0\nopened 0\n", "stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED,
		"gap 0 [2|] [2|] the nick pen was in use|gap 0 [2|] [2|] IRC repeats nothing|live 0 up");
	rule("in use the first time: another's", CONF, "start\ndial 0 -\nopened 0\n", "stream 0 :s 433 * pen :used\\r\\n:s 001 pen_ :hi\\r\\n:s 422 pen_ :x\\r\\n\n"
		"stream 0 :pen_!p@h JOIN #a\\r\\n:pen_!p@h JOIN #b\\r\\n\n", "!gap|live 0 up");
	rule("cut by the server: nobody has it", CONF, HELLO JOINED "gone 0 0 reset\ndial 0\nopened 0\n", "stream 0 :s 001 pe :hi\\r\\n:s 422 pe :x\\r\\n\n"
		"stream 0 :pe!p@h JOIN #a\\r\\n:pe!p@h JOIN #b\\r\\n\n", "!the nick|gap 0 [2|] [2|] IRC repeats|live 0 up");
	rule("handed over meanwhile: the next one tells", CONF, HELLO JOINED "gone 0 0 reset\ndial 0\nopened 0\nstream 0 :s 433 * pen :used\\r\\n:s 001 pen_ :hi\\r\\n:s 422 pen_ :x\\r\\n\n"
		"stream 0 :pen_!p@h JOIN #a\\r\\n:pen_!p@h JOIN #b\\r\\n\ndrain 0\n", "dial 0 2026-01-02T03:04:05.000Z\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED,
		"!the nick|gap 0 [2026-01-02T03:04:05.000Z]|live 0 up");
	rule("lost, and handed over before it is back", CONF, HELLO JOINED "gone 0 0 reset\ndrain 0\n", "dial 0 2026-01-02T03:04:05.000Z\nopened 0\n"
		"stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "gap 0 [2026-01-02T03:04:05.000Z]|live 0 up");
	rule("handed over and given back", CONF, HELLO JOINED "drain 0\n", "dial 0 2026-01-02T03:04:05.000Z\nopened 0\n"
		"stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "gap 0 [2026-01-02T03:04:05.000Z]|live 0 up");
	rule("handed over, and something was not said yet", CONF "burst = 1\n", HELLO JOINED SAY("1", "#a", "x") SAY("2", "#a", "y"), "drain 0\n",
		"said 1 - the connection ended|said 2 - not connected: handed over again");
	rule("other channels without a new connection", CONF, HELLO JOINED,
		"reload platform = irc\\nserver = irc://127.0.0.1:6667\\nnick = pen\\nchannels = \"#a #c\"\\n\n", "PART #b|JOIN #c|reload yes");
	rule("another server is another connection", CONF, HELLO JOINED, "reload platform = irc\\nserver = irc://127.0.0.2:6667\\nnick = pen\\n\n", "reload no");
}

/* Where a gap begins whose last message was `old` by its own time; in seconds before now. -1: no tag says a time. */
static int64_t begins(int64_t old, const char *batch)
{
	char step[256], time[CLOCK_RFC3339_MAX];
	int64_t now = clock_wall(), from = 0;
	const char *gap;
	struct out *o = begin(CONF, HELLO JOINED);

	clock_rfc3339(time, now - old * CLOCK_S);
	snprintf(step, sizeof(step), "stream 0 %s%s%s%s:a!b@c PRIVMSG #a :x\\r\\n\n", old < 0 ? "" : "@time=", old < 0 ? "" : time, old < 0 ? "" : batch, old < 0 ? "" : " ");
	probe_run(o, step);
	probe_run(o, "gone 0 0 x\ndial 0\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED);
	gap = strstr(probe_take(o), "gap 0 [");
	CHECK(gap && strchr(gap, ']') && clock_parse(gap + 7, (size_t)(strchr(gap, ']') - gap - 7), &from) == 0, "a gap with a beginning");
	probe_free(o);
	return (now - from + CLOCK_S / 2) / CLOCK_S;
}

/* What was on its way when the connection ended is older than what came last. */
static void beginnings(void)
{
	CHECK(begins(-1, "") >= 9 && begins(-1, "") <= 11, "a little before what came last");
	CHECK(begins(300, "") >= 309 && begins(300, "") <= 311, "by the server's clock, or by what lay here unread");
	CHECK(begins(0, "") <= 11, "a clock that is right");
	CHECK(begins(300, ";batch=x") <= 11, "but for what is of long ago");
	CHECK(begins(500000000, "") <= 3611, "and for a clock that is wrong");
}

/* The hub was away for ten minutes, and nothing was read: the beginning of a gap that comes before all of it is, and behind that. */
static int64_t begins_unread(const char *answer)
{
	static const char old[] = ":a!b@c PRIVMSG #a :x\r\n";
	const struct platform *pl = platform_find("irc");
	struct out *o = begin(CONF, HELLO JOINED);
	int64_t now = clock_wall(), from = 0;
	const char *gap;

	probe_take(o);
	for (int i = 0; i < 3; i++)
		pl->frame(probe_object(o), 0, 0, old, sizeof(old) - 1, false, probe_now(o) + 600 * CLOCK_S);
	probe_run(o, answer);
	probe_run(o, "gone 0 0 x\ndial 0\nopened 0\nstream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED);
	gap = strstr(probe_take(o), "gap 0 [");
	CHECK(gap && strchr(gap, ']') && clock_parse(gap + 7, (size_t)(strchr(gap, ']') - gap - 7), &from) == 0, "a gap with a beginning");
	probe_free(o);
	return (now - from + CLOCK_S / 2) / CLOCK_S;
}

static void unread(void)
{
	CHECK(begins_unread("") >= 609 && begins_unread("") <= 611, "what lay there is as old as the silence");
	CHECK(begins_unread("stream 0 :s PONG s :unread\\r\\n\n") <= 11, "until all of it was read");
}

#define KEEPS(caps, supports) KEEPS_ALMOST(caps, supports) JOINED
#define KEEPS_ALMOST(caps, supports) "opened 0\nstream 0 :s CAP * LS :" caps "\\r\\n\nstream 0 :s CAP pen ACK :" caps "\\r\\n:s 001 pen :hi\\r\\n:s 005 pen " supports \
	" :are supported\\r\\n:s 422 pen :no\\r\\n\n"
#define CAPS "batch draft/chathistory message-tags server-time echo-message"
#define AWAY "start\ndial 0 2026-01-02T03:04:05.000Z\n" KEEPS(CAPS, "CHATHISTORY=2 MSGREFTYPES=msgid,timestamp")
#define ASKED(what) "send 0.0 CHATHISTORY " what "\\r"
#define SINCE "timestamp=2026-01-02T03:03:05.000Z"
#define BATCH(ref, what, lines) "stream 0 :s BATCH +" ref " " what "\\r\\n" lines ":s BATCH -" ref "\\r\\n\n"
#define PAST(ref, id, who, to, text) "@batch=" ref ";msgid=" id ";time=2026-01-02T03:05:00.000Z :" who "!u@h PRIVMSG " to " :" text "\\r\\n"
#define NOBODY BATCH("t", "draft/chathistory-targets", "")
#define NOTHING(to) BATCH("e", "chathistory " to, "")

#define ONE(n) BATCH("p" n, "chathistory #a", PAST("p" n, "m" n, "ada", "#a", "x"))

static void history(void)
{
	rule("a server that keeps a history", CONF, "", AWAY, "REQ :message-tags server-time echo-message batch draft/chathistory\\r|"
		"gap 0 [2026-01-02T03:04:05.000Z] [2|] what was said meanwhile is read|" "CHATHISTORY TARGETS " SINCE " timestamp=2|live 0 up|!AFTER");
	rule("without it", CONF, "", "start\ndial 0 2026-01-02T03:04:05.000Z\n" KEEPS("batch message-tags server-time", "CHATHISTORY=2"),
		"IRC repeats nothing|live 0 up|!CHATHISTORY");
	rule("no history by time", CONF, "", "start\ndial 0 2026-01-02T03:04:05.000Z\n" KEEPS(CAPS, "MSGREFTYPES=msgid"), "IRC repeats nothing|live 0 up|!CHATHISTORY");
	rule("nothing was missed", CONF, "", "start\ndial 0 -\n" KEEPS(CAPS, "CHATHISTORY=2"), "save 0 2|live 0 up|!CHATHISTORY");
	rule("one after the other, and who wrote to us behind", CONF, AWAY, BATCH("t", "draft/chathistory-targets",
		"@batch=t :s CHATHISTORY TARGETS ada 2026-01-02T03:05:00.000Z\\r\\n@batch=t :s CHATHISTORY TARGETS #x 2026-01-02T03:05:00.000Z\\r\\n")
		NOTHING("#a") NOTHING("#b") NOTHING("ada") "acked 0 2\n",
		ASKED("AFTER #a " SINCE " 2") "|" ASKED("AFTER #b " SINCE " 2") "|" ASKED("AFTER ada " SINCE " 2") "|save 0 2|!CHATHISTORY");
	rule("pages, until one is empty", CONF, AWAY NOBODY, BATCH("1", "chathistory #A", PAST("1", "m1", "ada", "#a", "one") PAST("1", "m2", "ada", "#a", "two"))
		BATCH("2", "chathistory #a", PAST("2", "m3", "ada", "#a", "three")) NOTHING("#a"),
		"\"id\":\"m-m1\"|\"replayed\":true|\"id\":\"m-m2\"|" ASKED("AFTER #a msgid=m2 2") "|\"id\":\"m-m3\"|" ASKED("AFTER #a msgid=m3 2") "|" ASKED("AFTER #b " SINCE " 2"));
	rule("a page that begins where it began is the last", CONF, AWAY NOBODY, BATCH("1", "chathistory #a", PAST("1", "m1", "ada", "#a", "one"))
		BATCH("2", "chathistory #a", PAST("2", "m1", "ada", "#a", "one")), ASKED("AFTER #a msgid=m1 2") "|CHATHISTORY AFTER #b ");
	rule("without a number it could come twice", CONF, AWAY NOBODY, BATCH("1", "chathistory #a", "@batch=1;time=2026-01-02T03:05:00.000Z :ada!u@h PRIVMSG #a :x\\r\\n"),
		ASKED("AFTER #a timestamp=2026-01-02T03:05:00.000Z 2") "|!line 0");
	rule("refused: on with the next", CONF, AWAY NOBODY, "stream 0 :s FAIL CHATHISTORY MESSAGE_ERROR #a :no\\r\\n:s 421 pen CHATHISTORY :what?\\r\\n\nacked 0 2\n",
		ASKED("AFTER #b " SINCE " 2") "|save 0 2|!lost");
	rule("no answer: on with the next", CONF, AWAY NOBODY, "advance 60000\nstream 0 :s PONG s :idle\\r\\n\n", ASKED("AFTER #b " SINCE " 2") "|!lost");
	rule("what is said meanwhile is no history", CONF, AWAY NOBODY, "stream 0 :s BATCH +1 chathistory #a\\r\\n@msgid=n1 :ada!u@h PRIVMSG #a :now\\r\\n\n",
		"\"id\":\"m-n1\"|!replayed");
	rule("nor what others play", CONF, AWAY NOBODY, BATCH("9", "chathistory #c", "@batch=9;msgid=z :ada!u@h PRIVMSG #a :old\\r\\n"), "\"id\":\"m-z\"|\"replayed\":true|!CHATHISTORY");
	rule("our own words of then are no echo of now", CONF, AWAY NOBODY SAY("7", "#a", "hi"), BATCH("1", "chathistory #a", PAST("1", "m1", "pen", "#a", "hi")),
		"\"self\":true|!said 7");
	rule("nothing younger is saved before it is read", CONF, AWAY NOBODY, "stream 0 @msgid=n1 :ada!u@h PRIVMSG #a :now\\r\\n\nacked 0 1\ndrain 0\n", "!save|send 0.0 QUIT");
	rule("lost before it is read: from the beginning", CONF, AWAY NOBODY, "gone 0 0 reset\ndial 0\n" KEEPS(CAPS, "CHATHISTORY=2"),
		"lost 0|gap 0 [2026-01-02T03:04:05.000Z]|CHATHISTORY TARGETS " SINCE);
	rule("read before the gap is told: nothing younger is saved", CONF, AWAY NOBODY NOTHING("#a") NOTHING("#b") "stream 0 :op!o@h KICK #a pen :go\\r\\n\nacked 0 3\n"
		"gone 0 0 x\ndial 0\n" KEEPS_ALMOST(CAPS, "CHATHISTORY=2") "stream 0 :pen!pen@h JOIN #a\\r\\n\n", "acked 0 4\n" NOTHING("#a") "drain 0\n", "!save|send 0.0 QUIT");
	rule("not too many questions at a time", CONF, AWAY NOBODY, ONE("1") ONE("2") ONE("3") ONE("4") ONE("5") ONE("6") ONE("7") ONE("8") ONE("9") ONE("10")
		ONE("11") ONE("12") ONE("13") ONE("14") ONE("15") ONE("16") ONE("17") ONE("18") ONE("19") "advance 499\nstatus\nadvance 1\n",
		ASKED("AFTER #a msgid=m18 2") "|timer 0.2 +500|status|" ASKED("AFTER #a msgid=m19 2"));
	rule("back in a channel", CONF, HELLO JOINED "gone 0 0 x\ndial 0\n" KEEPS(CAPS, "CHATHISTORY=2") NOBODY NOTHING("#a") NOTHING("#b"),
		"stream 0 :op!o@h KICK #a pen :go\\r\\n\nadvance 5000\nstream 0 :pen!pen@h JOIN #a\\r\\n\n", "was not in #a|CHATHISTORY AFTER #a timestamp=2");
}

static void accounts(void)
{
	static const char *const bad[] = {
		"platform = irc\nnick = pen\n", "platform = irc\nserver = http://x\nnick = pen\n", "platform = irc\nserver = irc://x\n",
		"platform = irc\nserver = irc://x\nnick = \"a b\"\n", "platform = irc\nserver = irc://x\nnick = a\nchannels = nochannel\n",
		"platform = irc\nserver = irc://x\nnick = a\nsasl = plain\n", "platform = irc\nserver = irc://x\nnick = a\nsasl = external\n",
		"platform = irc\nserver = irc://x\nnick = a\ndialect = other\n", "platform = irc\nserver = irc://x\nnick = a\nrate = 0\n",
		"platform = irc\nserver = irc://x\nnick = a\nchannels = #a #b\n",
		"platform = irc\nserver = irc://x\nnick = a\nchannels = \"#a,#b\"\n", TWITCH "sasl = plain\n",
	};

	log_set(LOG_TEXT, LOG_ERROR);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct out *o = begin(bad[i], "");

		CHECK(!o, "refused: account %zu", i);
	}
}

int main(void)
{
	log_init("test_gw_irc");
	greeting();
	liveness();
	continuity();
	beginnings();
	unread();
	history();
	accounts();
	return check_done();
}
