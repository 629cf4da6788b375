/*
 * gap: ranges of lines that are gone, and what is known of them on disk: a small file each, spool/damaged/FROM-TO.gap until the hub has said
 * so in-band (the event spool.gap is kept in the spool), .said afterwards. So each range is said once, however often it is found.
 */
#ifndef ROUTE_GAP_H
#define ROUTE_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAP_REASON 192
#define GAP_FILE 64

struct gap {
	uint64_t from, to;		/* both in it */
	char reason[GAP_REASON];	/* what happened */
	char file[GAP_FILE];		/* name in spool/ */
	bool noted;			/* its note is on disk */
	bool said;
};

struct gaps {
	const char *dir;		/* the spool's; borrowed */
	struct gap *v; size_t n, cap;	/* apart, in no order */
};

int gaps_load(struct gaps *g);		/* the notes on disk; -1 with a message (no memory) */
void gaps_release(struct gaps *g);
/* Those parts of from..to that are not known yet are added, and noted on disk if that can be. True: there are some.
 * *noted (may be NULL): all of it is noted. */
bool gaps_add(struct gaps *g, uint64_t from, uint64_t to, const char *file, const char *reason, bool *noted);
int gap_note(const char *dir, struct gap *p);			/* on disk; -1 with errno */
void gap_said(const char *dir, struct gap *p);
void gaps_forget(struct gaps *g, uint64_t oldest);		/* those that are said and end below: nothing can find them again */

#endif
