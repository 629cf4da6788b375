/*
 * words: the command line of a program that is to be run, word by word. Words are borrowed.
 */
#ifndef PENSTOCK_WORDS_H
#define PENSTOCK_WORDS_H

#include <stddef.h>

struct tree;

/* Zeroed = no word. v ends with NULL as soon as there is one. */
struct words { char **v; size_t n, cap; };

void words_add(struct words *w, const char *word);	/* no memory ends the program */
void words_release(struct words *w);
void words_option(struct words *w, const char *name, const char *value);	/* value NULL: neither */

/* A tool of route, with a verb (or NULL), and where the tree has its files. w->v[0] is "penstock": route's messages name what was typed. */
void words_route(struct words *w, const struct tree *t, const char *tool, const char *verb);

/* Becomes the program at path. Ends with a message where that cannot be. */
_Noreturn void words_exec(const struct words *w, const char *path);

#endif
