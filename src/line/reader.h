/*
 * reader: bytes in, whole lines out. Cap first, grow second. Pure: the caller reads the descriptor.
 *
 *   while ((p = reader_space(&r, &n)) && (got = read(fd, p, n)) > 0) {
 *       reader_filled(&r, got);
 *       while ((what = reader_next(&r, &line, &err)) != READER_MORE) ...
 *   }
 *   what = reader_end(&r, &line, &err);
 *
 * A line (without its LF; a CR before it is kept, the scanner refuses or accepts it as white space) is borrowed
 * until the next reader_space. A line over the cap is reported once, with its number and offset and its first bytes, when the
 * cap is passed, and skipped to its LF. Half a line at the end of input is READER_BAD "no line feed at the end", with the
 * bytes in line, so that a caller may still show them. Empty lines are passed on (n = 0).
 */
#ifndef LINE_READER_H
#define LINE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/line.h"

struct reader {
	struct buf buf;
	size_t max;		/* cap of one line */
	size_t start;		/* first byte not yet given out */
	size_t seen;		/* bytes from start already searched for LF */
	bool skipping;		/* inside a line over the cap */
	uint64_t number;	/* of the line last given out or refused, from 1 */
	uint64_t offset;	/* in the stream, of that line's first byte */
	uint64_t consumed;	/* private: stream offset of buf.p[start] */
};

enum reader_result { READER_MORE, READER_LINE, READER_BAD };

void reader_init(struct reader *r, size_t max);
void reader_release(struct reader *r);
char *reader_space(struct reader *r, size_t *n);	/* NULL: no memory, or lines were not taken out */
void reader_filled(struct reader *r, size_t n);
enum reader_result reader_next(struct reader *r, struct span *line, struct line_err *err);
enum reader_result reader_end(struct reader *r, struct span *line, struct line_err *err);	/* MORE = nothing was left */

#endif
