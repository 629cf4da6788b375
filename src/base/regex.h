/*
 * regex: does a text hold a match of an extended regular expression? Time is linear in the text, whatever it holds: states are sets of
 * places in the expression, made when first met and kept (a lazy DFA); there is no backtracking, so no text can make it slow.
 * Of our own because no C library promises that: TRE 0.8.0 does, but runs out of memory on `\\\\)22` and takes 46 s for
 * `(a?){200}a{200}$` on a megabyte.
 *
 * Language: POSIX extended: . [] [^] [[:alpha:]] () (?:) | * + ? {n} {n,} {n,m} ^ $, and \d \w \s \D \W \S \n \t \r; a backslash takes
 * other punctuation literally. `(?i)` at the start: letters A to Z match either case. Refused: back-references (nothing
 * linear can do them), \b, lazy and possessive repetition, look-around.
 * Text and expression are UTF-8: . and sets match whole characters; . matches a line feed too, ^ and $ are the ends of the text.
 *
 * Limits: REGEX_PATTERN bytes; REGEX_STEPS places after {n,m} is written out; a cache of at most REGEX_CACHE bytes, allocated by
 * regex_new and thrown away when it is full. regex_match allocates nothing. An object belongs to one thread at a time.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#define REGEX_PATTERN 4096u
#define REGEX_STEPS 4000u
#define REGEX_CACHE (256u << 10)

struct regex;
struct regex_error { size_t at; const char *why; };	/* at: byte of the expression; why is static */

struct regex *regex_new(const char *p, size_t n, struct regex_error *err);	/* NULL: *err filled */
bool regex_match(struct regex *re, const char *p, size_t n);
void regex_free(struct regex *re);			/* NULL is fine */

#endif
