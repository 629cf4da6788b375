/*
 * pull: a JSON reader for the small messages of this room, without a tree and without allocation. Pure.
 *
 *   pull_init(&j, p, n);
 *   if (pull_open(&j, '{'))
 *       while (pull_member(&j, name, sizeof name) > 0)
 *           if (!strcmp(name, "n")) pull_u64(&j, max, &n); else pull_skip(&j);
 *   pull_end(&j);
 *   if (j.why) ...
 *
 * The first fault stays in j.why (a static string), pull_why has the member it was found in besides; every later call does nothing
 * and returns 0, so that a caller may look once at the end. Strict as RFC 8259; strings must be UTF-8 and hold no NUL; nesting of skipped values is at
 * most PULL_DEPTH. (base/json makes a tree: too slow for a head line of 256 sequence numbers with every batch.)
 */
#ifndef LINK_PULL_H
#define LINK_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PULL_DEPTH 32

struct pull {
	const char *p, *end;
	const char *why;	/* NULL = no fault so far */
	bool first;		/* nothing of the object or array entered last was read yet */
	char member[16];	/* the one that was read last, if its name is as short as ours are */
	bool in_member;		/* its value is what is wrong */
};

void pull_init(struct pull *j, const char *p, size_t n);
bool pull_open(struct pull *j, char bracket);			/* '{' or '[' */
bool pull_member(struct pull *j, char *name, size_t size);	/* false: end of the object. A name that does not fit is "" */
bool pull_element(struct pull *j);				/* false: end of the array */
/* Into out, NUL-terminated. Longer than size - 1: cut between characters if `cut`, otherwise a fault. */
void pull_string(struct pull *j, char *out, size_t size, bool cut);
void pull_u64(struct pull *j, uint64_t max, uint64_t *out);	/* no sign, fraction or exponent */
void pull_bool(struct pull *j, bool *out);
void pull_skip(struct pull *j);					/* any value */
void pull_end(struct pull *j);					/* only white space is left */
const char *pull_why(const struct pull *j);	/* "retry_after: not a whole number"; until the next call in this thread */

#endif
