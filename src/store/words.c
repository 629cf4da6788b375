#include "store/words.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* First and last code point, sorted. Unicode 15 blocks. */
static const struct range { uint32_t from, to; } alone[] = {
	{ 0x2600, 0x27bf },	/* miscellaneous symbols, dingbats */
	{ 0x2b00, 0x2bff },	/* miscellaneous symbols and arrows */
	{ 0x3041, 0x30ff },	/* hiragana, katakana */
	{ 0x31f0, 0x31ff },	/* katakana phonetic extensions */
	{ 0x3400, 0x4dbf },	/* CJK extension A */
	{ 0x4e00, 0x9fff },	/* CJK unified ideographs */
	{ 0xac00, 0xd7a3 },	/* hangul syllables */
	{ 0xf900, 0xfaff },	/* CJK compatibility ideographs */
	{ 0xff66, 0xff9d },	/* halfwidth katakana */
	{ 0x1f000, 0x1faff },	/* pictograms, emoji */
	{ 0x20000, 0x323af },	/* CJK extensions B to H */
};

static bool stands_alone(uint32_t c)
{
	size_t lo = 0, hi = sizeof(alone) / sizeof(*alone);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c > alone[mid].to)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(alone) / sizeof(*alone) && c >= alone[lo].from;
}

/* The text was checked where it entered; a truncated character would end at n all the same. */
static size_t character(const unsigned char *p, size_t n, uint32_t *c)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (len > n)
		len = n;
	*c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*c = *c << 6 | (p[i] & 0x3f);
	return len;
}

/* Bytes from p that can be copied as they are: nothing below U+2600 stands alone, so most text has no other. */
static size_t plain(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] && p[i] < 0xe2)
		i++;
	return i;
}

static int spread_one(struct buf *out, const unsigned char *p, size_t *len, size_t n)
{
	uint32_t c;

	*len = character(p, n, &c);
	if (c == 0)
		return buf_addc(out, ' ');
	if (!stands_alone(c))
		return buf_add(out, p, *len);
	return buf_addc(out, ' ') || buf_add(out, p, *len) || buf_addc(out, ' ') ? -1 : 0;
}

int words_spread(struct buf *out, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0, len; i < n; i += len) {
		len = plain(p + i, n - i);
		if (len ? buf_add(out, p + i, len) : spread_one(out, p + i, &len, n - i))
			return -1;
	}
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/* One phrase in quotes; a star behind it means: its last word may go on. */
static int phrase(struct buf *out, const char *p, size_t n, bool begins)
{
	if (buf_adds(out, out->len ? " \"" : "\"") || words_spread(out, p, n) || buf_addc(out, '"'))
		return -1;
	return begins ? buf_adds(out, "*") : 0;
}

int words_query(struct buf *out, const char *p, size_t n)
{
	size_t i = 0, from;

	while (i < n) {
		if (is_space(p[i]) || p[i] == '"') {
			bool quote = p[i++] == '"';

			if (!quote)
				continue;
			for (from = i; i < n && p[i] != '"'; i++)
				;
			if (i > from && phrase(out, p + from, i - from, i + 1 < n && p[i + 1] == '*'))
				return -1;
			i += i < n;
			i += i < n && p[i] == '*';
			continue;
		}
		for (from = i; i < n && !is_space(p[i]) && p[i] != '"'; i++)
			;
		if (p[i - 1] == '*' ? i - 1 > from && phrase(out, p + from, i - 1 - from, true) : phrase(out, p + from, i - from, false))
			return -1;
	}
	return 0;
}
