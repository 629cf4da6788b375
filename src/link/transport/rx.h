/*
 * rx: the bytes a connection has read and not yet handed out. Pure.
 *
 * [start, len) is not handed out yet. The bytes of a frame that was handed out lie before start and stay where they are until
 * rx_release, whatever is read meanwhile. The buffer grows only when it is full, to twice what has come.
 */
#ifndef LINK_TRANSPORT_RX_H
#define LINK_TRANSPORT_RX_H

#include <stdbool.h>
#include <stddef.h>

/* Buffers that idle connections of a listener leave to busy ones. Zeroed = empty. */
#define RX_SPARE 4
struct rx_pool { struct { char *p; size_t cap; } spare[RX_SPARE]; };
void rx_pool_release(struct rx_pool *pool);

struct rx {
	struct rx_pool *pool;	/* may be NULL */
	char *p;
	size_t cap, start, len;
	bool held;		/* a frame is handed out */
	char *held_p;		/* its buffer, if p is another one by now */
};

bool rx_room(struct rx *r);	/* makes room for some more bytes behind len; false: no memory */
void rx_hold(struct rx *r);	/* a frame is handed out; one that was before is not needed any more */
void rx_release(struct rx *r);	/* nor is that one */
void rx_forget(struct rx *r);	/* what was not handed out is worth nothing; what was handed out stays */
void rx_free(struct rx *r);	/* gives everything back, to malloc and not to the pool */

#endif
