/* The length of each message, in bytes, with nothing but libc. Mode line: one line out for each line in; fflush says it at once.
 *   cc -O2 -o length scripts/examples/length.c
 *   stage -i ipc://run/to-length -o ipc://run/in -a line -s length -- ./length */
#include <stdio.h>
#include <string.h>

static char line[1 << 20 | 1];

/* The member name as it stands, `"name":"value",`; an empty text when there is none. */
static const char *attr(const char *name, int *n)
{
	const char *p = strstr(line, name), *end = p ? strchr(p + strlen(name), '"') : NULL;

	*n = end ? (int)(end + 1 - p) : 0;
	return end ? p : "";
}

int main(void)
{
	int id, source, tenant, key, text;

	while (fgets(line, sizeof line, stdin)) {
		const char *i = attr("\"id\":\"", &id), *s = attr("\"source\":\"", &source), *t = attr("\"tenant\":\"", &tenant);
		const char *k = attr("\"partitionkey\":\"", &key);

		attr("\"text\":\"", &text);
		if (strstr(line, "\"type\":\"chat.message\"") && id && source && text)
			printf("{\"specversion\":\"1.0\",%.*s.length\",%.*s,%.*s%s%.*s%s\"type\":\"x.length\",\"data\":{\"bytes\":%d}}", id - 1, i,
				source, s, tenant, t, tenant ? "," : "", key, k, key ? "," : "", text - (int)sizeof "\"text\":\"");
		putchar('\n');
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
