/* addr_impl: what addr.c (URLs, TCP) and addr_unix.c (paths, abstract names) share; private to the two. */
#ifndef LINK_TRANSPORT_ADDR_IMPL_H
#define LINK_TRANSPORT_ADDR_IMPL_H

#include "link/transport/addr.h"

#define ADDR_BACKLOG 4096

void addr_close_keep(int fd);	/* errno stays */

int unix_connect(const struct addr *a, bool *connecting);	/* -1 with errno */
int unix_listen(const struct addr *a, int *lock);		/* -1 with a message */

#endif
