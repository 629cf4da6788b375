/* letter: dead letters are written and read; what is torn, marked or made up by hand is what it should be. */
#include <string.h>

#include "check.h"
#include "line/scan.h"
#include "route/letter.h"

static const char EVENT[] = "{\"specversion\":\"1.0\",\"id\":\"a\\\"b\",\"source\":\"/s\",\"type\":\"t\"}";

static bool is(struct span raw, const char *text)
{
	struct buf b;
	bool r;

	buf_init(&b, 1 << 20);
	r = raw.p && scan_string(raw, &b) == 0 && b.len == strlen(text) && memcmp(b.p, text, b.len) == 0;
	buf_release(&b);
	return r;
}

static void back_and_forth(void)
{
	struct letter_text t = { .dest = "store", .seq = 1795172950082117, .attempts = 8, .error = "no \"user\"\n", .at = "2026-11-20T10:00:00.000Z",
		.detail = "Traceback:\n\t\xc3\xa9", .line = EVENT, .n = strlen(EVENT) };
	struct letter l;
	struct buf b;
	uint64_t seq;
	bool alive;

	buf_init(&b, 1 << 20);
	CHECK(letter_write(&b, &t) == 0 && b.p[b.len - 1] == '\n' && memchr(b.p, '\n', b.len) == b.p + b.len - 1, "a letter is one line");
	CHECK(letter_parse(b.p, b.len - 1, &l) == 0 && l.alive && !l.edited && l.seq == t.seq && l.attempts == 8 && !strcmp(l.dest, "store"), "is read");
	CHECK(is(l.error, t.error) && is(l.at, t.at) && is(l.detail, t.detail) && is(l.line, EVENT), "with all its texts");
	CHECK(letter_head(b.p, b.len < 128 ? b.len : 128, &alive, &seq) == 0 && alive && seq == t.seq, "its head is enough for the number");
	for (size_t i = 0; i < 4; i++) {
		b.p[LETTER_MARK + i] = LETTER_GONE[i];
		CHECK(letter_parse(b.p, b.len - 1, &l) == 0 && !l.alive && l.seq == t.seq, "marked in %zu of its four bytes it is gone", i + 1);
		CHECK(letter_head(b.p, b.len, &alive, &seq) == 0 && !alive && seq == t.seq, "the head says so too");
	}
	buf_clear(&b);
	t.detail = NULL;
	t.edited = true;
	CHECK(letter_write(&b, &t) == 0 && letter_parse(b.p, b.len - 1, &l) == 0 && l.edited && !l.detail.p, "an edited one without stderr");
	for (size_t n = 0; n < b.len - 1; n++)
		if (letter_parse(b.p, n, &l) == 0)
			CHECK(false, "%zu of its %zu bytes are read as a letter", n, b.len - 1);
	CHECK(true, "no part of it is one");
	buf_release(&b);

	buf_init(&b, 100);
	CHECK(letter_write(&b, &t) < 0 && b.len == 0, "without room nothing is written");
	buf_release(&b);
}

#define HEAD "{\"dest\":\"store\",\"seq\":5,\"attempts\":1,\"error\":\"e\",\"at\":\"t\"}"

int main(void)
{
	static const char *const bad[] = {
		"", "{", "{\"dead\"", "{\"dead\":7,\"line\":\"\"}", "{\"read\":" HEAD ",\"line\":\"{}\"}", "{\"dead\":" HEAD "}",
		"{\"dead\":" HEAD ",\"line\":{}}", "{\"dead\":{\"dest\":\"../x\",\"seq\":5,\"attempts\":1,\"error\":\"e\",\"at\":\"t\"},\"line\":\"\"}",
		"{\"dead\":{\"dest\":\"s\",\"seq\":-5,\"attempts\":1,\"error\":\"e\",\"at\":\"t\"},\"line\":\"\"}",
		"{\"dead\":{\"dest\":\"s\",\"seq\":5,\"attempts\":1,\"error\":7,\"at\":\"t\"},\"line\":\"\"}",
		"{\"dead\":" HEAD ",\"line\":\"\xff\"}", "{\"dead\":" HEAD ",\"line\":\"{}\"} ,",
	};
	struct letter l;

	back_and_forth();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(letter_parse(bad[i], strlen(bad[i]), &l) < 0, "refused: %.60s", bad[i]);
	CHECK(letter_parse("{\"dead\":" HEAD ",\"line\":\"{}\"}", sizeof("{\"dead\":" HEAD ",\"line\":\"{}\"}") - 1, &l) == 0, "the same by hand");
	return check_done();
}
