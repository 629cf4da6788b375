/*
 * spill: whose messages are in memory, and which are in the outbox only. Pure but for memory.
 *
 * A tenant has at most SPILL_SHARE messages in memory, and when all are full SPILL_LEAST; what comes then stays in the outbox, and is fetched from
 * there in its order, a few for each tenant in turn. So a flood of one neither fills the memory nor holds up another, and the hub is relieved of
 * it. Of a message that is not in memory its key is: a repeat is recognised.
 */
#ifndef DELIVER_SPILL_H
#define DELIVER_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/say.h"

#define SPILL_SHARE 2000u
#define SPILL_LEAST 64u
#define SPILL_MAX 1000000u	/* in the outbox only; then nothing more is taken */

struct spilled {
	struct spilled *next;		/* of its tenant, in order */
	struct spilled *chain;
	int64_t seq;
	unsigned char key[SAY_KEY];
};

/* Kept as long as it has messages. */
struct tenant {
	char *name;
	struct tenant *chain;
	struct tenant *prev, *next;	/* of those with spilled messages, in turn */
	struct spilled *first, **last;
	unsigned n;			/* in memory */
	unsigned coming;		/* on their way out */
};

struct spill {
	struct tenant **tenants;	/* hash tables */
	struct spilled **table;
	size_t captenants, ntenants, cap, n;
	struct tenant *turn;		/* of a ring; NULL: nothing is spilled */
	uint64_t key[2];
};

void spill_release(struct spill *s);

/* One more of its messages is in memory, or one less. NULL: no memory. */
struct tenant *spill_tenant(struct spill *s, const char *name);
void spill_less(struct spill *s, struct tenant *t);

/* Has the next one of this tenant to stay outside? full: there is no room left for all. */
bool spill_must(const struct spill *s, const char *tenant, bool full);
/* The next one goes there, and so do those behind it. -1: no memory. */
int spill_coming(struct spill *s, const char *tenant);
/* It is in the outbox with that number, after spill_coming. -1: no memory; it does not count as coming any more. */
int spill_add(struct spill *s, const char *tenant, const unsigned char key[SAY_KEY], int64_t seq);
bool spill_has(const struct spill *s, const unsigned char key[SAY_KEY]);
/* The number of the next one to be fetched: of a tenant that has room, each in turn; 0: none. full: only of those with fewer than SPILL_LEAST. */
int64_t spill_next(struct spill *s, bool full, const char **tenant);
void spill_gone(struct spill *s, const char *tenant);	/* that one was fetched, or is lost */

#endif
