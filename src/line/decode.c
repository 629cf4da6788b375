#include "line/decode.h"

#include <string.h>

#include "base/utf8.h"

int decode_hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

bool decode_init(struct decode *d, struct span raw)
{
	if (!raw.p || raw.n < 2 || raw.p[0] != '"' || raw.p[raw.n - 1] != '"')
		return false;
	d->p = raw.p + 1;
	d->end = raw.p + raw.n - 1;
	return true;
}

struct span decode_plain(struct span raw)
{
	if (!raw.p || raw.n < 2 || raw.p[0] != '"' || memchr(raw.p, '\\', raw.n))
		return (struct span){ NULL, 0 };
	return (struct span){ raw.p + 1, raw.n - 2 };
}

/* The \uXXXX at p, with its other half if it is a surrogate; how many bytes it takes, 0 if it is bad. */
static size_t unicode_escape(const char *p, const char *end, uint32_t *cp)
{
	int high, low;

	if (end - p < 6 || (high = decode_hex4(p + 2)) < 0)
		return 0;
	*cp = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return 6;
	if (high >= 0xdc00 || end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return 0;
	low = decode_hex4(p + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*cp = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 12;
}

/* One escape at d->p: how many bytes of text it gave, -1 if it is bad. */
static int escape(struct decode *d, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t cp;
	size_t n;

	if (d->end - d->p < 2)
		return -1;
	if (d->p[1] == 'u') {
		n = unicode_escape(d->p, d->end, &cp);
		if (n == 0)
			return -1;
		d->p += n;
		return (int)utf8_put(out, cp);
	}
	at = d->p[1] ? strchr(from, d->p[1]) : NULL;
	if (!at)
		return -1;
	*out = to[at - from];
	d->p += 2;
	return 1;
}

int decode_next(struct decode *d, char *out, size_t size)
{
	size_t n = 0;

	while (d->p < d->end && size - n >= 4) {
		int got;

		if (*d->p != '\\') {
			const char *esc = memchr(d->p, '\\', (size_t)(d->end - d->p));
			size_t run = (size_t)((esc ? esc : d->end) - d->p);

			if (run > size - n)
				run = size - n;
			memcpy(out + n, d->p, run);
			d->p += run;
			n += run;
			continue;
		}
		got = escape(d, out + n);
		if (got < 0)
			return -1;
		n += (size_t)got;
	}
	return (int)n;
}
