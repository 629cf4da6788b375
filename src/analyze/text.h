/*
 * text: plain message text to tokens. Pure.
 *
 * The text is folded (quotes, ellipsis, case of ASCII and Latin-1, 3 and more equal letters
 * squeezed to 2) and written to buf as tokens with one space before and behind each, so that a
 * slice of buf that crosses a token's edge holds the mark of that edge. Tokens are:
 *
 *   word      letters, digits and inner apostrophes; a number of 3 and more digits becomes "0"
 *   mark      a run of ! and ?, as one of ! !! !!! ? ?? ?!; a run of another punctuation character, at most two of it
 *   smiley    :) <3 xD and the like
 *   emoji     one each, repeats collapsed, skin tones and joiners dropped
 *   mask      [name] [religion]: a person or group that the text's source has masked
 *
 * Limits: TEXT_TOKENS tokens and TEXT_MAX bytes; what lies beyond is not looked at, whatever the
 * input's length. Input need not be valid UTF-8; bytes that are not count as spaces.
 */
#ifndef ANALYZE_TEXT_H
#define ANALYZE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX 8192
#define TEXT_TOKENS 1024

enum token_kind { TOKEN_WORD, TOKEN_MARK, TOKEN_SMILEY, TOKEN_EMOJI, TOKEN_MASK };

struct token {
	uint16_t off, len;	/* in buf; buf[off - 1] and buf[off + len] are spaces */
	uint8_t kind;		/* enum token_kind */
	bool caps;		/* a word of 2 and more letters, all of them capitals */
	bool negated;		/* a word within 3 words behind a negation */
};

struct text {
	char buf[TEXT_MAX];
	size_t len;
	struct token token[TEXT_TOKENS];
	size_t n;
	/* counts over the whole text */
	unsigned words, caps, stretched, emoji;	/* stretched: words with 3 and more equal letters in a row */
	unsigned exclamations, questions;	/* single characters */
	char last_mark;		/* first character of the mark that ends the text, ~ beyond ASCII, 0 none */
};

void text_parse(struct text *t, const char *p, size_t n);

#endif
