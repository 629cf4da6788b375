#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "gatewayd/platform/discord_stream.h"

static void *open_(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || inflateInit(z) != Z_OK) {
		free(z);
		return NULL;
	}
	/* The check value stands at the end of a stream, which never comes: nothing is added up for it. */
	inflateValidate(z, 0);
	return z;
}

static void close_(void *s)
{
	inflateEnd(s);
	free(s);
}

static const char *step(void *s, struct stream_io *io)
{
	z_stream *z = s;
	uInt nin = io->nin < UINT32_MAX ? (uInt)io->nin : UINT32_MAX, nout = io->nout < UINT32_MAX ? (uInt)io->nout : UINT32_MAX;
	int rc;

	z->next_in = (z_const Bytef *)(uintptr_t)io->in;
	z->avail_in = nin;
	z->next_out = (Bytef *)io->out;
	z->avail_out = nout;
	rc = inflate(z, Z_SYNC_FLUSH);
	io->in += nin - z->avail_in;
	io->nin -= nin - z->avail_in;
	io->out += nout - z->avail_out;
	io->nout -= nout - z->avail_out;
	switch (rc) {
	case Z_OK:
	case Z_BUF_ERROR:	/* no input is left, or no room */
		return NULL;
	case Z_STREAM_END:	/* the server has ended the stream: nothing could follow */
		return "the compressed stream has ended";
	case Z_MEM_ERROR:
		return "no memory";
	default:
		return "the compressed stream is damaged";
	}
}

const struct stream_kind stream_zlib = {.suffixed = true, .open = open_, .close = close_, .step = step};
