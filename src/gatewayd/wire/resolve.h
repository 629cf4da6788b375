/*
 * resolve: names to addresses without holding up the loop: getaddrinfo(3) in up to RESOLVE_THREADS threads, which block every signal.
 *
 * Questions for the same name and port that are under way are asked once. A numeric address needs no thread. An answer is not kept:
 * the system's resolver does that. All functions are called by the loop's thread.
 */
#ifndef GATEWAYD_RESOLVE_H
#define GATEWAYD_RESOLVE_H

#include <netinet/in.h>
#include <stddef.h>

struct loop;
struct resolver;
struct resolve_wait;

#define RESOLVE_THREADS 4u
#define RESOLVE_MAX 8u		/* addresses of an answer */

struct resolve_addr { struct sockaddr_storage sa; socklen_t len; };

/* n 0: error says why. Borrowed until it returns. */
typedef void resolve_fn(void *arg, const struct resolve_addr *v, size_t n, const char *error);

struct resolver *resolver_open(struct loop *l);		/* NULL with a message */
void resolver_close(struct resolver *r);		/* no callback will come; a thread that still asks ends by itself */

/* fn is called once, never from inside this call. NULL: no memory. */
struct resolve_wait *resolve(struct resolver *r, const char *host, unsigned port, resolve_fn *fn, void *arg);
void resolve_cancel(struct resolve_wait *w);		/* no callback will come */

#endif
