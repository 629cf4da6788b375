/* wsio: the handshake of RFC 6455's own example, frames cut at every byte, what a server may not do. */
#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "gatewayd/wire/wsio.h"

/* RFC 6455, 1.3: the key is the Base64 of "the sample nonce". */
#define HELLO "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

static char seen[1u << 16];

static bool open_(void *arg)
{
	(void)arg;
	strcat(seen, "open;");
	return false;
}

static bool message(void *arg, const char *p, size_t n, bool binary)
{
	(void)arg;
	if (n > 200)
		sprintf(seen + strlen(seen), "%s:%zu;", binary ? "binary" : "text", n);
	else
		sprintf(seen + strlen(seen), "%s:%.*s;", binary ? "binary" : "text", (int)n, p);
	return false;
}

static bool ping(void *arg, const char *p, size_t n)
{
	(void)arg;
	sprintf(seen + strlen(seen), "ping:%.*s;", (int)n, p);
	return false;
}

static bool pong(void *arg)
{
	(void)arg;
	strcat(seen, "pong;");
	return false;
}

static bool closed(void *arg, unsigned code, const char *reason)
{
	(void)arg;
	sprintf(seen + strlen(seen), "closed:%u %s;", code, reason);
	return false;
}

static const struct wsio_handler handler = {open_, message, ping, pong, closed};

/* Feeds all of it in pieces of `step` bytes: wsio_feed's last answer. */
static int feed(const char *head, const char *p, size_t n, size_t step, struct wsio *w)
{
	static char all[1u << 17];
	size_t total = strlen(head) + n;
	struct buf out;
	int rc = 0;

	buf_init(&out, 4096);
	if (wsio_init(w, 70000, "server.example.com", "/chat", (const unsigned char *)"the sample nonce", &out))
		exit(1);
	buf_release(&out);
	seen[0] = '\0';
	memcpy(all, head, strlen(head));
	memcpy(all + strlen(head), p, n);
	for (size_t i = 0; i < total && rc == 0; i += step)
		rc = wsio_feed(w, all + i, step < total - i ? step : total - i, &handler, NULL);
	wsio_release(w);
	return rc;
}

static void tell_hello(void)
{
	struct wsio w;
	struct buf out;
	static const struct { const char *head, *what; } bad[] = {
		{"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\r\n", "handshake: the server answered 429 Too Many Requests"},
		{"HTTP/1.1 200 OK\r\n\r\n", "handshake: the server answered 200 OK"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "handshake: the answer is no HTTP"},
		{"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "handshake: the answer is not to our key"},
		{"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
			"handshake: the answer is not to our key"},
		{"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
			"handshake: the answer does not upgrade to websocket"},
		{"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
			"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
			"handshake: the server chose an extension or a protocol that was not offered"},
	};

	buf_init(&out, 4096);
	CHECK(wsio_init(&w, 1000, "server.example.com", "/chat", (const unsigned char *)"the sample nonce", &out) == 0 && buf_cstr(&out) &&
		strstr(out.p, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") && strncmp(out.p, "GET /chat HTTP/1.1\r\nHost: server", 32) == 0 &&
		strcmp(w.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0, "the request, and what it is to be answered with");
	wsio_release(&w);
	buf_release(&out);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(feed(bad[i].head, "", 0, 7, &w) == -1 && w.code == 0 && strcmp(w.why, bad[i].what) == 0, "refused: %s", w.why);
	static char longer[20000];
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "HTTP/1.1 101 x\r\n", 16);
	CHECK(feed(longer, "", 0, 1000, &w) == -1, "a head without end: %s", w.why);
}

static void tell_frames(void)
{
	static const char frames[] = "\x81\x05hello" "\x01\x03" "one" "\x89\x02hi" "\x00\x03" "two" "\x80\x05three" "\x8a\x00" "\x82\x02\xff\x00"
		"\x81\x00" "\x88\x06\x0f\xa1" "bye!" "\x81\x01x";
	static const char want[] = "open;text:hello;ping:hi;text:onetwothree;pong;binary:\xff;text:;closed:4001 bye!;";
	static char big[70200];
	struct wsio w;
	bool all = true;

	for (size_t step = 1; step < 40; step++)
		all &= feed(HELLO, frames, sizeof(frames) - 1, step, &w) == 0 && strcmp(seen, want) == 0;
	CHECK(all, "frames cut anywhere are the same frames: %s", seen);
	memcpy(big, "\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70", 10);	/* 70000 */
	CHECK(feed(HELLO, big, 70010, 4096, &w) == 0 && strcmp(seen, "open;binary:70000;") == 0, "a message of the greatest length");
	big[9] = 0x71;
	CHECK(feed(HELLO, big, 70011, 4096, &w) == -1 && w.code == 1009, "one byte more: %s", w.why);
}

static void tell_bad(void)
{
	static const struct { const char *p; size_t n; unsigned code; } bad[] = {
#define BAD(text, code) {text, sizeof(text) - 1, code}
		BAD("\xc1\x01x", 1002), BAD("\x81\x81\0\0\0\0x", 1002), BAD("\x83\x00", 1002), BAD("\x8b\x00", 1002), BAD("\x09\x00", 1002),
		BAD("\x89\x7e\x00\x7e", 1002), BAD("\x80\x00", 1002), BAD("\x01\x01x\x81\x01y", 1002), BAD("\x88\x01x", 1002),
		BAD("\x88\x02\x03\xed", 1002), BAD("\x88\x02\x00\x00", 1002), BAD("\x88\x04\x03\xe8\xff\xfe", 1007), BAD("\x81\x02\xc3\x28", 1007),
		BAD("\x01\x01\xc3\x80\x01x", 1007), BAD("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009), BAD("\x82\x7f\x80\0\0\0\0\0\0\0", 1009),
	};
	struct wsio w;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		for (size_t step = 1; step < 4; step += 2)
			CHECK(feed(HELLO, bad[i].p, bad[i].n, step, &w) == -1 && w.code == bad[i].code, "fault %zu: %u %s", i, w.code, w.why);
	CHECK(feed(HELLO, "\x88\x00", 2, 1, &w) == 0 && strcmp(seen, "open;closed:1005 ;") == 0, "a close frame without a code");
}

static void tell_sending(void)
{
	struct buf out;
	char text[WSIO_SMALL];
	bool same = true;

	buf_init(&out, 1u << 17);
	for (size_t n = 0; n < 70000; n = n * 5 + 13) {
		size_t head = n < 126 ? 2 : n < 65536 ? 4 : 10;
		char *data = calloc(n + 1, 1);

		buf_clear(&out);
		memset(data, 'z', n);
		same &= wsio_frame(&out, WSIO_TEXT, data, n, 0x11223344) == 0 && out.len == head + 4 + n && (unsigned char)out.p[0] == 0x81;
		for (size_t i = 0; i < n; i++)
			same &= (out.p[head + 4 + i] ^ out.p[head + (i & 3)]) == 'z';
		free(data);
	}
	CHECK(same, "frames of every form of length, masked");
	CHECK(wsio_close_text(text, 4000, "bye") == 5 && memcmp(text, "\x0f\xa0" "bye", 5) == 0, "a close frame's payload");
	CHECK(wsio_close_text(text, 1000, "a reason of far more than a hundred and twenty-three bytes, which is what a control frame has left "
		"for it behind the code of two bytes") == WSIO_SMALL, "a long reason is cut");
	buf_release(&out);
}

int main(void)
{
	tell_hello();
	tell_frames();
	tell_bad();
	tell_sending();
	return check_done();
}
