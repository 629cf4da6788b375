#include "base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

unsigned utf8_len(const char *s, const char *end)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = (size_t)(end - s);
	unsigned char c, low = 0x80, high = 0xbf;

	if (n == 0)
		return 0;
	c = p[0];
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return n >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if (c >= 0xe0 && c <= 0xef) {
		if (c == 0xe0)
			low = 0xa0;		/* below is overlong */
		else if (c == 0xed)
			high = 0x9f;		/* above are surrogates */
		return n >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		if (c == 0xf0)
			low = 0x90;		/* below is overlong */
		else if (c == 0xf4)
			high = 0x8f;		/* above is beyond U+10FFFF */
		return n >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 &&
			(p[3] & 0xc0) == 0x80 ? 4 : 0;
	}
	return 0;
}

uint32_t utf8_point(const char *s, unsigned n)
{
	const unsigned char *p = (const unsigned char *)s;

	switch (n) {
	case 2:
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	case 4:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	default:
		return p[0];
	}
}

unsigned utf8_put(char out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/*
 * A state machine whose states are shifts: state = row[byte] >> state. Each row holds for every state the next one, in 6
 * bits. No branch depends on a byte, so mixed scripts cost what pure ones do; only BLOCK bytes that are all ASCII are passed at once.
 * States are written as their shift.
 */
#define ERR	0u	/* stays: all rows have 0 there */
#define TEXT	6u	/* between characters */
#define ONE	12u	/* one continuation byte is due */
#define TWO	18u
#define THREE	24u
#define E0	30u	/* behind this byte the next one has a narrower range */
#define ED	36u
#define F0	42u
#define F4	48u

#define ON(from, to)	((uint64_t)(to) << (from))
#define LEAD(to)	ON(TEXT, to)
#define CONT		(ON(ONE, TEXT) | ON(TWO, ONE) | ON(THREE, TWO))

static const uint64_t row[256] = {
	[0x00 ... 0x7f] = LEAD(TEXT),
	[0x80 ... 0x8f] = CONT | ON(ED, ONE) | ON(F4, TWO),
	[0x90 ... 0x9f] = CONT | ON(ED, ONE) | ON(F0, TWO),
	[0xa0 ... 0xbf] = CONT | ON(E0, ONE) | ON(F0, TWO),
	[0xc2 ... 0xdf] = LEAD(ONE),
	[0xe0] = LEAD(E0),
	[0xe1 ... 0xec] = LEAD(TWO),
	[0xed] = LEAD(ED),
	[0xee ... 0xef] = LEAD(TWO),
	[0xf0] = LEAD(F0),
	[0xf1 ... 0xf3] = LEAD(THREE),
	[0xf4] = LEAD(F4),
};

#define BLOCK 32

static inline bool all_ascii(const char *p)
{
	uint64_t v[BLOCK / 8];

	memcpy(v, p, BLOCK);
	return ((v[0] | v[1] | v[2] | v[3]) & UINT64_C(0x8080808080808080)) == 0;
}

static inline uint64_t pass(uint64_t state, const char *p, const char *end)
{
	while (p < end)
		state = row[(unsigned char)*p++] >> (state & 63);
	return state;
}

const char *utf8_bad(const char *p, const char *end)
{
	uint64_t state = TEXT;
	const char *q = p;

	for (; end - q >= BLOCK; q += BLOCK)
		if ((state & 63) != TEXT || !all_ascii(q))
			state = pass(state, q, q + BLOCK);
	state = pass(state, q, end);
	if ((state & 63) == TEXT)
		return NULL;
	/* Where? Rare enough to look again, a character at a time. */
	while (p < end) {
		unsigned n = utf8_len(p, end);

		if (n == 0)
			return p;
		p += n;
	}
	return end;
}

void utf8_cut(char *text)
{
	const char *bad = utf8_bad(text, text + strlen(text));

	if (bad)
		text[bad - text] = '\0';
}
