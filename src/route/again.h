/*
 * again: the text of a line that the hub itself puts into the spool for an event that came before. Pure: bytes in, answers out.
 *
 *   {"_again":{"of":SEQ},"event":EVENT}                    a timer that is due: the rules decide, `notbefore` is not looked at
 *   {"_again":{"of":SEQ,"to":"NAME"},"event":EVENT}        a retried dead letter: for destination NAME only
 *   {"_again":{"of":SEQ,"hold":true},"event":EVENT}        a line that is held until its `notbefore`: for no destination
 *
 * EVENT is the event's line, byte for byte, without its LF. SEQ is the number of the line that this one stands for, and settles; for
 * a line held as it came, its own number. Written exactly like this, without blanks. No event that comes from outside can look like it,
 * because `_` cannot begin the name of an attribute.
 * For everybody but the spool the line is the event: who shows or gives out a line of the spool opens it first.
 */
#ifndef ROUTE_AGAIN_H
#define ROUTE_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "route/parse.h"

#define AGAIN_MORE (64u + RULES_DEST_NAME)	/* at most so many bytes more than the event */

struct again {
	uint64_t of;
	char to[RULES_DEST_NAME + 1];	/* "": no destination is named */
	bool hold;
	const char *p; size_t n;	/* the event without LF, inside the line that was opened */
};

/* n with or without the LF. 1: *a is what it says; 0: an ordinary line, a->p and a->n are the line without LF, the rest is zero;
 * -1: it begins like one and is none. Looks at the first bytes and the last, never at the event. */
int again_open(const char *p, size_t n, struct again *a);
/* Appends the line with its LF; a->p and a->n are the event. -1: no memory. */
int again_write(struct buf *out, const struct again *a);

#endif
