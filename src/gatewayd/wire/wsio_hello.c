#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "gatewayd/wire/wsio_impl.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"	/* RFC 6455, 1.3 */

/* ---- SHA-1 (RFC 3174) of a short text: the handshake's, where nothing depends on its strength ---- */

static uint32_t roll(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[5], const unsigned char *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (unsigned i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (unsigned i = 16; i < 80; i++)
		w[i] = roll(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
		uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
		uint32_t t = roll(a, 5) + f + e + k + w[i];

		e = d, d = c, c = roll(b, 30), b = a, a = t;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* n below 120: two blocks at most. */
static void sha1(const char *p, size_t n, unsigned char out[20])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	unsigned char block[128] = {0};
	size_t size = n < 56 ? 64 : 128;

	memcpy(block, p, n);
	block[n] = 0x80;
	block[size - 1] = (unsigned char)(n * 8);
	block[size - 2] = (unsigned char)(n * 8 >> 8);
	for (size_t i = 0; i < size; i += 64)
		sha1_block(h, block + i);
	for (unsigned i = 0; i < 20; i++)
		out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

int wsio_init(struct wsio *w, size_t max, const char *host, const char *target, const unsigned char random[16], struct buf *out)
{
	char key[25], text[24 + sizeof(GUID)];
	unsigned char digest[20];

	*w = (struct wsio){.max = max};
	buf_init(&w->part, WSIO_HEAD_MAX);
	buf_init(&w->msg, max);
	key[base64(random, 16, key)] = '\0';
	snprintf(text, sizeof(text), "%s%s", key, GUID);
	sha1(text, strlen(text), digest);
	w->accept[base64(digest, 20, w->accept)] = '\0';
	return buf_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: %s\r\nUser-Agent: penstock/%s\r\n\r\n", target, host, key, VERSION);
}

/* ---- the answer ---- */

/* Is name the field's, and what is its value, without blanks at its ends? */
static bool field(const char *line, size_t n, const char *name, const char **value, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0)
		return false;
	for (line += k + 1, n -= k + 1; n && (*line == ' ' || *line == '\t'); line++, n--)
		;
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	*value = line;
	*len = n;
	return true;
}

static bool has_token(const char *v, size_t n, const char *token)
{
	size_t k = strlen(token);

	for (size_t i = 0; i + k <= n; i++)
		if (strncasecmp(v + i, token, k) == 0 && (i == 0 || strchr(", \t", v[i - 1])) &&
		    (i + k == n || strchr(", \t", v[i + k])))
			return true;
	return false;
}

static int refuse(struct wsio *w, const char *why)
{
	snprintf(w->why, sizeof(w->why), "handshake: %s", why);
	return -1;
}

/* "HTTP/1.1 429 Too Many Requests": what of it is fit for a log. */
static int status_line(struct wsio *w, const char *p, size_t n)
{
	if (n < 12 || memcmp(p, "HTTP/1.", 7) != 0)
		return refuse(w, "the answer is no HTTP");
	if (memcmp(p + 8, " 101", 4) == 0 && (n == 12 || p[12] == ' '))
		return 0;
	n = n < 80 ? n : 80;
	snprintf(w->why, sizeof(w->why), "handshake: the server answered %.*s", (int)(n - 9), p + 9);
	for (char *c = w->why; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return -1;
}

int wsio_hello(struct wsio *w, const char *p, size_t n)
{
	bool upgrade = false, connection = false, first = true;
	unsigned accepts = 0;
	const char *end = p + n, *v;
	size_t len;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t line = (size_t)(lf - p);

		if (line && p[line - 1] == '\r')
			line--;
		if (first && status_line(w, p, line))
			return -1;
		if (field(p, line, "upgrade", &v, &len))
			upgrade |= has_token(v, len, "websocket");
		else if (field(p, line, "connection", &v, &len))
			connection |= has_token(v, len, "upgrade");
		else if (field(p, line, "sec-websocket-accept", &v, &len))
			accepts += len == 28 && memcmp(v, w->accept, 28) == 0 ? 1 : 2;
		else if (field(p, line, "sec-websocket-extensions", &v, &len) || field(p, line, "sec-websocket-protocol", &v, &len))
			return refuse(w, "the server chose an extension or a protocol that was not offered");
		first = false;
		p = lf + 1;
	}
	if (!upgrade || !connection)
		return refuse(w, "the answer does not upgrade to websocket");
	return accepts == 1 ? 0 : refuse(w, "the answer is not to our key");
}
