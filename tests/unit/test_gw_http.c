/* http: heads and chunked bodies, whole and byte by byte. */
#include "check.h"

#include <string.h>

#include "base/buf.h"
#include "gatewayd/http/http.h"

#define H "Host: x\r\n"

struct bad { const char *name, *text; int status; };

static const struct bad bad[] = {
	{"no method", " / HTTP/1.1\r\n" H "\r\n", 400},
	{"no version", "GET /\r\n" H "\r\n", 400},
	{"version 2", "GET / HTTP/2.0\r\n" H "\r\n", 505},
	{"other protocol", "GET / FTP/1.10\r\n" H "\r\n", 400},
	{"target without slash", "GET x HTTP/1.1\r\n" H "\r\n", 400},
	{"star with GET", "GET * HTTP/1.1\r\n" H "\r\n", 400},
	{"blank in target", "GET /a b HTTP/1.1\r\n" H "\r\n", 400},
	{"raw UTF-8 in target", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400},
	{"absolute without path", "GET http://x HTTP/1.1\r\n" H "\r\n", 400},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400},
	{"blank before colon", "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400},
	{"folded", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400},
	{"no colon", "GET / HTTP/1.1\r\n" H "Ab\r\n\r\n", 400},
	{"control in value", "GET / HTTP/1.1\r\n" H "A: b\001c\r\n\r\n", 400},
	{"bare LF", "GET / HTTP/1.1\r\n" H "A: b\nC: d\r\n\r\n", 400},
	{"bare CR", "GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n", 400},
	{"two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
	{"length list", "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400},
	{"length +1", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400},
	{"length -1", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400},
	{"length empty", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
	{"length huge", "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 413},
	{"length and chunked", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"chunked twice", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
	{"gzip coding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
	{"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
	{"expectation", "POST / HTTP/1.1\r\n" H "Expect: miracles\r\n\r\n", 417},
};

static int parse(const char *text, size_t n, struct http_head *h, struct http_fault *f, char *copy)
{
	memcpy(copy, text, n);
	return http_head_parse(copy, n, h, f);
}

static void faults(void)
{
	static char copy[HTTP_HEAD_MAX * 2];
	struct http_head h;
	struct http_fault f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int rc = parse(bad[i].text, strlen(bad[i].text), &h, &f, copy);

		CHECK(rc == -1 && f.why && f.status == bad[i].status, "%s", bad[i].name);
	}
	memset(copy, 'a', sizeof(copy));
	memcpy(copy, "GET / HTTP/1.1\r\n", 16);
	CHECK(http_head_parse(copy, HTTP_HEAD_MAX - 1, &h, &f) == 0, "a head may still end");
	CHECK(http_head_parse(copy, HTTP_HEAD_MAX, &h, &f) == -1 && f.status == 431, "a head too long");
	strcpy(copy, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (unsigned i = 0; i < HTTP_FIELDS_MAX; i++)
		strcat(copy, "a: b\r\n");
	strcat(copy, "\r\n");
	CHECK(http_head_parse(copy, strlen(copy), &h, &f) == -1 && f.status == 431, "too many fields");
}

static void good(void)
{
	static const char text[] = "\r\nPOST http://h:1/ev%20x?a=b&c HTTP/1.1\r\nHost: h\r\nX-Thing: \t a b \t\r\nCE-Id:7\r\n"
		"Connection: foo, Upgrade\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\nrest";
	char copy[512];
	struct http_head h;
	struct http_fault f;
	size_t whole = sizeof(text) - 1 - 4;
	int rc;

	bool more = true;

	for (size_t n = 0; n < whole; n++)
		more = more && parse(text, n, &h, &f, copy) == 0;
	CHECK(more, "every beginning of a head wants more");
	rc = parse(text, sizeof(text) - 1, &h, &f, copy);
	CHECK(rc == (int)whole, "a whole head");
	CHECK(h.method == HTTP_POST && h.keep_alive && h.upgrade && h.expect_continue && h.has_length && h.length == 12,
		"what the fields mean");
	CHECK(http_span_is(h.path, "/ev%20x") && http_span_is(h.query, "a=b&c") && h.minor == 1, "absolute form");
	CHECK(http_span_is(http_field(&h, "x-thing"), "a b") && http_span_is(http_field(&h, "ce-id"), "7"), "fields");
	CHECK(!http_field(&h, "nothing").p, "no such field");
	CHECK(http_list_has(http_field(&h, "connection"), "upgrade") && !http_list_has(http_field(&h, "connection"), "up"), "lists");
	CHECK(parse("HEAD /x HTTP/1.0\r\n\r\n", 20, &h, &f, copy) == 20, "HTTP/1.0");
	CHECK(h.method == HTTP_HEAD && !h.keep_alive && !h.query.p && h.minor == 0, "which closes");
	CHECK(parse("OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 46, &h, &f, copy) == 46, "OPTIONS *");
	CHECK(h.method == HTTP_OPTIONS && h.keep_alive && http_span_is(h.path, "*"), "kept alive");
	CHECK(parse("BREW / HTTP/1.0\r\n\r\n", 19, &h, &f, copy) == 19 && h.method == HTTP_OTHER, "another method");
}

/* Feeds in pieces of `step` bytes: 0 and *status, or the length of the body. */
static int64_t chunks(const char *text, size_t step, size_t max, struct buf *out, int *status)
{
	struct http_chunks c = {0};
	struct http_fault f;
	size_t n = strlen(text), at = 0;
	bool done = false;

	buf_release(out);
	buf_init(out, max);
	while (at < n && !done) {
		size_t m = n - at < step ? n - at : step;
		int64_t used = http_chunks_feed(&c, text + at, m, out, &done, &f);

		if (used < 0) {
			*status = f.status;
			return -1;
		}
		if (!done && (size_t)used != m)
			return -3;
		at += (size_t)used;
	}
	*status = 0;
	return done ? (int64_t)at : -2;
}

static void chunked(void)
{
	static const struct { const char *text; int64_t used; const char *body; int status; } rows[] = {
		{"3\r\nabc\r\n0\r\n\r\nNEXT", 13, "abc", 0},
		{"A;x=\"y\"\r\n0123456789\r\n1 \r\n!\r\n0\r\nTrailer: t\r\nB: c\r\n\r\n", 51, "0123456789!", 0},
		{"0\r\n\r\n", 5, "", 0},
		{"3\r\nab", -2, "ab", 0},
		{"x\r\n", -1, "", 400}, {"\r\n", -1, "", 400}, {"-1\r\n", -1, "", 400}, {"3\nabc", -1, "", 400},
		{"3\r\nabcd\r\n", -1, "abc", 400}, {"fffffffff\r\n", -1, "", 413}, {"0\r\n\n", -1, "", 400},
		{"0\r\na\nb\r\n\r\n", -1, "", 400},
		{"11\r\n12345678901234567\r\n0\r\n\r\n", -1, "", 413},
	};
	struct buf out;
	int status = 0;

	buf_init(&out, 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool same = true;

		for (size_t step = 1; step < 60; step++) {
			int64_t used = chunks(rows[i].text, step, 16, &out, &status);

			same = same && used == rows[i].used && status == rows[i].status;
			if (used >= 0)
				same = same && out.len == strlen(rows[i].body) && (!out.len || memcmp(out.p, rows[i].body, out.len) == 0);
		}
		CHECK(same, "chunked body %zu, in pieces of every size", i);
	}
	buf_release(&out);
}

int main(void)
{
	faults();
	good();
	chunked();
	return check_done();
}
