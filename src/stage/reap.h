/*
 * reap: programs that run now, the end of each, and what they left behind.
 *
 * What a program started and left in its process group is killed with the group. What went to another group becomes a child of this process when its parent has
 * ended (PR_SET_CHILD_SUBREAPER, run.c), and is found and killed when a program is reaped.
 */
#ifndef STAGE_REAP_H
#define STAGE_REAP_H

#include <stdint.h>
#include <sys/types.h>

void reap_add(pid_t pid);		/* one was started: leader of its own group */
/* Kills its group, waits for its end, kills strays; status as waitpid has it, cpu is the processor time it used, and what it waited for, ns. */
void reap(pid_t pid, int *status, int64_t *cpu);

#endif
