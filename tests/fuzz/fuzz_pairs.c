/* pairs: any text of a configuration or account file; words and values lie inside it and hold neither LF nor NUL. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	struct pairs it;
	size_t line = 0;
	int rc;

	if (!text)
		return 0;
	for (size_t i = 0; i < n; i++)
		text[i] = data[i] ? (char)data[i] : ' ';
	text[n] = '\0';
	pairs_init(&it, text, n);
	while ((rc = pairs_next(&it)) > 0) {
		if (it.line <= line || !*it.word || strpbrk(it.word, "\n= \t") || strchr(it.value, '\n') || it.word < text ||
		    it.value + strlen(it.value) > text + n)
			abort();
		line = it.line;
	}
	if (rc < 0 && !it.why)
		abort();
	free(text);
	return 0;
}
