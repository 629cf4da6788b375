/* buf, num, clock, hash: bytes and numbers against known answers. */
#include "check.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"

static void buffers(void)
{
	struct buf b;

	buf_init(&b, 300);
	CHECK(buf_adds(&b, "abc") == 0 && b.len == 3, "buf takes bytes");
	CHECK(buf_printf(&b, "%0297d", 7) == 0 && b.len == 300 && b.p[299] == '7', "buf_printf fills to the ceiling");
	errno = 0;
	CHECK(buf_addc(&b, 'x') == -1 && errno == EMSGSIZE && b.len == 300, "buf refuses one byte beyond the ceiling");
	errno = 0;
	CHECK(buf_printf(&b, "%d", 1) == -1 && errno == EMSGSIZE && b.len == 300, "buf_printf refuses beyond the ceiling");
	CHECK(buf_reserve(&b, (size_t)-1) == -1, "buf_reserve refuses a size that would wrap");
	CHECK(strlen(buf_cstr(&b)) == 300, "buf_cstr of a full buffer");
	buf_drop(&b, 299);
	CHECK(b.len == 1 && *b.p == '7', "buf_drop keeps the rest");
	buf_drop(&b, 9);
	CHECK(b.len == 0, "buf_drop of more than there is");
	CHECK(buf_add_json(&b, "a\"\\\n\x01\0\x7f\xc3\xa9", 9) == 0 && b.len == 24 &&
	      memcmp(b.p, "\"a\\\"\\\\\\n\\u0001\\u0000\x7f\xc3\xa9\"", 24) == 0, "buf_add_json escapes");
	buf_release(&b);
	buf_init(&b, 5);
	CHECK(buf_adds(&b, "ab") == 0 && buf_add_json(&b, "cd", 2) == -1 && b.len == 2, "buf_add_json takes all or nothing");
	buf_release(&b);
	buf_init(&b, 0);
	CHECK(buf_add(&b, NULL, 0) == 0 && buf_addc(&b, 'x') == -1 && buf_cstr(&b) && *buf_cstr(&b) == '\0', "an empty ceiling");
	buf_release(&b);
}

static void numbers(void)
{
	static const struct { const char *text; int rc; uint64_t v; } u64[] = {
		{"0", 0, 0}, {"18446744073709551615", 0, UINT64_MAX}, {"18446744073709551616", -1, 0}, {"99999999999999999999", -1, 0},
		{"", -1, 0}, {"-1", -1, 0}, {"+1", -1, 0}, {" 1", -1, 0}, {"1 ", -1, 0}, {"0x10", -1, 0}, {"1k", -1, 0}, {"007", 0, 7},
	}, size[] = {
		{"64m", 0, 64u << 20}, {"1k", 0, 1024}, {"2G", 0, UINT64_C(2) << 30}, {"5", 0, 5}, {"1t", -1, 0}, {"1kb", -1, 0},
		{"k", -1, 0}, {"18446744073709551615k", -1, 0},
	};
	static const struct { const char *text; int rc; int64_t v; } time[] = {
		{"200ms", 0, 200 * CLOCK_MS}, {"1.5s", 0, 1500 * CLOCK_MS}, {"10m", 0, 600 * CLOCK_S}, {"3", 0, 3 * CLOCK_S},
		{"2h", 0, 7200 * CLOCK_S}, {"1d", 0, 86400 * CLOCK_S}, {"0.000000001s", 0, 1}, {"0.5d", 0, 43200 * CLOCK_S},
		{"0.999999999d", 0, INT64_C(86399999913600)}, {"1.s", -1, 0}, {".5s", -1, 0}, {"1us", -1, 0}, {"-1s", -1, 0},
		{"999999999999d", -1, 0}, {"1 s", -1, 0}, {"0.123456789123s", 0, 123456789},
	};
	const char *why = NULL;
	uint64_t u;
	int64_t ns;

	for (size_t i = 0; i < sizeof(u64) / sizeof(*u64); i++)
		CHECK(num_u64(u64[i].text, 0, UINT64_MAX, &u, &why) == u64[i].rc && (u64[i].rc || u == u64[i].v), "number \"%s\"", u64[i].text);
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++)
		CHECK(num_size(size[i].text, 0, UINT64_MAX, &u, &why) == size[i].rc && (size[i].rc || u == size[i].v), "size \"%s\"", size[i].text);
	for (size_t i = 0; i < sizeof(time) / sizeof(*time); i++)
		CHECK(num_duration(time[i].text, 0, INT64_MAX, &ns, &why) == time[i].rc && (time[i].rc || ns == time[i].v), "time \"%s\"", time[i].text);
	CHECK(num_u64("4", 5, 9, &u, &why) == -1 && strcmp(why, "too small") == 0, "below the range");
	CHECK(num_size("1k", 0, 1023, &u, &why) == -1 && strcmp(why, "too large") == 0, "above the range");
	CHECK(num_duration("1ms", CLOCK_S, 0, &ns, &why) == -1 && strcmp(why, "too small") == 0, "time below the range");
}

