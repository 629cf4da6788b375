/*
 * usage: what a process takes: memory that is in use (RSS) and time on the processor, from /proc/PID/stat. Read by who asks, not by supervise.
 */
#ifndef SUPERVISE_USAGE_H
#define SUPERVISE_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct usage { uint64_t memory; int64_t cpu; };	/* bytes, nanoseconds */

int usage_read(pid_t pid, struct usage *out);	/* -1: it is gone */

/* The text of /proc/PID/stat: 0, or -1 when it is not in that form. Pure but for the sizes of a page and a tick. */
int usage_parse(const char *p, size_t n, struct usage *out);

#endif
