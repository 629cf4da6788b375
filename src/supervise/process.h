/*
 * process: the processes of slots: made, found by number, collected, taken over.
 */
#ifndef SUPERVISE_PROCESS_H
#define SUPERVISE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervise/slot.h"

int process_run(struct slot *s);	/* ./run; -1 with a message */
int process_finish(struct slot *s);	/* ./finish; -1: there is none, or with a message */

void process_finish_wait(struct slot *s);	/* timeout-finish, from now on */

bool process_has_script(const struct slot *s, const char *path);

/* A script of control/, "control/t": its id; -1: there is none that is executable, or with a message. */
pid_t process_script(struct slot *s, const char *path);

/* The slot's process has ended and been collected: nothing of it is held any more. */
void process_forget(struct slot *s);

/* Lets go of it as it is; the record stays. */
void process_drop(struct slot *s);

/* Watches a process that an earlier supervise made; takes pidfd. -1: no memory, with a message, pidfd is closed. */
int process_adopt(struct slot *s, pid_t pid, int pidfd);
void process_signal(struct slot *s, int sig);

/* Tells whether run says it is ready, of a process that was taken over: as process_run does, on the pipe that it has. */
void process_adopt_notify(struct slot *s);

/* Collects every child that ended. */
void host_reap(struct host *h);

struct slot *host_find(const struct host *h, pid_t pid);

#endif
