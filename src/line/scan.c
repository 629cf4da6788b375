#include "line/scan.h"

#include "base/utf8.h"
#include "line/found.h"
#include "line/names.h"
#include "line/scan_impl.h"
#include "line/token.h"
#include "line/why.h"

struct scan {
	struct token t;
	bool lf;			/* LF is white space: not in a line, but in other JSON text */
	unsigned depth;			/* of what is open around the place */
	struct names names;
	struct names_object open[LINE_MAX_DEPTH + 1];
	bool object[LINE_MAX_DEPTH + 1];
};

static const char *fail(struct scan *s, const char *at, const char *why)
{
	return token_fail(&s->t, at, why);
}

static const char *blank_slow(const struct scan *s, const char *p)
{
	while (p < s->t.end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && s->lf)))
		p++;
	return p;
}

static inline const char *blank(const struct scan *s, const char *p)
{
	if (likely(p < s->t.end && (unsigned char)*p > ' '))
		return p;
	return blank_slow(s, p);
}

/* First byte from p that needs a look: quote, backslash, control character; or end. *high: bytes beyond ASCII were passed. */
static inline const char *plain(const char *p, const char *end, unsigned *high)
{
#ifdef SCAN_X86
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, control), v),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit), beyond = (unsigned)_mm_movemask_epi8(v);

		if (mask) {
			*high |= beyond & (mask ^ (mask - 1));
			return p + __builtin_ctz(mask);
		}
		*high |= beyond;
		p += 16;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		*high |= (unsigned char)*p++ & 0x80;
	return p;
}

/* A fault at `at`; the bytes from p to there were not yet looked at: bad UTF-8 among them comes first. */
static const char *fail_behind(struct scan *s, const char *p, const char *at, const char *why)
{
	const char *bad = utf8_bad(p, at);

	return bad ? fail(s, bad, WHY_UTF8) : fail(s, at, why);
}

/* p at the opening quote; the byte behind the closing one. *escaped is set if there is a backslash. */
static inline const char *string(struct scan *s, const char *p, bool *escaped)
{
	const char *q = p + 1, *bad;
	unsigned high = 0;

	for (;; p = q) {
		q = plain(q, s->t.end, &high);
		if (unlikely(q == s->t.end))
			return fail_behind(s, p, q, WHY_ENDS_STRING);
		if (unlikely(*q != '"' && *q != '\\'))
			return fail_behind(s, p, q, WHY_CONTROL);
		if (unlikely(high)) {
			bad = utf8_bad(p, q);
			if (bad)
				return fail(s, bad, WHY_UTF8);
			high = 0;
		}
		if (likely(*q == '"'))
			return q + 1;
		*escaped = true;
		q = token_escape(&s->t, q);
		if (!q)
			return NULL;
	}
}

/* p at a name's quote; the byte behind the closing one. */
static inline const char *name(struct scan *s, const char *p, bool *escaped)
{
	if (unlikely(p == s->t.end || *p != '"'))
		return fail(s, p, p == s->t.end ? WHY_ENDS : WHY_NAME);
	return string(s, p, escaped);
}

/* From behind a name to the value behind the colon. */
static inline const char *colon(struct scan *s, const char *p)
{
	p = blank(s, p);
	if (unlikely(p == s->t.end || *p != ':'))
		return fail(s, p, p == s->t.end ? WHY_ENDS : WHY_COLON);
	return blank(s, p + 1);
}

/* Is the name raw new in the object at this depth? */
static inline bool is_new(struct scan *s, struct span raw, bool escaped)
{
	uint64_t mark = unlikely(escaped) ? names_mark_escaped(raw) :
		names_mark(raw.p + 1, raw.n - 2, (size_t)(s->t.end - raw.p - 1));
	enum names_result got = names_add(&s->names, &s->open[s->depth], raw, mark);

	if (likely(got == NAMES_NEW))
		return true;
	fail(s, raw.p, got == NAMES_REPEATED ? WHY_REPEATED : WHY_NAMES);
	return false;
}

/* p at a bracket; goes one level down, to the first byte inside. */
static inline const char *down(struct scan *s, const char *p)
{
	if (unlikely(s->depth == LINE_MAX_DEPTH))
		return fail(s, p, WHY_DEPTH);
	s->depth++;
	s->object[s->depth] = *p == '{';
	names_open(&s->names, &s->open[s->depth]);
	return blank(s, p + 1);
}

static inline void up(struct scan *s)
{
	names_close(&s->names, &s->open[s->depth]);
	s->depth--;
}

