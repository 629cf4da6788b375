/*
 * utf8: characters of UTF-8 (RFC 3629: nothing overlong, no surrogates, nothing beyond U+10FFFF). Pure.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

/* Length of the character at p: 1 to 4, or 0 if there is none that is valid before end. */
unsigned utf8_len(const char *p, const char *end);

/* The code point of the valid character of n bytes at p. */
uint32_t utf8_point(const char *p, unsigned n);

/* Writes the code point (no surrogate, at most U+10FFFF) and returns its length. */
unsigned utf8_put(char out[4], uint32_t cp);

/* The first byte of the first character that is not valid, NULL if all are. A character cut off by end is not. For long
 * text: no branch depends on it. */
const char *utf8_bad(const char *p, const char *end);

/* Ends the text before its first character that is not valid: for one that was cut to fit. */
void utf8_cut(char *text);

#endif
