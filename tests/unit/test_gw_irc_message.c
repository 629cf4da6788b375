/* IRC: lines of any form in any cut, tags, texts, and where a long one is cut. */
#include "check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

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

int main(void)
{
	log_init("test_gw_irc_message");
	parsing();
	too_long();
	texts();
	cutting();
	return check_done();
}
