/*
 * log_feed: the lines of one log directory (logd's or svlogd's), oldest first: @LABEL.s and .u in the order of their names, then current, also
 * while files are rotated under the reader.
 *
 * A line's stamp (ISO or TAI64N) is taken off; a line without one counts as old as the line before it. A line longer than LOG_LINE_MAX comes in pieces.
 */
#ifndef PENSTOCK_LOG_FEED_H
#define PENSTOCK_LOG_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define LOG_LINE_MAX (1u << 20)

struct log_line {
	int64_t wall;		/* 0: not known */
	const char *p;		/* without stamp and line feed; dies with the next log_feed_next */
	size_t n;
};

struct log_feed {
	const char *name, *dir;	/* borrowed */
	int fd;			/* of the file that is read */
	dev_t dev;
	ino_t ino;
	bool started;
	struct buf text;	/* what was read and not given yet, from `at` on */
	size_t at;
	int64_t last;		/* stamp of the last line */
	struct log_line line;	/* what log_feed_next found */
};

void log_feed_init(struct log_feed *f, const char *name, const char *dir);
void log_feed_release(struct log_feed *f);

/* The next line into f->line: 1; 0: there is none yet; -1 with a message. since: files that end before it are not read (wall; 0: all).
 * whole: a last line that is not ended yet is waited for, not given. */
int log_feed_next(struct log_feed *f, int64_t since, bool whole);

/* How severe a line is: enum log_level as our programs print it, JSON or text; a line that does not say counts as LOG_INFO. Pure. */
int log_level_of(const char *p, size_t n);

#endif
