/*
 * uchar: code points of chat text, their class and their plain form. Pure.
 *
 * Classes are ranges chosen for chat, not Unicode's tables: everything from U+0080 up that is not space, punctuation
 * or emoji counts as a letter, so that words of any script stay whole.
 */
#ifndef ANALYZE_UCHAR_H
#define ANALYZE_UCHAR_H

#include <stddef.h>
#include <stdint.h>

enum uchar_class {
	UCHAR_SPACE,
	UCHAR_LETTER,
	UCHAR_DIGIT,
	UCHAR_PUNCT,
	UCHAR_EMOJI,
	UCHAR_JOINER,	/* says nothing by itself: variation selectors, joiners, skin tones, gender signs */
};

/*
 * Decodes one code point of p (n >= 1 bytes) into *c and returns its length in bytes. A byte that starts no valid
 * sequence (RFC 3629) gives U+FFFD and length 1.
 */
size_t uchar_get(const char *p, size_t n, uint32_t *c);

enum uchar_class uchar_class(uint32_t c);

/* Lower case of ASCII and Latin-1 letters; other code points unchanged. */
uint32_t uchar_lower(uint32_t c);

/* Curly quotes, primes and the like as ' and "; other code points unchanged. */
uint32_t uchar_plain(uint32_t c);

#endif
