/* respond: templates, words, commands, replies files, answers. */
#include "check.h"

#include <string.h>

#include "base/buf.h"
#include "line/envelope.h"
#include "respond/answer.h"
#include "respond/command.h"
#include "respond/match.h"
#include "respond/replies.h"
#include "respond/template.h"

static struct span of(const char *s)
{
	return (struct span){s, strlen(s)};
}

static bool same(struct span a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

/* ---- templates ---- */

static bool known(void *arg, struct span name)
{
	(void)arg;
	return same(name, "a") || same(name, "empty") || same(name, "none") || same(name, "evil");
}

static bool value(void *arg, struct span name, struct span *out)
{
	(void)arg;
	if (same(name, "none"))
		return false;
	*out = of(same(name, "a") ? "A" : same(name, "evil") ? "{a}\n\x1b}" : "");
	return true;
}

static const char *fill(const char *text, uint64_t seed, size_t max)
{
	static char out[256];
	struct line_err err = {0, NULL};
	struct template *t = template_compile(text, strlen(text), known, NULL, &err);
	struct buf b;

	if (!t) {
		snprintf(out, sizeof(out), "%zu: %s", err.at, err.why);
		return out;
	}
	buf_init(&b, max);
	template_expand(t, value, NULL, seed, &b);
	snprintf(out, sizeof(out), "%.*s", (int)b.len, b.p ? b.p : "");
	buf_release(&b);
	template_free(t);
	return out;
}

static void templates(void)
{
	static const struct { const char *text, *want; } good[] = {
		{"", ""}, {"plain | text :}", "plain | text :}"}, {"x{a}y{ a }", "xAyA"}, {"{empty:d}{none:e}{a:f}", "deA"},
		{"{none}{empty}", ""}, {"{none:{empty:{a}!}}", "A!"}, {"\\{a\\} \\\\ \\| \\:\\n.", "{a} \\ | :\n."},
		{"{one of: only }.", "only."}, {"{one of:  x\\ }.", "x ."}, {"{one of: {a} b }.", "A b."}, {"{one of:}", ""},
		{"{number 7 to 7}", "7"}, {"{evil}", "{a}  }"}, {"{none:a:b}", "a:b"},
	}, bad[] = {
		{"ab{nix}", "3: no value of this name (penstock-replies(5) lists them)"}, {"{a", "0: the } for this { is missing"},
		{"{one of: a | b", "0: the } for this { is missing"}, {"{}", "1: expected a name behind {; write \\{ for the character itself"},
		{"{a b}", "3: expected }"}, {"x\\", "1: a \\ stands before { } | : \\ n or a blank only; write \\\\ for the character itself"},
		{"{number 6 to 1}", "0: the first number is above the second"},
		{"{number x to 1}", "8: expected {number LOW to HIGH}, as in {number 1 to 6}"},
		{"{number 1 to 9999999999999}", "12: a number above 1000000000000"},
		{"{none:{none:{none:{none:{none:{none:{none:{none:x}}}}}}}}", "48: templates are nested deeper than 8"},
	};
	unsigned seen = 0, other = 0;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(strcmp(fill(good[i].text, 1, 200), good[i].want) == 0, "template %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(strcmp(fill(bad[i].text, 1, 200), bad[i].want) == 0, "bad template %zu: %s", i, fill(bad[i].text, 1, 200));
	for (uint64_t seed = 0; seed < 300; seed++) {
		const char *f = fill("{one of: 1 | 2 | 3}{number 4 to 6}", seed, 200);

		seen |= 1u << (f[0] - '0') | 1u << (f[1] - '0');
		other += strlen(f) != 2;
	}
	CHECK(seen == 0x7e && other == 0, "every choice comes up, and nothing else");
	CHECK(strcmp(fill("{one of: 1 | 2 | 3 | 4 | 5}{number 0 to 99999}", 42, 200), fill("{one of: 1 | 2 | 3 | 4 | 5}{number 0 to 99999}", 42, 200)) == 0,
		"same seed, same text");
	CHECK(strcmp(fill("abc{a}def", 1, 4), "abcA") == 0 && strcmp(fill("abcd{a}", 1, 2), "ab") == 0, "cut at the ceiling");
}

/* ---- words ---- */

static bool finds(bool word, const char *text, const char *wanted)
{
	struct buf a, b;
	bool yes;

	buf_init(&a, 1000);
	buf_init(&b, 1000);
	match_fold(text, strlen(text), &a);
	match_fold(wanted, strlen(wanted), &b);
	yes = (word ? match_word : match_contains)((struct span){a.p, a.len}, (struct span){b.p, b.len});
	buf_release(&a);
	buf_release(&b);
	return yes;
}

static void words(void)
{
	CHECK(finds(true, "Hello", "hello") && finds(true, "oh, HELLO!", "hello") && finds(true, "\"hello\"", "hello"), "a word, whatever its case");
	CHECK(!finds(true, "helloo hello_ xhello hello1", "hello") && finds(true, "helloo hello", "hello"), "whole words only");
	CHECK(finds(true, " Good \t\n night all", "good night") && !finds(true, "goodnight", "good night"), "a phrase, whatever its blanks");
	CHECK(finds(true, "GR\xc3\x9c\xc3\x9f" "E an alle", "gr\xc3\xbc\xc3\x9f" "e") && finds(true, "\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2!",
		"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82") && finds(true, "\xce\x93\xce\x95\xce\x99\xce\x91", "\xce\xb3\xce\xb5\xce\xb9\xce\xb1") &&
	      finds(true, "\xc5\xa0KODA", "\xc5\xa1koda") && finds(true, "\xc5\xb8" "a", "\xc3\xbf" "a"), "capitals of other scripts");
	CHECK(!finds(true, "hello\xc3\xa9", "hello") && finds(true, "\xe2\x80\x9chello\xe2\x80\x9d", "hello") &&
	      finds(true, "hello\xf0\x9f\x98\x80", "hello"), "letters, quotes and emoji at the border");
	CHECK(finds(true, "well:)", ":)") && finds(true, "x :) y", ":)"), "what is no word needs no border");
	CHECK(finds(false, "unhelloed", "HELLO") && !finds(false, "hell", "hello") && !finds(false, "", "x"), "contains");
	CHECK(finds(true, "a\xff hello \xc3", "hello"), "bad UTF-8 does no harm");
}

/* ---- commands ---- */

static void commands(void)
{
	struct command c;

	CHECK(command_parse(of("  !hug  bob \"Ann Lee\" now "), of("!"), &c) && same(c.name, "hug") && c.n == 3 && same(c.arg[0], "bob") &&
	      same(c.arg[1], "Ann Lee") && same(c.rest[1], "\"Ann Lee\" now") && same(c.args, "bob \"Ann Lee\" now"), "name and arguments");
	CHECK(command_parse(of("!ping"), of("!"), &c) && c.n == 0 && c.args.n == 0, "no argument");
	CHECK(command_parse(of("!ping!?"), of("!"), &c) && same(c.name, "ping") && c.n == 0, "punctuation behind it");
	CHECK(command_parse(of("!say \"open"), of("!"), &c) && c.n == 1 && same(c.arg[0], "open"), "a quote that is not closed");
	CHECK(command_parse(of("!say \"\" x"), of("!"), &c) && c.n == 2 && c.arg[0].n == 0, "an empty argument");
	CHECK(command_parse(of("bot, ping"), of("bot, "), &c) && same(c.name, "ping"), "a long prefix");
	CHECK(!command_parse(of("!"), of("!"), &c) && !command_parse(of("! ping"), of("!"), &c) && !command_parse(of("!!!"), of("!"), &c) &&
	      !command_parse(of("ping"), of("!"), &c) && !command_parse(of(""), of("!"), &c) && !command_parse(of("!(x)"), of("!"), &c),
	      "no command");
	CHECK(!command_parse(of("!123456789012345678901234567890123"), of("!"), &c), "a name that is too long");
	CHECK(command_parse(of("!x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34"), of("!"), &c) &&
	      c.n == COMMAND_ARGS && same(c.rest[31], "32 33 34"), "more arguments than are told apart");
	CHECK(command_name_ok(of("caf\xc3\xa9")) && !command_name_ok(of("a.b")) && !command_name_ok(of("")), "names");
}

/* ---- files ---- */

static const char *fault(const char *text)
{
	static char out[256];
	struct replies_error e;
	struct replies *r = replies_parse(text, strlen(text), &e);

	if (r) {
		replies_free(r);
		return "good";
	}
	snprintf(out, sizeof(out), "%zu:%zu: %s%s%s", e.line, e.column, e.what, *e.what ? " " : "", e.why);
	return out;
}

static void files(void)
{
	static const struct { const char *text, *want; } cases[] = {
		{"", "good"}, {"# only\n\n   # comments\n", "good"}, {"\xef\xbb\xbf" "word a\n say b", "good"}, {"word a\r\n\tsay b\r\n", "good"},
		{"set prefix ?\nset name B b\nset others no\nset shared yes\ncommand ?a, b X [Y] [Z...]\n help h\n say {1} {2-} {X} {y:{Z}}\n say again\n", "good"},
		{"emotion sadness, boredom above 0.5\n say {emotion} {percent}\n", "good"}, {"contains \xc3\xa9\n say x\n", "good"},
		{"wrd a\n", "1:1: wrd is not how a line begins; expected command, word, contains, emotion, set, or # for a comment"},
		{"\n say x\n", "2:2: say stands below no trigger; a trigger begins at the margin"},
		{"say x\n", "1:1: say belongs to a trigger: indent it"},
		{"word a\nword b\n say x\n", "1:1: this trigger says nothing: an indented line \"say TEXT\" is missing below it"},
		{"word a\n", "1:1: this trigger says nothing: an indented line \"say TEXT\" is missing below it"},
		{"word a\n say\n", "2:5: say what?"}, {"word a,\n say x\n", "1:8: expected a word or a phrase"},
		{"word\n say x\n", "1:5: expected a word or a phrase"},
		{"word \xc3\xa9\n say \xc3\xa9 {usr}\n", "2:9: no value of this name (penstock-replies(5) lists them)"},
		{"word a\n say {1}\n", "2:7: no value of this name (penstock-replies(5) lists them)"},
		{"word a\n help x\n", "2:2: help is for commands only"}, {"word a\n sy x\n", "2:2: sy is not how an indented line begins; expected say or help"},
		{"command\n", "1:8: expected the name of a command"}, {"command a.b\n", "1:9: a.b cannot be the name of a command: at most 32 bytes, no punctuation"},
		{"command a\n say x\ncommand b, A\n say x\n", "3:12: A is a command already"},
		{"command a [X] Y\n say x\n", "1:15: Y must be optional too, [NAME]: one before it is"},
		{"command a X... Y\n say x\n", "1:16: X takes all that is left, nothing can come behind"},
		{"command a X x\n say x\n", "1:13: x is there twice"}, {"command a user\n say x\n", "1:11: user is a value's name already; write it in capitals"},
		{"command a 1X\n say x\n", "1:11: 1X is no parameter: want NAME, [NAME], NAME... or [NAME...], of letters, digits and _"},
		{"command a\n help x\n help y\n say x\n", "3:2: help is there twice"},
		{"emotion sadness\n say x\n", "1:16: expected: above and a probability, as in: emotion sadness, grief above 0.6"},
		{"emotion above 0.5\n say x\n", "1:9: expected the name of an emotion, as in: emotion sadness, grief above 0.6"},
		{"emotion Sad above 0.5\n say x\n", "1:9: Sad is no name of an emotion: small letters, - and _"},
		{"emotion sadness above 1\n say x\n", "1:23: 1 expected a probability from 0 to 0.99, and nothing behind it"},
		{"emotion sadness above 0.5 0\n say x\n", "1:23: 0.5 expected a probability from 0 to 0.99, and nothing behind it"},
		{"emotion sadness above 0.5.5\n say x\n", "1:23: 0.5.5 expected a probability from 0 to 0.99, and nothing behind it"},
		{"set colour red\n", "1:5: colour cannot be set; prefix, name, others and shared can"}, {"set prefix\n", "1:11: expected 1 to 8 characters without blanks"},
		{"set prefix a b\n", "1:12: a b expected 1 to 8 characters without blanks"}, {"set others maybe\n", "1:12: maybe expected yes or no"},
		{"set shared no\nset shared no\n", "2:1: this is set a second time"}, {"set shared on\n", "1:12: on expected yes or no"},
		{"set name a\nset name b\n", "2:1: this is set a second time"}, {"word a\n say x\nset prefix ?\n", "3:5: set the prefix before the first trigger"},
		{"word a\n say \xff\n", "2:6: not UTF-8"}, {"word a\n say \x01\n", "2:6: a control character"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK(strcmp(fault(cases[i].text), cases[i].want) == 0, "file %zu: %s", i, fault(cases[i].text));
}

/* ---- answers ---- */

static const char conf[] =
	"set name Penny\ncommand ping\n say pong\n say and pang\ncommand hug NAME\n say {user} hugs {name}\ncommand all [A...]\n say {A:-}\n"
	"command at\n say {time:?} {date:?} {channel} {tenant} {args:none}\ncommand nothing\n say {1}\ncommand long T...\n say {T}{T}{T}\n"
	"command help2\n help Helps\n say {commands} {prefix} {bot}\n"
	"word hello\n say first {user}\nword hello\n say second\nemotion sadness, negative above 0.5\n say {user:you} {emotion} {percent}\n";

static char made[9000];

static const char *ask(const char *type, const char *data, const char *attributes)
{
	struct replies_error re;
	struct replies *r = replies_parse(conf, sizeof(conf) - 1, &re);
	struct answer a;
	struct buf line, out;
	struct envelope e;
	struct line_err err;
	const char *why = "";
	int n;

	CHECK(r != NULL, "the file for answers");
	buf_init(&line, 1 << 20);
	buf_init(&out, 1 << 20);
	answer_init(&a, 1 << 20);
	buf_printf(&line, "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/twitch/x\",\"type\":\"%s\"%s,\"data\":%s}", type, attributes, data);
	CHECK(envelope_check(line.p, line.len, 1 << 20, &e, &err) == 0, "a line: %.*s", 60, buf_cstr(&line));
	n = answer_event(&a, r, line.p, &e, &out, &why);
	snprintf(made, sizeof(made), "%d %s%.*s", n, why, (int)out.len, out.p ? out.p : "");
	CHECK(n < 0 || answer_event(&a, NULL, line.p, &e, &out, &why) == 0, "without replies nothing is said");
	buf_release(&line);
	buf_release(&out);
	answer_release(&a);
	replies_free(r);
	return made;
}

static const char *say(const char *text)
{
	char data[8000];

	snprintf(data, sizeof(data), "{\"channel\":{\"id\":\"c1\",\"name\":\"Room\"},\"user\":{\"id\":\"u1\",\"name\":\"Ann\"},\"text\":\"%s\"}", text);
	return ask("chat.message", data, "");
}

static bool text_is(const char *answer, const char *text)
{
	char want[300];

	snprintf(want, sizeof(want), "\"text\":\"%s\",\"reply_to\":\"i\"", text);
	return strncmp(answer, "1 ", 2) == 0 && strstr(answer, want);
}

static void answers(void)
{
	static const char whole[] =
		"2 {\"specversion\":\"1.0\",\"id\":\"i.respond\",\"source\":\"/twitch/x\",\"type\":\"message.send\",\"causationid\":\"i\","
		"\"data\":{\"channel\":{\"id\":\"c1\",\"name\":\"Room\"},\"user\":{\"name\":\"Penny\",\"bot\":true},\"text\":\"pong\",\"reply_to\":\"i\","
		"\"platform\":\"twitch\"}}\n"
		"{\"specversion\":\"1.0\",\"id\":\"i.respond.1\",\"source\":\"/twitch/x\",\"type\":\"message.send\",\"causationid\":\"i\","
		"\"data\":{\"channel\":{\"id\":\"c1\",\"name\":\"Room\"},\"user\":{\"name\":\"Penny\",\"bot\":true},\"text\":\"and pang\",\"reply_to\":\"i\","
		"\"platform\":\"twitch\"}}\n";
	char big[3000];

	CHECK(strcmp(say("!ping"), whole) == 0, "two replies, whole");
	CHECK(text_is(say("!HUG bob"), "Ann hugs bob") && text_is(say("!hug"), "Usage: !hug NAME") && text_is(say("!hug \\\"\\\""), "Usage: !hug NAME"),
		"a parameter that must be there");
	CHECK(text_is(say("!all \\\"a b\\\""), "a b") && text_is(say("!all a \\\"b\\\""), "a \\\"b\\\"") && text_is(say("!all"), "-"), "the rest");
	CHECK(strcmp(say("!nothing"), "0 ") == 0, "an empty text is not said");
	CHECK(strcmp(say("!unknown hello"), "0 ") == 0, "an unknown command is nobody's word");
	CHECK(text_is(say("well, Hello"), "first Ann"), "the first trigger answers");
	CHECK(strcmp(say("good day"), "0 ") == 0, "nothing fits");
	CHECK(text_is(say("!help"), "I know !help, !ping, !hug NAME, !all [A...], !at, !nothing, !long T..., !help2"), "!help");
	CHECK(text_is(say("!help help2"), "!help2: Helps") && text_is(say("!help !hug"), "!hug NAME"), "!help of a command");
	CHECK(text_is(say("!at"), "? ? Room default none"), "no time");
	CHECK(text_is(ask("chat.message", "{\"channel\":{\"id\":\"c1\"},\"user\":{\"id\":\"u1\"},\"text\":\"!at x\",\"message_id\":\"i\"}",
		",\"time\":\"2026-11-20T10:07:00+01:00\",\"tenant\":\"t9\""), "09:07 UTC 2026-11-20 c1 t9 x"), "time of the event, channel without a name");
	memset(big, 'x', sizeof(big));
	memcpy(big, "!long ", 6);
	memcpy(big + 6, "\xc3\xa9\xc3\xa9", 4);
	big[1200] = '\0';
	CHECK(strncmp(say(big), "1 ", 2) == 0 && strstr(made, "xx\xe2\x80\xa6\",\"reply_to\"") && strlen(made) < 2400, "a long text is cut");
	memset(big, '\0', sizeof(big));
	strcpy(big, "!long x");
	for (int i = 0; i < 500; i++)
		strcat(big, "\xc3\xa9");
	CHECK(strncmp(say(big), "1 ", 2) == 0 && strstr(made, "\xc3\xa9\xe2\x80\xa6\",\"reply_to\""), "at the border of a character");
	CHECK(strcmp(ask("chat.message", "{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\",\"bot\":true},\"text\":\"!ping\"}", ""), "0 ") == 0, "bots are left alone");
	CHECK(strcmp(ask("message.send", "{\"channel\":{\"id\":\"c\"},\"text\":\"!ping\"}", ""), "0 ") == 0, "other types are left alone");
	CHECK(strstr(ask("chat.message", "{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u\"}}", ""), ": a data field"), "no text is refused");
	CHECK(text_is(ask("analysis.emotion", "{\"channel\":{\"id\":\"c\"},\"message_id\":\"i\",\"user\":{\"id\":\"u\",\"name\":\"Bo\"},\"top\":\"sadness\","
		"\"scores\":{\"sadness\":0.914},\"group\":\"negative\",\"groups\":{\"negative\":0.97}}", ""), "Bo sadness 91"), "an emotion");
	CHECK(!strstr(made, "platform"), "an analyzer is no platform");
	CHECK(text_is(ask("analysis.emotion", "{\"channel\":{\"id\":\"c\"},\"message_id\":\"i\",\"top\":\"anger\",\"scores\":{\"anger\":0.9},"
		"\"group\":\"negative\",\"groups\":{\"negative\":0.97}}", ",\"partitionkey\":\"browser:lobby\""), "you negative 97"), "a group");
	CHECK(strstr(made, "\"platform\":\"browser\""), "the platform is in the key");
	CHECK(strcmp(ask("analysis.emotion", "{\"channel\":{\"id\":\"c\"},\"message_id\":\"i\",\"top\":\"sadness\",\"scores\":{\"sadness\":0.5}}", ""), "0 ") == 0,
		"not above the number");
	CHECK(strcmp(ask("analysis.emotion", "{\"channel\":{\"id\":\"c\"},\"message_id\":\"i\",\"top\":\"joy\",\"scores\":{\"sadness\":0.8}}", ""), "0 ") == 0,
		"not the strongest");
}

int main(void)
{
	templates();
	words();
	commands();
	files();
	answers();
	return check_done();
}
