#include "analyze/uchar.h"

struct range { uint32_t first, last; enum uchar_class class; };

/* Above ASCII, ascending; what no range holds is a letter. */
static const struct range ranges[] = {
	{ 0x0080, 0x00a0, UCHAR_SPACE },	/* C1 controls, no-break space */
	{ 0x00a1, 0x00a9, UCHAR_PUNCT },
	{ 0x00ab, 0x00b4, UCHAR_PUNCT },
	{ 0x00b6, 0x00b9, UCHAR_PUNCT },
	{ 0x00bb, 0x00bf, UCHAR_PUNCT },
	{ 0x00d7, 0x00d7, UCHAR_PUNCT },
	{ 0x00f7, 0x00f7, UCHAR_PUNCT },
	{ 0x2000, 0x200b, UCHAR_SPACE },
	{ 0x200c, 0x200f, UCHAR_JOINER },
	{ 0x2010, 0x2027, UCHAR_PUNCT },
	{ 0x2028, 0x202f, UCHAR_SPACE },
	{ 0x2030, 0x205e, UCHAR_PUNCT },
	{ 0x205f, 0x2064, UCHAR_SPACE },
	{ 0x20a0, 0x20cf, UCHAR_PUNCT },	/* currencies */
	{ 0x20d0, 0x20ff, UCHAR_JOINER },	/* keycap and other enclosing marks */
	{ 0x2190, 0x22ff, UCHAR_PUNCT },	/* arrows, mathematics */
	{ 0x2300, 0x23ff, UCHAR_EMOJI },
	{ 0x2460, 0x25ff, UCHAR_PUNCT },	/* boxes, blocks, shapes */
	{ 0x2600, 0x263f, UCHAR_EMOJI },
	{ 0x2640, 0x2640, UCHAR_JOINER },
	{ 0x2641, 0x2641, UCHAR_EMOJI },
	{ 0x2642, 0x2642, UCHAR_JOINER },
	{ 0x2643, 0x27bf, UCHAR_EMOJI },
	{ 0x27c0, 0x2aff, UCHAR_PUNCT },
	{ 0x2b00, 0x2bff, UCHAR_EMOJI },
	{ 0x3000, 0x3000, UCHAR_SPACE },
	{ 0x3001, 0x3003, UCHAR_PUNCT },
	{ 0x3008, 0x3011, UCHAR_PUNCT },
	{ 0xfe00, 0xfe0f, UCHAR_JOINER },
	{ 0xfeff, 0xfeff, UCHAR_SPACE },
	{ 0xff01, 0xff0f, UCHAR_PUNCT },
	{ 0xff1a, 0xff20, UCHAR_PUNCT },
	{ 0xfff0, 0xfffd, UCHAR_SPACE },
	{ 0x1f000, 0x1f3fa, UCHAR_EMOJI },
	{ 0x1f3fb, 0x1f3ff, UCHAR_JOINER },	/* skin tones */
	{ 0x1f400, 0x1fbff, UCHAR_EMOJI },
	{ 0xe0000, 0xe01ef, UCHAR_JOINER },	/* tags, variation selectors */
};

enum uchar_class uchar_class_above(uint32_t c)
{
	size_t lo = 0, hi = sizeof ranges / sizeof ranges[0];

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c > ranges[mid].last)
			lo = mid + 1;
		else if (c < ranges[mid].first)
			hi = mid;
		else
			return ranges[mid].class;
	}
	return UCHAR_LETTER;
}

uint32_t uchar_lower(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c + 32;
	if (c >= 0xc0 && c <= 0xde && c != 0xd7)
		return c + 32;
	return c;
}

uint32_t uchar_plain(uint32_t c)
{
	switch (c) {
	case '`': case 0xb4: case 0x2bc: case 0x2018: case 0x2019: case 0x201a: case 0x201b: case 0x2032:
		return '\'';
	case 0xab: case 0xbb: case 0x201c: case 0x201d: case 0x201e: case 0x201f: case 0x2033:
		return '"';
	case 0xff01:
		return '!';
	case 0xff1f:
		return '?';
	case 0x2013: case 0x2014: case 0x2212:
		return '-';
	default:
		return c;
	}
}
