/*
 * ask: answers questions on the query socket, between two batches. The questions themselves are in query/.
 */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include <stdint.h>

struct loop;
struct tenants;
struct ask;

struct ask *ask_open(struct loop *l, const char *url, struct tenants *ts, uint64_t *queries, uint64_t *errors);	/* NULL with a message */
void ask_close(struct ask *a);		/* NULL is fine */

#endif
