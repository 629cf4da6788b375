/* wsio: any bytes of a server, cut into pieces of a length that the first byte says; whole or cut, they mean the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "gatewayd/wire/wsio.h"

struct told { struct sip s; bool stop; };

static bool open_(void *arg)
{
	struct told *t = arg;

	sip_add(&t->s, "o", 1);
	return false;
}

static bool message(void *arg, const char *p, size_t n, bool binary)
{
	struct told *t = arg;

	sip_add(&t->s, binary ? "b" : "t", 1);
	sip_add(&t->s, p, n);
	return false;
}

static bool ping(void *arg, const char *p, size_t n)
{
	struct told *t = arg;

	sip_add(&t->s, "p", 1);
	sip_add(&t->s, p, n);
	return false;
}

static bool pong(void *arg)
{
	struct told *t = arg;

	sip_add(&t->s, "P", 1);
	return false;
}

static bool closed(void *arg, unsigned code, const char *reason)
{
	struct told *t = arg;

	sip_add(&t->s, &code, sizeof(code));
	sip_add(&t->s, reason, strlen(reason));
	return false;
}

static const struct wsio_handler handler = {open_, message, ping, pong, closed};
static const char hello[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static struct hash128 run(const char *p, size_t n, size_t step, bool greet)
{
	static const uint64_t key[2] = {1, 2};
	struct told t = {.stop = false};
	struct wsio w;
	struct buf out;
	int rc = 0;

	buf_init(&out, 4096);
	sip_init(&t.s, key);
	if (wsio_init(&w, 4096, "h", "/", (const unsigned char *)"the sample nonce", &out))
		abort();
	if (greet && wsio_feed(&w, hello, sizeof(hello) - 1, &handler, &t))
		abort();
	for (size_t i = 0; i < n && !rc; i += step)
		rc = wsio_feed(&w, p + i, step < n - i ? step : n - i, &handler, &t);
	sip_add(&t.s, &rc, sizeof(rc));
	sip_add(&t.s, &w.code, sizeof(w.code));
	wsio_release(&w);
	buf_release(&out);
	return sip_end(&t.s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct hash128 a, b;
	bool greet;

	if (n < 2)
		return 0;
	greet = data[0] & 1;
	a = run((const char *)data + 1, n - 1, n, greet);
	b = run((const char *)data + 1, n - 1, (data[0] >> 1) % 31 + 1u, greet);
	if (a.a != b.a || a.b != b.b)
		abort();
	return 0;
}
