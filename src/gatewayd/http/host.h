/*
 * host: under which names this server answers. Pure.
 *
 * A page of a stranger can have its own name point at 127.0.0.1 (DNS rebinding); its requests then carry that name as Host
 * and an Origin that fits it. So only names that nobody can point elsewhere are answered unasked: numeric addresses, localhost and
 * *.localhost (RFC 6761); others when the operator says they are ours.
 */
#ifndef GATEWAYD_HOST_H
#define GATEWAYD_HOST_H

#include <stdbool.h>

#include "base/args.h"
#include "line/line.h"

/* host: the Host field, with or without a port. names: further ones, "*" is all. */
bool host_served(struct span host, const struct arg_list *names);

#endif
