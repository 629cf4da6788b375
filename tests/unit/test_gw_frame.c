/* frame: the client's frames; ids that stay the same. page: answers of store. */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "gatewayd/browser/frame.h"
#include "gatewayd/browser/history.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SESSION "0123456789abcdef0123456789abcdef"
#define JOIN(rest) "{\"join\":{" rest "}}"

/* want: "" accepted, else the code; a code with ! is fatal */
static const struct { const char *name, *text, *want; } rows[] = {
	{"join", JOIN("\"room\":\"lobby\",\"name\":\"Ada\""), ""},
	{"join, all members", JOIN("\"room\":\"a.b_c-9\",\"name\":\"Ada\",\"after\":9007199254740991,\"session\":\"" SESSION "\",\"x\":[]"), ""},
	{"join, nulls", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"after\":null,\"session\":null"), ""},
	{"no room", JOIN("\"name\":\"Ada\""), "bad-room"},
	{"empty room", JOIN("\"room\":\"\",\"name\":\"Ada\""), "bad-room"},
	{"capital room", JOIN("\"room\":\"Lobby\",\"name\":\"Ada\""), "bad-room"},
	{"room begins with a dot", JOIN("\"room\":\".x\",\"name\":\"Ada\""), "bad-room"},
	{"room with NUL", JOIN("\"room\":\"a\\u0000b\",\"name\":\"Ada\""), "bad-room"},
	{"room of 64", JOIN("\"room\":\"" A32 A32 "\",\"name\":\"Ada\""), ""},
	{"room of 65", JOIN("\"room\":\"" A32 A32 "a\",\"name\":\"Ada\""), "bad-room"},
	{"room a number", JOIN("\"room\":7,\"name\":\"Ada\""), "bad-room"},
	{"no name", JOIN("\"room\":\"lobby\""), "bad-name"},
	{"name of blanks", JOIN("\"room\":\"lobby\",\"name\":\" \xc2\xa0\xe3\x80\x80 \""), "bad-name"},
	{"name of 32", JOIN("\"room\":\"lobby\",\"name\":\"" A32 "\""), ""},
	{"name of 33", JOIN("\"room\":\"lobby\",\"name\":\"" A32 "a\""), "bad-name"},
	{"name of 32 emoji", JOIN("\"room\":\"lobby\",\"name\":\"\\ud83d\\ude00\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\""), ""},
	{"control character", JOIN("\"room\":\"lobby\",\"name\":\"A\\nb\""), "bad-name"},
	{"turned direction", JOIN("\"room\":\"lobby\",\"name\":\"A\\u202eb\""), "bad-name"},
	{"zero width", JOIN("\"room\":\"lobby\",\"name\":\"A\\u200bb\""), "bad-name"},
	{"joined emoji", JOIN("\"room\":\"lobby\",\"name\":\"\xf0\x9f\x91\xa9\\u200d\xf0\x9f\x92\xbb\""), ""},
	{"joiner alone", JOIN("\"room\":\"lobby\",\"name\":\"\\u200d\""), "bad-name"},
	{"session short", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"session\":\"0123\""), "bad-session"},
	{"session capital", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"session\":\"0123456789ABCDEF0123456789abcdef\""), "bad-session"},
	{"session a number", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"session\":1"), "bad-session"},
	{"after -1", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"after\":-1"), "bad-after"},
	{"after 1.5", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"after\":1.5"), "bad-after"},
	{"after 2^53", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"after\":9007199254740992"), "bad-after"},
	{"after a string", JOIN("\"room\":\"lobby\",\"name\":\"Ada\",\"after\":\"1\""), "bad-after"},
	{"say", "{\"say\":{\"n\":1,\"text\":\"x\\ny\\t\"}}", ""},
	{"say without n", "{\"say\":{\"text\":\"x\"}}", "!bad-number"},
	{"say n 0", "{\"say\":{\"n\":0,\"text\":\"x\"}}", "!bad-number"},
	{"say without text", "{\"say\":{\"n\":1}}", "bad-text"},
	{"say nothing", "{\"say\":{\"n\":1,\"text\":\" \\n \\u200b\"}}", "bad-text"},
	{"say a bell", "{\"say\":{\"n\":1,\"text\":\"a\\u0007\"}}", "bad-text"},
	{"say NUL", "{\"say\":{\"n\":1,\"text\":\"a\\u0000\"}}", "bad-text"},
	{"say half a surrogate", "{\"say\":{\"n\":1,\"text\":\"a\\ud800\"}}", "!bad-json"},
	{"ping", "{\"ping\":0}", ""},
	{"ping text", "{\"ping\":\"x\"}", "!bad-frame"},
	{"two kinds", "{\"ping\":1,\"say\":{\"n\":1,\"text\":\"x\"}}", "!bad-frame"},
	{"no kind", "{\"hello\":1}", "!bad-frame"},
	{"join a string", "{\"join\":\"lobby\"}", "!bad-frame"},
	{"an array", "[{\"ping\":1}]", "!bad-frame"},
	{"a number", "1", "!bad-frame"},
	{"not JSON", "{\"ping\":1", "!bad-json"},
	{"nothing", "", "!bad-json"},
	{"two lines", "{\n\"ping\":1}", "!bad-frame"},
	{"bad UTF-8", "{\"ping\":\"\xff\"}", "!bad-json"},
};

