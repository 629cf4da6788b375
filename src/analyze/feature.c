#include "analyze/feature.h"

#include <stdio.h>
#include <string.h>

#include "analyze/lexicon.h"

#define GRAM_MIN 2
#define GRAM_MAX 5
#define GRAM_WORD 32	/* code points of a word, edges included, that grams are taken from */

const float feature_weight[FEATURE_KINDS] = {
	[FEATURE_WORD] = 1.0f, [FEATURE_PAIR] = 1.0f, [FEATURE_GRAM] = 0.7f,
	[FEATURE_NEGATED] = 1.0f, [FEATURE_CAPS] = 0.7f,
	[FEATURE_LEXICON] = 1.0f, [FEATURE_META] = 0.7f,
};

static const char *const kind_name[FEATURE_KINDS] = {
	[FEATURE_WORD] = "word", [FEATURE_PAIR] = "pair", [FEATURE_GRAM] = "gram",
	[FEATURE_NEGATED] = "negated", [FEATURE_CAPS] = "capitals",
	[FEATURE_LEXICON] = "lexicon", [FEATURE_META] = "meta",
};

enum lexicon_how { LEXICON_ONCE, LEXICON_TWICE, LEXICON_NEGATED, LEXICON_HOWS };

static const char *const lexicon_how[LEXICON_HOWS] = {
	[LEXICON_ONCE] = "", [LEXICON_TWICE] = ", twice", [LEXICON_NEGATED] = ", negated",
};

enum meta { META_LENGTH, META_EXCLAMATIONS, META_QUESTIONS, META_CAPS, META_STRETCHED, META_EMOJI, META_LAST, METAS };

static const char *const meta_name[METAS] = {
	[META_LENGTH] = "length class", [META_EXCLAMATIONS] = "exclamation marks", [META_QUESTIONS] = "question marks",
	[META_CAPS] = "words in capitals", [META_STRETCHED] = "stretched words", [META_EMOJI] = "emoji",
	[META_LAST] = "last mark",
};

static uint64_t fnv_start(enum feature_kind kind)
{
	return (0xcbf29ce484222325u ^ (uint64_t)kind) * 0x100000001b3u;
}

static uint64_t fnv(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return h;
}

static uint32_t fold(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return (uint32_t)(h >> 32);
}

uint32_t feature_word_hash(const char *p, size_t n)
{
	return fold(fnv(fnv_start(FEATURE_WORD), p, n));
}

static void add(struct features *f, size_t mask, enum feature_kind kind, uint64_t h, size_t off, size_t len)
{
	uint32_t hash = fold(h);
	size_t i = hash & mask;

	for (; f->slot[i]; i = (i + 1) & mask)
		if (f->v[f->slot[i] - 1].hash == hash)
			return;
	if (f->n == FEATURES_MAX)
		return;
	f->v[f->n] = (struct feature){ hash, (uint16_t)off, (uint16_t)len, (uint8_t)kind };
	f->slot[i] = (uint16_t)++f->n;
}

static void add_slice(struct features *f, size_t mask, enum feature_kind kind, const struct text *t,
	size_t off, size_t len)
{
	add(f, mask, kind, fnv(fnv_start(kind), t->buf + off, len), off, len);
}

static void add_grams(struct features *f, size_t mask, const struct text *t, const struct token *k)
{
	/* edge[i] is where the i-th code point of the word between its two spaces begins */
	size_t edge[GRAM_WORD + 1], n = 0, end = (size_t)k->off + k->len + 1;

	for (size_t i = k->off - 1u; i < end && n < GRAM_WORD; i++)
		if (((unsigned char)t->buf[i] & 0xc0) != 0x80)
			edge[n++] = i;
	if (n < GRAM_WORD) {
		edge[n] = end;
	} else {
		for (edge[n] = edge[n - 1] + 1; ((unsigned char)t->buf[edge[n]] & 0xc0) == 0x80; )
			edge[n]++;
	}
	for (size_t i = 0; i + GRAM_MIN <= n; i++) {
		uint64_t h = fnv(fnv_start(FEATURE_GRAM), t->buf + edge[i], edge[i + 1] - edge[i]);

		for (size_t j = i + 1; j < n && j < i + GRAM_MAX; j++) {
			h = fnv(h, t->buf + edge[j], edge[j + 1] - edge[j]);
			if (i > 0 || edge[j + 1] < end)
				add(f, mask, FEATURE_GRAM, h, edge[i], edge[j + 1] - edge[i]);
		}
	}
}

