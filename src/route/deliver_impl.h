/* deliver_impl: what deliver.c and outcome.c share. Nobody else includes it. */
#ifndef ROUTE_DELIVER_IMPL_H
#define ROUTE_DELIVER_IMPL_H

#include "link/ack.h"
#include "route/deliver.h"

/* One connection. */
struct worker {
	struct worker *next;		/* of all */
	struct worker *next_waiting;
	struct dest *dest;
	struct link_peer *peer;
	uint32_t want;			/* lines asked for; 0: it does not wait */
	char as[ACK_NAME_MAX + 1];	/* its name, for messages */
	char set[ACK_NAME_MAX + 1];	/* its worker set; "": none */
	bool in_split;			/* it is counted by split */
};

struct out_batch {
	struct out_batch *next;
	uint64_t id;
	struct worker *owner;
	int64_t due;
	bool of_split;			/* given to a worker of the split's set */
	bool copy;			/* its lines are copies: they belong to split.copies */
	uint32_t n;
	struct item *v[];
};

void batch_name(char out[ACK_NAME_MAX + 1], uint64_t id);
struct out_batch *batch_unlink(struct dest *d, struct out_batch *b);

/* Its worker is gone or too slow: lines go back to their lanes; those that had their tries to the dead letters. Frees b. */
void batch_take_back(struct dest *d, struct out_batch *b);
/* It is to be done by others, and that says nothing about its lines. Frees b. */
void batch_recall(struct dest *d, struct out_batch *b);
/* A report. It is believed on any connection: the one that the batch was given on may be gone, or not be known to be gone yet.
 * false: it refuses a line that the batch does not have. */
bool batch_report(struct dest *d, const struct take_request *r);

#endif
