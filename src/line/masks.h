/*
 * masks: the bytes of a line that matter, found 64 at a time, without a branch that depends on them. For scan_fast.c alone, and only where the
 * processor has what MASKS_TARGET names.
 */
#ifndef LINE_MASKS_H
#define LINE_MASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/scan_impl.h"

#ifdef SCAN_X86

#define MASKS_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,sse4.2")))
#define MASKS_MOST 16384u	/* bytes of a line: places are of 16 bits, and all of this lies on the stack */

struct masks {
	uint16_t quote[MASKS_MOST + 16];	/* places of the quotes that begin and end strings; two of UINT16_MAX behind the last */
	uint64_t odd[MASKS_MOST / 64];		/* bytes beyond ASCII, backslashes */
	uint64_t escape[MASKS_MOST / 64];	/* backslashes that begin an escape */
	size_t nquote, blocks;
	bool any_odd, any_back;
};

/* Of a line of 64 to MASKS_MOST bytes. false: control characters. */
bool masks_look(struct masks *f, const char *p, size_t n);
/* From the first to behind the last odd byte; there is one. */
void masks_odd_range(const struct masks *f, size_t *from, size_t *to);
/* Every escape of the line. Whether they stand in strings is another question. */
bool masks_escapes_ok(const struct masks *f, const char *line, const char *end);
/* UTF-8 of the part [from, to) of a line of n bytes, with what is not ASCII all within it and at least 3 bytes before it and one behind. */
bool masks_utf8_ok(const char *line, size_t n, size_t from, size_t to);

#endif
#endif
