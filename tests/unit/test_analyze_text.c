/* uchar, clean, text, lexicon, feature: what is read of a message. */
#include <string.h>

#include "analyze/clean.h"
#include "analyze/feature.h"
#include "analyze/lexicon.h"
#include "analyze/uchar.h"
#include "check.h"

static const char table[] =
	"# a comment\n\nLUL\tlol\nKappa\t/s\nforsenE\t-\n\xe2\x9d\xa4\xef\xb8\x8f\tlove\n\xf0\x9f\x98\x82\tlol\n<3\tlove\nPogChamp\twow awesome\n"
	"Champ\tchampion\nHi\thello\tc1\nHi\tbye\nLUL\tlaughing\tc1\r\n";

static struct emotes emotes;
static struct clean clean;
static struct text text;
static struct features features;
static struct lexicon lexicon;

static const char *cleaned(const char *s, const char *channel)
{
	struct cleaner how = { .emotes = &emotes, .channel = channel, .channel_len = strlen(channel) };

	clean_text(&clean, &how, s, strlen(s));
	clean.buf[clean.len < CLEAN_MAX ? clean.len : CLEAN_MAX - 1] = '\0';
	return clean.buf;
}

/* Words of the cleaned text, one blank between. */
static const char *words(const char *s, const char *channel)
{
	cleaned(s, channel);
	text_parse(&text, clean.buf, clean.len);
	text.buf[text.len - 1] = '\0';
	return text.n ? text.buf + 1 : "";
}

static const char *parsed(const char *s)
{
	text_parse(&text, s, strlen(s));
	text.buf[text.len - 1] = '\0';
	return text.n ? text.buf + 1 : "";
}

