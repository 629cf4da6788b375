/*
 * Where libzstd was there to build with (HAVE_ZSTD). Discord's window is not documented: 8 MiB are taken, which RFC 8878 (3.1.1.1.2) asks of
 * every decoder; that is also what a connection may cost of memory, as soon as it is used.
 */
#include "gatewayd/platform/discord_stream.h"

#ifdef HAVE_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG 23

static void *open_(void)
{
	ZSTD_DStream *z = ZSTD_createDStream();

	if (z && ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		ZSTD_freeDStream(z);
		return NULL;
	}
	return z;
}

static void close_(void *s)
{
	ZSTD_freeDStream(s);
}

/* The frame stays open from payload to payload. One that ends all the same does no harm: the next bytes begin another. */
static const char *step(void *s, struct stream_io *io)
{
	ZSTD_inBuffer in = {io->in, io->nin, 0};
	ZSTD_outBuffer out = {io->out, io->nout, 0};
	size_t rc = ZSTD_decompressStream(s, &out, &in);

	io->in += in.pos;
	io->nin -= in.pos;
	io->out += out.pos;
	io->nout -= out.pos;
	if (!ZSTD_isError(rc))
		return NULL;
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation:
		return "no memory";
	case ZSTD_error_frameParameter_windowTooLarge:
		return "the compressed stream wants a window of more than 8 MiB";
	default:
		return "the compressed stream is damaged";
	}
}

const struct stream_kind stream_zstd = {.open = open_, .close = close_, .step = step};

#else

const struct stream_kind stream_zstd = {.open = NULL};

#endif
