/*
 * tx: what a connection still has to send: one message in parts, with as few copies as can be.
 */
#ifndef LINK_TRANSPORT_TX_H
#define LINK_TRANSPORT_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct tls;

#define TX_PARTS 8		/* more parts than that are joined first */

struct tx {
	struct iovec v[TX_PARTS];
	int at, n;		/* [at, n) is left */
	char *copy;		/* memory of our own that the parts lie in */
};

/* Begins a message; only when nothing is left of the one before. Borrows the parts' bytes until they are sent, tx_keep or
 * tx_drop. -1: no memory. */
int tx_set(struct tx *t, const struct iovec *parts, int n);
/* Writes to the socket, through tls if not NULL. 1 all is sent, 0 the socket is full, -1 errno. */
int tx_flush(struct tx *t, int fd, struct tls *tls);
int tx_keep(struct tx *t);		/* copies what is left: the parts are not borrowed any more. -1: no memory */
void tx_drop(struct tx *t);		/* forgets what is left */
static inline bool tx_left(const struct tx *t) { return t->at < t->n; }

#endif
