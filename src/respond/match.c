#include "respond/match.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"

/* Capitals lie before their small letters, by a distance or alternating. Unicode 15, UnicodeData.txt; what is not here
 * stays as it is, which costs a match and nothing else. */
static uint32_t small(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c >= 0xc0 && c <= 0xde)
		return c == 0xd7 ? c : c + 32;
	if (c == 0x178)
		return 0xff;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if ((c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149) ||
	    (c >= 0x1e00 && c <= 0x1eff && c != 0x1e9e) || (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f))
		return c | 1;
	if (c >= 0x391 && c <= 0x3ab && c != 0x3a2)
		return c + 32;
	if (c >= 0x410 && c <= 0x42f)
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if (c >= 0x531 && c <= 0x556)
		return c + 48;
	return c;
}

static int put_point(struct buf *out, uint32_t c)
{
	char b[4];

	return buf_add(out, b, utf8_put(b, c));
}

int match_fold(const char *p, size_t n, struct buf *out)
{
	const char *end = p + n;
	size_t start = out->len;
	bool gap = false;

	while (p < end) {
		unsigned k = utf8_len(p, end);
		uint32_t c = k ? utf8_point(p, k) : ' ';

		p += k ? k : 1;
		if (c <= 0x20 || c == 0x7f || (c >= 0x80 && c <= 0xa0) || c == 0x3000) {
			gap = true;
			continue;
		}
		if ((gap && out->len > start && buf_addc(out, ' ')) || put_point(out, small(c)))
			return -1;
		gap = false;
	}
	return 0;
}

static bool in_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
	if (c < 0xc0)
		return c == 0xaa || c == 0xb5 || c == 0xba;
	/* punctuation, arrows, symbols; CJK punctuation; full-width forms of ASCII punctuation; emoji */
	return !(c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x3020) ||
		 (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xff01 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20) || (c >= 0x1f000 && c <= 0x1faff));
}

static bool word_at(const char *p, const char *end)
{
	unsigned k = p < end ? utf8_len(p, end) : 0;

	return k && in_word(utf8_point(p, k));
}

static bool word_before(const char *start, const char *p)
{
	const char *q = p;

	while (q > start && ((unsigned char)*--q & 0xc0) == 0x80)
		;
	return q < p && word_at(q, p);
}

static const char *find(const char *p, const char *end, struct span w)
{
	return w.n && (size_t)(end - p) >= w.n ? memmem(p, (size_t)(end - p), w.p, w.n) : NULL;
}

bool match_contains(struct span t, struct span w)
{
	return find(t.p, t.p + t.n, w) != NULL;
}

bool match_word(struct span t, struct span w)
{
	const char *end = t.p + t.n, *wend = w.p + w.n;

	for (const char *p = t.p; (p = find(p, end, w)); p++) {
		/* A border matters only where the wanted text itself ends in a letter: ":)" is found in "well:)". */
		if (!(word_at(w.p, wend) && word_before(t.p, p)) && !(word_before(w.p, wend) && word_at(p + w.n, end)))
			return true;
	}
	return false;
}

bool match_same(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}
