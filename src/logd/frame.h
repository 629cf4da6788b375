/*
 * frame: bytes of a stream as lines with stamps. Pure.
 *
 * A record of supervise's in a stream begins with FRAME_MARK: the byte RS, as in RFC 7464. It stands for itself also where the line before it is not ended.
 */
#ifndef LOGD_FRAME_H
#define LOGD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MARK "\x1esupervise: "

enum stamp { STAMP_ISO, STAMP_TAI, STAMP_NONE };	/* "2026-11-20T08:43:02.590Z " "@40000000... " "" */

struct buf;

/* Appends the stamp to b (NULL: only counts); its length. */
size_t frame_stamp(struct buf *b, enum stamp kind, int64_t wall);

/* The length of the first line in p, with its line feed, or of what there is of it; up to a mark at most. n is not 0. */
size_t frame_piece(const char *p, size_t n);

bool frame_is_mark(const char *p, size_t n);

#endif
