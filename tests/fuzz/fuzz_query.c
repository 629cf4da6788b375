/*
 * fuzz_query: requests to store, and what a person typed into a search. Whatever comes in: a request is accepted with its kind,
 * a tenant that is a good file name and numbers within their ranges, or refused with a reason; a search becomes phrases in double
 * quotes, with at most a star behind each, and nothing else.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/query/query.h"
#include "store/words.h"

static void must(int holds)
{
	if (!holds)
		abort();
}

static void check_phrases(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		must(p[i++] == '"');
		while (i < n && p[i] != '"')
			must(p[i++] != '\0');
		must(i < n);
		i++;
		if (i < n && p[i] == '*')
			i++;
		must(i == n || (p[i] == ' ' && i + 1 < n));
		i++;
	}
}

static void search(const char *p, size_t n, int valid)
{
	struct buf out;

	buf_init(&out, 16 * n + 64);
	must(words_query(&out, p, n) == 0);
	if (valid)	/* what a request holds is valid UTF-8; on other bytes it only must stay inside */
		check_phrases(out.p, out.len);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256] = "";
	struct query q;

	if (query_parse(&q, (const char *)data, size, why, sizeof(why)) == 0) {
		must(q.kind && q.kind->run && q.n >= 1 && q.n <= QUERY_LINES && q.seq >= 0 && q.before >= 0);
		must(strlen(q.tenant) > 0 && q.tenant[0] != '.' && !strchr(q.tenant, '/'));
		must(!(q.kind->must & ~q.given));
		if (q.text.p)
			search(q.text.p, q.text.n, 1);
	} else {
		must(why[0] != '\0');
	}
	query_release(&q);
	search((const char *)data, size, 0);
	return 0;
}
