/*
 * addr: is an address one of the public internet? Pure.
 *
 * Not public are the blocks of IANA's special-purpose registries (RFC 6890 and its updates) that are not globally reachable: this host,
 * private use, shared by a carrier, link-local, documentation, benchmarking, multicast, reserved; for IPv6 everything outside 2000::/3 and
 * the like inside it. An IPv6 address that carries an IPv4 address (mapped, 6to4, NAT64) is as public as that one; Teredo is not.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>

struct sockaddr;

bool addr_public(const struct sockaddr *a);	/* of another family than IPv4 and IPv6: false */
bool addr_public_text(const char *ip);		/* numbers only; "fe80::1%eth0" and anything else: false */

#endif
