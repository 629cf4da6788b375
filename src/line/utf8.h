/*
 * utf8: is it UTF-8 (RFC 3629: nothing overlong, no surrogates, nothing beyond U+10FFFF)? Private to line.
 */
#ifndef LINE_UTF8_H
#define LINE_UTF8_H

/* The first byte of the first character that is not valid, NULL if all are. A character cut off by end is not. */
const char *utf8_bad(const char *p, const char *end);

#endif