static void check_uchar(void)
{
	static const struct { const char *bytes; size_t n; uint32_t c; size_t len; } rows[] = {
		{ "a", 1, 'a', 1 }, { "\xc3\xa9", 2, 0xe9, 2 }, { "\xe2\x82\xac", 3, 0x20ac, 3 }, { "\xf0\x9f\x98\x82", 4, 0x1f602, 4 },
		{ "\xc3", 1, 0xfffd, 1 }, { "\xc0\xaf", 2, 0xfffd, 1 }, { "\xe0\x80\xaf", 3, 0xfffd, 1 },
		{ "\xed\xa0\x80", 3, 0xfffd, 1 }, { "\xf4\x90\x80\x80", 4, 0xfffd, 1 }, { "\xff", 1, 0xfffd, 1 },
		{ "\xe2\x82", 2, 0xfffd, 1 }, { "\xe2" "a\xac", 3, 0xfffd, 1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t c;
		size_t len = uchar_get(rows[i].bytes, rows[i].n, &c);

		CHECK(len == rows[i].len && c == rows[i].c, "code point %zu", i);
	}
	CHECK(uchar_class(0x1f602) == UCHAR_EMOJI && uchar_class(0xfe0f) == UCHAR_JOINER && uchar_class(0x1f3fd) == UCHAR_JOINER &&
		uchar_class(0x3042) == UCHAR_LETTER && uchar_class(0x2026) == UCHAR_PUNCT, "classes");
	CHECK(uchar_lower(0xc9) == 0xe9 && uchar_lower(0xd7) == 0xd7 && uchar_lower('Z') == 'z', "lower case");
}

static void check_clean(void)
{
	static const struct { const char *in, *channel, *want; } rows[] = {
		{ "hello  there", "", "hello there" },
		{ "LUL", "", "lol" }, { "LUL LUL LUL", "", "lol" }, { "LUL nice LUL", "", "lol nice lol" },
		{ "lul LULx", "", "lul lulx" }, { "forsenLUL", "", "lol" }, { "xQcLUL", "", "xqclul" }, { "FORSENLUL", "", "forsenlul" },
		{ "megaPogChamp", "", "wow awesome" }, { "forsenE", "", "" }, { "Kappa nice", "", "nice" },
		{ "LUL", "c1", "laughing" }, { "Hi", "c1", "hello" }, { "Hi", "c2", "bye" },
		{ "\xe2\x9d\xa4", "", "love" }, { "\xe2\x9d\xa4\xef\xb8\x8f", "", "love" }, { "so\xf0\x9f\x98\x82\xf0\x9f\x98\x82", "", "so lol" },
		{ "\xf0\x9f\xa6\xa7", "", "\xf0\x9f\xa6\xa7" },
		{ "<3", "", "love" }, { "I <3 u", "", "i love u" },
		{ "<:LUL:123> <a:LUL:9>", "", "lol" }, { "<:other:123>", "", "" }, { "<@123> hi <#4>", "", "[name] hi" },
		{ "<:broken", "", "< : broken" }, { "@bob, hi a@b.c", "", "[name] , hi a @ b . c" },
		{ "see https://x.y/z?a=b now", "", "see now" }, { "(http://x.y) WWW.x.y", "", "(" }, { "hi xhttp://a", "", "hi xhttp : // a" },
		{ "a ```code here``` b", "", "a b" }, { "a ```b", "", "a '' b" }, { "> quoted\nmine", "", "mine" }, { "a > b", "", "a > b" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = words(rows[i].in, rows[i].channel);

		CHECK(strcmp(got, rows[i].want) == 0, "clean %zu: \"%s\"", i, got);
	}
	cleaned("Kappa", "");
	CHECK(clean.sarcasm && clean.emotes == 1, "Kappa is a mark");
	cleaned("x", "");
	CHECK(!clean.sarcasm && clean.emotes == 0, "and the next message has none");
}

static void check_text(void)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "Don't STOP", "don't stop" }, { "\xe2\x80\x9cit\xe2\x80\x99s\xe2\x80\x9d", "\" it's \"" }, { "'quoted'", "' quoted '" },
		{ "sooooo goooood", "soo good" }, { "12 123 12345 a1", "12 0 0 a1" },
		{ "!", "!" }, { "!!", "!!" }, { "!!!!!!", "!!!" }, { "???", "??" }, { "?!?", "?!" },
		{ "wait... what\xe2\x80\xa6", "wait .. what .." }, { "a--b", "a -- b" }, { "hi:) :( xD", "hi :) :( xD" },
		{ "\xc3\x89t\xc3\xa9", "\xc3\xa9t\xc3\xa9" }, { "[NAME] and [RELIGION]", "[name] and [religion]" }, { "[NAM", "[ nam" },
		{ "\xff\xfe" "a\xc3", "a" }, { "", "" }, { " \t\n", "" },
		{ "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\xf0\x9f\x91\x8d", "\xf0\x9f\x91\x8d" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = parsed(rows[i].in);

		CHECK(strcmp(got, rows[i].want) == 0, "text %zu: \"%s\"", i, got);
	}
	parsed("I do NOT like this thing at all, but HEY yessss!!?");
	CHECK(text.words == 11 && text.caps == 2 && text.stretched == 1, "words %u caps %u stretched %u", text.words, text.caps, text.stretched);
	CHECK(text.exclamations == 2 && text.questions == 1 && text.last_mark == '?', "marks");
	CHECK(!text.token[2].negated && text.token[3].negated && text.token[5].negated && !text.token[6].negated, "three words are negated");
	parsed("not, like");
	CHECK(!text.token[2].negated, "a mark ends a negation");
}

static int has(const char *name)
{
	for (size_t i = 0; i < features.n; i++) {
		char got[100];

		feature_name(&features.v[i], &text, got, sizeof got);
		if (strcmp(got, name) == 0)
			return 1;
	}
	return 0;
}

static void features_for(const char *s)
{
	text_parse(&text, s, strlen(s));
	features_of(&features, &text, &lexicon);
}

