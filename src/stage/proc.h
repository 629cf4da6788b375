/*
 * proc: what /proc tells of other processes: who their children are, and whether they wait for input.
 */
#ifndef STAGE_PROC_H
#define STAGE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_MAX 320		/* most children that are found: more than there are copies of a program */
#define PROC_LOOK 32		/* most processes, and threads of one, that are looked into */

struct stat;

/* Adds the children of pid to the n that are in the list; how many there are then. */
size_t proc_children(pid_t pid, pid_t list[PROC_MAX], size_t n);

/* Is its standard input this file? false, too, if it cannot be told. */
bool proc_input_is(pid_t pid, const struct stat *file);

/* Does one of its threads sleep in read(2) of standard input? false, too, if it cannot be told. */
bool proc_reads_input(pid_t pid);

/*
 * Does pid, or one it has started, sleep in read(2) of the pipe whose writing end is `in`, with nothing in it? 1 it does, 0 not now, -1 nobody
 * is found who reads it: it cannot be told. 0 also where something of it stands in the pipe `out`, which we read, -1: there is none.
 */
int proc_waits(pid_t pid, int in, int out);

#endif
