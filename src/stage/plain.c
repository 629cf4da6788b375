#include "stage/plain.h"

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
