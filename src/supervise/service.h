/*
 * service: one service directory under supervision: its process, its logger, and the pipe between them.
 *
 * The pipe to the logger is made once and kept open at both ends, so that neither side's restart loses a byte. When the service is
 * gone the writing end is closed here: the logger reads to the end and leaves by itself.
 */
#ifndef SUPERVISE_SERVICE_H
#define SUPERVISE_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervise/slot.h"

struct service {
	struct host *host;
	char *name;
	dev_t dev;
	ino_t ino;
	struct slot main, log;	/* log.dirfd -1: no logger */
	int pipe[2];
	int row;		/* of the board */
	int kept;		/* of the record for the next supervise */
	bool open;		/* files held; false: failed, or exited */
	bool leaving;		/* removed or told to stop for good */
	bool over;		/* both slots are gone; to be closed at the end of the round */
	bool closing;		/* nothing of it is left but what the writer still holds */
	char why[FILES_WHY_MAX];	/* why it is not open; "" after an exit */
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

/* It is not open, and its directory is gone: what is on record for it is a ghost's (ghost.h). */
void service_disown(struct service *sv);

/* Sends sig to the process group of whatever it, or its logger, runs. For the end of patience only: it skips state.c. */
void service_kill(struct service *sv, bool logger, int sig);

/* Both slots are settled; or it was let go on demand. */
bool service_settled(const struct service *sv);

#endif
