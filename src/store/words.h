/*
 * words: text as the full-text index takes it, and a person's search as a query that cannot be wrong. Pure.
 *
 * The index (FTS5, tokenizer unicode61, diacritics and case folded) takes a run of letters and digits as a word. That is no use
 * for scripts without spaces, and two emoji in a row are not one word: words_spread puts a space around each Han, Kana and
 * Hangul character and each pictogram. A search for several of them becomes a phrase, so any part of a text is found, from
 * one character on. Chosen over the tokenizer `trigram`: that one finds nothing shorter than three characters (most Chinese
 * words have two) and made an index three times the size.
 */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include <stddef.h>

struct buf;

/* Appends the text, spread; p is valid UTF-8. U+0000 becomes a space. -1: out is at its ceiling. */
int words_spread(struct buf *out, const char *p, size_t n);

/*
 * Appends an FTS5 query for what a person typed: every word must be there, in any order; word* = begins with; "some words" =
 * in this order. No other character means anything. -1: out is at its ceiling.
 */
int words_query(struct buf *out, const char *p, size_t n);

#endif
