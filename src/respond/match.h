/*
 * match: words in what people say, whatever their letter case. Pure.
 *
 * Text is compared folded: letters made small (Latin, Greek, Cyrillic, Armenian), every run of blanks and control
 * characters one blank, none at the ends. What is no letter, digit or _ separates words; scripts without capitals, such as
 * Chinese, count as letters, so that a word in the middle of a sentence is found by `contains` only.
 */
#ifndef RESPOND_MATCH_H
#define RESPOND_MATCH_H

#include <stdbool.h>

#include "line/line.h"

struct buf;

int match_fold(const char *p, size_t n, struct buf *out);		/* appends; -1 at the buffer's ceiling */
bool match_contains(struct span folded, struct span wanted);		/* both folded */
bool match_word(struct span folded, struct span wanted);		/* the same, from word border to word border */
bool match_same(struct span a, struct span b);				/* equal, ASCII letter case aside */

#endif
