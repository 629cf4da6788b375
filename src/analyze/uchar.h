/*
 * uchar: code points of chat text, their class and their plain form. Pure.
 *
 * Classes are ranges chosen for chat, not Unicode's tables: everything from U+0080 up that is not
 * space, punctuation or emoji counts as a letter, so that words of any script stay whole.
 */
#ifndef ANALYZE_UCHAR_H
#define ANALYZE_UCHAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

enum uchar_class {
	UCHAR_SPACE,
	UCHAR_LETTER,
	UCHAR_DIGIT,
	UCHAR_PUNCT,
	UCHAR_EMOJI,
	UCHAR_JOINER,	/* says nothing by itself: variation selectors, joiners, skin tones, gender signs */
};

/*
 * Decodes one code point of p (n >= 1 bytes) into *c and returns its length in bytes. A byte that
 * starts no valid sequence (RFC 3629) gives U+FFFD and length 1.
 */
static inline size_t uchar_get(const char *p, size_t n, uint32_t *c)
{
	unsigned len = (unsigned char)*p < 0x80 ? 1 : utf8_len(p, p + n);

	*c = len == 1 ? (unsigned char)*p : len ? utf8_point(p, len) : 0xfffd;
	return len ? len : 1;
}

enum uchar_class uchar_class_above(uint32_t c);	/* of code points from U+0080 on */

static inline enum uchar_class uchar_class(uint32_t c)
{
	if (c >= 0x80)
		return uchar_class_above(c);
	if ((c | 32) >= 'a' && (c | 32) <= 'z')
		return UCHAR_LETTER;
	if (c >= '0' && c <= '9')
		return UCHAR_DIGIT;
	return c <= ' ' || c == 0x7f ? UCHAR_SPACE : UCHAR_PUNCT;
}

/* Lower case of ASCII and Latin-1 letters; other code points unchanged. */
uint32_t uchar_lower(uint32_t c);

/* Curly quotes, primes and the like as ' and "; other code points unchanged. */
uint32_t uchar_plain(uint32_t c);

#endif
