#include "line/found.h"

#include "base/utf8.h"
#include "line/masks.h"
#include "line/scan_impl.h"
#include "line/token.h"

#ifdef SCAN_X86
/*
 * From quote to quote (masks.h), with a look at the bytes between them only. The place of the next quote is known before this one is reached,
 * so that nothing waits for a comparison to find the end of a string, and no branch depends on the text of one. Half the time of scan.c
 * on chat events.
 */
#define AVX2 MASKS_TARGET

#define NAMES 64u		/* names of all objects open at one time */
#define DEPTH 32u

/* ---- names ---- */

/* Of a name without escapes: equal for equal names, and mostly not for others. */
AVX2 static inline uint32_t mark_of(const char *p, size_t n, const char *end)
{
	uint64_t head, tail = 0;

	if (n >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + n - 8, 8);
	} else if (likely(end - p >= 8)) {
		memcpy(&head, p, 8);
		head = _bzhi_u64(head, (unsigned)n * 8);
	} else if (n) {
		/* The line is long enough to read backwards. */
		memcpy(&head, p + n - 8, 8);
		head >>= (8 - n) * 8;
	} else {
		head = 0;
	}
	return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(n, head), tail);
}

/* Is the mark new among those from `base` on? Behind the last one stand those of objects that are closed. */
AVX2 static inline bool is_new(const uint32_t *mark, unsigned base, unsigned n, uint32_t what)
{
	const __m256i want = _mm256_set1_epi32((int)what);

	for (; base < n; base += 8) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(mark + base));
		unsigned same = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(v, want)));

		if (unlikely(_bzhi_u32(same, n - base)))
			return false;
	}
	return true;
}

/* ---- the way through ---- */

struct way {
	uint32_t *mark;			/* of the names of open objects, the innermost one's last */
	const char *line, *end;
	const uint16_t *quote;		/* the next one */
	struct scan_found *found;
	unsigned names;			/* of open objects */
	const struct token *t;
	const char *back, *back_end;	/* all backslashes are between these two */
};

