/*
 * feature: the features of a parsed text, hashed to 32 bits. Pure. The trainer and the daemon both
 * use this file, so what was learnt is what is looked up.
 *
 * Kinds, each feature counted once in a text:
 *   word     a token, if not negated                          "great"
 *   pair     two neighbouring tokens, with marks for start and end   "^ so", "so great"
 *   gram     2 to 5 code points of "_word_", not the whole, if not negated   "_gr", "eat_"
 *   negated  a word within 3 words behind a negation: "not happy" has little of "happy"
 *   caps     a word in capitals, again
 *   lexicon  a category of lexicon.h that a word is of; one that two words are of; one of a negated word
 *   meta     length class, counts, last mark
 *
 * Hashes are the low bits of 64-bit FNV-1a over kind and bytes, mixed. They are part of the model
 * file's format: FEATURE_VERSION counts up with every change to text.c, clean.c, lexicon.c or
 * feature.c that changes a feature, and a model of another version is refused.
 */
#ifndef ANALYZE_FEATURE_H
#define ANALYZE_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/text.h"

#define FEATURE_VERSION 2
#define FEATURES_MAX 8192	/* further ones are not looked at */

enum feature_kind {
	FEATURE_WORD,
	FEATURE_PAIR,
	FEATURE_GRAM,
	FEATURE_NEGATED,
	FEATURE_CAPS,
	FEATURE_LEXICON,
	FEATURE_META,
	FEATURE_KINDS
};

/* How much a feature of a kind weighs before its rarity does. */
extern const float feature_weight[FEATURE_KINDS];

struct feature {
	uint32_t hash;
	uint16_t off, len;	/* slice of the text's buf; lexicon: how, category; meta: which, value */
	uint8_t kind;		/* enum feature_kind */
};

struct lexicon;

struct features {
	struct feature v[FEATURES_MAX];
	size_t n;
	uint16_t slot[2 * FEATURES_MAX];	/* index + 1 in v by hash, for finding repeats */
};

void features_of(struct features *f, const struct text *t, const struct lexicon *lexicon);

/* Hash of a word as FEATURE_WORD gives it. */
uint32_t feature_word_hash(const char *p, size_t n);

/* Writes a readable name, "gram _gr", cut to size bytes with the NUL. */
void feature_name(const struct feature *f, const struct text *t, char *out, size_t size);

#endif