static void check_features(void)
{
	static char big[3 * CLEAN_MAX];
	size_t n;

	features_for("I am not HAPPY!");
	CHECK(has("word not") && has("pair i am") && has("pair happy !") && has("negated happy") && has("capitals happy"), "kinds");
	CHECK(!has("word happy") && !has("gram _ha"), "what is negated is not there");
	CHECK(has("pair  i") && has("pair ! "), "start and end");
	CHECK(has("lexicon joy, negated") && !has("lexicon joy"), "lexicon, negated");
	CHECK(has("gram _i") && has("gram i_") && !has("gram _i_") && has("gram _am") && !has("gram _am_"), "grams");
	CHECK(has("meta length class 4") && has("meta exclamation marks 1") && has("meta last mark !") && has("meta words in capitals 1"), "meta");
	features_for("no no no no");
	n = features.n;
	features_for("no no no no no");
	CHECK(features.n == n, "each feature counts once");
	CHECK(feature_word_hash("happy", 5) == feature_word_hash("happy", 5) && feature_word_hash("happy", 5) != feature_word_hash("happz", 5), "hashes");
	features_for("happy");
	CHECK(features.v[0].hash == feature_word_hash("happy", 5), "the hash of a word is that of its feature");
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + (i * i / 7 + i) % 26);
	text_parse(&text, big, sizeof big);
	features_of(&features, &text, &lexicon);
	CHECK(text.len <= TEXT_MAX && features.n <= FEATURES_MAX, "one long word: %zu features", features.n);
	for (size_t i = 1; i < sizeof big; i += 2)
		big[i] = ' ';
	text_parse(&text, big, sizeof big);
	features_of(&features, &text, &lexicon);
	CHECK(text.n == TEXT_TOKENS && features.n <= FEATURES_MAX, "many words: %zu features", features.n);
}

static void check_lexicon(void)
{
	unsigned full = 0;

	for (unsigned i = 0; i < LEXICON_SLOTS; i++)
		full += lexicon.slot[i].categories != 0;
	CHECK(full > 500 && full < LEXICON_SLOTS / 2, "the table has room: %u of %u", full, LEXICON_SLOTS);
	CHECK(lexicon_find(&lexicon, "disgusting", 10) && lexicon_find(&lexicon, "disgust", 7), "a stem");
	CHECK(!lexicon_find(&lexicon, "disgus", 6) && !lexicon_find(&lexicon, "xyzzy", 5) && !lexicon_find(&lexicon, "", 0), "no word of it");
	CHECK(lexicon_find(&lexicon, "glad", 4) && !lexicon_find(&lexicon, "gladx", 5), "a whole word is no stem");
}

static void check_emotes(void)
{
	static const struct { const char *text; size_t line; const char *why; } rows[] = {
		{ "a\tb\nc\n", 2, "want: emote, TAB, words" }, { "\tb\n", 1, "want: emote, TAB, words" },
		{ "a\t\n", 1, "no words behind the emote; write - for an emote that says nothing" },
		{ "a b\tc\n", 1, "an emote's name has no blanks" }, { "a\tb\t\n", 1, "the third column is a channel id of 1 to 128 bytes, and the last column" },
		{ "a\tb\tc\td\n", 1, "the third column is a channel id of 1 to 128 bytes, and the last column" },
		{ "\xf0\x9f\x98\x82\xf0\x9f\x98\x82\tx\n", 1, "an emoji of several code points: write its first one" },
	};
	struct emotes e;
	const char *why;
	size_t line;
	char big[70 * 3];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int bad = emotes_init(&e, rows[i].text, strlen(rows[i].text), &line, &why);

		CHECK(bad && line == rows[i].line && strcmp(why, rows[i].why) == 0 && !e.v, "emotes %zu: line %zu: %s", i, line, why ? why : "-");
	}
	memset(big, 'x', sizeof big);
	memcpy(big + 65, "\tw\n", 3);
	CHECK(emotes_init(&e, big, 68, &line, &why) < 0 && strstr(why, "64 bytes"), "a name of 65 bytes");
	CHECK(emotes_init(&e, big + 1, 67, &line, &why) == 0 && e.n == 1, "a name of 64 bytes");
	emotes_release(&e);
	CHECK(emotes_init(&e, "", 0, &line, &why) == 0 && e.n == 0 && !emotes_find(&e, "", 0, "x", 1), "an empty table");
	emotes_release(&e);
	CHECK(emotes_init(&e, "a\tb\na\tc", 7, &line, &why) == 0 && e.n == 1 && *emotes_find(&e, "", 0, "a", 1)->words == 'c', "the last row wins");
	emotes_release(&e);
}

int main(void)
{
	const char *why;
	size_t line;

	lexicon_init(&lexicon);
	CHECK(emotes_init(&emotes, table, sizeof table - 1, &line, &why) == 0, "table, line %zu", line);
	check_uchar();
	check_clean();
	check_text();
	check_features();
	check_lexicon();
	check_emotes();
	emotes_release(&emotes);
	return check_done();
}
