/* name: what this worker is called (link_opts.as, or program and process id), cut to what ack.h allows. */
#ifndef LINK_NAME_H
#define LINK_NAME_H

#include "link/ack.h"

void link_name(const struct link_opts *o, char out[ACK_NAME_MAX + 1]);

#endif
