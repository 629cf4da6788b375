/*
 * letters: what the verbs on dead letters have in common: the file of a destination, and which letters a question names.
 * References are [[SEQ,OFFSET],...], at most LETTERS_MOST in a question.
 */
#ifndef ROUTE_VERB_LETTERS_H
#define ROUTE_VERB_LETTERS_H

#include "route/dead.h"
#include "route/hub_impl.h"
#include "route/verb/verb.h"

struct letters {
	struct hub *hub;
	char dest[RULES_DEST_NAME + 1];
	struct dead_ref refs[LETTERS_MOST];
	size_t n;
	struct dead own;	/* private: of a destination that the hub no longer has */
};

/* dest and the references in `member` of the question. -1: the call was answered. */
int letters_read(struct letters *l, struct hub *h, struct call *c, const struct json *question, const char *member);
struct dead *letters_dead(struct letters *l);	/* NULL with a message; letters_done afterwards */
void letters_done(struct letters *l);		/* shows the number that is left */

#endif
