/*
 * lines: what a service said last before a death, from its log: supervise writes a line of its own into the log at each death (see logs.h), which names the
 * process; the lines before it are what that process said. Pure.
 */
#ifndef SUPERVISE_LINES_H
#define SUPERVISE_LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINES_KEPT 5
#define LINES_TAIL 16384	/* bytes at the end of a log that are looked at */

struct line { const char *p; size_t n; };	/* without stamp and line feed */

/* The last lines before the death of process pid, oldest first; how many, 0 when that death is not in the text. */
unsigned lines_before(const char *p, size_t n, uint32_t pid, struct line out[LINES_KEPT]);

/* Without the stamp at its beginning, if it has one. */
struct line lines_bare(const char *p, size_t n);

#endif