static void frames(void)
{
	static char text[FRAME_MAX];
	struct frame f;
	struct frame_fault fault;

	frame_init(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *want = rows[i].want;
		int rc = frame_parse(rows[i].text, strlen(rows[i].text), &f, &fault);

		if (!*want)
			CHECK(rc == 0, "%s", rows[i].name);
		else
			CHECK(rc == -1 && strcmp(fault.code, want + (*want == '!')) == 0 && fault.fatal == (*want == '!'), "%s", rows[i].name);
	}
	for (unsigned n = 1999; n <= 2001; n++) {
		int len = snprintf(text, sizeof(text), "{\"say\":{\"n\":5,\"text\":\"");

		for (unsigned k = 0; k < n; k++, len += 2)
			memcpy(text + len, "\xc3\xa9", 2);
		strcpy(text + len, "\"}}");
		CHECK(frame_parse(text, strlen(text), &f, &fault) == (n > 2000 ? -1 : 0), "%u characters", n);
	}
	CHECK(fault.has_n && fault.n == 5, "a refused message is named");
	strcpy(text, " " JOIN("\"room\":\"lobby\",\"name\":\" \xc2\xa0 Ada L. \",\"after\":12") " ");
	CHECK(frame_parse(text, strlen(text), &f, &fault) == 0 &&
		f.kind == FRAME_JOIN && strcmp(f.name, "Ada L.") == 0 && f.has_after && f.after == 12 && !*f.session, "what join says");
	strcpy(text, "{\"say\":{\"n\":9,\"text\":\" a\\u00e9 \"}}");
	CHECK(frame_parse(text, strlen(text), &f, &fault) == 0 && f.kind == FRAME_SAY && f.n == 9 &&
		f.text.len == 5 && memcmp(f.text.p, " a\xc3\xa9 ", 5) == 0, "what say says");
	frame_release(&f);
}

static void ids(void)
{
	char a[FRAME_ID_LEN + 1], b[FRAME_ID_LEN + 1], user[FRAME_USER_LEN + 1];

	frame_event_id(SESSION, "default", "lobby", 1, a);
	CHECK(strlen(a) == 32 && strspn(a, "0123456789abcdef") == 32, "an id is hex digits");
	/* Written down once: an id that changed would let a message sent again in twice. */
	CHECK(strcmp(a, "09e11c8879ffaf8091d6bed7a9308dbd") == 0, "the id of this message never changes: %s", a);
	frame_event_id(SESSION, "default", "lobby", 2, b);
	CHECK(strcmp(a, b) != 0, "another message");
	frame_event_id(SESSION, "default", "lobbi", 1, b);
	CHECK(strcmp(a, b) != 0, "another room");
	frame_event_id(SESSION, "defaul", "tlobby", 1, b);
	CHECK(strcmp(a, b) != 0, "another tenant");
	frame_event_id("1123456789abcdef0123456789abcdef", "default", "lobby", 1, b);
	CHECK(strcmp(a, b) != 0, "another session");
	frame_user_id(SESSION, user);
	CHECK(strlen(user) == 16 && !strstr(a, user) && !strstr(SESSION, user), "a user's id tells nothing of the session");
}

static void pages(void)
{
	static const char *const bad[] = {
		"", "x", "{}", "[]\n", "{\"error\":\"no\"}\n", "{\"n\":1,\"seq\":[1]}\n", "{\"n\":1,\"seq\":[1]}\na", "{\"n\":1,\"seq\":[1]}\na\nb\n",
		"{\"n\":1,\"seq\":[]}\na\n", "{\"n\":1,\"seq\":[1,2]}\na\n", "{\"n\":2,\"seq\":[2,2]}\na\nb\n", "{\"n\":2,\"seq\":[3,2]}\na\nb\n",
		"{\"n\":1}\na\n", "{\"n\":1,\"seq\":[-1]}\na\n", "{\"n\":1,\"seq\":[\"1\"]}\na\n", "{\"n\":99999999,\"seq\":[]}\n", "{\"n\":1,\"seq\":7}\na\n",
	};
	const char *ok = "{\"n\":2,\"seq\":[5,9],\"more\":true}\nab\n\n", *line, *why;
	struct page p;
	uint64_t seq;
	size_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(page_parse(bad[i], strlen(bad[i]), &p, &why) == -1 && why, "bad answer %zu", i);
	CHECK(page_parse(ok, strlen(ok), &p, &why) == 0 && p.n == 2 && p.more, "a good answer");
	line = page_next(&p, &n, &seq);
	CHECK(line && n == 2 && seq == 5 && memcmp(line, "ab", 2) == 0, "its first line");
	CHECK(page_next(&p, &n, &seq) && n == 0 && seq == 9 && !page_next(&p, &n, &seq), "its last line");
	page_release(&p);
	CHECK(page_parse("{\"n\":0,\"seq\":[]}", 16, &p, &why) == 0 && p.n == 0 && !p.more, "an empty answer");
	CHECK(!page_next(&p, &n, &seq), "has no line");
	page_release(&p);
}

int main(void)
{
	frames();
	ids();
	pages();
	return check_done();
}
