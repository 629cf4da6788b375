/*
 * pairs: the text of configuration and account files, lines "word = value". Pure; the text is changed in place.
 *
 * A # at the start of a line or behind a blank begins a comment; a value in double quotes keeps its blanks and #, and there is no escape
 * in it. Empty lines are passed over. A CR counts as a blank.
 */
#ifndef BASE_PAIRS_H
#define BASE_PAIRS_H

#include <stddef.h>

struct pairs {
	char *p, *end;		/* what is left */
	size_t line;		/* of the pair or the fault, from 1 */
	char *word, *value;	/* inside the text */
	const char *why;	/* static */
};

/* text[n] must be a NUL, with none before it. */
void pairs_init(struct pairs *it, char *text, size_t n);
/* 1 the next pair, 0 the end, -1 a line of another form: why. */
int pairs_next(struct pairs *it);

#endif
