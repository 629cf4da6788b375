/*
 * slot: a place for one process, a service or its logger: carries out what state.c decides, and shows it.
 *
 * A death is answered in this order: the successor is forked first; the board (memory) is written; the files in
 * supervise/ are written at the end of the round, in host_flush.
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
#include "supervise/state.h"
#include "supervise/svdir.h"

#define HOST_PIDS 1024

struct slot;

struct host {
	struct loop *loop;
	struct board board;
	struct slot *by_pid[HOST_PIDS];
	struct slot *dirty;
	unsigned over;		/* services that are over and not yet closed */
	unsigned orphans;	/* strangers that were reaped */
	uint64_t *restarts;	/* metric: starts of run after the first */
};

struct slot {
	struct host *host;
	struct service *service;	/* whose it is: service.h */
	const char *label;	/* "route", "route/log"; borrowed */
	bool logger;
	bool deaf;		/* u and o are ignored: it is leaving */
	int in, out;		/* what becomes 0 and 1 of its process; -1: inherited; borrowed */
	int row;		/* of the board */
	struct state st;
	struct files files;
	int dirfd;		/* -1: there is no such slot */
	pid_t pid;		/* of run or finish; 0 none */
	int notifies;		/* number of its notification-fd at the last start; -1 none */
	struct loop_io control, notify;
	struct loop_timer timer;
	struct slot *next_pid, *next_dirty;
	bool dirty;
};

/* Opens the directory `label`, reads it into dir, takes the lock and the control fifo. host, service, label, logger and row are set
 * beforehand. 0; -1 with the reason in why and nothing held. */
int slot_open(struct slot *s, struct svdir *dir, char why[FILES_WHY_MAX]);
void slot_close(struct slot *s);	/* its process must be gone, host_flush done; harmless when not open */

void slot_event(struct slot *s, enum sv_event ev, int status);
void slot_show(struct slot *s);		/* to the board, and to the files at host_flush */

/* Wanted up, running, and ready if it can say so; or not wanted up; or no slot. */
bool slot_settled(const struct slot *s);

/* Called by slot_event when the slot is gone; defined in service.c. */
void service_slot_gone(struct slot *s);

/* Collects every child that ended. */
void host_reap(struct host *h);

/* Writes the files of all slots that changed. */
void host_flush(struct host *h);

struct slot *host_find(const struct host *h, pid_t pid);

#endif
