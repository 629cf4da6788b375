/* The length of each message in bytes, with nothing but libc. Mode line: one line out for each line in; fflush says it at once.
 *   cc -O2 -o length scripts/examples/length.c
 *   stage -i ipc://run/to-length -o ipc://run/in -a line -s length -- ./length */
#include <stdio.h>
#include <string.h>

int main(void)
{
	static char line[(1 << 20) + 2];

	while (fgets(line, sizeof line, stdin)) {
		const char *text = strstr(line, "\"text\":\"");

		if (text && strstr(line, "\"type\":\"chat.message\""))
			printf("{\"type\":\"x.length\",\"data\":{\"bytes\":%zu}}", strcspn(text + 8, "\""));
		putchar('\n');
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
