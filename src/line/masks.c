#include "line/masks.h"

#include "line/token.h"

#ifdef SCAN_X86

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
MASKS_TARGET static inline __attribute__((always_inline)) void look_at(struct masks *f, struct seen *s, const char *p, size_t b, size_t at,
	unsigned over)
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

MASKS_TARGET bool masks_look(struct masks *f, const char *p, size_t n)
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

void masks_odd_range(const struct masks *f, size_t *from, size_t *to)
{
	size_t first = 0, last = f->blocks - 1;

	while (!f->odd[first])
		first++;
	while (!f->odd[last])
		last--;
	*from = first * 64 + (size_t)__builtin_ctzll(f->odd[first]);
	*to = (last + 1) * 64 - (size_t)__builtin_clzll(f->odd[last]);
}

bool masks_escapes_ok(const struct masks *f, const char *line, const char *end)
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
 * The high and low half of a byte and the high half of the next look up which faults each would allow; a fault that all three allow is one
 * (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2021).
 */
MASKS_TARGET bool masks_utf8_ok(const char *line, size_t n, size_t from, size_t to)
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
#else
typedef int masks_none;		/* a file must have something in it */
#endif
