#include "line/token.h"

#include <stdbool.h>
#include <string.h>

#include "line/decode.h"
#include "line/why.h"

const char *token_fail(const struct token *t, const char *at, const char *why)
{
	t->err->at = (size_t)(at - t->start);
	t->err->why = why;
	return NULL;
}

const char *token_escape(const struct token *t, const char *p)
{
	int high, low;

	if (t->end - p < 2)
		return token_fail(t, t->end, WHY_ENDS_STRING);
	switch (p[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return p + 2;
	case 'u':
		break;
	default:
		return token_fail(t, p, WHY_ESCAPE);
	}
	if (t->end - p < 6)
		return memchr(p, '"', (size_t)(t->end - p)) ? token_fail(t, p, WHY_ESCAPE) :
			token_fail(t, t->end, WHY_ENDS_STRING);
	high = decode_hex4(p + 2);
	if (high < 0)
		return token_fail(t, p, WHY_ESCAPE);
	if (high < 0xd800 || high > 0xdfff)
		return p + 6;
	if (high >= 0xdc00 || t->end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return token_fail(t, p, WHY_SURROGATE);
	low = decode_hex4(p + 8);
	if (low < 0)
		return token_fail(t, p + 6, WHY_ESCAPE);
	if (low < 0xdc00 || low > 0xdfff)
		return token_fail(t, p, WHY_SURROGATE);
	return p + 12;
}

static inline bool digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *number(const struct token *t, const char *p)
{
	const char *end = t->end;

	if (*p == '-')
		p++;
	if (!digit(p, end))
		return token_fail(t, p, p == end ? WHY_ENDS : WHY_NUMBER);
	if (*p == '0')
		p++;
	else
		while (digit(p, end))
			p++;
	if (digit(p, end))
		return token_fail(t, p, WHY_NUMBER);		/* 01 */
	if (p < end && *p == '.') {
		p++;
		if (!digit(p, end))
			return token_fail(t, p, p == end ? WHY_ENDS : WHY_NUMBER);
		while (digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!digit(p, end))
			return token_fail(t, p, p == end ? WHY_ENDS : WHY_NUMBER);
		while (digit(p, end))
			p++;
	}
	return p;
}

static const char *literal(const struct token *t, const char *p, const char *word, size_t n)
{
	size_t have = (size_t)(t->end - p);

	if (have >= n && memcmp(p, word, n) == 0)
		return p + n;
	return have < n && memcmp(p, word, have) == 0 ? token_fail(t, t->end, WHY_ENDS) : token_fail(t, p, WHY_VALUE);
}

const char *token_value(const struct token *t, const char *p)
{
	if (p == t->end)
		return token_fail(t, p, WHY_ENDS);
	switch (*p) {
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return number(t, p);
	case 't':
		return literal(t, p, "true", 4);
	case 'f':
		return literal(t, p, "false", 5);
	case 'n':
		return literal(t, p, "null", 4);
	default:
		return token_fail(t, p, WHY_VALUE);
	}
}
