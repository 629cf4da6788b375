/* IRC: lines of any form in any cut; the rules of registration, of coming back, of saying and of loss, with platform_probe. */
#include "check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"
#include "platform_probe.h"

/* ---- lines ---- */

/* want: nick|user|host|COMMAND|param|param ... or !why */
static const struct { const char *line, *want; } lines[] = {
	{"PING :a b", "||" "|PING|a b"},
	{":srv 001 pen :hello", "srv|||001|pen|hello"},
	{":n!u@h PRIVMSG #a ::-)", "n|u|h|PRIVMSG|#a|:-)"},
	{":n@h PRIVMSG #a x", "n||h|PRIVMSG|#a|x"},
	{":n!u@h@i!j QUIT", "n|u|h@i!j|QUIT"},
	{"@a=b;c :n  JOIN   #a  ", "n|||JOIN|#a"},
	{"@a=b  PING", "|||PING"},
	{"X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "|||X|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15 16"},
	{"X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15 16", "|||X|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15 16"},
	{"X :", "|||X|"},
	{":", "!a line has no command"}, {"@", "!a line has no command"}, {"@a", "!a line has no command"}, {" ", "!a line has no command"},
	{":a ", "!a line has no command"}, {"PR\xc3\xa4", "!a command is no word"}, {"a\rb", "!a line holds NUL or CR"},
};

struct seen { char text[2048]; unsigned n, stop; };

static bool see(void *arg, const struct irc_message *m, const char *why)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	if (why)
		snprintf(s->text + at, sizeof(s->text) - at, "!%s", why);
	else
		snprintf(s->text + at, sizeof(s->text) - at, "%.*s|%.*s|%.*s|%.*s", (int)m->nick.n, m->nick.p ? m->nick.p : "",
			(int)m->user.n, m->user.p ? m->user.p : "", (int)m->host.n, m->host.p ? m->host.p : "",
			(int)m->command.n, m->command.p);
	for (unsigned i = 0; !why && i < m->nparams; i++) {
		at = strlen(s->text);
		snprintf(s->text + at, sizeof(s->text) - at, "|%.*s", (int)m->params[i].n, m->params[i].p);
	}
	s->n++;
	return s->n != s->stop;
}

static void parsing(void)
{
	struct irc_reader r;
	struct seen whole = {.n = 0}, cut;
	char text[4096] = "";
	bool same = true;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct irc_message m;
		struct seen s = {.n = 0};
		const char *why = irc_parse(lines[i].line, strlen(lines[i].line), &m);

		see(&s, &m, why);
		CHECK(strcmp(s.text, lines[i].want) == 0, "\"%s\" is %s", lines[i].line, s.text);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", lines[i].line, i % 2 ? "\r\n" : "\n\r\n");
	}
	irc_reader_init(&r);
	irc_read(&r, text, strlen(text), see, &whole);
	for (size_t at = 0; at <= strlen(text); at++) {
		memset(&cut, 0, sizeof(cut));
		same = same && irc_read(&r, text, at, see, &cut) == 0 && irc_read(&r, text + at, strlen(text) - at, see, &cut) == 0 &&
			strcmp(whole.text, cut.text) == 0;
	}
	CHECK(same && whole.n == sizeof(lines) / sizeof(*lines), "the same lines with a cut at every byte");
	memset(&cut, 0, sizeof(cut));
	for (size_t i = 0; i < strlen(text); i++)
		irc_read(&r, text + i, 1, see, &cut);
	CHECK(strcmp(whole.text, cut.text) == 0, "and byte by byte");
	irc_reader_release(&r);
}

