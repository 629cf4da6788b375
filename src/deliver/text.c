#include "deliver/text.h"

#include <string.h>

#include "base/utf8.h"

static bool blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Length of the character; a byte that is none counts as one. */
static unsigned step(const char *p, const char *end)
{
	unsigned n = utf8_len(p, end);

	return n ? n : 1;
}

size_t text_units(const char *p, size_t n)
{
	size_t units = 0;
	unsigned k;

	for (const char *end = p + n; p < end; p += k) {
		k = step(p, end);
		units += k == 4 ? 2 : 1;
	}
	return units;
}

bool text_blank(const char *p, size_t n)
{
	while (n && blank(p[n - 1]))
		n--;
	return n == 0;
}

size_t text_piece(const char *p, size_t n, size_t max, size_t *from, const char **piece)
{
	const char *end = p + n, *at, *word = NULL, *stop;
	size_t units = 0;

	for (p += *from; p < end && blank(*p); p++)
		;
	for (at = p; at < end; ) {
		unsigned k = step(at, end), u = k == 4 ? 2 : 1;

		if (units + u > max)
			break;
		if (blank(*at) && units >= max / 2)
			word = at;
		units += u;
		at += k;
	}
	stop = at == end || blank(*at) || !word ? at : word;
	*piece = p;
	for (at = stop; at < end && blank(*at); at++)
		;
	*from = n - (size_t)(end - at);
	while (stop > p && blank(stop[-1]))
		stop--;
	return (size_t)(stop - p);
}
