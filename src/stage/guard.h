/*
 * guard: a small process that outlives this one by a moment, to kill the process groups of the programs when it is gone, by kill -9, too. (The kernel's
 * PR_SET_PDEATHSIG takes only the program itself, not what a shell started for it.)
 *
 * Started once, before anything is opened; guard_add and guard_remove tell it of groups. Without a guard (it could not be started, which is said) these do
 * nothing.
 */
#ifndef STAGE_GUARD_H
#define STAGE_GUARD_H

#include <sys/types.h>

#define GUARD_GROUPS 512u	/* more copies than there can be */

void guard_start(void);
pid_t guard_pid(void);		/* -1: none */
void guard_add(pid_t group);
void guard_remove(pid_t group);	/* before its number can be used by others: before its leader is collected */
void guard_stop(void);		/* waits for its end; groups that were not removed are killed */

#endif
