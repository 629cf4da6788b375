/*
 * control: what supervise says to logd, over a socket of whole messages (SOCK_SEQPACKET).
 *
 *   +NAME    with the reading end of a pipe: log it into the folder NAME; repeats are fine
 *   .        everything that writes has ended: read what is left, sync, exit
 *
 * When the socket ends without the point supervise was killed, and its services go on: so does logd, until every pipe has ended or a TERM says that
 * another logd is there. While supervise lives TERM is not obeyed: the services may still have something to say.
 */
#ifndef LOGD_CONTROL_H
#define LOGD_CONTROL_H

#include <stdbool.h>

#include "logd/source.h"

#define CONTROL_NAME_MAX 256

struct control {
	struct desk *desk;
	struct loop_io io;	/* fd -1: it has ended */
	bool orphan;		/* it ended without the point */
};

int control_open(struct control *c, struct desk *d, int fd);	/* -1 with errno */

#endif