/* The line ends in a bracket, so blanks end before it. */
static const char *blanks(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* p at a name's quote; behind the colon, or NULL. */
AVX2 static inline const char *past_name(struct way *w, const char *p, struct span *name)
{
	size_t at = (size_t)(p - w->line);

	if (unlikely(at != w->quote[0]))
		return NULL;
	*name = (struct span){ p, w->quote[1] + 1u - at };
	p = w->line + w->quote[1] + 1;
	w->quote += 2;
	if (unlikely(p > w->back && name->p < w->back_end))
		return NULL;
	if (unlikely(*p != ':') && *(p = blanks(p)) != ':')
		return NULL;
	return p + 1;
}

AVX2 static inline bool add_name(struct way *w, unsigned base, struct span name)
{
	uint32_t mark;

	if (unlikely(w->names == NAMES))
		return false;
	mark = mark_of(name.p + 1, name.n - 2, w->end);
	if (!is_new(w->mark, base, w->names, mark))
		return false;
	w->mark[w->names++] = mark;
	return true;
}

static inline void note(struct way *w, unsigned depth, struct span name, const char *value)
{
	struct scan_found *found = w->found;

	if (likely(found->ninner < SCAN_INNER))
		found->inner[found->ninner] = (struct scan_inner){ .name = (uint16_t)(name.p - w->line), .size = (uint16_t)name.n,
			.value = (uint16_t)(value - w->line), .depth = (uint16_t)depth };
	found->ninner++;
}

/* p at a bracket; behind the one that closes it, or NULL. */
AVX2 static inline const char *past_nested(struct way *w, const char *p)
{
	unsigned base[DEPTH], depth = 0;
	bool object[DEPTH];
	struct span name;
	char close;

open:
	if (unlikely(++depth == DEPTH))
		return NULL;
	object[depth] = *p == '{';
	base[depth] = w->names;
	p++;
	if (unlikely(*p == ' '))
		p = blanks(p);
	if (*p == (object[depth] ? '}' : ']'))
		goto close;
	if (!object[depth])
		goto value;
member:
	p = past_name(w, p, &name);
	if (unlikely(!p || !add_name(w, base[depth], name)))
		return NULL;
	if (unlikely(*p == ' '))
		p = blanks(p);
	note(w, depth, name, p);
value:
	if (likely((size_t)(p - w->line) == w->quote[0])) {
		p = w->line + w->quote[1] + 1;
		w->quote += 2;
	} else if (*p == '{' || *p == '[') {
		goto open;
	} else {
		p = token_value(w->t, p);
		if (unlikely(!p))
			return NULL;
	}
next:
	close = object[depth] ? '}' : ']';
	if (*p == ',') {
		p++;
	} else if (*p == close) {
		goto close;
	} else {
		/* Blanks, or a fault. */
		p = blanks(p);
		if (*p == close)
			goto close;
		if (*p++ != ',')
			return NULL;
	}
	if (unlikely(*p == ' '))
		p = blanks(p);
	if (object[depth])
		goto member;
	goto value;
close:
	w->names = base[depth];
	p++;
	if (--depth == 0)
		return p;
	/* Something is still open: the line cannot end here. */
	if (unlikely(p == w->end))
		return NULL;
	goto next;
}

/* The event, p at its bracket; behind it, or NULL. */
AVX2 static inline const char *past_event(struct way *w, const char *p, struct envelope *e)
{
	struct scan_found *found = w->found;
	uint32_t seen = 0;

	p = blanks(p + 1);
	if (unlikely(*p == '}'))
		return p + 1;
	for (;;) {
		struct scan_top *top = &found->top[found->ntop];
		enum line_attr known;

		if (unlikely(found->ntop++ == SCAN_TOP))
			return NULL;
		p = past_name(w, p, &top->name);
		if (unlikely(!p))
			return NULL;
		if (unlikely(*p == ' '))
			p = blanks(p);
		top->known = known = scan_attr_find(top->name.p + 1, top->name.n - 2);
		if (unlikely(known == LA_COUNT ? !add_name(w, 0, top->name) : seen >> known & 1))
			return NULL;
		seen |= (uint32_t)1 << known;
		top->value.p = p;
		if (likely((size_t)(p - w->line) == w->quote[0])) {
			p = w->line + w->quote[1] + 1;
			w->quote += 2;
		} else {
			p = *p == '{' || *p == '[' ? past_nested(w, p) : token_value(w->t, p);
			/* Only the last byte of the line is behind all it has open. */
			if (unlikely(!p || p == w->end))
				return NULL;
		}
		top->value.n = (size_t)(p - top->value.p);
		scan_keep(e, known, top->value);
		if (unlikely(*p == ' '))
			p = blanks(p);
		if (*p != ',')
			return *p == '}' ? p + 1 : NULL;
		p++;
		if (unlikely(*p == ' '))
			p = blanks(p);
	}
}

AVX2 static bool fast(const char *line, size_t n, struct envelope *e, struct scan_found *found)
{
	struct masks f;
	uint32_t mark[NAMES + 8];
	struct line_err err;
	struct token t = { line, line + n, &err };
	struct way w = { .mark = mark, .line = line, .end = line + n, .quote = f.quote, .found = found, .t = &t, .back = line + n };
	const char *p;

	/* What is done to find the end of a value relies on the last byte. */
	if (line[0] != '{' || line[n - 1] != '}' || !masks_look(&f, line, n) || f.nquote % 2)
		return false;
	if (f.any_odd)
		masks_odd_range(&f, &found->odd, &found->odd_end);
	if (f.any_back) {
		w.back = line + found->odd;
		w.back_end = line + found->odd_end;
	}
	p = past_event(&w, line, e);
	if (p != w.end || w.quote != f.quote + f.nquote)
		return false;
	if (!f.any_odd)
		return true;
	if (f.any_back && !masks_escapes_ok(&f, line, w.end))
		return false;
	return found->odd >= 3 ? masks_utf8_ok(line, n, found->odd, found->odd_end) : !utf8_bad(line, w.end);
}
#endif

bool scan_fast(const char *p, size_t n, struct envelope *e, struct scan_found *found)
{
	found->ntop = found->ninner = 0;
	found->odd = found->odd_end = 0;
#ifdef SCAN_X86
	if (n >= 64 && n <= MASKS_MOST && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
	    __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("sse4.2")) {
		memset(e, 0, sizeof *e);
		return fast(p, n, e, found);
	}
#else
	(void)p;
	(void)n;
	(void)e;
#endif
	return false;
}
