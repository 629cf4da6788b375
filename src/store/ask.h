/*
 * ask: answers questions on the query socket, between two batches. The questions themselves are in query/.
 */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include <stdint.h>

struct link_opts;
struct loop;
struct tenants;
struct ask;

/* tls: its TLS files, for tls+tcp. NULL with a message. */
struct ask *ask_open(struct loop *l, const char *url, const struct link_opts *tls, struct tenants *ts, uint64_t *queries, uint64_t *errors);
void ask_close(struct ask *a);		/* NULL is fine */

#endif
