/* Log directories: TAI64N labels, the file config, levels of lines. */
#include "check.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tai.h"
#include "logd/conf.h"
#include "logd/frame.h"
#include "penstock/log_feed.h"

static void labels(void)
{
	char text[TAI_LABEL + 1];
	int64_t wall = 0;

	/* tai64n(1) and svlogd write Unix second 0x6566cda9 so. */
	tai_label(text, INT64_C(0x6566cda9) * CLOCK_S + 123456789);
	CHECK(strcmp(text, "@400000006566cdb3075bcd15") == 0, "label: %s", text);
	CHECK(tai_parse(text, TAI_LABEL, &wall) == 0 && wall == INT64_C(0x6566cda9) * CLOCK_S + 123456789, "and back");
	CHECK(tai_parse("@400000006566cdb3075bcd15.s", 27, &wall) == 0, "what is behind does not matter");
	CHECK(tai_parse(text, TAI_LABEL - 1, &wall) < 0 && tai_parse("x400000006566cdb3075bcd15", 25, &wall) < 0 &&
		tai_parse("@400000006566cdb3075bcD15", 25, &wall) < 0 && tai_parse("@400000006566cdb3ffffffff", 25, &wall) < 0 &&
		tai_parse("@ffffffffffffffff00000000", 25, &wall) < 0 && tai_parse("@000000000000000000000000", 25, &wall) < 0, "what is none");
}

static unsigned bad_n;
static void bad(void *arg, unsigned line, const char *text, const char *why)
{
	(void)arg;
	(void)line;
	bad_n += text && why && *why;
}

static void config(void)
{
	static const char text[] = "# c\n\ns16k\nn5\nN2\nt1h \na2d\r\n";
	static const char wrong[] = "s\nsx\nn-1\nt\n!gzip\n+*\nz\ns1\0k\n";
	struct conf c;

	conf_init(&c);
	CHECK(c.size == 1000000 && c.keep == 10 && c.keep_full == 1 && !c.age && !c.expire, "as svlogd without a config");
	conf_parse(text, sizeof text - 1, &c, bad, NULL);
	CHECK(bad_n == 0 && c.size == 16384 && c.keep == 5 && c.keep_full == 2 && c.age == 3600 * CLOCK_S && c.expire == 2 * 86400 * CLOCK_S, "lines");
	conf_init(&c);
	conf_parse(wrong, sizeof wrong - 1, &c, bad, NULL);
	CHECK(bad_n == 8 && c.size == 1000000 && c.keep == 10, "eight wrong lines, %u told", bad_n);
}

static void levels(void)
{
	static const struct { const char *text; int level; } row[] = {
		{ "{\"ts\":\"x\",\"level\":\"warn\",\"msg\":\"y\"}", LOG_WARN }, { "{\"level\":\"error\"}", LOG_ERROR }, { "{\"level\":\"ERROR\"}", LOG_ERROR },
		{ "{\"level\":3}", LOG_INFO }, { "{\"level\":\"warn", LOG_INFO }, { "{}", LOG_INFO }, { "", LOG_INFO },
		{ "route: warning: full", LOG_WARN }, { "route: error: full", LOG_ERROR }, { "route: debug: x", LOG_DEBUG }, { "route: ready", LOG_INFO },
		{ "an error: x", LOG_INFO }, { "supervise: warning: a: process 3 exited", LOG_WARN }, { " error: x", LOG_INFO },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK(log_level_of(row[i].text, strlen(row[i].text)) == row[i].level, "level of %s", row[i].text);
}

static void frames(void)
{
	static const char mark[] = FRAME_MARK "a: process 3 ended\n";
	static const char torn[] = "half" FRAME_MARK "x\n";
	struct buf b;

	buf_init(&b, 1000);
	CHECK(frame_stamp(NULL, STAMP_ISO, 0) == 25 && frame_stamp(&b, STAMP_ISO, 590 * CLOCK_MS) == 25 &&
		memcmp(b.p, "1970-01-01T00:00:00.590Z ", 25) == 0, "ISO");
	buf_clear(&b);
	CHECK(frame_stamp(&b, STAMP_TAI, 0) == 26 && b.len == 26 && b.p[25] == ' ' && frame_stamp(&b, STAMP_NONE, 0) == 0 && b.len == 26, "TAI64N, none");
	buf_release(&b);
	CHECK(frame_piece("ab\ncd", 5) == 3 && frame_piece("ab", 2) == 2 && frame_piece("\n", 1) == 1, "lines");
	CHECK(frame_is_mark(mark, sizeof mark - 1) && frame_piece(torn, sizeof torn - 1) == 4 && !frame_is_mark(torn, 4), "a mark ends a line");
	CHECK(frame_piece("a\x1e" "b\n", 4) == 4 && !frame_is_mark("\x1esuper", 6), "the byte alone is none");
}

int main(void)
{
	labels();
	frames();
	config();
	levels();
	return check_done();
}
