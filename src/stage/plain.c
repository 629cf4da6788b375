#include "stage/plain.h"

#include <string.h>

#include "base/utf8.h"

size_t plain_text(char *to, const char *from, size_t n)
{
	const char *p = from, *end = from + n;
	size_t len = 0;

	while (p < end) {
		if (*p != '\033') {
			to[len++] = *p++;
			continue;
		}
		p++;
		if (p < end && *p == '[')
			for (p++; p < end && (*p < 0x40 || *p > 0x7e); p++)
				;
		if (p < end)
			p++;
	}
	return len;
}

size_t plain_shown(char *out, size_t size, const char *p, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len + 5 < size; ) {
		unsigned c = utf8_len(p + i, p + n);
		if (c == 0 || (c == 1 && ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) && p[i] != '\n' && p[i] != '\t')) {
			out[len++] = '?';
			i++;
			continue;
		}
		memcpy(out + len, p + i, c);
		len += c;
		i += c;
	}
	out[len] = '\0';
	return len;
}
