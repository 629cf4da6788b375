/*
 * lexicon: words by what they tend to express; written for this program. Pure.
 *
 * It lends rare words the experience of common ones: the model learns what a category means, not
 * each of its words. A word may stand in several categories. Stems (written with a *) match every
 * word that begins with them.
 */
#ifndef ANALYZE_LEXICON_H
#define ANALYZE_LEXICON_H

#include <stddef.h>
#include <stdint.h>

#define LEXICON_SLOTS 8192

struct lexicon_entry { uint64_t hash, categories; };
struct lexicon { struct lexicon_entry slot[LEXICON_SLOTS]; };

void lexicon_init(struct lexicon *l);

/* Categories of a lower-case word, a bit each; 0 for none. */
uint64_t lexicon_find(const struct lexicon *l, const char *word, size_t n);

const char *lexicon_name(unsigned category);
extern const unsigned lexicon_categories;	/* at most 64 */

#endif
