/* again: lines said again are written and opened; what only begins like one is refused. */
#include <string.h>

#include "check.h"
#include "route/again.h"

static const char EVENT[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"a\":\"}\"}}";

static void back_and_forth(const char *what, struct again a, const char *text)
{
	struct again got;
	struct buf b;

	buf_init(&b, 4096);
	a.p = EVENT;
	a.n = strlen(EVENT);
	CHECK(again_write(&b, &a) == 0, "%s is written", what);
	CHECK(b.len == strlen(text) && memcmp(b.p, text, b.len) == 0, "%s: the text", what);
	CHECK(b.len <= a.n + AGAIN_MORE, "%s: no longer than said", what);
	CHECK(again_open(b.p, b.len, &got) == 1 && got.of == a.of && got.hold == a.hold && strcmp(got.to, a.to) == 0, "%s is opened", what);
	CHECK(got.n == a.n && memcmp(got.p, a.p, a.n) == 0, "%s: the event is what it was", what);
	CHECK(again_open(b.p, b.len - 1, &got) == 1 && got.n == a.n, "%s without LF", what);
	buf_release(&b);
}

#define E "{\"id\":\"1\"}"

int main(void)
{
	static const char *const bad[] = {
		"{\"_again\":{\"of\":}" ",\"event\":" E "}\n", "{\"_again\":{\"of\":07},\"event\":" E "}\n",
		"{\"_again\":{\"of\":-1},\"event\":" E "}\n", "{\"_again\":{\"of\":18446744073709551616},\"event\":" E "}\n",
		"{\"_again\":{\"of\":1,\"to\":\"\"},\"event\":" E "}\n", "{\"_again\":{\"of\":1,\"to\":\"A\"},\"event\":" E "}\n",
		"{\"_again\":{\"of\":1,\"to\":\"../x\"},\"event\":" E "}\n",
		"{\"_again\":{\"of\":1,\"to\":\"a123456789b123456789c123456789d123456789e12345678\"},\"event\":" E "}\n",
		"{\"_again\":{\"of\":1,\"to\":\"a\",\"hold\":true},\"event\":" E "}\n",
		"{\"_again\":{\"of\":1},\"event\":7}\n", "{\"_again\":{\"of\":1},\"event\":" E "\n", "{\"_again\":{\"of\":1},\"event\":}\n",
		"{\"_again\":{\"of\":1}", "{\"_again\":{\"of\":1},\"event\":{",
	};
	struct again a;

	back_and_forth("a due timer", (struct again){ .of = 1795172950082117 },
		"{\"_again\":{\"of\":1795172950082117},\"event\":{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"a\":\"}\"}}}\n");
	back_and_forth("a retried letter", (struct again){ .of = UINT64_MAX, .to = "a23456789b123456789c123456789d123456789e12345678" },
		"{\"_again\":{\"of\":18446744073709551615,\"to\":\"a23456789b123456789c123456789d123456789e12345678\"},\"event\":"
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"a\":\"}\"}}}\n");
	back_and_forth("a held line", (struct again){ .of = 5, .hold = true },
		"{\"_again\":{\"of\":5,\"hold\":true},\"event\":{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"a\":\"}\"}}}\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(again_open(bad[i], strlen(bad[i]), &a) == -1, "refused: %.60s", bad[i]);
	CHECK(again_open(E "\n", sizeof(E), &a) == 0 && a.n == sizeof(E) - 1 && !a.of && !a.to[0] && !a.hold, "an event is an event");
	CHECK(again_open("", 0, &a) == 0 && a.n == 0, "nothing is no such line");
	return check_done();
}
