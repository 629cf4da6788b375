#include "line/scan.h"

#include "line/decode.h"
#include "line/names.h"
#include "line/scan_impl.h"
#include "line/why.h"

/* Which bytes may stand between tokens: a line cannot hold LF, other JSON text can. */
struct scan {
	const char *start, *end;
	struct line_err *err;
	bool lf;			/* LF is white space */
	bool escaped;			/* the string last read has escapes */
	unsigned depth;
	struct names names;
	struct names_object open[LINE_MAX_DEPTH + 1];
	bool object[LINE_MAX_DEPTH + 1];
};

static const char *fail(struct scan *s, const char *at, const char *why)
{
	s->err->at = (size_t)(at - s->start);
	s->err->why = why;
	return NULL;
}

static const char *blank_slow(const struct scan *s, const char *p)
{
	while (p < s->end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && s->lf)))
		p++;
	return p;
}

static inline const char *blank(const struct scan *s, const char *p)
{
	if (likely(p < s->end && (unsigned char)*p > ' '))
		return p;
	return blank_slow(s, p);
}

/* First byte from p that needs a look: quote, backslash, control, beyond ASCII; or end. */
static inline const char *plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed: bytes from 0x80 up are below the space, too. */
		__m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		if (mask)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)(*p - 0x20) < 0x60)
		p++;
	return p;
}

