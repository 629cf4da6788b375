/*
 * slot: a place for one process, a service or its logger: carries out what state.c decides, and shows it.
 *
 * A death is answered in this order: the successor is forked first; the board and the record for a successor of ours (memory) are
 * written; the files in supervise/ are given to the writer at the end of the round, in host_flush.
 *
 * A process that an earlier supervise made is not our child: it is watched, and sent signals, through its pidfd.
 *
 * All slots of one struct host live on one loop and one thread.
 */
#ifndef SUPERVISE_SLOT_H
#define SUPERVISE_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "supervise/board.h"
#include "supervise/files.h"
#include "supervise/keep.h"
#include "supervise/state.h"
#include "supervise/svdir.h"
#include "supervise/writer.h"

#define HOST_PIDS 1024

struct slot;
struct ask;
struct adopted;
struct ghost;
struct ghost_past;

struct host {
	struct loop *loop;
	struct board board;
	struct keep keep;
	struct writer writer;
	struct slot *by_pid[HOST_PIDS];
	struct slot *dirty;
	struct ask *asks;	/* scripts of control/ that run */
	struct ghost *ghosts;	/* ghost.h */
	struct ghost_past *past;
	bool ghost_gone;	/* since scan_collect looked */
	unsigned over;		/* services that are over and not yet closed */
	unsigned orphans;	/* strangers that were reaped */
	unsigned taken;		/* processes that were taken over */
	uint64_t *restarts;	/* metric: starts of run after the first */
};

struct slot {
	struct host *host;
	struct service *service;	/* whose it is: service.h */
	const char *label;	/* "route", "route/log"; borrowed */
	void *extra;		/* extra.h's */
	bool logger;
	bool deaf;		/* u and o are ignored: it is leaving */
	bool dirty;
	bool asked;		/* what it is to show answers a command */
	bool again;		/* told to exit, and looked for since: scan.h opens it again when it has */
	int in, out;		/* what becomes 0 and 1 of its process; -1: inherited; borrowed */
	int row;		/* of the board */
	int kept;		/* of the record */
	struct state st;
	struct files *files;
	int dirfd;		/* of files; -1: there is no such slot */
	pid_t pid;		/* of run or finish; 0 none */
	pid_t last_pid;		/* of what ended last, 0: none of this supervise's */
	int notifies;		/* number of its notification-fd at the last start; -1 none */
	struct adopted *adopted;	/* the process is not our child; NULL: it is */
	struct ask *ask;	/* once a script of control/ was asked */
	struct loop_io control, notify;
	struct loop_timer timer;
	struct slot *next_pid, *next_dirty;
};

/* Opens the directory `label`, reads it into dir, takes the lock. host, service, label, logger, row and kept are set
 * beforehand. 0; -1 with the reason in why and nothing held. */
int slot_open(struct slot *s, struct svdir *dir, char why[FILES_WHY_MAX]);
void slot_close(struct slot *s);	/* its process must be gone; harmless when not open */

/* Watches the process on record, if it lives; before anything is started. -1 with the reason: it may live and cannot be watched, so that
 * another must not be started. */
int slot_take_over(struct slot *s, char why[FILES_WHY_MAX]);

/* Shows what is so far, and opens the control fifo: sv sees a supervisor. -1 with the reason in why. */
int slot_announce(struct slot *s, char why[FILES_WHY_MAX]);

/* Begins: goes on from what an earlier supervise left, or starts what is wanted up. */
void slot_begin(struct slot *s);

void slot_event(struct slot *s, enum sv_event ev, int status);
void slot_letter(struct slot *s, unsigned char letter);
void slot_show(struct slot *s);		/* to the board, and to the files at host_flush */

/* A start was held (extra_may_start): asks again. Harmless at any time. */
void slot_go(struct slot *s);

/* Its process ended with this wait status (or STATE_UNKNOWN). */
void slot_ended(struct slot *s, int status);

/* Wanted up, running, and ready if it can say so; or not wanted up; or no slot. */
bool slot_settled(const struct slot *s);

/* Sends sig to its process, if there is one. */
void slot_signal(struct slot *s, int sig);

/* Carries out one bit of ACT_SIGNALS, whatever control/ says. */
void slot_send(struct slot *s, unsigned act);

struct keep_slot *slot_kept(const struct slot *s);

/* Called by slot_event when the slot is gone; defined in service.c. */
void service_slot_gone(struct slot *s);

void host_init(struct host *h, struct loop *l);	/* h is all 0 */
void host_release(struct host *h, bool done);	/* done: nothing runs any more */

/* Gives what changed to the writer. */
void host_flush(struct host *h);

#endif
