/*
 * line: what a line is. One event, one JSON object, UTF-8, ended by LF, no LF inside (penstock-line(7)).
 */
#ifndef LINE_LINE_H
#define LINE_LINE_H

#include <stddef.h>

#define LINE_MAX_BYTES (1u << 20)	/* default cap of a line, LF not counted */
#define LINE_MAX_DEPTH 128		/* nesting of objects and arrays, the event itself is 1 */
#define LINE_MAX_NAMES 4096u		/* names in one object, together with those of the objects around it */

struct span { const char *p; size_t n; };	/* borrowed bytes; p NULL = absent */

/* Why a line was refused and where: offset in bytes from its start. why is a static string. */
struct line_err { size_t at; const char *why; };

#endif