static void too_long(void)
{
	char *p = malloc(3 * IRC_IN_MAX);
	struct irc_reader r;
	static const size_t cuts[] = {1, 7, IRC_IN_MAX, IRC_IN_MAX + 1, 2 * IRC_IN_MAX + 9};

	if (!p)
		exit(1);
	irc_reader_init(&r);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		struct seen s = {.n = 0};

		memset(p, 'A', 2 * IRC_IN_MAX);
		memcpy(p + 2 * IRC_IN_MAX, "\r\nPING x\r\n", 10);
		for (size_t at = 0; at < 2 * IRC_IN_MAX + 10; at += cuts[i])
			irc_read(&r, p + at, 2 * IRC_IN_MAX + 10 - at < cuts[i] ? 2 * IRC_IN_MAX + 10 - at : cuts[i], see, &s);
		CHECK(strcmp(s.text, "!a line is too long|||PING|x") == 0, "too long a line, in pieces of %zu: refused once (%s)", cuts[i], s.text);
	}
	memset(p, 'A', IRC_IN_MAX);
	memcpy(p + IRC_IN_MAX, "\nPING x\nPING y\n", 15);
	struct seen one = {.stop = 2};
	irc_read(&r, p, IRC_IN_MAX + 15, see, &one);
	CHECK(one.n == 2, "the longest line is read, and whoever has enough gets no more");
	irc_reader_release(&r);
	free(p);
}

static const char *text_of(int (*fn)(struct span, struct buf *), const char *in, struct buf *b)
{
	buf_clear(b);
	return fn((struct span){in, strlen(in)}, b) || !buf_cstr(b) ? "no memory" : b->p;
}