/* p at a backslash; the byte behind the escape. */
static const char *escape(struct scan *s, const char *p)
{
	int high, low;

	s->escaped = true;
	if (s->end - p < 2)
		return fail(s, s->end, WHY_ENDS_STRING);
	switch (p[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return p + 2;
	case 'u':
		break;
	default:
		return fail(s, p, WHY_ESCAPE);
	}
	if (s->end - p < 6)
		return memchr(p, '"', (size_t)(s->end - p)) ? fail(s, p, WHY_ESCAPE) :
			fail(s, s->end, WHY_ENDS_STRING);
	high = decode_hex4(p + 2);
	if (high < 0)
		return fail(s, p, WHY_ESCAPE);
	if (high < 0xd800 || high > 0xdfff)
		return p + 6;
	if (high >= 0xdc00 || s->end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return fail(s, p, WHY_SURROGATE);
	low = decode_hex4(p + 8);
	if (low < 0)
		return fail(s, p + 6, WHY_ESCAPE);
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, p, WHY_SURROGATE);
	return p + 12;
}

/* p at the opening quote; the byte behind the closing one. */
static inline const char *string(struct scan *s, const char *p)
{
	s->escaped = false;
	p++;
	for (;;) {
		p = plain(p, s->end);
		if (unlikely(p == s->end))
			return fail(s, p, WHY_ENDS_STRING);
		if (likely(*p == '"'))
			return p + 1;
		if (*p == '\\') {
			p = escape(s, p);
			if (!p)
				return NULL;
		} else if ((unsigned char)*p < 0x20) {
			return fail(s, p, WHY_CONTROL);
		} else {
			do {
				unsigned n = decode_utf8(p, s->end);

				if (n == 0)
					return fail(s, p, WHY_UTF8);
				p += n;
			} while (p < s->end && (unsigned char)*p >= 0x80);
		}
	}
}

static inline bool digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *number(struct scan *s, const char *p)
{
	const char *end = s->end;

	if (*p == '-')
		p++;
	if (!digit(p, end))
		return fail(s, p, p == end ? WHY_ENDS : WHY_NUMBER);
	if (*p == '0')
		p++;
	else
		while (digit(p, end))
			p++;
	if (digit(p, end))
		return fail(s, p, WHY_NUMBER);		/* 01 */
	if (p < end && *p == '.') {
		p++;
		if (!digit(p, end))
			return fail(s, p, p == end ? WHY_ENDS : WHY_NUMBER);
		while (digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!digit(p, end))
			return fail(s, p, p == end ? WHY_ENDS : WHY_NUMBER);
		while (digit(p, end))
			p++;
	}
	return p;
}

static const char *literal(struct scan *s, const char *p, const char *word, size_t n)
{
	size_t have = (size_t)(s->end - p);

	if (have >= n && memcmp(p, word, n) == 0)
		return p + n;
	return have < n && memcmp(p, word, have) == 0 ? fail(s, s->end, WHY_ENDS) : fail(s, p, WHY_VALUE);
}

/* A value that is no object and no array; p at its first byte. */
static inline const char *scalar(struct scan *s, const char *p)
{
	switch (*p) {
	case '"':
		return string(s, p);
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return number(s, p);
	case 't':
		return literal(s, p, "true", 4);
	case 'f':
		return literal(s, p, "false", 5);
	case 'n':
		return literal(s, p, "null", 4);
	default:
		return fail(s, p, WHY_VALUE);
	}
}

/* p at a name's quote: checks that it is new in its object and finds the value behind the colon. */
static inline const char *name(struct scan *s, const char *p, struct span *raw)
{
	const char *q;
	uint64_t mark;

	if (unlikely(p == s->end || *p != '"'))
		return fail(s, p, p == s->end ? WHY_ENDS : WHY_NAME);
	q = string(s, p);
	if (unlikely(!q))
		return NULL;
	*raw = (struct span){ p, (size_t)(q - p) };
	mark = unlikely(s->escaped) ? names_mark_escaped(*raw) :
		names_mark(p + 1, raw->n - 2, (size_t)(s->end - p - 1));
	switch (names_add(&s->names, &s->open[s->depth], *raw, mark)) {
	case NAMES_NEW:
		break;
	case NAMES_REPEATED:
		return fail(s, p, WHY_REPEATED);
	case NAMES_FULL:
		return fail(s, p, WHY_NAMES);
	}
	q = blank(s, q);
	if (unlikely(q == s->end || *q != ':'))
		return fail(s, q, q == s->end ? WHY_ENDS : WHY_COLON);
	return blank(s, q + 1);
}

static inline const char *open_level(struct scan *s, const char *p)
{
	if (unlikely(s->depth == LINE_MAX_DEPTH))
		return fail(s, p, WHY_DEPTH);
	s->depth++;
	s->object[s->depth] = *p == '{';
	names_open(&s->names, &s->open[s->depth]);
	return blank(s, p + 1);
}

/* The member of the outermost object that ends at p. */
static inline int top_member(struct scan *s, struct envelope *e, struct span raw, bool escaped, const char *value,
	const char *p, scan_top_fn *top, void *arg)
{
	struct span v = { value, (size_t)(p - value) };
	enum line_attr known = unlikely(escaped) ? scan_attr_find_escaped(raw) :
		scan_attr_find(raw.p + 1, raw.n - 2);

	scan_keep(e, known, v);
	return top ? top(arg, known, raw, v, s->err) : 0;
}

/* The value at p and everything in it; the byte behind. e may be NULL: then nothing is filed. */
static const char *value(struct scan *s, const char *p, struct envelope *e, scan_top_fn *top, void *arg)
{
	struct span raw = { NULL, 0 };
	struct span top_name = { NULL, 0 };
	const char *top_value = NULL;
	bool top_escaped = false;

begin:
	if (unlikely(p == s->end))
		return fail(s, p, WHY_ENDS);
	if (*p == '{' || *p == '[') {
		char end = *p == '{' ? '}' : ']';

		p = open_level(s, p);
		if (!p)
			return NULL;
		if (p < s->end && *p == end)
			goto close;
		if (end == ']')
			goto begin;
		goto member;
	}
	p = scalar(s, p);
	if (unlikely(!p))
		return NULL;
after:
	if (s->depth == 0)
		return p;
	if (s->depth == 1 && e && top_member(s, e, top_name, top_escaped, top_value, p, top, arg) != 0)
		return NULL;
	p = blank(s, p);
	if (unlikely(p == s->end))
		return fail(s, p, WHY_ENDS);
	if (*p == ',') {
		p = blank(s, p + 1);
		if (!s->object[s->depth])
			goto begin;
	} else if (*p == (s->object[s->depth] ? '}' : ']')) {
		goto close;
	} else {
		return fail(s, p, s->object[s->depth] ? WHY_OBJECT_NEXT : WHY_ARRAY_NEXT);
	}
member:
	p = name(s, p, &raw);
	if (unlikely(!p))
		return NULL;
	if (s->depth == 1) {
		top_name = raw;
		top_escaped = s->escaped;
		top_value = p;
	}
	goto begin;
close:
	names_close(&s->names, &s->open[s->depth]);
	s->depth--;
	p++;
	goto after;
}

static void scan_init(struct scan *s, const char *p, size_t n, bool lf, struct line_err *err)
{
	s->start = p;
	s->end = p + n;
	s->err = err;
	s->lf = lf;
	s->escaped = false;
	s->depth = 0;
	names_init(&s->names, p);
}

/* Behind the outermost value there is white space at most. */
static int finish(struct scan *s, const char *p)
{
	p = blank(s, p);
	if (p == s->end)
		return 0;
	fail(s, p, *p == '\n' && !s->lf ? WHY_LF : WHY_BEHIND);
	return -1;
}

/* An LF between tokens is seen as a wrong token: say what it is. */
static int name_the_lf(struct scan *s)
{
	size_t n = (size_t)(s->end - s->start);

	if (!s->lf && s->err->at < n && s->start[s->err->at] == '\n')
		s->err->why = WHY_LF;
	return -1;
}

int scan_with(const char *p, size_t n, struct envelope *e, struct line_err *err, scan_top_fn *top, void *arg)
{
	struct scan s;
	const char *q;

	memset(e, 0, sizeof *e);
	scan_init(&s, p, n, false, err);
	if (n > UINT32_MAX) {
		fail(&s, p + UINT32_MAX, WHY_TOO_LONG);
		return -1;
	}
	q = blank(&s, p);
	if (q == s.end) {
		fail(&s, q, WHY_EMPTY);
		return -1;
	}
	if (*q != '{') {
		fail(&s, q, n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? WHY_BOM : WHY_NO_OBJECT);
		return name_the_lf(&s);
	}
	q = value(&s, q, e, top, arg);
	if (!q || finish(&s, q) != 0)
		return name_the_lf(&s);
	return 0;
}

int scan_strict(const char *p, size_t n, struct envelope *e, struct line_err *err)
{
	return scan_with(p, n, e, err, NULL, NULL);
}

int scan_value(const char *p, size_t n, struct line_err *err)
{
	struct scan s;
	const char *q;

	scan_init(&s, p, n, true, err);
	if (n > UINT32_MAX) {
		fail(&s, p + UINT32_MAX, WHY_TOO_LONG);
		return -1;
	}
	q = blank(&s, p);
	if (q == s.end) {
		fail(&s, q, WHY_EMPTY);
		return -1;
	}
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		fail(&s, p, WHY_BOM);
		return -1;
	}
	q = value(&s, q, NULL, NULL, NULL);
	return q ? finish(&s, q) : -1;
}
