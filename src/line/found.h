/*
 * found: what the fast way through a line finds besides the envelope, for those who look at its members next. Private to line.
 */
#ifndef LINE_FOUND_H
#define LINE_FOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "line/scan.h"

#define SCAN_TOP 32u
#define SCAN_INNER 48u

struct scan_found {
	/* The members of the event, in order; known is LA_COUNT for a name that is not in the table. No name has escapes. */
	struct scan_top { enum line_attr known; struct span name, value; } top[SCAN_TOP];
	/* The members of objects in their values, in order: places in the line, size with quotes, depth 1 for a member of a value of
	 * top. ninner may be more than there is room for. */
	struct scan_inner { uint16_t name, size, value, depth; } inner[SCAN_INNER];
	unsigned ntop, ninner;
	size_t odd, odd_end;	/* outside of this part of the line there are no backslashes, and of characters only U+0020 to U+007E */
};

/*
 * The whole check of scan_strict for the usual line: at most 16 KiB, objects of few names, no blanks but spaces. false says nothing about
 * the line: it needs the other way. n bytes from p on are read, none behind them.
 */
bool scan_fast(const char *p, size_t n, struct envelope *e, struct scan_found *found);

/* envelope_check; true in *fast: found is filled. */
int envelope_find(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err, struct scan_found *found, bool *fast);

#endif
