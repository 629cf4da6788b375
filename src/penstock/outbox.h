/*
 * outbox: lines on their way to route, several batches in flight, order kept within a conversation.
 *
 * Lines are dealt by tenant and partitionkey to OUTBOX_LANES lanes; a lane is one connection with one batch in flight, so lines
 * of one key arrive in the order they were added. A batch leaves as soon as its lane is free: small when there is little, OUTBOX_LINES
 * when there is much. An unanswered batch is sent again by link when route is back; a line that route refuses for now is put again
 * with back-off, before anything else of its lane. Each line ends in exactly one of acked and refused.
 */
#ifndef PENSTOCK_OUTBOX_H
#define PENSTOCK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

#define OUTBOX_LANES 4
#define OUTBOX_LINES 256u

struct outbox;
struct outbox_calls {
	void (*refused)(void *arg, uint64_t number, const char *why);	/* a line, for good */
	void (*later)(void *arg, const char *why);			/* route refuses for now; called for each such batch */
	void (*progress)(void *arg);					/* something was acked or refused: there may be room, or all is done */
	void *arg;
};

struct outbox *outbox_open(struct loop *l, const char *url, const struct outbox_calls *calls);	/* NULL with a message */
void outbox_close(struct outbox *o);

/* One line without its LF, with the number that a refusal names. 1 taken (copied); 0 no room: wait for progress; -1 no memory. Nothing is
 * sent before outbox_flush. */
int outbox_add(struct outbox *o, const char *p, size_t n, uint64_t number);
void outbox_flush(struct outbox *o);

uint64_t outbox_acked(const struct outbox *o);
uint64_t outbox_refused(const struct outbox *o);
uint64_t outbox_waiting(const struct outbox *o);	/* lines without an outcome */
bool outbox_connected(const struct outbox *o);

#endif
