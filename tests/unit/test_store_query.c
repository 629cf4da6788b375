/* Requests to store, and replies. */
#include <string.h>
#include <sys/uio.h>

#include "store/query/query.h"
#include "check.h"

static const char *refusal(const char *request)
{
	static char why[512];
	struct query q;

	why[0] = '\0';
	if (query_parse(&q, request, strlen(request), why, sizeof(why)) == 0)
		snprintf(why, sizeof(why), "accepted");
	query_release(&q);
	return why;
}
#define REFUSED(request, want) do { \
		const char *why_ = refusal(request); \
		CHECK(strstr(why_, want) == why_, "%s: %s", request, why_); \
	} while (0)

static void check_refusals(void)
{
	REFUSED("", "request: ");
	REFUSED("[]", "request: must be a JSON object");
	REFUSED("{\"q\":\"last\"} {}", "request: ");
	REFUSED("{\"q\":\"last\",\"q\":\"last\"}", "request: ");
	REFUSED("{}", "q: is missing");
	REFUSED("{\"q\":7}", "q: must be a string");
	REFUSED("{\"q\":\"\"}", "q: must be a string");
	REFUSED("{\"q\":\"lsat\"}", "q: no question of this name: last after id caused search stats");
	REFUSED("{\"q\":\"last\\u0000\"}", "q: no question of this name");
	REFUSED("{\"q\":\"last\",\"tenat\":\"x\"}", "tenat: no member");
	REFUSED("{\"q\":\"last\",\"tenant\":\"../x\"}", "tenant: must match");
	REFUSED("{\"q\":\"last\",\"tenant\":\".x\"}", "tenant: must match");
	REFUSED("{\"q\":\"last\",\"tenant\":\"X\"}", "tenant: must match");
	REFUSED("{\"q\":\"last\",\"tenant\":\"a\\u0000b\"}", "tenant: must match");
	REFUSED("{\"q\":\"last\",\"tenant\":null}", "tenant: must be a string");
	REFUSED("{\"q\":\"last\",\"n\":0}", "n: must be");
	REFUSED("{\"q\":\"last\",\"n\":1001}", "n: must be");
	REFUSED("{\"q\":\"last\",\"n\":1.5}", "n: must be");
	REFUSED("{\"q\":\"last\",\"n\":\"5\"}", "n: must be");
	REFUSED("{\"q\":\"last\",\"n\":-1}", "n: must be");
	REFUSED("{\"q\":\"last\",\"seq\":1}", "seq: not a member of the question last");
	REFUSED("{\"q\":\"after\"}", "seq: is missing, after needs it");
	REFUSED("{\"q\":\"after\",\"seq\":-1}", "seq: must be a sequence number");
	REFUSED("{\"q\":\"after\",\"seq\":1e3}", "seq: must be a sequence number");
	REFUSED("{\"q\":\"id\"}", "id: is missing");
	REFUSED("{\"q\":\"search\"}", "text: is missing");
	REFUSED("{\"q\":\"search\",\"text\":\"x\",\"raw\":1}", "raw: must be true or false");
	REFUSED("{\"q\":\"stats\",\"key\":\"x\"}", "key: not a member");
	REFUSED("{\"q\":\"last\"}", "accepted");
	REFUSED("{\"q\":\"last\"}\n", "accepted");
	REFUSED("{\"q\":\"last\",\"tenant\":\"a.b_c-9\",\"key\":\"k\",\"n\":1000,\"before\":0,\"type\":\"t\"}", "accepted");
	REFUSED("{\"q\":\"stats\",\"from\":\"x\"}", "accepted");
}

static void check_values(void)
{
	const char *r = "{\"seq\":9007199254740991,\"q\":\"after\",\"key\":\"a\\u0000\\u00e9\"}";
	char why[512];
	struct query q;

	CHECK(query_parse(&q, r, strlen(r), why, sizeof(why)) == 0, "after");
	CHECK(q.kind == &query_after && q.seq == INT64_C(9007199254740991) && q.n == QUERY_DEFAULT, "seq, default n");
	CHECK(strcmp(q.tenant, "default") == 0 && q.before == INT64_MAX && !q.raw, "defaults");
	CHECK(q.key.n == 4 && memcmp(q.key.p, "a\0\xc3\xa9", 4) == 0, "a key is bytes");
	query_release(&q);
}

static size_t joined(const struct answer *a, char *out, size_t size)
{
	static struct iovec parts[QUERY_PARTS];
	struct buf head;
	size_t n = 0;
	int k;

	buf_init(&head, 65536);
	k = answer_parts(a, &head, parts);
	for (int i = 0; i < k; i++) {
		if (n + parts[i].iov_len < size)
			memcpy(out + n, parts[i].iov_base, parts[i].iov_len);
		n += parts[i].iov_len;
	}
	out[n < size ? n : size - 1] = '\0';
	buf_release(&head);
	return n;
}

static void check_answers(void)
{
	static struct answer a;
	static char out[1 << 16], line[1 << 20];
	int n = 0;

	answer_init(&a);
	answer_clear(&a, 2);
	joined(&a, out, sizeof(out));
	CHECK(strcmp(out, "{\"n\":0,\"seq\":[],\"more\":false}\n") == 0, "nothing: %s", out);
	CHECK(answer_add(&a, 5, "five", 4) == 0 && answer_add(&a, 4, "four", 4) == 0, "two lines");
	CHECK(answer_add(&a, 3, "three", 5) == 1 && a.more, "no third");
	a.backwards = true;
	joined(&a, out, sizeof(out));
	CHECK(strcmp(out, "{\"n\":2,\"seq\":[4,5],\"more\":true}\nfour\nfive\n") == 0, "turned round");
	a.backwards = false;
	joined(&a, out, sizeof(out));
	CHECK(strcmp(out, "{\"n\":2,\"seq\":[5,4],\"more\":true}\nfive\nfour\n") == 0, "as added");
	answer_fail(&a, "no \"%s\"", "x");
	joined(&a, out, sizeof(out));
	CHECK(strcmp(out, "{\"error\":\"no \\\"x\\\"\"}\n") == 0, "an error is the whole reply");
	answer_clear(&a, QUERY_LINES);
	memset(line, 'x', sizeof(line));
	while (answer_add(&a, n, line, sizeof(line)) == 0)
		n++;
	CHECK(n == 3 && a.more, "4 MiB hold three lines of 1 MiB and their LF: %d", n);
	answer_release(&a);
}

static void check_text(void)
{
#define SPAN(s) ((struct span){ s, sizeof(s) - 1 })
	CHECK(text_is(SPAN("\"abc\""), (struct text){ "abc", 3 }), "plain");
	CHECK(text_is(SPAN("\"\\u0061bc\""), (struct text){ "abc", 3 }), "escaped");
	CHECK(!text_is(SPAN("\"abd\""), (struct text){ "abc", 3 }), "different");
	CHECK(!text_is(SPAN("\"ab\""), (struct text){ "abc", 3 }), "shorter");
	CHECK(!text_is(SPAN("\"abcd\""), (struct text){ "abc", 3 }), "longer");
	CHECK(!text_is(SPAN("\"\\\\\""), (struct text){ "\\\\", 2 }), "an escape of the same length is no text");
	CHECK(!text_is((struct span){ 0 }, (struct text){ "", 0 }), "absent");
}

int main(void)
{
	for (int i = 0; query_kinds[i]; i++)
		CHECK(query_kinds[i]->name && query_kinds[i]->run, "kind %d has a name and a function", i);
	check_refusals();
	check_values();
	check_answers();
	check_text();
	return check_done();
}
