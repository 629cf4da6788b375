#include "line/found.h"

#include "base/utf8.h"
#include "line/scan_impl.h"
#include "line/token.h"

#ifdef SCAN_X86
/*
 * 64 bytes at a time as bit masks, which find the quotes; then from quote to quote, with a look at the bytes between them only. The
 * place of the next quote is known before this one is reached, so that nothing waits for a comparison to find the end of a
 * string, and no branch depends on the text of one. Half the time of scan.c on chat events.
 */
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,sse4.2")))

#define MOST 16384u		/* bytes of a line: places are of 16 bits, the masks lie on the stack */
#define NAMES 64u		/* names of all objects open at one time */
#define DEPTH 32u

struct fast {
	uint16_t quote[MOST + 16];	/* places of the quotes that begin and end strings */
	uint64_t odd[MOST / 64];	/* bytes beyond ASCII, backslashes */
	uint64_t escape[MOST / 64];	/* backslashes that begin an escape */
	size_t nquote, blocks;
	bool any_odd, any_back;
	uint32_t mark[NAMES + 8];	/* of the names of open objects, the innermost one's last */
};

/* ---- the masks ---- */

/* Of the backslashes of a block those that begin an escape; *taken: the bytes behind them. *carry: the last byte of the block before began
 * one. */
static inline uint64_t escapes(uint64_t back, uint64_t *taken, uint64_t *carry)
{
	uint64_t starts = 0;

	*taken = *carry;
	back &= ~*carry;
	*carry = 0;
	while (back) {
		uint64_t bit = back & -back;

		starts |= bit;
		*taken |= bit << 1;
		*carry = bit >> 63;
		back &= ~(bit | bit << 1);
	}
	return starts;
}

/* What is gathered over the blocks. */
struct seen { __m256i bad; uint64_t odd, back, carry; uint16_t *quote; };

/* 64 bytes: number b, at `at` of the line, of which the first `over` are of the block before. */
AVX2 static inline __attribute__((always_inline)) void look_at(struct fast *f, struct seen *s, const char *p, size_t b, size_t at, unsigned over)
{
	const __m256i quote = _mm256_set1_epi8('"'), back = _mm256_set1_epi8('\\');
	const __m256i control = _mm256_set1_epi8(0x1f), del = _mm256_set1_epi8(0x7f);
	const __m256i *from = (const __m256i *)(const void *)(p + at - over);
	__m256i x = _mm256_loadu_si256(from), y = _mm256_loadu_si256(from + 1);
	uint64_t quotes, odd, slashes;
	uint16_t *out = s->quote;

#define MASK(ax, ay) (((uint64_t)(uint32_t)_mm256_movemask_epi8(ax) | (uint64_t)(uint32_t)_mm256_movemask_epi8(ay) << 32) >> over)
	quotes = MASK(_mm256_cmpeq_epi8(x, quote), _mm256_cmpeq_epi8(y, quote));
	slashes = MASK(_mm256_cmpeq_epi8(x, back), _mm256_cmpeq_epi8(y, back));
	odd = MASK(x, y) | slashes;
#undef MASK
	s->bad = _mm256_or_si256(s->bad, _mm256_or_si256(
		_mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(x, control), x), _mm256_cmpeq_epi8(x, del)),
		_mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(y, control), y), _mm256_cmpeq_epi8(y, del))));
	f->odd[b] = odd;
	f->escape[b] = 0;
	s->odd |= odd;
	s->back |= slashes;
	if (unlikely(slashes | s->carry)) {
		uint64_t taken;

		f->escape[b] = escapes(slashes, &taken, &s->carry);
		quotes &= ~taken;
	}

	unsigned count = (unsigned)_mm_popcnt_u64(quotes);
#define NEXT(i) out[i] = (uint16_t)(at + _tzcnt_u64(quotes)); quotes = _blsr_u64(quotes)
	NEXT(0); NEXT(1); NEXT(2); NEXT(3); NEXT(4); NEXT(5); NEXT(6); NEXT(7);
	if (count > 8) {
		NEXT(8); NEXT(9); NEXT(10); NEXT(11); NEXT(12); NEXT(13); NEXT(14); NEXT(15);
		for (unsigned i = 16; i < count; i++) {
			NEXT(i);
		}
	}
#undef NEXT
	s->quote = out + count;
}

/* Fills the first half of f for a line of 64 bytes or more. false: control characters. */
AVX2 static inline bool look(struct fast *f, const char *p, size_t n)
{
	struct seen s = { _mm256_setzero_si256(), 0, 0, 0, f->quote };
	size_t b = 0, at = 0;

	for (; n - at >= 64; at += 64, b++)
		look_at(f, &s, p, b, at, 0);
	/* The rest is read from the end of the line backwards, its masks are moved into place. */
	if (at < n)
		look_at(f, &s, p, b++, at, 64 - (unsigned)(n - at));
	f->nquote = (size_t)(s.quote - f->quote);
	f->blocks = b;
	f->any_odd = s.odd != 0;
	f->any_back = s.back != 0;
	/* No place of a line; two, for whoever takes the end of a string with its beginning. */
	s.quote[0] = s.quote[1] = UINT16_MAX;
	return _mm256_testz_si256(s.bad, s.bad);
}

