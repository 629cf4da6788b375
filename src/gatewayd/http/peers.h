/*
 * peers: how many connections each address has. Pure.
 *
 * IPv6 addresses count by their /64, which is what one household gets. The table is as large as the most
 * connections allowed, so counting never allocates.
 */
#ifndef GATEWAYD_PEERS_H
#define GATEWAYD_PEERS_H

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct peer_addr { unsigned char b[16]; };

struct peers { struct peer *v; size_t cap, total, max, max_each; uint64_t key[2]; };

/* -1: no memory. key: two random numbers, so that nobody can aim at a collision. */
int peers_init(struct peers *p, size_t max, size_t max_each, const uint64_t key[2]);
void peers_release(struct peers *p);

struct peer_addr peers_addr(const struct sockaddr *sa);
/* Counts one connection more: NULL, or why it is one too many. */
const char *peers_enter(struct peers *p, const struct peer_addr *a);
void peers_leave(struct peers *p, const struct peer_addr *a);

#endif
