/*
 * discord_stream: what discord_inflate.c decompresses with: one library each, private to it. A stream lives as long as its connection.
 */
#ifndef GATEWAYD_PLATFORM_DISCORD_STREAM_H
#define GATEWAYD_PLATFORM_DISCORD_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/* What is left of the input, and of the room for output; a step moves both on. */
struct stream_io { const char *in; size_t nin; char *out; size_t nout; };

struct stream_kind {
	bool suffixed;			/* a payload ends where a message ends in 00 00 ff ff; else each message is one */
	void *(*open)(void);		/* NULL: no memory. The member is NULL where the library was not there to build with */
	void (*close)(void *s);
	/* Goes on until the input is used up or the room is; room that is left means that all output is there. NULL, or why not (static text). */
	const char *(*step)(void *s, struct stream_io *io);
};

extern const struct stream_kind stream_zlib;	/* discord_zlib.c */
extern const struct stream_kind stream_zstd;	/* discord_zstd.c */

#endif
