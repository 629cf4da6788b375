/*
 * children: the direct children of this process, the adopted ones too, as /proc tells them. Only such pids are safe to signal: nobody
 * but this process can reap them, so none can have become another process' number.
 */
#ifndef SUPERVISE_CHILDREN_H
#define SUPERVISE_CHILDREN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Calls fn for each child that is no zombie; -1 with errno when /proc cannot be read. */
int children_each(void (*fn)(void *arg, pid_t pid), void *arg);

/* When a process was born, in clock ticks since the machine's start; -1: there is none, it is a zombie, or /proc does not tell. */
int children_birth(pid_t pid, int64_t *ticks);

/* The time of birth in the text of /proc/PID/stat (field 22). Pure. */
int children_parse_birth(const char *p, size_t n, int64_t *ticks);

/* The parent and state letter in the text of /proc/PID/stat: 0, or -1 when it is not in that form. Pure. */
int children_parse_stat(const char *p, size_t n, pid_t *parent, char *state);

#endif
