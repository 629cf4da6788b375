#include "gatewayd/platform/discord_inflate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"

#define STEP 65536u		/* output room added at a time */

struct inflate {
	z_stream z;
	struct buf part;	/* compressed bytes of a payload that is not whole yet */
};

struct inflate *inflate_new(void)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (!z || inflateInit(&z->z) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

void inflate_free(struct inflate *z)
{
	if (!z)
		return;
	inflateEnd(&z->z);
	buf_release(&z->part);
	free(z);
}

static enum inflate_result bad(const char **why, const char *text)
{
	*why = text;
	return INFLATE_BAD;
}

/* Decompresses the rest of a payload into nothing: what follows in the stream refers to it. */
static enum inflate_result skip(struct inflate *z, size_t max, struct buf *out, const char **why)
{
	unsigned char sink[4096];
	size_t more = 0;

	out->len = out->len < INFLATE_HEAD ? out->len : INFLATE_HEAD;
	do {
		int rc;

		z->z.next_out = sink;
		z->z.avail_out = sizeof(sink);
		rc = inflate(&z->z, Z_SYNC_FLUSH);
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return bad(why, "the compressed stream is damaged");
		more += sizeof(sink) - z->z.avail_out;
		if (more / 3 > max)
			return bad(why, "a payload is far longer than large-payload");
	} while (z->z.avail_in || z->z.avail_out == 0);
	return INFLATE_LONG;
}

static enum inflate_result whole(struct inflate *z, const char *p, size_t n, size_t max, struct buf *out, const char **why)
{
	z->z.next_in = (z_const Bytef *)(uintptr_t)p;
	z->z.avail_in = (uInt)n;
	do {
		size_t room;
		int rc;

		if (out->len >= max)
			return skip(z, max, out, why);
		room = out->cap - out->len;
		if (room < 1024 && buf_reserve(out, max - out->len < STEP ? max - out->len : STEP))
			return bad(why, "no memory");
		room = out->cap - out->len;
		room = room < max - out->len ? room : max - out->len;
		z->z.next_out = (Bytef *)out->p + out->len;
		z->z.avail_out = (uInt)room;
		rc = inflate(&z->z, Z_SYNC_FLUSH);
		out->len += room - z->z.avail_out;
		/* Z_STREAM_END: the server has ended the stream, and nothing could follow. */
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return bad(why, rc == Z_STREAM_END ? "the compressed stream has ended" : "the compressed stream is damaged");
	} while (z->z.avail_in || z->z.avail_out == 0);
	return INFLATE_WHOLE;
}

enum inflate_result inflate_message(struct inflate *z, const char *p, size_t n, size_t max, struct buf *out, const char **why)
{
	static const char suffix[4] = {'\0', '\0', '\xff', '\xff'};
	bool joined = z->part.len > 0;
	enum inflate_result got;

	buf_clear(out);
	if (n > UINT32_MAX / 2)
		return bad(why, "a message is far too long");
	if (joined || n < 4 || memcmp(p + n - 4, suffix, 4) != 0) {
		if (!z->part.max)
			buf_init(&z->part, max);	/* compressed is not longer than what comes of it, but for a few bytes */
		if (buf_add(&z->part, p, n))
			return bad(why, "a payload is longer than large-payload, or no memory");
		p = z->part.p;
		n = z->part.len;
		/* The suffix itself may be cut by the end of a message. */
		if (n < 4 || memcmp(p + n - 4, suffix, 4) != 0)
			return INFLATE_MORE;
	}
	got = whole(z, p, n, max, out, why);
	buf_release(&z->part);
	return got;
}
