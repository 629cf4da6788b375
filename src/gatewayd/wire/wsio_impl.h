/*
 * wsio_impl: what wsio.c (frames) and wsio_hello.c (the handshake) share; private to the two.
 */
#ifndef GATEWAYD_WSIO_IMPL_H
#define GATEWAYD_WSIO_IMPL_H

#include "gatewayd/wire/wsio.h"

/* The server's answer, whole, up to and with the empty line: 0, or -1 with w->why. */
int wsio_hello(struct wsio *w, const char *p, size_t n);

#endif
