/*
 * extra: what goes beyond runit and s6 (limits, instances, after, the built-in logger, history), asked by the core at fixed moments.
 * The core (slot.c, service.c, scan.c, stop.c) knows nothing of what is behind these calls; they know nothing of state.c.
 *
 * None of them may call slot_event or slot_go: note what is to be done and do it in extra_round, which may.
 */
#ifndef SUPERVISE_EXTRA_H
#define SUPERVISE_EXTRA_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervise/files.h"

struct host;
struct slot;
struct service;
struct spawn;

enum extra_child { EXTRA_RUN, EXTRA_FINISH, EXTRA_CONTROL };	/* control: a script of control/ */

/* Once, in the scanned folder, before the first look. logs: the absolute folder of the built-in logger, NULL: services without log/ keep
 * supervise's own standard output and error; stamp: logd's word; echo: their lines go to standard error, too. */
void extra_begin(struct host *h, const char *logs, const char *stamp, bool echo);
void extra_end(void);

/* Before each look at the scanned folder: may make and remove directories there. */
void extra_look(void);

/* A directory found by a look. False: it is no service itself, like one that only tells how its instances are. */
bool extra_entry(const char *name);

/* Nothing of this service is left, and its entry is gone or is no service any more. */
void extra_forgotten(const char *name);

/* The slot's directory is open and locked, nothing is started. What is kept for it hangs on s->extra. -1 with the reason: it
 * is not taken, and tried again with back-off. */
int extra_open(struct slot *s, char why[FILES_WHY_MAX]);
void extra_close(struct slot *s);	/* always, also when extra_open failed or was not called */

/* run is due. False: it is held (shown as down, wanted up) until slot_go(s). Asked again then. */
bool extra_may_start(const struct slot *s);

/* A child is about to be made: fills in sp->envp, sp->limits, sp->err. -1 with a message: it cannot be, as if exec had failed. */
int extra_child(struct slot *s, enum extra_child what, struct spawn *sp);

/* run ended with this wait status; STATE_UNKNOWN: it is not known. Before its successor is made: be quick. */
void extra_died(struct slot *s, int status);

/* Something changed that slot_show shows. */
void extra_shown(struct slot *s);

/* Everything stops: may this one be told to, or do others that need it still run? Asked at the end of each round. */
bool extra_may_stop(const struct service *sv);

/* A child that is no service's and no script's ended: it was ours. A child that nobody may end as a stranger. */
bool extra_reaped(pid_t pid, int status);
bool extra_is_ours(pid_t pid);

/* Everything stops, no service lives: have the logs been written? Asked at the end of each round. */
bool extra_logged(void);
void extra_kill(void);		/* patience with that is over */

/* At the end of every round, before files are written. */
void extra_round(struct host *h);

#endif
