/* test_link_batch: lines out of a batch, and counting them. */
#include <string.h>

#include "check.h"
#include "link/batch.h"
#include "link/link.h"

static void walk(const char *text, size_t len, const char *const *want, size_t n)
{
	const char *p = text, *line;
	size_t got = 0, k;

	while ((line = batch_next(&p, text + len, &k))) {
		CHECK(got < n && strlen(want[got]) == k && !memcmp(want[got], line, k), "line %zu", got);
		got++;
	}
	CHECK(got == n && p == text + len, "%zu lines", n);
}

int main(void)
{
	static char many[LINK_BATCH_LINES + 1];

	walk("a\nbc\n\nd\n", 8, (const char *[]){ "a", "bc", "", "d" }, 4);
	walk("", 0, NULL, 0);
	walk("\n", 1, (const char *[]){ "" }, 1);
	walk("half", 4, (const char *[]){ "half" }, 1);
	CHECK(batch_count("", 0) == 0, "nothing is no line");
	CHECK(batch_count("\n", 1) == 1, "an empty line");
	CHECK(batch_count("a\nb\n", 4) == 2, "two lines");
	CHECK(batch_count("a\nb", 3) == -1, "a last line without its LF");
	CHECK(batch_count("a\0b\n", 4) == 1, "a NUL is a byte like others here");
	memset(many, '\n', sizeof many);
	CHECK(batch_count(many, LINK_BATCH_LINES) == (int64_t)LINK_BATCH_LINES, "as many as there may be");
	CHECK(batch_count(many, LINK_BATCH_LINES + 1) == -1, "one more");
	return check_done();
}
