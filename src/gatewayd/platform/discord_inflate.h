/*
 * discord_inflate: Discord's transport compression. One stream for the life of a connection, also when it is resumed on a new one.
 *
 *   zlib-stream   a payload is whole when a WebSocket message ends in 00 00 ff ff (the suffix of a sync flush), else it goes on in the next one
 *   zstd-stream   each message is a payload; the frame stays open. Only where libzstd was there to build with
 *
 * Never gives out more than `max` bytes of a payload: what is longer is decompressed to its end (the stream goes on behind it) and
 * dropped but for its beginning, up to 4 times max; beyond that the stream is given up. Pure.
 */
#ifndef GATEWAYD_PLATFORM_DISCORD_INFLATE_H
#define GATEWAYD_PLATFORM_DISCORD_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct inflate;

enum inflate_kind { INFLATE_NONE, INFLATE_ZLIB, INFLATE_ZSTD, INFLATE_KINDS };

enum inflate_result {
	INFLATE_BAD = -1,	/* no such stream, its end, or far too long: the connection cannot go on */
	INFLATE_MORE,		/* the payload goes on in the next message */
	INFLATE_WHOLE,		/* one payload is in out */
	INFLATE_LONG,		/* it was longer than max: out holds its first bytes (up to INFLATE_HEAD) */
};
#define INFLATE_HEAD 256

bool inflate_has(enum inflate_kind kind);		/* was it built in? */
struct inflate *inflate_new(enum inflate_kind kind);	/* one that was built in, not NONE. NULL: no memory */
void inflate_free(struct inflate *z);
/* out is emptied first and belongs to the caller; it may be shared by many streams. why: static text, set for INFLATE_BAD. */
enum inflate_result inflate_message(struct inflate *z, const char *p, size_t n, size_t max, struct buf *out, const char **why);

#endif
