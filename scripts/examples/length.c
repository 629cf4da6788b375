/* The length of each message in bytes of UTF-8, with nothing but libc. Mode line: one line out for each line in; fflush says it at once.
 *   cc -O2 -o length scripts/examples/length.c
 *   stage -i ipc://run/to-length -o ipc://run/in -a line -s length -- ./length */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* p: behind the quote. \n is one byte, \u00e9 two; a pair as \ud83d\ude00 is four. */
static size_t length(const char *p)
{
	size_t n = 0;

	for (; *p && *p != '"'; p++, n++)
		if (*p == '\\' && *++p == 'u') {
			unsigned long c = strtoul((char[5]){ p[1], p[2], p[3], p[4] }, NULL, 16);
			n += (c >= 0x80) + (c >= 0x800 && (c < 0xd800 || c > 0xdfff));
			p += 4;
		}
	return n;
}

int main(void)
{
	static char line[(1 << 20) + 2];

	while (fgets(line, sizeof line, stdin)) {
		const char *text = strstr(line, "\"text\":\"");

		if (text && strstr(line, "\"type\":\"chat.message\""))
			printf("{\"type\":\"x.length\",\"data\":{\"bytes\":%zu}}", length(text + 8));
		putchar('\n');
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
