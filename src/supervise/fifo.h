/*
 * fifo: supervise/output of a service directory, which its process writes to and logd reads.
 */
#ifndef SUPERVISE_FIFO_H
#define SUPERVISE_FIFO_H

#include <stdbool.h>

#define FIFO_NAME "supervise/output"

int fifo_open(int dirfd);			/* both ends in one, made if need be; -1 with errno */
int fifo_reading_end(int fifo);			/* that end alone: its reader then sees when the last writer is gone; -1 with errno */
bool fifo_is_empty(int fifo);

/* A line of supervise's own, behind everything that was written until now. Lost when the fifo is full. */
void fifo_mark(int dirfd, const char *text);

#endif