/* p at a bracket; everything up to the one that closes it; the byte behind. */
static const char *nested(struct scan *s, const char *p)
{
	unsigned outside = s->depth;
	bool escaped = false;

open:
	p = down(s, p);
	if (unlikely(!p))
		return NULL;
	if (unlikely(p == s->t.end))
		return fail(s, p, WHY_ENDS);
	if (s->object[s->depth]) {
		if (*p != '}')
			goto member;
	} else if (*p != ']') {
		goto value;
	}
close:
	up(s);
	p++;
	if (s->depth == outside)
		return p;
next:
	p = blank(s, p);
	if (unlikely(p == s->t.end))
		return fail(s, p, WHY_ENDS);
	if (*p == (s->object[s->depth] ? '}' : ']'))
		goto close;
	if (unlikely(*p != ','))
		return fail(s, p, s->object[s->depth] ? WHY_OBJECT_NEXT : WHY_ARRAY_NEXT);
	p = blank(s, p + 1);
	if (!s->object[s->depth])
		goto value;
member:
	{
		const char *q = name(s, p, &escaped);

		if (unlikely(!q || !is_new(s, (struct span){ p, (size_t)(q - p) }, escaped)))
			return NULL;
		escaped = false;
		p = colon(s, q);
		if (unlikely(!p))
			return NULL;
	}
value:
	if (likely(p < s->t.end && *p == '"')) {
		p = string(s, p, &escaped);
		escaped = false;
	} else if (p < s->t.end && (*p == '{' || *p == '[')) {
		goto open;
	} else {
		p = token_value(&s->t, p);
	}
	if (unlikely(!p))
		return NULL;
	goto next;
}

static inline const char *value(struct scan *s, const char *p)
{
	bool escaped;

	if (p < s->t.end && *p == '"')
		return string(s, p, &escaped);
	if (p < s->t.end && (*p == '{' || *p == '['))
		return nested(s, p);
	return token_value(&s->t, p);
}

/* The event itself, p at its bracket: files the members that are known, shows each to top. */
static const char *event(struct scan *s, const char *p, struct envelope *e, scan_top_fn *top, void *arg)
{
	uint32_t seen = 0;

	p = down(s, p);
	if (p < s->t.end && *p == '}')
		goto close;
	for (;;) {
		bool escaped = false;
		const char *q = name(s, p, &escaped);
		struct span raw, v;
		enum line_attr known;

		if (unlikely(!q))
			return NULL;
		raw = (struct span){ p, (size_t)(q - p) };
		known = unlikely(escaped) ? scan_attr_find_escaped(raw) : scan_attr_find(p + 1, raw.n - 2);
		/* What is in the table needs no search for repeats. */
		if (known == LA_COUNT ? !is_new(s, raw, escaped) : seen >> known & 1)
			return known == LA_COUNT ? NULL : fail(s, p, WHY_REPEATED);
		seen |= (uint32_t)1 << known;
		v.p = colon(s, q);
		if (unlikely(!v.p))
			return NULL;
		p = value(s, v.p);
		if (unlikely(!p))
			return NULL;
		v.n = (size_t)(p - v.p);
		scan_keep(e, known, v);
		if (top && top(arg, known, raw, v, s->t.err) != 0)
			return NULL;
		p = blank(s, p);
		if (unlikely(p == s->t.end))
			return fail(s, p, WHY_ENDS);
		if (*p == '}')
			break;
		if (unlikely(*p != ','))
			return fail(s, p, WHY_OBJECT_NEXT);
		p = blank(s, p + 1);
	}
close:
	up(s);
	return p + 1;
}

/* Where the outermost value begins; NULL: there is none, or the text is too long. */
static const char *begin(struct scan *s, const char *p, size_t n, bool lf, struct line_err *err)
{
	const char *q;

	s->t.start = p;
	s->t.end = p + n;
	s->t.err = err;
	s->lf = lf;
	s->depth = 0;
	names_init(&s->names, p);
	if (n > UINT32_MAX)
		return fail(s, p + UINT32_MAX, WHY_TOO_LONG);
	q = blank(s, p);
	return q == s->t.end ? fail(s, q, WHY_EMPTY) : q;
}

/* Behind the outermost value there is white space at most. */
static int finish(struct scan *s, const char *p)
{
	p = blank(s, p);
	if (p == s->t.end)
		return 0;
	fail(s, p, *p == '\n' && !s->lf ? WHY_LF : WHY_BEHIND);
	return -1;
}

/* An LF between tokens is seen as a wrong token: say what it is. */
static int name_the_lf(struct scan *s)
{
	size_t n = (size_t)(s->t.end - s->t.start);

	if (!s->lf && s->t.err->at < n && s->t.start[s->t.err->at] == '\n')
		s->t.err->why = WHY_LF;
	return -1;
}

int scan_slow(const char *p, size_t n, struct envelope *e, struct line_err *err, scan_top_fn *top, void *arg)
{
	struct scan s;
	const char *q;

	memset(e, 0, sizeof *e);
	q = begin(&s, p, n, false, err);
	if (!q)
		return -1;
	if (*q != '{') {
		fail(&s, q, n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? WHY_BOM : WHY_NO_OBJECT);
		return name_the_lf(&s);
	}
	q = event(&s, q, e, top, arg);
	if (!q || finish(&s, q) != 0)
		return name_the_lf(&s);
	return 0;
}

int scan_strict(const char *p, size_t n, struct envelope *e, struct line_err *err)
{
	struct scan_found found;

	return scan_fast(p, n, e, &found) ? 0 : scan_slow(p, n, e, err, NULL, NULL);
}

int scan_value(const char *p, size_t n, struct line_err *err)
{
	struct scan s;
	const char *q;

	q = begin(&s, p, n, true, err);
	if (!q)
		return -1;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		fail(&s, p, WHY_BOM);
		return -1;
	}
	q = value(&s, q);
	return q ? finish(&s, q) : -1;
}
