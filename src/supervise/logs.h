/*
 * logs: the built-in logger: the end of it that is in supervise. logd (see its main.c for why it is a program of its own) does the writing.
 *
 * A service without log/ gets a fifo, supervise/output, as standard output and standard error. supervise keeps it open at both ends, and hands the
 * reading end to logd over a socket. logd may die at any time: it is started again and gets all of them again. A supervise that is
 * killed leaves fifos and logd behind; the next one finds the fifos by their name, and its logd takes over from the old one.
 *
 * Nothing here waits: the socket is non-blocking, and a service that logd has not been told of yet writes into its pipe meanwhile.
 * A fifo is kept when its service is gone, until it is empty.
 */
#ifndef SUPERVISE_LOGS_H
#define SUPERVISE_LOGS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "supervise/files.h"

struct outlet;

/* dir is absolute; stamp and form are logd's words for -t and -L. Starts logd; where it cannot be started it is tried again. */
void logs_open(struct loop *l, const char *dir, const char *stamp, bool echo);
void logs_close(void);
bool logs_on(void);

/* The fifo of a service directory, made if need be; NULL with the reason. */
struct outlet *logs_add(const char *name, int dirfd, char why[FILES_WHY_MAX]);
void logs_del(struct outlet *o);	/* NULL is fine */
int logs_fd(const struct outlet *o);	/* what becomes 1 and 2 of its process */

/* At the end of a round: tells logd what it does not know yet. */
void logs_tell(void);

bool logs_reaped(pid_t pid, int status);	/* it was logd */
bool logs_is(pid_t pid);
/* No service writes any more: logd is told to read to the end and to leave. True: it has. Asked until then. */
bool logs_gone(void);
void logs_kill(void);

#endif
