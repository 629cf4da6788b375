/*
 * said: what an account was asked to say over its connection, written down and synced before the first byte of it goes out, and
 * what became of it. The hub gives a line again when its worker died, and a process that was killed in between knows nothing:
 * here it is found again, as said or as perhaps said, and nobody says it twice unknowingly.
 *
 * File STATE/TENANT/NAME/said, 0600. Text, a record a line; what is not understood is passed over.
 *   begun KEY              it is going out
 *   said KEY ID            with the platform's number, "" if it has none
 *   failed KEY CAUSE WHY   and will not be tried again
 *   not KEY                it was not said, and may be
 * KEY: 32 hex digits, SipHash of tenant, source and id. The newest SAID_KEEP are known; a file that grew to four times as many is
 * written anew.
 *
 * Only whoever holds the account's connection looks here or writes. What another process wrote meanwhile is read when it is
 * looked for.
 */
#ifndef GATEWAYD_SAID_H
#define GATEWAYD_SAID_H

#include <stdbool.h>

#include "base/hash.h"

#define SAID_KEEP 1024u
#define SAID_TEXT 400u			/* bytes of ID, or of WHY; more is cut */
#define SAID_CAUSE 16u

enum said_state {
	SAID_NEW,			/* not known, or it may be said again */
	SAID_HERE,			/* this process is about it */
	SAID_PERHAPS,			/* an earlier one was, and did not live to see what became of it */
	SAID_YES,
	SAID_FAILED
};

struct said;
struct envelope;

struct said *said_open(const char *dir);	/* of the account; NULL: no memory. The file is made by the first record */
void said_close(struct said *s);		/* NULL is allowed */

void said_key(const struct envelope *e, const char *tenant, struct hash128 *key);

/* -1 with a message: the file cannot be read. text and cause are good until the next call. */
struct said_answer { enum said_state state; const char *text, *cause; };
int said_find(struct said *s, const struct hash128 *key, struct said_answer *a);

int said_begin(struct said *s, const struct hash128 *key);	/* -1 with a message: it is not written down */
/* Not synced: after a loss of power it counts as perhaps said. SAID_PERHAPS: nobody here waits for it any more. */
void said_end(struct said *s, const struct hash128 *key, enum said_state what, const char *cause, const char *text);

#endif
