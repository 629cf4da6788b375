/*
 * notify: telling a supervisor that this program is ready, once.
 *
 * s6's way: a newline on the descriptor given with -F (service directory: file notification-fd), which is
 * then closed. systemd's way: READY=1 to $NOTIFY_SOCKET. Neither given: nothing happens.
 * notify_fd is set by args (ARGS_DAEMON); descriptors 0 to 2 are refused.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdbool.h>

extern int notify_fd;		/* -1: none */
void notify_ready(void);	/* a failure is logged as a warning: the program goes on */
void notify_keep(void);		/* takes NOTIFY_SOCKET out of the environment, so that children do not speak for this program */
void notify_stopping(void);	/* STOPPING=1 to systemd; nothing for s6 */
/* The program was told to stop: notify_stopping was called, or a TERM or INT it blocks (loop_signal) waits to be looked at. */
bool notify_stops(void);

#endif
