/* test_link_frame: hello, frame head and trace of SP, byte by byte. */
#include <string.h>

#include "check.h"
#include "link/transport/frame.h"

#define MAX 1000u

static void heads(bool ipc)
{
	unsigned char p[SP_HEAD_MAX];
	size_t n = frame_head_write(p, ipc, 0x0102), head;
	uint64_t payload;

	CHECK(n == (ipc ? 9 : 8) && p[n - 1] == 2 && p[n - 2] == 1 && (!ipc || p[0] == 1), "a head, ipc %d", ipc);
	for (size_t i = 0; i < n; i++)
		CHECK(frame_head(p, i, ipc, MAX, &head, &payload) == 0, "%zu bytes are too few", i);
	CHECK(frame_head(p, n, ipc, MAX, &head, &payload) == 1 && head == n && payload == 0x0102, "%zu bytes are it", n);
	frame_head_write(p, ipc, MAX);
	CHECK(frame_head(p, n, ipc, MAX, &head, &payload) == 1, "the largest");
	frame_head_write(p, ipc, MAX + 1);
	CHECK(frame_head(p, n, ipc, MAX, &head, &payload) == -1 && payload == MAX + 1, "one byte more");
	frame_head_write(p, ipc, UINT64_MAX);
	CHECK(frame_head(p, n, ipc, MAX, &head, &payload) == -1 && payload == UINT64_MAX, "as much as can be said");
	frame_head_write(p, ipc, 0);
	CHECK(frame_head(p, n, ipc, MAX, &head, &payload) == 1 && payload == 0, "an empty payload");
	if (ipc) {
		p[0] = 2;
		CHECK(frame_head(p, 1, ipc, MAX, &head, &payload) == -1 && payload == 0, "another type than 1");
	}
}

int main(void)
{
	static const unsigned char req[SP_HELLO] = { 0, 'S', 'P', 0, 0, 0x30, 0, 0 };
	unsigned char p[SP_HELLO], words[80];
	unsigned got;

	frame_hello(p, SP_REQ);
	CHECK(!memcmp(p, req, SP_HELLO), "the hello of REQ");
	CHECK(frame_hello_check(req, SP_REQ, &got) == 0 && got == SP_REQ, "is taken");
	CHECK(frame_hello_check(req, SP_REP, &got) < 0 && got == SP_REQ, "where it is wanted");
	for (size_t i = 0; i < SP_HELLO; i++) {
		memcpy(p, req, SP_HELLO);
		p[i] ^= 0x10;
		CHECK(frame_hello_check(p, SP_REQ, &got) < 0, "byte %zu changed", i);
	}
	heads(true);
	heads(false);

	memset(words, 0, sizeof words);
	CHECK(frame_trace(words, 0) == 0 && frame_trace(words, 4) == 0, "no request id");
	frame_word_write(words, 0x81020304);
	CHECK(frame_word(words) == 0x81020304 && words[0] == 0x81 && words[3] == 4, "big-endian");
	CHECK(frame_trace(words, 3) == 0 && frame_trace(words, 4) == 4 && frame_trace(words, 80) == 4, "a request id");
	memset(words, 0, sizeof words);
	words[60] = 0x80;
	CHECK(frame_trace(words, 80) == 64 && frame_trace(words, 63) == 0, "behind fifteen devices");
	memset(words, 0, sizeof words);
	words[64] = 0x80;
	CHECK(frame_trace(words, 80) == 0, "behind sixteen");
	return check_done();
}
