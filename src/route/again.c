#include "route/again.h"

#include <inttypes.h>
#include <string.h>

static const char HEAD[] = "{\"_again\":{\"of\":";
static const char TO[] = ",\"to\":\"";
static const char HOLD[] = ",\"hold\":true";
static const char EVENT[] = "},\"event\":";

/* Is text next? Then it is passed. */
static bool next_is(const char **at, const char *end, const char *text, size_t n)
{
	if ((size_t)(end - *at) < n || memcmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}
#define NEXT_IS(at, end, text) next_is(at, end, text, sizeof(text) - 1)

/* As it is written: no sign, no leading zero. */
static bool number(const char **at, const char *end, uint64_t *out)
{
	const char *p = *at;
	uint64_t v = 0;

	while (p < end && *p >= '0' && *p <= '9') {
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
		p++;
	}
	if (p == *at || **at == '0')
		return false;
	*at = p;
	*out = v;
	return true;
}

static bool name(const char **at, const char *end, char out[RULES_DEST_NAME + 1])
{
	size_t most = (size_t)(end - *at), n;
	const char *quote = memchr(*at, '"', most < RULES_DEST_NAME + 1 ? most : RULES_DEST_NAME + 1);

	if (!quote)
		return false;
	n = (size_t)(quote - *at);
	memcpy(out, *at, n);
	out[n] = '\0';
	*at = quote + 1;
	return rules_dest_name(out, n);
}

int again_open(const char *p, size_t n, struct again *a)
{
	const char *at = p, *end = p + n;

	memset(a, 0, sizeof(*a));
	if (n && end[-1] == '\n')
		end--;
	a->p = p;
	a->n = (size_t)(end - p);
	if (!NEXT_IS(&at, end, HEAD))
		return 0;
	if (!number(&at, end, &a->of))
		return -1;
	if (NEXT_IS(&at, end, TO)) {
		if (!name(&at, end, a->to))
			return -1;
	} else {
		a->hold = NEXT_IS(&at, end, HOLD);
	}
	if (!NEXT_IS(&at, end, EVENT) || end - at < 3 || *at != '{' || end[-1] != '}' || end[-2] != '}')
		return -1;
	a->p = at;
	a->n = (size_t)(end - 1 - at);
	return 1;
}

int again_write(struct buf *out, const struct again *a)
{
	if (buf_reserve(out, a->n + AGAIN_MORE) < 0)
		return -1;
	buf_printf(out, "%s%" PRIu64, HEAD, a->of);
	if (a->to[0])
		buf_printf(out, "%s%s\"", TO, a->to);
	else if (a->hold)
		buf_adds(out, HOLD);
	buf_adds(out, EVENT);
	buf_add(out, a->p, a->n);
	return buf_adds(out, "}\n");
}
