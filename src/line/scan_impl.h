/*
 * scan_impl: what the files of the scanner share. Private to line.
 */
#ifndef LINE_SCAN_IMPL_H
#define LINE_SCAN_IMPL_H

#include <string.h>

#include "line/scan.h"

/* -DLINE_PORTABLE builds what other processors get. */
#if defined(__x86_64__) && !defined(LINE_PORTABLE)
#include <immintrin.h>
#define SCAN_X86 1
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Called for each member of the outermost object once its value was checked: 0, or -1 with *err. known is LA_COUNT
 * for a name that is not in the table. */
typedef int scan_top_fn(void *arg, enum line_attr known, struct span name, struct span value, struct line_err *err);

/* scan_strict, a token at a time, with a function to look at each member on the way; top may be NULL. */
int scan_slow(const char *p, size_t n, struct envelope *e, struct line_err *err, scan_top_fn *top, void *arg);

/* Which attribute is this name (text without quotes)? LA_COUNT: none of the table. */
static inline enum line_attr scan_attr_find(const char *p, size_t n)
{
#define SCAN_IS(text, attr) if (memcmp(p, text, sizeof text - 1) == 0) return attr
	switch (n) {
	case 2:
		SCAN_IS("id", LA_ID);
		break;
	case 4:
		SCAN_IS("type", LA_TYPE);
		SCAN_IS("time", LA_TIME);
		SCAN_IS("data", LA_DATA);
		break;
	case 6:
		SCAN_IS("source", LA_SOURCE);
		SCAN_IS("tenant", LA_TENANT);
		break;
	case 7:
		SCAN_IS("subject", LA_SUBJECT);
		break;
	case 9:
		SCAN_IS("notbefore", LA_NOTBEFORE);
		break;
	case 10:
		SCAN_IS("dataschema", LA_DATASCHEMA);
		SCAN_IS("tracestate", LA_TRACESTATE);
		break;
	case 11:
		SCAN_IS("specversion", LA_SPECVERSION);
		SCAN_IS("traceparent", LA_TRACEPARENT);
		SCAN_IS("causationid", LA_CAUSATIONID);
		SCAN_IS("data_base64", LA_DATA_BASE64);
		break;
	case 12:
		SCAN_IS("partitionkey", LA_PARTITIONKEY);
		break;
	case 15:
		SCAN_IS("datacontenttype", LA_DATACONTENTTYPE);
		break;
	}
#undef SCAN_IS
	return LA_COUNT;
}

enum line_attr scan_attr_find_escaped(struct span raw);	/* the same for a raw name with escapes */

/* Files a member of the outermost object; a null is no attribute, but it is a payload. */
static inline void scan_keep(struct envelope *e, enum line_attr known, struct span value)
{
	if (known != LA_COUNT && (value.p[0] != 'n' || known == LA_DATA || known == LA_DATA_BASE64))
		e->a[known] = value;
}

/* p at an opening bracket; the byte behind the one that closes it, or NULL. Kinds of brackets are not told apart. */
const char *scan_jump(const char *p, const char *end);
const char *scan_jump_plain(const char *p, const char *end);	/* the same without AVX2 */

/* p behind an opening quote; the byte behind the closing one, or NULL. */
static inline const char *scan_skip_string(const char *p, const char *end)
{
	for (;;) {
#ifdef SCAN_X86
		const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');

		while (end - p >= 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
			unsigned mask = (unsigned)_mm_movemask_epi8(
				_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)));

			if (likely(mask)) {
				p += __builtin_ctz(mask);
				goto found;
			}
			p += 16;
		}
#endif
		while (p < end && *p != '"' && *p != '\\')
			p++;
		if (p == end)
			return NULL;
#ifdef SCAN_X86
found:
#endif
		if (likely(*p == '"'))
			return p + 1;
		if (end - p < 2)
			return NULL;
		p += 2;
	}
}

static inline const char *scan_blank(const char *p, const char *end)
{
	while (unlikely(p < end && (unsigned char)*p <= ' ') && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

#endif
