/*
 * service: one service directory under supervision: its process, its logger, the pipe between them, its files. Carries out what
 * state.c decides.
 *
 * A death is answered in this order: the successor is forked first; the board (memory) is written; the files in
 * supervise/ are written at the end of the round, in host_flush.
 *
 * The pipe to the logger is made once and kept open at both ends, so that neither side's restart loses a byte. When the service is
 * gone the writing end is closed here: the logger reads to the end and leaves by itself.
 *
 * All objects of one struct host live on one loop and one thread.
 */
#ifndef SUPERVISE_SERVICE_H
#define SUPERVISE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "supervise/board.h"
#include "supervise/files.h"
#include "supervise/state.h"
#include "supervise/svdir.h"

struct service;

/* A place for one process: a service or its logger. */
struct slot {
	struct service *service;
	struct state st;
	struct files files;
	const char *label;	/* "route", "route/log" */
	int dirfd;		/* -1: there is no such slot */
	pid_t pid;		/* of run or finish; 0 none */
	int notifies;		/* number of its notification-fd at the last start; -1 none */
	struct loop_io control, notify;
	struct loop_timer timer;
	struct slot *next_pid, *next_dirty;
	bool dirty;
};

struct service {
	struct host *host;
	char *name;
	dev_t dev;
	ino_t ino;
	struct slot main, log;	/* log.dirfd -1: no logger */
	int pipe[2];
	int row;		/* of the board */
	bool open;		/* files held; false: failed, or exited */
	bool leaving;		/* removed or told to stop for good: u and o are ignored */
	bool over;		/* both slots are gone; to be closed at the end of the round */
	char why[FILES_WHY_MAX];	/* why it is not open; "" after an exit */
};

#define HOST_PIDS 1024

struct host {
	struct loop *loop;
	struct board board;
	struct slot *by_pid[HOST_PIDS];
	struct slot *dirty;
	unsigned over;		/* services that are over and not yet closed */
	unsigned orphans;	/* strangers that were reaped */
	uint64_t *restarts;	/* metric: starts of run after the first */
};

/* A service for the directory NAME (relative to the current directory). Opened by service_open. NULL: no memory, with a message. */
struct service *service_new(struct host *h, const char *name, dev_t dev, ino_t ino);
void service_free(struct service *sv);		/* closes it first if need be */

/* Takes the locks, makes the files, starts the logger and, unless there is a file down, the service. 0; -1 with the reason in
 * sv->why, logged when it is not the same as before. */
int service_open(struct service *sv);

/* Gives the locks and files back; the processes must be gone. */
void service_close(struct service *sv);

/* Stops it for good (d, with finish, then the logger by the end of its input); sv->over is set when nothing is left. */
void service_leave(struct service *sv);

/* Sends sig to the process group of whatever it and its logger run. For the end of patience only: it skips state.c. */
void service_kill(struct service *sv, bool logger, int sig);

/* Wanted up and running, and ready if it has a notification-fd; or not wanted up. */
bool service_settled(const struct service *sv);

/* Collects every child that ended. */
void host_reap(struct host *h);

/* Writes the files of all slots that changed. */
void host_flush(struct host *h);

struct slot *host_find(const struct host *h, pid_t pid);

#endif
