/*
 * parse: reading a replies file. Private to replies.c (lines, settings) and trigger.c (what opens a trigger). Pure.
 */
#ifndef RESPOND_PARSE_H
#define RESPOND_PARSE_H

#include "base/buf.h"
#include "respond/replies.h"

struct parse {
	struct replies *r;
	const char *line;		/* start of the line, for columns */
	size_t number;
	const char *p, *end;		/* what is left of the line */
	struct trigger *open;		/* whose indented lines come */
	struct buf folded;
	bool prefix_set, bot_set, others_set, shared_set;
	struct replies_error *err;
};

/* Fills s->err: the place is the character at `at` of the line, what (may be empty) the word in question. Always -1. */
int parse_fail(struct parse *s, const char *at, struct span what, const char *why);
#define NOTHING ((struct span){NULL, 0})

bool parse_blank(char c);
void parse_skip(struct parse *s);					/* blanks */
struct span parse_word(struct parse *s);				/* to the next blank, and the blanks behind it */
bool parse_is(struct span w, const char *text);
struct span parse_trimmed(const char *p, const char *end);

/* Room for one more element in v, which has n: the array, perhaps moved; NULL when it is full or there is no memory. */
void *parse_grow(struct parse *s, const char *at, void *v, size_t n, size_t max, size_t size, const char *full);

/* What stands behind the first word of a trigger's line, into s->open. */
int trigger_command(struct parse *s);
int trigger_words(struct parse *s);
int trigger_emotion(struct parse *s);

#endif
