/* fuzz_regex: any expression (up to the first line feed) on any text, whole and in two orders of asking: the answer depends on the text alone. */
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *p = (const char *)data, *lf = size ? memchr(p, '\n', size) : NULL, *text = lf ? lf + 1 : "";
	size_t n = lf ? (size_t)(lf - p) : size, ntext = lf ? size - n - 1 : 0;
	struct regex_error err = { size + 1, NULL };
	struct regex *re = regex_new(p, n, &err), *fresh;

	if (!re) {
		if (!err.why || err.at > n)
			abort();
		return 0;
	}
	if (utf8_bad(text, text + ntext))
		ntext = (size_t)(utf8_bad(text, text + ntext) - text);
	regex_match(re, text, ntext / 2);
	bool first = regex_match(re, text, ntext);
	fresh = regex_new(p, n, &err);
	if (!fresh || regex_match(fresh, text, ntext) != first || regex_match(re, text, ntext) != first)
		abort();
	regex_free(re);
	regex_free(fresh);
	return 0;
}