/* From the first to the last odd byte; there is one. */
static void odd_range(const struct fast *f, size_t *from, size_t *to)
{
	size_t first = 0, last = f->blocks - 1;

	while (!f->odd[first])
		first++;
	while (!f->odd[last])
		last--;
	*from = first * 64 + (size_t)__builtin_ctzll(f->odd[first]);
	*to = (last + 1) * 64 - (size_t)__builtin_clzll(f->odd[last]);
}

/* Every escape of the line. That none stands outside of strings is seen on the way. */
static bool escapes_ok(const struct fast *f, const char *line, const char *end)
{
	struct line_err err;
	struct token t = { line, end, &err };
	const char *done = line;

	for (size_t b = 0; b < f->blocks; b++) {
		for (uint64_t m = f->escape[b]; m; m &= m - 1) {
			const char *p = line + b * 64 + __builtin_ctzll(m);

			/* The other half of a surrogate pair. */
			if (p < done)
				continue;
			done = token_escape(&t, p);
			if (!done)
				return false;
		}
	}
	return true;
}

/*
 * UTF-8 of the part [from, to) of a line of n bytes, with what is not ASCII all within it and at least 3 bytes before it and one behind. The
 * high and low half of a byte and the high half of the next look up which faults each would allow; a fault that all three allow is one
 * (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2021).
 */
AVX2 static bool utf8_ok(const char *line, size_t n, size_t from, size_t to)
{
	enum { SHORT = 1, LONG = 2, OVER3 = 4, LARGE = 8, SURROGATE = 16, OVER2 = 32, OVER4 = 64, TWO = 128, ANY = SHORT | LONG | TWO };
#define BOTH(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))
#define C(x) (char)(x)
	const __m256i high1 = BOTH(LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, C(TWO), C(TWO), C(TWO), C(TWO),
		SHORT | OVER2, SHORT, SHORT | OVER3 | SURROGATE, SHORT | LARGE | OVER4);
	const __m256i low1 = BOTH(C(ANY | OVER3 | OVER2 | OVER4), C(ANY | OVER2), C(ANY), C(ANY), C(ANY | LARGE), C(ANY | LARGE | OVER4),
		C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4),
		C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4), C(ANY | LARGE | OVER4 | SURROGATE), C(ANY | LARGE | OVER4),
		C(ANY | LARGE | OVER4));
	const __m256i high2 = BOTH(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, C(LONG | OVER2 | TWO | OVER3 | OVER4),
		C(LONG | OVER2 | TWO | OVER3 | LARGE), C(LONG | OVER2 | TWO | SURROGATE | LARGE), C(LONG | OVER2 | TWO | SURROGATE | LARGE),
		SHORT, SHORT, SHORT, SHORT);
	const __m256i low4 = _mm256_set1_epi8(15);
	__m256i bad = _mm256_setzero_si256();

	/* The byte behind ends a character that is cut off. */
	for (size_t at = from; at <= to; at += 32) {
		const char *p = line + (at > n - 32 ? n - 32 : at);
#define LOAD(q) _mm256_loadu_si256((const __m256i *)(const void *)(q))
		__m256i v = LOAD(p), before = LOAD(p - 1);
		__m256i faults = _mm256_and_si256(_mm256_and_si256(
			_mm256_shuffle_epi8(high1, _mm256_and_si256(_mm256_srli_epi16(before, 4), low4)),
			_mm256_shuffle_epi8(low1, _mm256_and_si256(before, low4))),
			_mm256_shuffle_epi8(high2, _mm256_and_si256(_mm256_srli_epi16(v, 4), low4)));
		/* Two continuations in a row are right where a third or fourth byte of a character is due, and only there. */
		__m256i due = _mm256_or_si256(_mm256_subs_epu8(LOAD(p - 2), _mm256_set1_epi8(0xe0 - 0x80)),
			_mm256_subs_epu8(LOAD(p - 3), _mm256_set1_epi8(0xf0 - 0x80)));
#undef LOAD
		bad = _mm256_or_si256(bad, _mm256_xor_si256(faults, _mm256_and_si256(due, _mm256_set1_epi8((char)0x80))));
	}
#undef BOTH
#undef C
	return _mm256_testz_si256(bad, bad);
}

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
	struct fast *f;
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
	if (!is_new(w->f->mark, base, w->names, mark))
		return false;
	w->f->mark[w->names++] = mark;
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
	struct fast f;
	struct line_err err;
	struct token t = { line, line + n, &err };
	struct way w = { .f = &f, .line = line, .end = line + n, .quote = f.quote, .found = found, .t = &t, .back = line + n };
	const char *p;

	/* What is done to find the end of a value relies on the last byte. */
	if (line[0] != '{' || line[n - 1] != '}' || !look(&f, line, n) || f.nquote % 2)
		return false;
	if (f.any_odd)
		odd_range(&f, &found->odd, &found->odd_end);
	if (f.any_back) {
		w.back = line + found->odd;
		w.back_end = line + found->odd_end;
	}
	p = past_event(&w, line, e);
	if (p != w.end || w.quote != f.quote + f.nquote)
		return false;
	if (!f.any_odd)
		return true;
	if (f.any_back && !escapes_ok(&f, line, w.end))
		return false;
	return found->odd >= 3 ? utf8_ok(line, n, found->odd, found->odd_end) : !utf8_bad(line, w.end);
}
#endif

bool scan_fast(const char *p, size_t n, struct envelope *e, struct scan_found *found)
{
	found->ntop = found->ninner = 0;
	found->odd = found->odd_end = 0;
#ifdef SCAN_X86
	if (n >= 64 && n <= MOST && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
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
