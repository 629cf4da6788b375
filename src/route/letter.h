/*
 * letter: the text of a dead letter, one line of spool/dead/NAME.ndjson. Pure.
 *
 *   {"dead":{"dest":"store","seq":SEQ,"attempts":N,"error":"...","at":"RFC 3339","stderr":"..."},"line":"the event's text, without LF"}
 *
 * stderr is there when the refusal had some; at most LETTER_DETAIL bytes. Behind it stands "edited":true when the event is no longer the one
 * that was refused. A letter that was dropped or retried begins with {"gone": instead:
 * four bytes that are written over the old ones, which works on a full disk and leaves every other letter in its place. Whatever
 * begins with neither is no letter, or half of one: it is passed over.
 */
#ifndef ROUTE_LETTER_H
#define ROUTE_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/line.h"
#include "route/parse.h"

#define LETTER_MAX (16u << 20)		/* bytes of one: an event of 1 MiB, escaped at worst, and the rest */
#define LETTER_DETAIL 4096u
#define LETTER_MARK 2u			/* offset of the four bytes */
#define LETTER_ALIVE "dead"
#define LETTER_GONE "gone"

struct letter {
	bool alive, edited;
	char dest[RULES_DEST_NAME + 1];
	uint64_t seq, attempts;
	struct span error, at, detail, line;	/* JSON strings with their quotes; detail.p NULL: none */
};

/* Without LF. -1: it is none. */
int letter_parse(const char *p, size_t n, struct letter *l);
/* Only whether it is alive and the number, from its first bytes; -1: it is none (as letter_parse, but looks at no more than that). */
int letter_head(const char *p, size_t n, bool *alive, uint64_t *seq);

struct letter_text { const char *dest; uint64_t seq; unsigned attempts; const char *error, *at, *detail; const char *line; size_t n; bool edited; };
int letter_write(struct buf *out, const struct letter_text *t);	/* with LF; detail NULL or "": none; -1: no memory, out as it was */

#endif
