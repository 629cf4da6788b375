/* What call.c (a message's request) and answer.c (what follows from its answer) share. Private to them. */
#ifndef DELIVER_CALL_IMPL_H
#define DELIVER_CALL_IMPL_H

#include "deliver/courier.h"

struct http_answer;

void call_back(struct message *m, int64_t wait);	/* into its lane, as the first */
/* The same for another try: with back-off, and not before wait. why: what became of this one; NULL: there was none. */
void call_later(struct message *m, int64_t wait, const char *why);
void call_answered(void *arg, const struct http_answer *a);	/* http_fn of a message */

/* dispatch.c */
void dispatch_add(struct message *m);			/* its request may leave: call_start, now or when there is a connection */
void dispatch_go(struct courier *c, struct upstream *up);	/* afterwards: there may be room for others */
void call_start(struct message *m);

/* Of n that all share, one tenant's part. */
static inline unsigned call_share(unsigned n)
{
	return n > 1 ? n - (n + 7) / 8 : n;
}

#endif