static void add_tokens(struct features *f, size_t mask, const struct text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct token *k = &t->token[i];

		add_slice(f, mask, k->negated ? FEATURE_NEGATED : FEATURE_WORD, t, k->off, k->len);
		if (i == 0)
			add_slice(f, mask, FEATURE_PAIR, t, k->off - 1u, k->len + 1u);
		if (i + 1 < t->n)
			add_slice(f, mask, FEATURE_PAIR, t, k->off, (size_t)k[1].off + k[1].len - k->off);
		else
			add_slice(f, mask, FEATURE_PAIR, t, k->off, k->len + 1u);
		if (k->kind == TOKEN_WORD && !k->negated)
			add_grams(f, mask, t, k);
		if (k->caps)
			add_slice(f, mask, FEATURE_CAPS, t, k->off, k->len);
	}
}

static void add_lexicon(struct features *f, size_t mask, const struct text *t, const struct lexicon *lexicon)
{
	uint64_t found[LEXICON_HOWS] = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		uint64_t in;

		if (t->token[i].kind != TOKEN_WORD)
			continue;
		in = lexicon_find(lexicon, t->buf + t->token[i].off, t->token[i].len);
		if (t->token[i].negated) {
			found[LEXICON_NEGATED] |= in;
		} else {
			found[LEXICON_TWICE] |= found[LEXICON_ONCE] & in;
			found[LEXICON_ONCE] |= in;
		}
	}
	for (unsigned how = 0; how < LEXICON_HOWS; how++) {
		for (uint64_t bits = found[how]; bits; bits &= bits - 1) {
			unsigned category = (unsigned)__builtin_ctzll(bits);
			char key[2] = { (char)category, (char)how };

			add(f, mask, FEATURE_LEXICON, fnv(fnv_start(FEATURE_LEXICON), key, sizeof key), how, category);
		}
	}
}

static void add_meta(struct features *f, size_t mask, enum meta which, unsigned value)
{
	char key[2] = { (char)which, (char)value };

	add(f, mask, FEATURE_META, fnv(fnv_start(FEATURE_META), key, sizeof key), which, value);
}

static unsigned at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

static unsigned length_class(unsigned words)
{
	static const unsigned last[] = { 0, 1, 2, 3, 5, 8, 12, 17, 25 };
	unsigned i = 0;

	while (i < sizeof last / sizeof last[0] && words > last[i])
		i++;
	return i;
}

void features_of(struct features *f, const struct text *t, const struct lexicon *lexicon)
{
	size_t slots = 512;

	/* A byte of text starts at most 8 features; short texts clear little of the table. */
	while (slots < 8 * t->len && slots < sizeof f->slot / sizeof f->slot[0])
		slots *= 2;
	memset(f->slot, 0, slots * sizeof f->slot[0]);
	f->n = 0;
	add_tokens(f, slots - 1, t);
	add_lexicon(f, slots - 1, t, lexicon);
	add_meta(f, slots - 1, META_LENGTH, length_class(t->words));
	add_meta(f, slots - 1, META_LAST, (unsigned char)t->last_mark);
	if (t->exclamations)
		add_meta(f, slots - 1, META_EXCLAMATIONS, at_most(t->exclamations, 4));
	if (t->questions)
		add_meta(f, slots - 1, META_QUESTIONS, at_most(t->questions, 4));
	if (t->caps)
		add_meta(f, slots - 1, META_CAPS, at_most(t->caps, 4));
	if (t->stretched)
		add_meta(f, slots - 1, META_STRETCHED, at_most(t->stretched, 2));
	if (t->emoji)
		add_meta(f, slots - 1, META_EMOJI, at_most(t->emoji, 3));
}

void feature_name(const struct feature *f, const struct text *t, char *out, size_t size)
{
	int n;

	if (f->kind == FEATURE_LEXICON) {
		snprintf(out, size, "lexicon %s%s", lexicon_name(f->len), lexicon_how[f->off]);
		return;
	}
	if (f->kind == FEATURE_META) {
		if (f->off == META_LAST && f->len)
			snprintf(out, size, "meta %s %c", meta_name[META_LAST], (char)f->len);
		else
			snprintf(out, size, "meta %s %u", meta_name[f->off], (unsigned)f->len);
		return;
	}
	n = snprintf(out, size, "%s %.*s", kind_name[f->kind], (int)f->len, t->buf + f->off);
	if (f->kind != FEATURE_GRAM || n < 0)
		return;
	for (char *p = strchr(out, ' ') + 1; *p; p++)
		if (*p == ' ')
			*p = '_';
}
