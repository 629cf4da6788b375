/*
 * children: the direct children of this process, the adopted ones too, as /proc tells them. Only such pids are safe to signal: nobody
 * but this process can reap them, so none can have become another process' number.
 */
#ifndef SUPERVISE_CHILDREN_H
#define SUPERVISE_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child_stat {
	pid_t parent, session;
	char state;		/* 'Z': a zombie */
	int64_t birth;		/* clock ticks since the machine's start */
};

/* Calls fn for each process that is no zombie and that want says yes to; -1 with errno when /proc cannot be read, or is that of another
 * process namespace. */
int children_each(bool (*want)(void *arg, const struct child_stat *st), void (*fn)(void *arg, pid_t pid, const struct child_stat *st), void *arg);

/* When a process was born; -1: there is none, it is a zombie, or /proc does not tell. */
int children_birth(pid_t pid, int64_t *ticks);

/* The text of /proc/PID/stat: 0, or -1 when it is not in that form. Pure. */
int children_parse(const char *p, size_t n, struct child_stat *out);

#endif