static void dates(void)
{
	static const struct { const char *text; int rc; int64_t seconds, ns; } d[] = {
		{"1970-01-01T00:00:00Z", 0, 0, 0}, {"2026-11-20T10:00:00.123Z", 0, 1795168800, 123000000},
		{"2026-11-20t11:30:00.5+01:30", 0, 1795168800, 500000000}, {"2026-11-20T09:00:00-01:00", 0, 1795168800, 0},
		{"2000-02-29T23:59:59z", 0, 951868799, 0}, {"1900-02-29T00:00:00Z", -1, 0, 0}, {"2024-02-30T00:00:00Z", -1, 0, 0},
		{"2016-12-31T23:59:60Z", 0, 1483228800, 0}, {"2016-12-31T23:59:61Z", -1, 0, 0}, {"2016-12-31T24:00:00Z", -1, 0, 0},
		{"1969-12-31T23:59:59.999999999Z", 0, -1, 999999999}, {"2026-11-20T10:00:00", -1, 0, 0}, {"2026-11-20 10:00:00Z", -1, 0, 0},
		{"2026-11-20T10:00:00.Z", -1, 0, 0}, {"2026-11-20T10:00:00Zx", -1, 0, 0}, {"2026-13-20T10:00:00Z", -1, 0, 0},
		{"2026-11-20T10:00:00+24:00", -1, 0, 0}, {"", -1, 0, 0}, {"2026-11-20T10:00:00.1234567899Z", 0, 1795168800, 123456789},
	};
	char text[CLOCK_RFC3339_MAX];
	int64_t ns, back;

	for (size_t i = 0; i < sizeof(d) / sizeof(*d); i++)
		CHECK(clock_parse(d[i].text, strlen(d[i].text), &ns) == d[i].rc &&
		      (d[i].rc || ns == d[i].seconds * CLOCK_S + d[i].ns), "date \"%s\"", d[i].text);
	CHECK(clock_parse("9999-12-31T23:59:59Z", 20, &ns) == 0 && ns == INT64_MAX, "a date beyond 64 bits is the last instant");
	CHECK(clock_parse("0000-01-01T00:00:00Z", 20, &ns) == 0 && ns == INT64_MIN, "a date before 64 bits is the first instant");
	CHECK(clock_rfc3339(text, 1795168800 * CLOCK_S + 123456789) == 24 && strcmp(text, "2026-11-20T10:00:00.123Z") == 0, "date to text");
	CHECK(clock_rfc3339(text, -1) == 24 && strcmp(text, "1969-12-31T23:59:59.999Z") == 0, "a date before 1970 to text");
	/* Every 10 days and 11 hours over 500 years: what was written reads back. */
	back = 0;
	for (int64_t t = -8000000000; t < 8000000000 && back == 0; t += 903607) {
		size_t n = clock_rfc3339(text, t * CLOCK_S);

		if (clock_parse(text, n, &ns) || ns != t * CLOCK_S)
			back = t;
	}
	CHECK(back == 0, "dates read back");
}

static void hashes(void)
{
	static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
	unsigned char zero[32] = {0}, ones[32], up[32], big[5000];
	struct hash128 whole, parts;
	struct sip s;
	int same = 1;

	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < sizeof(up); i++)
		up[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (unsigned char)(i * 131 >> 3);
	/* RFC 3720, appendix B.4 */
	CHECK(hash_crc32c(0, "123456789", 9) == 0xe3069283, "CRC-32C of the digits");
	CHECK(hash_crc32c(0, zero, 32) == 0x8a9136aa && hash_crc32c(0, ones, 32) == 0x62a8ab43 && hash_crc32c(0, up, 32) == 0x46dd794e,
	      "CRC-32C of RFC 3720");
	for (size_t cut = 0; cut <= 40; cut++)
		same &= hash_crc32c(hash_crc32c(0, big, cut), big + cut, sizeof(big) - cut) == hash_crc32c_portable(0, big, sizeof(big)) &&
			hash_crc32c_portable(hash_crc32c_portable(0, big, cut), big + cut, 100) == hash_crc32c(0, big, cut + 100);
	CHECK(same, "CRC-32C continued, and without the CPU's help, is the same");
	/* Published test vectors of SipHash-2-4-128: empty input, and bytes 00 01 ... of length 15. */
	sip_init(&s, key);
	whole = sip_end(&s);
	CHECK(whole.a == 0xe6a825ba047f81a3u && whole.b == 0x930255c71472f66du, "SipHash-128 of nothing");
	sip_init(&s, key);
	sip_add(&s, up, 15);
	whole = sip_end(&s);
	CHECK(whole.a == 0x11a8b03399e99354u && whole.b == 0xd9c3cf970fec087eu, "SipHash-128 of 15 bytes");
	same = 1;
	for (size_t a = 0; a <= 20; a++) {
		for (size_t b = a; b <= 32; b++) {
			sip_init(&s, key);
			sip_add(&s, up, 32);
			whole = sip_end(&s);
			sip_init(&s, key);
			sip_add(&s, up, a);
			sip_add(&s, up + a, b - a);
			sip_add(&s, up + b, 32 - b);
			parts = sip_end(&s);
			same &= whole.a == parts.a && whole.b == parts.b;
		}
	}
	CHECK(same, "SipHash in pieces is the same");
	same = 1;
	for (size_t n = 0; n <= 64; n++) {
		sip_init(&s, key);
		sip_add(&s, big, n);
		whole = sip_end(&s);
		parts = sip_hash(key, big, n);
		same &= whole.a == parts.a && whole.b == parts.b;
	}
	CHECK(same, "SipHash at once is the same");
	CHECK(hash_random() != hash_random(), "random words differ");
}

int main(void)
{
	buffers();
	numbers();
	dates();
	hashes();
	return check_done();
}