static void texts(void)
{
	struct irc_message m;
	struct buf b;
	const char *tags = "@a=1\\:2\\s3\\\\4\\r\\n5\\x\\;b;c=;d=\xff\xc3\xa4;a2=7;e=12x;f=12;+draft/reply=q;g=\\\xc3\xa4 X";

	buf_init(&b, 4096);
	irc_parse(tags, strlen(tags), &m);
	CHECK(irc_tag(&m, "a", &b) && b.len == 11 && memcmp(b.p, "1;2 3\\4\r\n5x", 11) == 0, "escapes of tags");
	buf_clear(&b);
	CHECK(!irc_tag(&m, "b", &b) && !irc_tag(&m, "c", &b) && !irc_tag(&m, "zz", &b) && irc_tag_raw(&m, "c").p, "tags without a value");
	CHECK(irc_tag(&m, "d", &b) && strcmp(buf_cstr(&b), "\xef\xbf\xbd\xc3\xa4") == 0, "a bad byte in a tag is replaced");
	buf_clear(&b);
	CHECK(irc_tag(&m, "g", &b) && strcmp(buf_cstr(&b), "\\\xc3\xa4") != 0 && strstr(b.p, "\xc3\xa4"), "a backslash before a character");
	CHECK(irc_tag_u64(&m, "f") == 12 && irc_tag_u64(&m, "e") == 0, "numbers of tags");
	CHECK(irc_tag_raw(&m, "+draft/reply").n == 1, "a client's tag");
	CHECK(strcmp(text_of(irc_text, "a\x02""b\x0f\x03""04,12c\x03""5,d\x04""ff00ff,00ff00e\x1d\x03", &b), "abc,de") == 0, "formatting codes: %s", b.p);
	CHECK(strcmp(text_of(irc_name, "a\x01\xc2\x85\xef\xbf\xbf\xff", &b), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") == 0,
		"a name is fit for an attribute");
	CHECK(strcmp(text_of(irc_utf8, "a\x01\xe2\x82z\xff", &b), "a\x01\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd") == 0, "bad bytes, each replaced");
	buf_clear(&b);
	irc_tag_escape("a; \\\r\nb", 7, &b);
	CHECK(strcmp(buf_cstr(&b), "a\\:\\s\\\\\\r\\nb") == 0, "escaping: %s", b.p);
	char folded[] = "A[]\\^z{";
	irc_fold(folded, 7, IRC_FOLD_RFC1459);
	CHECK(strcmp(folded, "a{}|~z{") == 0, "case, the old way");
	CHECK(irc_middle_ok("#a", 2) && !irc_middle_ok("a b", 3) && !irc_middle_ok(":a", 2) && !irc_middle_ok("", 0) &&
		!irc_middle_ok("a\nb", 3) && !irc_last_ok("a\0b", 3) && !irc_last_ok("a\rb", 3) && irc_last_ok("a b", 3), "what may be written");
	buf_release(&b);
}

static void cutting(void)
{
	const char *text = "\xf0\x9f\x98\x80\xf0\x9f\x98\x80 abc d\xc3\xa4\xc3\xa4 \xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
	char bad[40];

	for (size_t max = 4; max < 30; max++)
		for (size_t at = 0; at < strlen(text); ) {
			size_t n = irc_cut(text + at, strlen(text) - at, max);

			if (n == 0 || n > max || ((unsigned char)text[at + n] & 0xc0) == 0x80)
				CHECK(false, "cut at %zu of %zu, max %zu", n, at, max);
			at += n;
		}
	memset(bad, 0x80, sizeof(bad));
	CHECK(irc_cut(bad, sizeof(bad), 10) == 10, "bad bytes are cut anywhere");
	CHECK(irc_cut("hello wide world", 16, 12) == 10, "at a blank where there is one near the end");
}

/* ---- rules ---- */

#define CONF "platform = irc\nserver = irc://127.0.0.1:6667\nnick = pen\nchannels = \"#a #b\"\n"
#define HELLO "start\ndial 0 -\nopened 0\nstream 0 :s CAP * LS :echo-message message-tags server-time\\r\\n\n" \
	"stream 0 :s CAP pen ACK :message-tags server-time echo-message\\r\\n:s 001 pen :hi\\r\\n:s 422 pen :no\\r\\n\n"
#define PLAIN_HELLO "start\ndial 0 -\nopened 0\nstream 0 :s 421 * CAP :unknown\\r\\n:s 001 pen :hi\\r\\n:s 376 pen :end\\r\\n\n"
#define JOINED "stream 0 :pen!pen@h JOIN #a\\r\\n:pen!pen@h JOIN #b\\r\\n\n"
#define SAY(ticket, to, text) "say " ticket " {\"data\":{\"channel\":{\"id\":\"" to "\"},\"text\":\"" text "\"}}\n"

static struct out *begin(const char *conf, const char *script)
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
static void rule(const char *name, const char *conf, const char *before, const char *script, const char *want)
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
	rule("handed over", CONF, HELLO JOINED, "drain 0\nstream 0 :a!b@c PRIVMSG #a :late\\r\\n\n", "save 0 2|QUIT|close 0.0 0|!line");
	rule("handed over and given back", CONF, HELLO JOINED "drain 0\n", "dial 0 2026-01-02T03:04:05.000Z\nopened 0\n"
		"stream 0 :s 001 pen :hi\\r\\n:s 422 pen :x\\r\\n\n" JOINED, "gap 0 [2026-01-02T03:04:05.000Z]|live 0 up");
	rule("handed over, and something was not said yet", CONF "burst = 1\n", HELLO JOINED SAY("1", "#a", "x") SAY("2", "#a", "y"), "drain 0\n",
		"said 1 - the connection ended|said 2 - not connected: handed over again");
	rule("other channels without a new connection", CONF, HELLO JOINED,
		"reload platform = irc\\nserver = irc://127.0.0.1:6667\\nnick = pen\\nchannels = \"#a #c\"\\n\n", "PART #b|JOIN #c|reload yes");
	rule("another server is another connection", CONF, HELLO JOINED, "reload platform = irc\\nserver = irc://127.0.0.2:6667\\nnick = pen\\n\n", "reload no");
}

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

#define TWITCH "platform = irc\nserver = ircs://irc.chat.twitch.tv:6697\ndialect = twitch\nnick = penbot\npassword-file = pass\nchannels = \"#ada\"\n"
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
	parsing();
	too_long();
	texts();
	cutting();
	greeting();
	liveness();
	continuity();
	saying();
	labels();
	length();
	pace();
	twitch();
	accounts();
	return check_done();
}
