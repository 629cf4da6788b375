/* test_route_segment: commit lines, names, and where a group ends, at every cut of a small segment and with every byte damaged. */
#include <string.h>

#include "base/hash.h"
#include "check.h"
#include "route/segment.h"

static char text[4096];

static size_t group(char *out, uint64_t seq, uint64_t gen, const char *lines, uint32_t n)
{
	size_t len = strlen(lines);
	struct commit c = { .seq = seq, .n = n, .bytes = len, .gen = gen, .crc = hash_crc32c(0, lines, len) };

	memcpy(out, lines, len);
	return len + commit_write(out + len, &c);
}

/* Whole good groups at the start of p: their lines; *good is where the last one ends. */
static unsigned walk(const char *p, size_t n, uint64_t seq, size_t *good, enum segment_result *last)
{
	struct segment_scan s = { 0, 0 };
	struct commit c;
	const char *why = "";
	unsigned lines = 0;
	size_t at = 0, len;

	while ((*last = segment_next(p + at, n - at, seq, &s, &c, &len, &why)) == SEGMENT_GROUP) {
		at += len;
		lines += c.n;
		seq += c.n;
		memset(&s, 0, sizeof(s));
	}
	*good = at;
	return lines;
}

static void commits(void)
{
	char out[SEGMENT_COMMIT_MAX];
	struct commit c = { .seq = 7, .n = 2, .bytes = 99, .gen = 3, .crc = 0xab }, d;
	struct commit most = { .seq = UINT64_MAX, .n = UINT32_MAX, .bytes = UINT64_MAX, .gen = UINT64_MAX, .crc = UINT32_MAX,
		.head = true, .prev = UINT64_MAX, .lines = UINT64_MAX };
	static const char *const bad[] = {
		"", "{\"_commit\":", "{\"_commit\":{}}",
		"{\"_commit\":{\"seq\":07,\"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}}",
		"{\"_commit\":{\"seq\":7,\"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000AB\"}}",
		"{\"_commit\":{\"seq\":7,\"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}} ",
		"{\"_commit\":{\"seq\":7, \"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}}",
		"{\"_commit\":{\"seq\":-7,\"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}}",
		"{\"_commit\":{\"seq\":7,\"n\":4294967296,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}}",
		"{\"_commit\":{\"seq\":18446744073709551616,\"n\":2,\"bytes\":99,\"gen\":3,\"crc\":\"000000ab\"}}",
	};
	size_t n = commit_write(out, &c);

	static const char head[] = "{\"_commit\":{\"seq\":7,\"n\":2,\"bytes\":99,\"gen\":3";
	CHECK(!memcmp(out, head, sizeof(head) - 1) && n == sizeof(head) - 1 + strlen(",\"crc\":\"12345678\"}}\n"), "a commit line as the page has it");
	CHECK(commit_parse(out, n - 1, &d) == 0 && d.seq == 7 && d.n == 2 && d.bytes == 99 && d.gen == 3, "and read again");
	CHECK(d.crc == hash_crc32c(0xab, head, sizeof(head) - 1), "its checksum goes on from that of the lines over its own numbers");
	n = commit_write(out, &most);
	CHECK(n < SEGMENT_COMMIT_MAX && commit_parse(out, n - 1, &d) == 0 && d.seq == UINT64_MAX, "the longest one fits");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(commit_parse(bad[i], strlen(bad[i]), &d) < 0, "none: %s", bad[i]);
}

static void names(void)
{
	char out[SEGMENT_NAME_MAX];
	uint64_t first;

	segment_name(out, 1795172932415866);
	CHECK(!strcmp(out, "00001795172932415866.ndjson"), "%s", out);
	CHECK(segment_name_parse(out, &first) == 0 && first == 1795172932415866, "and back");
	CHECK(segment_name_parse("1.ndjson", &first) < 0, "too short");
	CHECK(segment_name_parse("00001795172932415866.ndjson.new", &first) < 0, "something behind it");
	CHECK(segment_name_parse("99999999999999999999.ndjson", &first) < 0, "no 64-bit number");
}

static void cuts(void)
{
	size_t ends[4], n = 0, good;
	unsigned lines[4] = { 0, 2, 3, 6 };
	enum segment_result last;

	n += group(text + n, 10, 1, "", 0);
	ends[0] = n;
	n += group(text + n, 10, 1, "{\"a\":1}\n{\"b\":2}\n", 2);
	ends[1] = n;
	n += group(text + n, 12, 1, "{\"c\":\"{\\\"_commit\\\":\"}\n", 1);
	ends[2] = n;
	n += group(text + n, 13, 1, "1\n\n3\n", 3);
	ends[3] = n;
	for (size_t cut = 0; cut <= n; cut++) {
		int have = -1;
		for (int i = 0; i < 4; i++)
			have += ends[i] <= cut;
		unsigned got = walk(text, cut, 10, &good, &last);
		if (got != (have < 0 ? 0 : lines[have]) || good != (have < 0 ? 0 : ends[have]) || last != SEGMENT_MORE)
			CHECK(0, "cut at %zu: %u lines, good up to %zu", cut, got, good);
	}
	CHECK(1, "cut at each of %zu bytes: exactly the whole groups before", n);
	for (size_t at = 0; at < n; at++) {
		unsigned whole = 0;
		for (int i = 0; i < 4; i++)
			if (ends[i] <= at)
				whole = lines[i];
		for (int bit = 0; bit < 8; bit++) {
			text[at] ^= (char)(1 << bit);
			unsigned got = walk(text, n, 10, &good, &last);
			text[at] ^= (char)(1 << bit);
			if (got != whole || good > at)
				CHECK(0, "bit %d of byte %zu: %u lines", bit, at, got);
		}
	}
	CHECK(1, "every bit turned: no line of a damaged group is believed");
	CHECK(walk(text, n, 11, &good, &last) == 0 && last == SEGMENT_BAD, "a number that does not follow");
}

static void pieces(void)
{
	struct segment_scan s = { 0, 0 };
	struct commit c;
	const char *why = "";
	size_t n = group(text, 5, 2, "{\"a\":1}\n{\"b\":2}\n", 2), len = 0, k = 0;

	while (segment_next(text, k, 5, &s, &c, &len, &why) == SEGMENT_MORE && k < n)
		k++;
	CHECK(k == n && len == n && c.n == 2 && c.gen == 2, "byte by byte the same answer, at the last byte");
}

int main(void)
{
	commits();
	names();
	cuts();
	pieces();
	return check_done();
}
