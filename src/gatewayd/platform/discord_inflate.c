#include "gatewayd/platform/discord_inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gatewayd/platform/discord_stream.h"

#define STEP 65536u		/* output room added at a time */

static const struct stream_kind *const kinds[INFLATE_KINDS] = {[INFLATE_ZLIB] = &stream_zlib, [INFLATE_ZSTD] = &stream_zstd};

struct inflate {
	const struct stream_kind *kind;
	void *stream;
	struct buf part;	/* compressed bytes of a payload that is not whole yet */
};

bool inflate_has(enum inflate_kind kind)
{
	return kind == INFLATE_NONE || kinds[kind]->open;
}

struct inflate *inflate_new(enum inflate_kind kind)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->kind = kinds[kind];
	z->stream = z->kind->open();
	if (!z->stream) {
		free(z);
		return NULL;
	}
	return z;
}

void inflate_free(struct inflate *z)
{
	if (!z)
		return;
	z->kind->close(z->stream);
	buf_release(&z->part);
	free(z);
}

static enum inflate_result bad(const char **why, const char *text)
{
	*why = text;
	return INFLATE_BAD;
}

/* Decompresses the rest of a payload into nothing: what follows in the stream refers to it. */
static enum inflate_result skip(struct inflate *z, struct stream_io *io, size_t max, struct buf *out, const char **why)
{
	char sink[4096];
	size_t more = 0;

	out->len = out->len < INFLATE_HEAD ? out->len : INFLATE_HEAD;
	do {
		const char *trouble;

		io->out = sink;
		io->nout = sizeof(sink);
		trouble = z->kind->step(z->stream, io);
		if (trouble)
			return bad(why, trouble);
		more += sizeof(sink) - io->nout;
		if (more / 3 > max)
			return bad(why, "a payload is far longer than large-payload");
	} while (io->nin || io->nout == 0);
	return INFLATE_LONG;
}

static enum inflate_result whole(struct inflate *z, const char *p, size_t n, size_t max, struct buf *out, const char **why)
{
	struct stream_io io = {.in = p, .nin = n};

	do {
		const char *trouble;
		size_t room;

		if (out->len >= max)
			return skip(z, &io, max, out, why);
		room = out->cap - out->len;
		if (room < 1024 && buf_reserve(out, max - out->len < STEP ? max - out->len : STEP))
			return bad(why, "no memory");
		room = out->cap - out->len;
		room = room < max - out->len ? room : max - out->len;
		io.out = out->p + out->len;
		io.nout = room;
		trouble = z->kind->step(z->stream, &io);
		out->len += room - io.nout;
		if (trouble)
			return bad(why, trouble);
	} while (io.nin || io.nout == 0);
	return INFLATE_WHOLE;
}

enum inflate_result inflate_message(struct inflate *z, const char *p, size_t n, size_t max, struct buf *out, const char **why)
{
	static const char suffix[4] = {'\0', '\0', '\xff', '\xff'};
	enum inflate_result got;

	buf_clear(out);
	if (n > UINT32_MAX / 2)
		return bad(why, "a message is far too long");
	if (z->kind->suffixed && (z->part.len || n < 4 || memcmp(p + n - 4, suffix, 4) != 0)) {
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
