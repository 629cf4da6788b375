#include "line/utf8.h"

#include <stdint.h>
#include <string.h>

#include "line/decode.h"

/*
 * A state machine whose states are shifts: state = row[byte] >> state. Each row holds for every state the next one, in 6
 * bits. No branch depends on the text, so mixed scripts cost what pure ones do. States are written as their shift.
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

const char *utf8_bad(const char *p, const char *end)
{
	uint64_t state = TEXT;

	for (const char *q = p; q < end; q++)
		state = row[(unsigned char)*q] >> (state & 63);
	if ((state & 63) == TEXT)
		return NULL;
	/* Where? Rare enough to look again, a character at a time. */
	while (p < end) {
		unsigned n = decode_utf8(p, end);

		if (n == 0)
			return p;
		p += n;
	}
	return end;
}
